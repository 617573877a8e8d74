"""What was left behind, was not made, or came in between, when plans are applied, continued and undone."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dreg_client import Digest, TagPlan, apply_plan, errors
from dreg_client._sync import referrers_checks, referrers_tag, untag
from dreg_client.values.media_type import OCI_MANIFEST
from tests.faultserver import network
from tests.tagging.changing import lines_of
from tests.tagging.repositories import Dated
from tests.tagging.test_played_plans import Played, Plays


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plays]:
    for module in (untag, referrers_tag, referrers_checks):
        monkeypatch.setattr(module, "sleep", lambda _: None)
    (tmp_path / "net").mkdir()
    with network(tmp_path / "net") as net:
        plays = Plays(net, tmp_path)
        yield plays
        plays.close()


def write(journal: Path, lines: list[dict[str, object]]) -> None:
    journal.write_text("".join(json.dumps(each, separators=(",", ":")) + "\n" for each in lines))


def two_tags(play: Plays, profile: str = "distribution") -> Played:
    """A repository whose image has the tags `rc1` and `1.4`, and another one `1.3`."""
    graph = Dated()
    image, other = graph.dated([], 0, None), graph.dated([], 1, None)
    for tag in ("rc1", "1.4"):
        graph.tag(image, tag)
    graph.tag(other, "1.3")
    return play(profile, graph)


def killed_with_placeholder(played: Played) -> tuple[TagPlan, str]:
    """Leave a tag as a process leaves it that was killed before it deleted the placeholder; return the plan, too."""
    plan = played.repository.plan().untag("rc1").make()
    assert not played.apply(played.repository.plan().untag("rc1")).failures
    (written,) = played.registry.made("PUT", "/manifests/rc1")
    placeholder = Digest.of(written.body)
    played.held.manifests[placeholder] = (written.body, OCI_MANIFEST)
    played.held.tags["rc1"] = placeholder
    write(played.journal, lines_of(played.journal)[:2])
    return plan, placeholder


def test_tag_100_a_run_that_was_killed_while_a_tag_named_a_placeholder_continues(play: Plays) -> None:
    played = two_tags(play)
    plan, _ = killed_with_placeholder(played)

    result = apply_plan(plan, stores=[played.repository], journal=played.journal)

    assert not result.failures
    assert {*played.held.tags} == {"1.3", "1.4"}


def test_tag_100_undo_puts_the_original_back_in_place_of_a_placeholder(play: Plays) -> None:
    played = two_tags(play)
    before = dict(played.held.tags)
    killed_with_placeholder(played)

    result = played.undo()

    assert not result.failures
    assert played.held.tags == before


def test_tag_100_untag_deletes_a_tag_that_names_a_placeholder(play: Plays) -> None:
    played = two_tags(play)
    original = Digest(played.held.tags["rc1"])
    killed_with_placeholder(played)

    played.repository.untag("rc1")

    assert {*played.held.tags} == {"1.3", "1.4"}
    for written in played.registry.made("PUT", "/manifests/rc1"):
        assert json.loads(written.body)["annotations"]["io.github.djmattyg007.dreg-client.untag"].startswith(original)


def test_tag_100_an_image_that_was_built_from_a_placeholder_is_not_one(play: Plays) -> None:
    played = two_tags(play)
    plan, placeholder = killed_with_placeholder(played)
    members = json.loads(played.held.manifests[placeholder][0]) | {"layers": []}
    members["annotations"]["mine"] = "yes"
    raw = json.dumps(members).encode()
    built = Digest.of(raw)
    played.held.manifests[built] = (raw, OCI_MANIFEST)
    played.held.tags["rc1"] = built

    result = apply_plan(plan, stores=[played.repository], journal=played.journal)
    undone = played.undo()

    assert [type(each) for each in (*result.failures.values(), *undone.failures.values())] == [errors.ConflictError] * 2
    assert played.held.tags["rc1"] == built
