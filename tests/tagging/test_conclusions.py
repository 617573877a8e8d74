"""What `explain` says about tags that are removed: whether the image is deleted, or only the tag."""

from dreg_client.tagging.conclusions import note_conclusions
from dreg_client.tagging.plan import DeleteManifest, RepositoryTagPlan, TagChange, Untag
from dreg_client.tagging.trace import Trace
from dreg_client.values.digest import Digest

DIGEST = Digest("sha256:" + 64 * "a")
IMAGE = "the image sha256:aaaaaaaaaaaa"


def concluded(*changes: TagChange) -> Trace:
    trace = Trace()
    trace.start("prune nightly-*")
    trace.note("a", "removed")
    note_conclusions(trace, RepositoryTagPlan(repository="oci:build/web", changes=changes))
    return trace


def test_the_conclusion_follows_the_rules() -> None:
    trace = concluded(DeleteManifest(digest=DIGEST, tags=("a",)))

    assert trace.of("a") == ("rule 1 (prune nightly-*): removed", f"plan: {IMAGE} is deleted")
    assert trace.of("kept") == ()


def test_tags_that_are_removed_together_are_named_together() -> None:
    trace = concluded(DeleteManifest(digest=DIGEST, tags=("a", "b")))

    assert trace.of("a")[1] == trace.of("b")[0] == f"plan: {IMAGE} is deleted; all its tags are removed: a, b"


def test_a_tag_whose_image_stays_says_why() -> None:
    trace = concluded(Untag(tag="a", digest=DIGEST, needed_by="the index all"))

    assert trace.of("a")[1] == f"plan: only the tag is deleted; {IMAGE} stays, needed by the index all"
