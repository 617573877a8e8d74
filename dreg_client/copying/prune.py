"""Which tags `sync` may remove from a destination."""

from collections.abc import Collection, Sequence
from typing import Final

from dreg_client.copying.digest_tags import digest_tag
from dreg_client.copying.tag_filter import TagFilter

_ADVICE: Final = "to remove all matching tags of the destination, repeat it with allow_empty="


def reason_not_to_prune(chosen: Collection[str], *, allow_empty: bool) -> str:
    """Return why no tag may be removed, although the list of the source is complete; empty if tags may be removed."""
    if chosen or allow_empty:
        return ""
    return f"the source has no tag that matches; {_ADVICE}"


def removable(there: Sequence[str], listed: Collection[str], tags: TagFilter) -> list[str]:
    """Return the tags that the filter chooses and the source does not have, without digest tags.

    Args:
        there: The tags of the destination.
        listed: All tags of the source, also those that the filter does not choose.
        tags: The filter.
    """
    return [tag for tag in there if tag not in listed and digest_tag(tag) is None and tags.has(tag)]


def gone_digest_tags(there: Sequence[str], listed: Collection[str]) -> dict[str, str]:
    """Return the digest tags that the source does not have, with the digests that they are about.

    Examples:
        >>> gone_digest_tags(["1.4", f"sha256-{64 * '0'}.sig"], ["1.4"])
        {'sha256-000...000.sig': 'sha256:000...000'}
    """
    return {tag: about.subject for tag in there if tag not in listed and (about := digest_tag(tag))}
