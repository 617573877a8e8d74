"""The tags that are named after the digest of a manifest that they are about.

`sha256-HEX.sig`, `.att` and `.sbom` are those of cosign. `sha256-HEX` is the referrers tag, which lists the referrers
of a manifest if the registry has no list of its own.
"""

from collections.abc import Iterable

from dreg_client.copying.tag_filter import subject_of_tag


def tags_by_subject(tags: Iterable[str]) -> dict[str, list[str]]:
    """Return the tags of signatures and the like, by the digest that they are about, without referrers tags.

    Examples:
        >>> tags_by_subject(["1.4", f"sha256-{64 * '0'}", f"sha256-{64 * '0'}.sig"])
        {'sha256:000...000': ['sha256-000...000.sig']}
    """
    found: dict[str, list[str]] = {}
    for tag in tags:
        subject = subject_of_tag(tag)
        if subject is not None and "." in tag:
            found.setdefault(subject, []).append(tag)
    return found
