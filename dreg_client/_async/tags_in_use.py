"""What the tags of a repository lead to, read again just before manifests are deleted."""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from typing import Final

from dreg_client import errors
from dreg_client._async.documents import read_manifest
from dreg_client._async.in_order import AT_A_TIME, in_order
from dreg_client._async.index_walk import MAX_DEPTH
from dreg_client._async.ports import AsyncDestination
from dreg_client.copying.digest_tags import DigestTag, digest_tag, is_referrers_tag
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import Index
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import Family

_ATTEMPTS: Final = 3
"""How often tags are read if one of them leads to nothing: another client may have deleted it meanwhile."""


class AsyncIndexContents:
    """The manifests that the indexes of a repository name. What was read is kept: it cannot change."""

    def __init__(self, destination: AsyncDestination) -> None:
        self._destination = destination
        self._children: dict[Digest, tuple[Descriptor, ...]] = {}

    async def read(self, roots: Iterable[Descriptor]) -> dict[Digest, set[Digest]]:
        """Return the indexes that name a manifest, by its digest, as far as some manifests lead to them.

        Indexes may name manifests that do not exist, but the roots exist: their tags have just been read.

        Raises:
            DepthLimitError: Indexes are nested more than 8 deep.
            NotFoundError: A root does not exist, or no longer.
            DregError: An index cannot be read.
        """
        parents: dict[Digest, set[Digest]] = {}
        seen = set[Digest]()
        level = _indexes(roots)
        await in_order(self._read, level, at_a_time=AT_A_TIME)
        for _ in range(MAX_DEPTH + 1):
            level = [each for each in level if each.digest not in seen]
            seen.update(each.digest for each in level)
            await in_order(self._read_child, level, at_a_time=AT_A_TIME)
            children = [(each.digest, child) for each in level for child in self._children.get(each.digest, ())]
            for parent, child in children:
                parents.setdefault(child.digest, set()).add(parent)
            level = _indexes(child for _, child in children)
            if not level:
                return parents
        raise errors.DepthLimitError(self._destination.name, MAX_DEPTH, "nothing was deleted")

    async def _read(self, index: Descriptor) -> None:
        if index.digest in self._children:
            return
        document = await read_manifest(self._destination, index, strict=False)
        self._children[index.digest] = tuple(document.manifests) if isinstance(document, Index) else ()

    async def _read_child(self, index: Descriptor) -> None:
        with suppress(errors.NotFoundError):
            await self._read(index)


def _indexes(found: Iterable[Descriptor]) -> list[Descriptor]:
    return [*{each.digest: each for each in found if each.family is Family.INDEX}.values()]


class TagsInUse:
    """The tags of a repository at some moment, and what leads to a manifest.

    Args:
        tags: All tags.
        parents: The indexes that name a manifest, by its digest.

    Attributes:
        count: The number of tags.
    """

    def __init__(self, tags: Mapping[str, Digest], parents: Mapping[Digest, set[Digest]]) -> None:
        self._tags, self._parents = dict(tags), parents
        self._tags_of: dict[Digest, set[str]] = {}
        self._about: dict[str, list[DigestTag]] = {}
        for tag, digest in tags.items():
            self._tags_of.setdefault(digest, set()).add(tag)
            if about := digest_tag(tag):
                self._about.setdefault(about.subject, []).append(about)
        self.count: int = len(tags)

    def digest_of(self, tag: str) -> Digest | None:
        """Return the digest of a tag; None if it does not exist."""
        return self._tags.get(tag)

    def about(self, digests: Iterable[Digest]) -> list[DigestTag]:
        """Return the digest tags about some manifests."""
        return [each for digest in digests for each in self._about.get(digest, ()) if each.name in self._tags]

    def leading_to(self, digest: Digest, besides: Collection[Digest] = ()) -> set[str]:
        """Return the tags of a manifest, and of the indexes that contain it, at any depth.

        Indexes `besides` do not count, and neither do lists of referrers, which do not need those that they list.
        """
        found, inner, ahead = set[Digest](), set[Digest](), [digest]
        while ahead:
            each = ahead.pop()
            if each in found:
                continue
            found.add(each)
            parents = self._parents.get(each, set()).difference(besides)
            ahead += parents
            if each != digest:
                inner |= parents
        lists = found - inner - {digest}
        tags = ((each, tag) for each in found for tag in self._tags_of.get(each, ()))
        return {tag for each, tag in tags if each not in lists or not is_referrers_tag(tag)}

    def forget(self, tags: Iterable[str]) -> None:
        """Remove tags that were deleted since."""
        for tag in tags:
            if (digest := self._tags.pop(tag, None)) is not None:
                self._tags_of[digest].discard(tag)


async def read_tags_in_use(destination: AsyncDestination, contents: AsyncIndexContents) -> TagsInUse:
    """Read all tags, and the indexes that they lead to.

    Raises:
        DregError: A tag or an index cannot be read, so it is not known what it needs.
    """
    for _ in range(_ATTEMPTS - 1):
        with suppress(errors.NotFoundError):
            return await _read_once(destination, contents)
    return await _read_once(destination, contents)


async def _read_once(destination: AsyncDestination, contents: AsyncIndexContents) -> TagsInUse:
    found = await destination.current_tags()
    parents = await contents.read(found.values())
    return TagsInUse({tag: each.digest for tag, each in found.items()}, parents)
