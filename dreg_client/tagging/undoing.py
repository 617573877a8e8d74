"""Decide which change undoes another one."""

from collections.abc import Collection

from dreg_client.tagging.plan import AddTag, CopyTag, DeleteManifest, MoveTag, RestoreManifest, TagChange, Untag


def undoing(change: TagChange, tags: Collection[str] = ()) -> TagChange:
    """Return the change that undoes another one.

    Args:
        change: The change.
        tags: The tags that it has deleted, if it deletes a manifest.

    Examples:
        >>> from dreg_client.values.digest import Digest
        >>> old, new = Digest("sha256:" + 64 * "0"), Digest("sha256:" + 64 * "1")
        >>> str(undoing(AddTag(tag="1.4", digest=new)))
        'untag 1.4 (sha256:111111111111: the image stays)'
        >>> str(undoing(MoveTag(tag="latest", digest=new, replaces=old)))
        'move latest from sha256:111111111111 to sha256:000000000000'
    """
    match change:
        case MoveTag(tag=tag, digest=digest, replaces=before):
            return MoveTag(tag=tag, digest=before, replaces=digest)
        case CopyTag(tag=tag, digest=digest, replaces=before) if before is not None:
            return MoveTag(tag=tag, digest=before, replaces=digest)
        case AddTag(tag=tag, digest=digest) | CopyTag(tag=tag, digest=digest):
            return Untag(tag=tag, digest=digest)
        case Untag(tag=tag, digest=digest):
            return AddTag(tag=tag, digest=digest)
        case DeleteManifest():
            return RestoreManifest(
                digest=change.digest,
                tags=tuple(tag for tag in change.tags if tag in tags),
                platforms=change.platforms,
                referrers=change.referrers,
                digest_tags=tuple(tag for tag in tags if tag not in change.tags),
            )
        case RestoreManifest():
            return DeleteManifest(digest=change.digest, tags=change.tags)
