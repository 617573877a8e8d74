"""What was left behind, was not made, or came in between, when plans are applied, continued and undone."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dreg_client import Digest, TagPlan, apply_plan, errors
from dreg_client._sync import referrers_checks, referrers_tag, untag
from dreg_client.values.media_type import OCI_MANIFEST
from tests.faultserver import Heard, network
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


def killed_with_placeholder(played: Played, tag: str = "rc1") -> tuple[TagPlan, str]:
    """Leave a tag as a process leaves it that was killed before it deleted the placeholder; return the plan, too."""
    plan = played.repository.plan().untag(tag).make()
    assert not played.apply(played.repository.plan().untag(tag)).failures
    (written,) = played.registry.made("PUT", f"/manifests/{tag}")
    placeholder = Digest.of(written.body)
    played.held.manifests[placeholder] = (written.body, OCI_MANIFEST)
    played.held.tags[tag] = placeholder
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


@pytest.mark.parametrize("profile", ["olareg", "distribution"])
def test_tag_101_the_last_tag_of_an_image_is_not_deleted_if_its_other_tags_are_gone(play: Plays, profile: str) -> None:
    played = two_tags(play, profile)
    plan = played.repository.plan().untag("rc1").make()
    image = played.held.tags.pop("1.4")

    result = apply_plan(plan, stores=[played.repository], journal=played.journal)

    (failure,) = result.failures.values()
    assert isinstance(failure, errors.ConflictError)
    assert "no longer has the tags that it was to keep: 1.4" in str(failure)
    assert played.held.tags["rc1"] == image


@pytest.mark.parametrize("tag", ["rc1", "1.3"])
def test_tag_102_undo_puts_a_manifest_back_that_was_deleted_with_its_last_tag(play: Plays, tag: str) -> None:
    played = two_tags(play, "olareg")
    planner = played.repository.plan()
    lost = played.held.tags[tag]
    planner = planner.untag("rc1") if tag == "rc1" else planner.move("1.3", to="1.4")
    assert not played.apply(planner).failures
    played.held.tags = {name: digest for name, digest in played.held.tags.items() if digest != lost}
    del played.held.manifests[lost]

    result = played.undo()

    assert not result.failures
    assert played.held.tags[tag] == lost
    assert lost in played.held.manifests


def test_tag_102_each_manifest_is_read_once_for_the_journal(play: Plays) -> None:
    graph = Dated()
    image, other = graph.dated([], 0, None), graph.dated([], 1, None)
    for number in range(6):
        graph.tag(image, f"nightly-{number}")
    graph.tag(other, "1.3")
    played = play("olareg", graph)
    planner = played.repository.plan()
    for number in range(3):
        planner.move(f"nightly-{number}", to="1.3").untag(f"nightly-{number + 3}")
    plan = planner.make()
    played.registry.host.requests.clear()

    assert not apply_plan(plan, stores=[played.repository], journal=played.journal).failures

    # The manifest that tags are moved to, and the other one, before tags are moved and before tags are deleted.
    assert len(played.registry.made("GET", "/manifests/")) == 3
    kept = [line["manifests"] for line in lines_of(played.journal) if line["kind"] == "step"]
    assert all([each["digest"] for each in manifests] == [image["digest"]] for manifests in kept)
    played.registry.host.requests.clear()
    assert not apply_plan(plan, stores=[played.repository]).failures
    assert len(played.registry.made("GET", "/manifests/")) == 1


@pytest.mark.parametrize("status", [403, 400])
def test_tag_104_what_the_registry_rejected_is_not_undone(play: Plays, status: int) -> None:
    played = two_tags(play, "olareg")
    rejection = f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode()
    played.registry.host.on("/v2/acme/web/manifests/1", rejection)
    result = played.apply(played.repository.plan().tag("1", to="1.3"))
    assert len(result.failures) == 1
    played.registry.host.on("/v2/acme/web/manifests/1", played.registry.answer)
    played.held.tags["1"] = played.held.tags["1.3"]  # by another client

    undone = played.undo()

    assert undone.repositories == ()
    assert "1" in played.held.tags


@pytest.mark.parametrize(
    ("member", "value", "message"),
    [
        ("step", 1 << 62, "line 2: step.step: Input should be less than or equal to"),
        ("step", 10**400, "line 2: step.step"),
        ("undoes", 1, "line 2: there is no step 1 of the plan before it"),
        ("undoes", 10**400, "line 2: step.undoes"),
        ("change", {"action": "restore"}, "line 2: only undo can restore manifests"),
    ],
)
def test_tag_107_a_journal_that_was_changed_by_hand_is_rejected(
    play: Plays, member: str, value: object, message: str
) -> None:
    played = two_tags(play, "olareg")
    played.apply(played.repository.plan().untag("rc1"))
    start, step, *_ = lines_of(played.journal)
    step[member] = value | {"digest": step["change"]["digest"]} if isinstance(value, dict) else value
    write(played.journal, [start, step])
    before = dict(played.held.tags)

    with pytest.raises(errors.ConfigError, match=message):
        played.undo()

    assert played.held.tags == before


def test_tag_103_nothing_is_read_between_the_checks_and_the_deletions(play: Plays) -> None:
    graph = Dated()
    for number in range(260):
        graph.tag(graph.dated([], number, None), f"nightly-{number}")
    played = play("olareg", graph)
    plan = played.repository.plan().prune([f"nightly-{number}" for number in range(7)]).make()
    requests = played.registry.host.requests
    requests.clear()

    assert not apply_plan(plan, stores=[played.repository], journal=played.journal).failures

    kinds = [f"{each.method} {each.path.split('/')[4]}" for each in requests if not each.path.endswith("/v2/")]
    deletions = [number for number, kind in enumerate(kinds) if kind == "DELETE manifests"]
    readings = [number for number, kind in enumerate(kinds) if kind == "GET tags"]
    assert len(deletions) == 7
    for first in deletions[:-1:2]:
        assert kinds[first - 2 : first] == ["GET referrers"] * 2
        assert kinds[first + 1] == "DELETE manifests"
        assert {*kinds[max(each for each in readings if each < first) + 1 : first - 2]} == {"HEAD manifests"}


def test_tag_103_a_tag_that_is_set_while_another_group_is_deleted_keeps_its_manifest(play: Plays) -> None:
    graph = Dated()
    for number in range(10):
        graph.tag(graph.dated([], number, None), f"nightly-{number}")
    played = play("distribution3", graph)
    plan = played.repository.plan().prune(["nightly-3", "nightly-4"]).make()
    later = plan.changes[1].digest

    def before(heard: Heard) -> None:
        if heard.method == "DELETE":
            played.held.tags["mine"] = later

    played.registry.before = before
    result = apply_plan(plan, stores=[played.repository], journal=played.journal)

    assert [type(each) for each in result.failures.values()] == [errors.ConflictError]
    assert played.held.tags["mine"] == later
    assert later in played.held.manifests


@pytest.mark.parametrize("profile", ["distribution", "olareg"])
def test_tag_106_the_list_of_referrers_is_checked_once_after_many_deletions(
    play: Plays, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = Dated()
    image = graph.dated([], 0, None)
    graph.tag(image, "1.4")
    made = [graph.referrer(image, number) for number in range(8)]
    for number, each in enumerate(made):
        graph.tag(each, f"sbom-{number}")
    played = play(profile, graph)
    waits: list[float] = []
    for module in (referrers_tag, referrers_checks):
        monkeypatch.setattr(module, "sleep", waits.append)
    listed = {each.digest for each in played.repository.referrers(image["digest"])}

    pruned = played.apply(played.repository.plan().prune("sbom-*"))
    left = played.repository.referrers(image["digest"])
    undone = played.undo()

    assert (dict(pruned.failures), dict(undone.failures)) == ({}, {})
    assert (len(listed), left) == (8, ())
    assert {each.digest for each in played.repository.referrers(image["digest"])} == listed
    assert len(waits) == (2 if profile == "distribution" else 0)
