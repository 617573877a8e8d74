"""Sentences that say what a change of a plan does to what."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from dreg_client.values.digest import Digest
from dreg_client.values.sizes import byte_size

if TYPE_CHECKING:
    from dreg_client.tagging.plan import DeleteManifest, RestoreManifest


def move(tag: str, before: Digest, after: Digest, other_tags: Collection[str] | None) -> str:
    """Return a sentence about a tag that is moved."""
    others = f" (also tagged {', '.join(other_tags)})" if other_tags else ""
    return f"move {tag} from {before.short}{others} to {after.short}"


def copy(source: str, source_tag: str, tag: str, digest: Digest, replaces: Digest | None) -> str:
    """Return a sentence about an image that is copied."""
    replaced = "" if not replaces else ", already there" if replaces == digest else f", in place of {replaces.short}"
    return f"copy {source}:{source_tag} ({digest.short}) to {tag}{replaced}"


def copy_referrers(source: str, source_tag: str, tag: str, digest: Digest, count: int) -> str:
    """Return a sentence about signatures and other referrers that are copied for an image that is there."""
    referrers = "1 referrer" if count == 1 else f"{count} referrers"
    return f"copy {referrers} of {source}:{source_tag} ({digest.short}) that {tag} lacks"


def untag(tag: str, digest: Digest, other_tags: Collection[str] | None, needed_by: str) -> str:
    """Return a sentence about a tag that is deleted."""
    if other_tags:
        stays = f", also tagged {', '.join(other_tags)}: the image stays"
    elif needed_by:
        stays = f", needed by {needed_by}: the image stays"
    elif other_tags is None:  # it is not known whether it has other tags
        stays = ": the image stays"
    else:
        stays = ", no tag is left: the image stays"
    return f"untag {tag} ({digest.short}{stays})"


def delete(change: "DeleteManifest") -> str:
    """Return a sentence about a manifest that is deleted."""
    count = len(change.tags)
    tags = (
        "no tag"
        if not count
        else f"its last tag {change.tags[0]}"
        if count == 1
        else f"its tags {', '.join(change.tags)}"
    )
    parts = [tags, *_following(change), *_sizes(change)]
    return f"delete {change.digest.short} ({'; '.join(parts)})"


def restore(change: "RestoreManifest") -> str:
    """Return a sentence about a manifest that is put back."""
    tags = f"with {'its tag' if len(change.tags) == 1 else 'its tags'} {', '.join(change.tags)}" if change.tags else ""
    parts = [tags or "no tag", *_following(change)]
    return f"restore {change.digest.short} ({'; '.join(parts)})"


def _following(change: "DeleteManifest | RestoreManifest") -> list[str]:
    lists = (change.referrers, "referrer"), (change.platforms, "platform"), (change.digest_tags, "digest tag")
    named = [f"{len(found)} {what}{'' if len(found) == 1 else 's'}" for found, what in lists if found]
    verb = "goes" if sum(len(found) for found, _ in lists) == 1 else "go"
    *first, last = named or [""]
    return [f"{', '.join(first)}{' and ' if first else ''}{last} {verb} with it"] if last else []


def _sizes(change: "DeleteManifest") -> list[str]:
    if change.size is None:
        return []
    shared = f", {byte_size(change.shared_size)} of it shared with others" if change.shared_size else ""
    return [f"{byte_size(change.size)}{shared}"]
