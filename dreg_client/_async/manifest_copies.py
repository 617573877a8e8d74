"""Copy manifests from one store to another."""

from collections.abc import Collection
from typing import Final

from dreg_client import errors
from dreg_client._async._compat import new_lock
from dreg_client._async.documents import read_verified
from dreg_client._async.ports import AsyncDestination, AsyncSource
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import Index
from dreg_client.models.parse import parse_manifest
from dreg_client.protocol.content import RawManifest
from dreg_client.protocol.referrers import subject_in
from dreg_client.values.digest import Digest
from dreg_client.values.sizes import MEBIBYTE

_MOST_CACHED: Final = 16 * MEBIBYTE
"""The most bytes of manifests to keep in memory until they are written. Beyond, they are read again."""


class AsyncManifestCopies:
    """The manifests of a copy.

    A manifest is looked up in the destination and read (`find`); `named_by` returns what must be copied before it. Its
    bytes stay in memory until it is written (`write`), unless there are too many.

    Args:
        source: The store to read.
        destination: The store to write.
        dry_run: Whether to write nothing.

    Attributes:
        new_indexes: Indexes that the source does not have, by digest.
        there: The digests of the manifests that the destination is known to have.
    """

    def __init__(self, source: AsyncSource, destination: AsyncDestination, *, dry_run: bool) -> None:
        self._source, self._destination, self._is_dry_run = source, destination, dry_run
        self.new_indexes: dict[Digest, RawManifest] = {}
        self.there: set[Digest] = set()
        self._listed: dict[Digest, frozenset[Digest]] = {}  # referrers in the destination, by subject
        self._cached: dict[Digest, RawManifest] = {}
        self._size_cached = 0
        self._lock = new_lock()

    def add_current(self, digests: Collection[Digest]) -> None:
        """Add the digests that tags of the destination have."""
        if self._destination.has_closures:
            self.there.update(digests)

    async def find(self, descriptor: Descriptor, *, is_needed: bool) -> tuple[bool, RawManifest | None]:
        """Return whether the destination has a manifest, and its bytes; with `is_needed`, in any case.

        The bytes are None if the destination also has everything that the manifest names.
        """
        digest = descriptor.digest
        if not self._destination.has_closures:  # its files are read to find what is missing
            try:
                return True, await self._cache(await read_verified(self._destination, descriptor))
            except (errors.NotFoundError, errors.IntegrityError):
                return False, await self._bytes_of(descriptor)
        is_known = digest in self.there
        is_there = is_known or await self._destination.current_digest(digest) == digest
        if is_known and not is_needed:
            return True, None
        manifest = await self._bytes_of(descriptor)
        is_complete = is_there and await self._is_listed(manifest)
        return is_complete, manifest if is_needed or not is_complete else None

    async def _is_listed(self, manifest: RawManifest) -> bool:
        """Return whether the destination lists a manifest as a referrer of its subject, if it has one.

        If it does not, an earlier copy was killed just after it wrote the manifest.
        """
        subject = subject_in(manifest.raw)
        if subject is None:
            return True
        if subject not in self._listed:
            listed = await self._destination.referrers(subject)
            self._listed[subject] = frozenset(each.digest for each in listed)
        return manifest.digest in self._listed[subject]

    def named_by(self, manifest: RawManifest, *, is_there: bool) -> tuple[Descriptor, ...]:
        """Return what a manifest names, apart from what a destination that has the manifest also has.

        The manifests of an index are always returned: they may have referrers.
        """
        document = parse_manifest(manifest.raw, manifest.media_type, strict=False)
        if isinstance(document, Index):
            return tuple(document.manifests)
        if is_there and self._destination.has_closures:
            return ()
        return (document.config, *document.layers)

    def is_done(self, *, is_there: bool) -> bool:
        """Return whether a manifest need not be written."""
        return is_there and not self._destination.lists_written

    async def write(self, descriptor: Descriptor, reference: str, *, no_clobber: bool, is_last: bool) -> bool:
        """Write a manifest under a tag or under its digest; return whether this was not deferred.

        `is_last` if it is not written again.
        """
        is_written = True
        if not self._is_dry_run:
            manifest = await self._bytes_of(descriptor)
            is_digest = reference == descriptor.digest
            if not is_digest and self._destination.has_closures and subject_in(manifest.raw) is not None:
                # It must be listed as a referrer before its tag is visible: a tag means that the copy is complete.
                await self._destination.push_manifest(manifest, descriptor.digest)
            is_written = await self._destination.push_manifest(manifest, reference, no_clobber=no_clobber)
        if is_last:
            async with self._lock:
                if cached := self._cached.pop(descriptor.digest, None):
                    self._size_cached -= len(cached.raw)
        return is_written

    def clear_cache(self) -> None:
        """Forget the bytes of all manifests."""
        self._cached.clear()
        self._size_cached = 0

    async def _bytes_of(self, descriptor: Descriptor) -> RawManifest:
        known = self.new_indexes.get(descriptor.digest) or self._cached.get(descriptor.digest)
        return known or await self._cache(await read_verified(self._source, descriptor))

    async def _cache(self, manifest: RawManifest) -> RawManifest:
        async with self._lock:
            if self._size_cached + len(manifest.raw) <= _MOST_CACHED and manifest.digest not in self._cached:
                self._cached[manifest.digest] = manifest
                self._size_cached += len(manifest.raw)
        return manifest
