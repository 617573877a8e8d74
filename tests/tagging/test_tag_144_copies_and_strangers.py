"""Sources keep what was not copied, or is no longer there; plans and journals from a stranger are checked."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from dreg_client import (
    AddTag,
    CopyTag,
    DeleteManifest,
    Digest,
    Layout,
    RepositoryTagPlan,
    TagPlan,
    Untag,
    apply_plan,
    errors,
    resume_plan,
)
from dreg_client.tagging.journal import EndLine, StepLine, first_line, text_of
from tests.tagging.changing import Doing, Images, LayoutPlace, both
from tests.tagging.test_played_plans import Played, Plays
from tests.tagging.test_tag_100_applying import killed_with_placeholder, play, two_tags
from tests.tagging.test_tag_130_nothing_is_lost import Promotion, signed

__all__ = ["play"]
ZEROS = Digest("sha256:" + 64 * "0")


def promoted(tmp_path: Path) -> tuple[Images, Promotion, TagPlan]:
    """An image that is copied to another layout and then deleted."""
    images = Images("image")
    images.tag("image", "1.0")
    promotion = Promotion(tmp_path, images, images.graph.blobs[images["image"]])
    (tmp_path / "source/blobs" / images["image"].replace(":", "/")).write_bytes(images.graph.blobs[images["image"]])
    removal = DeleteManifest(digest=images["image"], tags=("1.0",))
    return images, promotion, promotion.plan([promotion.copy(images["image"], "1.0")], removal)


@both
def test_tag_144_if_an_image_was_not_copied_its_signatures_are_not_deleted_by_their_own_tags(
    run: Doing, tmp_path: Path
) -> None:
    images, signature = signed()
    images.tag("image", "1.0")
    images.graph.tag(images.made["signature of image"], "signed")
    promotion = Promotion(tmp_path, images, b"image")  # the image fails, not the signature
    removal = DeleteManifest(digest=signature, tags=("signed",))

    done = run.apply(promotion.plan([promotion.copy(images["image"], "1.0")], removal))

    assert done.done == ()
    assert "this may be one of them" in str(done.repositories[1].failed[signature])
    assert promotion.source.tags() == {"1.0": images["image"], "signed": signature}


def test_tag_145_a_run_that_continues_checks_that_earlier_copies_are_still_there(tmp_path: Path) -> None:
    images, promotion, plan = promoted(tmp_path)
    journal = tmp_path / "changes.jsonl"
    copied = plan.repositories[0].changes[0]
    steps = (
        StepLine(step=1, repository=promotion.destination.name, change=copied, undoes=None),
        EndLine(step=1, outcome="done"),
    )
    journal.write_bytes(text_of([first_line(plan), *steps]))  # another client has deleted the copy since

    done = resume_plan(journal)

    (failure,) = done.failures.values()
    assert "or is no longer there" in str(failure)
    assert promotion.source.tags() == {"1.0": images["image"]}


@both
def test_tag_145_what_is_still_there_is_deleted_from_its_source(run: Doing, tmp_path: Path) -> None:
    images, promotion, plan = promoted(tmp_path)

    assert not run.apply(plan).failures

    assert (promotion.source.tags(), promotion.destination.tags()) == ({}, {"1.0": images["image"]})


@pytest.mark.parametrize(
    ("replaces", "missing", "message"),
    [
        (None, str(ZEROS), "only possible if `replaces` is `digest`"),
        (Digest.of(b"other"), str(ZEROS), "only possible if `replaces` is `digest`"),
        (ZEROS, "1.0", "must be a digest or a digest tag"),
    ],
)
def test_tag_146_missing_referrers_are_digests_or_digest_tags_of_an_image_that_is_there(
    replaces: Digest | None, missing: str, message: str
) -> None:
    members: dict[str, Any] = {"action": "copy", "source": "oci:a", "tag": "1", "digest": ZEROS, "sourceTag": "1"}
    members |= {"replaces": replaces, "missing": [missing]}
    text = json.dumps({"version": 1, "repositories": [{"repository": "oci:b", "changes": [members]}]})

    with pytest.raises(errors.ConfigError, match=message):
        CopyTag(source="oci:a", tag="1", digest=ZEROS, source_tag="1", replaces=replaces, missing=(missing,))
    with pytest.raises(errors.ConfigError, match=message):
        TagPlan.from_json(text)


@pytest.mark.skipif(os.name == "nt", reason="symbolic links need a privilege")
def test_tag_147_a_layout_with_two_paths_is_one_source(tmp_path: Path) -> None:
    images = Images("image")
    images.tag("image", "1.0")
    promotion = Promotion(tmp_path, images, b"image")
    (tmp_path / "link").symlink_to("source")
    copied = CopyTag(source=f"oci:{tmp_path / 'link'}", tag="1.0", digest=images["image"], source_tag="1.0")

    done = apply_plan(promotion.plan([copied], Untag(tag="1.0", digest=images["image"])))

    assert (done.done, promotion.source.tags()) == ((), {"1.0": images["image"]})


@pytest.mark.skipif(os.name == "nt", reason="symbolic links need a privilege")
def test_tag_147_a_layout_with_two_paths_is_in_a_plan_once(tmp_path: Path) -> None:
    with Layout.create(tmp_path / "web"):
        (tmp_path / "link").symlink_to("web")
    names = f"oci:{tmp_path / 'web'}", f"oci:{tmp_path / 'link'}"

    with pytest.raises(errors.ConfigError, match="is in the plan twice"):
        TagPlan(repositories=tuple(RepositoryTagPlan(repository=name) for name in names))


def killed_without_original(play: Plays) -> tuple[Played, TagPlan, str]:
    """A tag that names a placeholder, in a registry that has deleted the original with its last tag."""
    played = two_tags(play)
    original = played.held.tags["1.3"]
    plan, _ = killed_with_placeholder(played, "1.3")
    del played.held.manifests[original]
    return played, plan, original


def test_tag_148_a_placeholder_is_recognised_by_the_journal_if_its_original_is_gone(play: Plays) -> None:
    played, plan, _ = killed_without_original(play)

    result = apply_plan(plan, stores=[played.repository], journal=played.journal)

    assert not result.failures
    assert {*played.held.tags} == {"rc1", "1.4"}


def test_tag_148_undo_puts_such_an_original_back(play: Plays) -> None:
    played, _, original = killed_without_original(play)

    result = played.undo()

    assert not result.failures
    assert played.held.tags["1.3"] == original
    assert original in played.held.manifests


@both
def test_tag_149_undo_checks_the_names_in_a_journal(run: Doing, tmp_path: Path) -> None:
    change = AddTag(tag="1.0", digest=ZEROS)
    plan = TagPlan(repositories=(RepositoryTagPlan(repository="acme/web", changes=(change,)),))
    journal = tmp_path / "changes.jsonl"
    journal.write_bytes(
        text_of([first_line(plan), StepLine(step=1, repository="acme/web", change=change, undoes=None)])
    )

    with pytest.raises(errors.ConfigError, match="must be written in full"):
        run.undo(journal)


@both
def test_tag_149_undo_rejects_a_step_that_is_not_in_the_plan(run: Doing, tmp_path: Path) -> None:
    plan = LayoutPlace(tmp_path / "web").plan(AddTag(tag="1.0", digest=ZEROS))
    other = StepLine(step=1, repository=f"oci:{tmp_path / 'web'}", change=AddTag(tag="2.0", digest=ZEROS), undoes=None)
    journal = tmp_path / "changes.jsonl"
    journal.write_bytes(text_of([first_line(plan), other]))

    with pytest.raises(errors.ConfigError, match="step 1 is not a change of the journal's plan"):
        run.undo(journal)
