"""What a plan does in the end with the tags that rules remove, in sentences for `explain`."""

from dreg_client.tagging.plan import DeleteManifest, RepositoryTagPlan, Untag
from dreg_client.tagging.trace import Trace


def note_conclusions(trace: Trace, plan: RepositoryTagPlan) -> None:
    """Note for each tag that is removed whether its image is deleted, too.

    Examples:
        >>> from dreg_client.values.digest import Digest
        >>> trace, digest = Trace(), Digest("sha256:" + 64 * "0")
        >>> changes = (Untag(tag="1.3-rc1", digest=digest, other_tags=("1.3",)),)
        >>> note_conclusions(trace, RepositoryTagPlan(repository="oci:build/web", changes=changes))
        >>> trace.of("1.3-rc1")
        ('plan: only the tag is deleted; the image sha256:000000000000 stays, also tagged 1.3',)
    """
    trace.conclude()
    for change in plan.changes:
        if isinstance(change, Untag):
            trace.note(change.tag, f"only the tag is deleted; the image {change.digest.short} stays{_why(change)}")
        elif isinstance(change, DeleteManifest):
            others = f"; all its tags are removed: {', '.join(change.tags)}" if len(change.tags) > 1 else ""
            for tag in change.tags:
                trace.note(tag, f"the image {change.digest.short} is deleted{others}")


def _why(change: Untag) -> str:
    if change.other_tags:
        return f", also tagged {', '.join(change.other_tags)}"
    return f", needed by {change.needed_by}" if change.needed_by else ""
