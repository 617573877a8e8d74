"""Find the signatures and other referrers of images that two stores have, which only one of them has."""

from collections.abc import Collection, Iterable

from dreg_client import errors
from dreg_client._async.attempt import attempt
from dreg_client._async.ports import AsyncSource
from dreg_client._async.tag_reader import AsyncTagReader
from dreg_client.copying.digest_tags import tags_by_subject
from dreg_client.tagging.needs import KnownManifests, extent
from dreg_client.values.digest import Digest

Missing = tuple[str, ...] | errors.DregError
"""The digests and digest tags that a store lacks; or why they cannot be found."""


async def missing_referrers(
    source: AsyncSource, destination: AsyncSource, digests: Collection[Digest]
) -> dict[Digest, Missing]:
    """Return what refers to images in the source, but not in the destination, which has the images.

    These are referrers, at any depth, and digest tags. A digest tag that the destination has is not compared: it may
    have signatures of its own. Each manifest and each list of referrers is requested once.
    """
    found = _Comparison(source, destination)
    failure = await attempt(found.read, digests)
    return {digest: failure or found.of(digest) for digest in digests}


class _Comparison:
    """The referrers of images in two stores."""

    def __init__(self, source: AsyncSource, destination: AsyncSource) -> None:
        self._source, self._destination = AsyncTagReader(source), AsyncTagReader(destination)
        self._about: dict[str, list[str]] = {}
        self._there: frozenset[str] = frozenset()

    async def read(self, digests: Collection[Digest]) -> None:
        """Read everything that is compared."""
        # Only the tags of the repository itself: those of a layout may have the names of several repositories.
        names = tags_by_subject(await self._source.names())
        self._about = {subject: [each.name for each in tags if not each.repository] for subject, tags in names.items()}
        self._there = frozenset(await self._destination.names())
        await self._source.read_manifests(digests)
        await self._source.read_extent(digests)
        await self._destination.read_referrers(self._subjects(self._extent(digests)))

    def of(self, digest: Digest) -> Missing:
        """Return what the destination lacks, or why this is not known."""
        whole = self._extent([digest])
        for each in whole:
            failure = self._source.without_referrers.get(each) or self._destination.without_referrers.get(each)
            if failure := failure or self._source.broken.get(each):
                return failure
        here, there = self._source.referrers, self._destination.referrers
        missing = (one for each in self._subjects(whole) for one in here[each] if one not in there.get(each, ()))
        tags = (tag for each in whole for tag in self._about.get(each, ()) if tag not in self._there)
        return tuple(dict.fromkeys([*sorted(missing), *sorted(tags)]))

    def _extent(self, digests: Iterable[Digest]) -> set[Digest]:
        return extent(KnownManifests(self._source.manifests, {}, self._source.referrers), digests)

    def _subjects(self, digests: Iterable[Digest]) -> list[Digest]:
        """Return the manifests that have referrers in the source."""
        return sorted(each for each in digests if self._source.referrers.get(each))
