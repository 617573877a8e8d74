"""Digest tags: tags that are named after the digest of the manifest that they are about.

`sha256-HEX.sig`, `.att` and `.sbom` are those of cosign. `sha256-HEX` is the referrers tag, which lists the referrers
of a manifest if the registry has no list of its own. In a layout or an archive, their names may have a repository, as
in `acme/web:sha256-HEX.sig`.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_DIGEST_TAG: Final = re.compile(r"(sha256-[0-9a-f]{64}|sha512-[0-9a-f]{128})(?:\..*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class DigestTag:
    """A digest tag.

    Attributes:
        name: Its name in the store.
        repository: The repository in that name; empty if there is none.
        tag: The name without the repository.
        subject: The digest that it is about.
    """

    name: str
    repository: str
    tag: str
    subject: str

    @property
    def is_referrers_tag(self) -> bool:
        """Whether it lists the referrers of its subject."""
        return "." not in self.tag

    def belongs_to(self, repository: str) -> bool:
        """Return whether it may be about an image of a repository. Without a repository, it is about all of them."""
        return not self.repository or not repository or self.repository == repository

    def under(self, repository: str) -> str:
        """Return the name that it has in another repository."""
        return f"{repository}:{self.tag}" if repository else self.tag


def digest_tag(name: str) -> DigestTag | None:
    """Return what a digest tag is about; None for any other name.

    Examples:
        >>> digest_tag("acme/web:1.4") is None
        True
        >>> found = digest_tag("acme/web:sha256-" + 64 * "0" + ".sig")
        >>> found.repository, found.subject
        ('acme/web', 'sha256:0000000000000000000000000000000000000000000000000000000000000000')
    """
    repository, _, tag = name.rpartition(":")
    found = _DIGEST_TAG.fullmatch(tag)
    return DigestTag(name, repository, tag, found[1].replace("-", ":", 1)) if found else None


def is_referrers_tag(name: str) -> bool:
    """Return whether a tag lists the referrers of a manifest.

    Examples:
        >>> is_referrers_tag("sha256-" + 64 * "0"), is_referrers_tag("sha256-" + 64 * "0" + ".sig")
        (True, False)
    """
    found = digest_tag(name)
    return found is not None and found.is_referrers_tag


def tags_by_subject(names: Iterable[str]) -> dict[str, list[DigestTag]]:
    """Return the digest tags, by the digest that they are about, without referrers tags.

    Examples:
        >>> found = tags_by_subject(["1.4", f"sha256-{64 * '0'}", f"acme/web:sha256-{64 * '0'}.sig"])
        >>> {subject: [it.repository for it in tags] for subject, tags in found.items()}
        {'sha256:000...000': ['acme/web']}
    """
    found: dict[str, list[DigestTag]] = {}
    for name in names:
        about = digest_tag(name)
        if about is not None and not about.is_referrers_tag:
            found.setdefault(about.subject, []).append(about)
    return found


def names_to_copy(
    tags: Sequence[DigestTag], repositories: Collection[tuple[str, str]], *, in_registry: bool
) -> Mapping[str, str]:
    """Return the names of the digest tags of a manifest in the source, by the names to write them under.

    They follow their images: those of `acme/web:1.4` are copied with it, and get the repository that it gets.

    Args:
        tags: The digest tags about the manifest.
        repositories: For each image that is copied, its repository in the source and that in the destination.
        in_registry: Whether the destination is a repository of a registry, whose tags have no repository.

    Examples:
        >>> tags = [digest_tag(f"acme/web:sha256-{64 * '0'}.sig"), digest_tag(f"acme/api:sha256-{64 * '0'}.sig")]
        >>> names_to_copy(tags, [("acme/web", "")], in_registry=True)
        {'sha256-000...000.sig': 'acme/web:sha256-000...000.sig'}
    """
    found: dict[str, str] = {}
    for about in tags:
        for before, after in repositories:
            if about.belongs_to(before):
                name = about.name if before == after and not in_registry else about.under(after)
                found.setdefault(name, about.name)
    return found
