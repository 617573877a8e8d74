"""Stores: the methods to read from any source, written once for all kinds."""

import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Literal, Self, overload

from dreg_client import errors
from dreg_client._async._compat import Awaited
from dreg_client._async.documents import read_config_at, read_manifest, read_raw_manifest, read_referrers
from dreg_client._async.downloads import AsyncBlobStream, download_blob, get_blob, stream_blob
from dreg_client._async.limits import limited
from dreg_client._async.ports import AsyncSource
from dreg_client.files.partial_file import Durability
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import AnyManifest
from dreg_client.models.manifest import ImageManifest
from dreg_client.protocol.content import (
    MAX_BLOB,
    BlobRef,
    ManifestRef,
    RawManifest,
    Verify,
    blob_request,
    digest_of,
    digest_of_manifest,
    reference_text,
)
from dreg_client.values.digest import Digest, Verifier

if TYPE_CHECKING:  # a command that prints a manifest needs neither images nor configs
    from dreg_client._async.images import AsyncImage
    from dreg_client.models.config import ImageConfig
    from dreg_client.models.legacy import LegacyManifest
    from dreg_client.tagging.usage import Usage


class AsyncStore(Awaited):
    """A store of images: a repository of a registry, an image layout, or an archive.

    Use it as an async context manager.

    All content that it returns was validated, and verified against its digest. If the store was opened with
    `strict=False`, it also returns documents with only minor errors; `.problems` lists them.

    Args:
        source: The storage medium. To support another one, implement the methods of `AsyncSource`.

    Attributes:
        source: The storage medium.
    """

    source: AsyncSource
    _deadline_seconds: float | None = None  # of a registry

    def __init__(self, source: AsyncSource) -> None:
        self.source = source

    @property
    def name(self) -> str:
        """The name of the store: a repository's name or a path."""
        return self.source.name

    @property
    def address(self) -> str:
        """The full address of the store: a repository's name including the registry, or a path."""
        return self.source.address

    @property
    def writes_manifests(self) -> bool:
        """True for a docker-archive, which has no manifests, so the library generates them."""
        return self.source.writes_manifests

    async def close(self) -> None:
        """Close the store: the connections to a registry, or the file of an archive."""
        await self.source.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def tags(self) -> tuple[str, ...]:
        """List all tags, in the store's order."""
        return await self.source.tags()

    @limited
    async def resolve(self, reference: ManifestRef) -> Descriptor:
        """Return the descriptor of the manifest at a tag, a digest or a descriptor.

        The store states the descriptor. It is not verified, because the manifest is not read.

        Raises:
            NotFoundError: There is no such manifest.
            ConflictError: The name is ambiguous.
        """
        return await self.source.resolve(reference_text(reference))

    @limited
    async def check_manifest(self, reference: ManifestRef) -> Digest | None:
        """Return the digest of the manifest at a tag, a digest or a descriptor; None if it does not exist."""
        try:
            return (await self.resolve(reference)).digest
        except errors.NotFoundError:
            return None

    @overload
    async def get_manifest(self, reference: ManifestRef, *, legacy: Literal[False] = False) -> AnyManifest: ...
    @overload
    async def get_manifest(
        self, reference: ManifestRef, *, legacy: Literal[True]
    ) -> "AnyManifest | LegacyManifest": ...
    @limited
    async def get_manifest(self, reference: ManifestRef, *, legacy: bool = False) -> "AnyManifest | LegacyManifest":
        """Read the manifest or index at a tag, a digest or a descriptor.

        Args:
            reference: The tag, the digest, or the manifest's descriptor.
            legacy: Whether to also accept Docker's schema 1.

        Raises:
            NotFoundError: There is no such manifest.
            DigestMismatchError: The bytes do not match the digest.
            InvalidDocumentError: The document is not valid; `get_raw_manifest` returns its bytes.
            UnsupportedMediaTypeError: It is neither an OCI manifest nor one of Docker's schema 2.
        """
        return await read_manifest(self.source, reference, legacy=legacy)

    @limited
    async def get_raw_manifest(self, reference: ManifestRef) -> RawManifest:
        """Read the bytes of a manifest, verified but not parsed. Use this for broken documents."""
        return await read_raw_manifest(self.source, reference)

    @limited
    async def get_config(self, reference: ManifestRef | ImageManifest) -> "ImageConfig":
        """Read an image's config, given a reference to the image, its manifest, or the descriptor of the config itself.

        Raises:
            NotAnImageError: It is an artifact; or an index, for which you must choose a platform first.
        """
        return await read_config_at(self.source, reference)

    @limited
    async def get_image(self, reference: ManifestRef) -> "AsyncImage":
        """Read the image at a tag, a digest or a descriptor.

        Configs are read only if an index does not state the platforms.

        Raises:
            NotFoundError: There is no such manifest.
            NotAnImageError: It is an artifact.
            DepthLimitError: Indexes are nested more than 8 deep.
        """
        from dreg_client._async.images import read_image  # noqa: PLC0415 (see above)

        return await read_image(self.source, reference, deadline=self._deadline_seconds)

    @limited
    async def referrers(
        self, digest: BlobRef, artifact_type: str | None = None, *, verify: Verify = False
    ) -> tuple[Descriptor, ...]:
        """List the referrers of a manifest, such as its signatures, in the store's order ("Listing Referrers").

        A registry's list is not proof. With `verify`, the manifest of each entry is read and checked. Entries that have
        another `subject` or another type, or that cannot be read, are left out, with a warning in the log. Without
        `verify`, every entry with a valid digest is listed; if it is malformed, a warning is logged.

        Args:
            digest: The manifest whose referrers to list; it need not exist.
            artifact_type: Only list entries of this type. If the list does not state the type, the entry's manifest is
                read.
            verify: Whether to check the entries. `"strict"` raises an error instead of leaving an entry out.

        Raises:
            ValueError: `verify` has an invalid value. Nothing was requested.
            IntegrityError: With `"strict"`, an entry has another subject or type.
            NotFoundError: With `"strict"`, an entry does not exist.
            DocumentError: With `"strict"`, an entry is not valid.
        """
        return await read_referrers(self.source, digest_of_manifest(digest), artifact_type, verify)

    @limited
    async def usage(self) -> "Usage":
        """Return how much space each tag uses, what tags share, and what deleting them would free.

        All manifests and configs are read, each once, and the referrers of all manifests are listed. A tag that cannot
        be read is a failure of the result.

        Raises:
            NotFoundError: There is no such repository.

        Example:
            usage = await store.usage()
            print(usage.size, [(each.tag, each.freed_size) for each in usage.tags])
        """
        from dreg_client._async.usage import read_usage  # noqa: PLC0415 (few programs need it)

        return await read_usage(self)

    @limited
    async def has_blob(self, digest: BlobRef) -> bool:
        """Return whether a blob exists, without reading it."""
        return await self.source.has_blob(digest_of(digest))

    @limited
    async def get_blob(self, blob: BlobRef, *, limit: int = MAX_BLOB) -> bytes:
        """Read a blob into memory, verified against its digest.

        Args:
            blob: The blob's digest or descriptor.
            limit: The maximum size in bytes (default: 64 MiB).

        Raises:
            ResponseTooLargeError: The blob is larger than `limit`.
            DigestMismatchError: The bytes do not match the digest.
            NotFoundError: There is no such blob.
        """
        return await get_blob(self.source, blob_request(blob), limit)

    def stream_blob(
        self, blob: BlobRef, *, start: int = 0, verifier: Verifier | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Read a blob in chunks.

        The last chunk is held back until the digest is verified. Do not trust earlier chunks before that.

        Args:
            blob: The blob's digest or descriptor.
            start: The offset of the first byte. If it is not 0, the bytes are verified only with a `verifier`.
            verifier: A verifier that has received the first `start` bytes, to verify the whole blob at the end.

        Raises:
            DigestMismatchError: Instead of the last chunk: the bytes do not match the digest.
            NotFoundError: There is no such blob.
            UnsupportedDigestError: The algorithm of the digest is not supported. Nothing was read.
        """
        return AsyncBlobStream(self._opened_blob(blob, start, verifier))

    @asynccontextmanager
    async def _opened_blob(
        self, blob: BlobRef, start: int, verifier: Verifier | None
    ) -> AsyncGenerator[AsyncIterator[bytes]]:
        async with stream_blob(self.source, blob_request(blob, start), verifier) as chunks:
            yield chunks

    @limited
    async def download_blob(
        self,
        blob: BlobRef,
        path: str | os.PathLike[str],
        *,
        resume: bool = False,
        durability: Durability = "full",
        connections: int = 1,
    ) -> Descriptor:
        """Download a blob to a file. The file appears under its name only once it is complete and verified.

        Args:
            blob: The blob's digest or descriptor.
            path: The file. An existing file is not changed until the download is verified.
            resume: Whether to keep an incomplete download next to the file, as `.sha256-....part`, so that a later
                call can resume it. The kept bytes are hashed again. Of several downloads of a blob to one folder at
                the same time, only the first can be resumed.
            durability: `full` survives a power failure (fsync); `fast` leaves writing to the operating system.
            connections: The number of concurrent requests, each for a range of 4 MiB. This helps with servers that
                limit the rate per connection. A single request is used if the registry does not support ranges, the
                blob is smaller than 16 MiB, or a connection transfers more than 128 MiB per second. At most
                `connections` + 2 ranges are held in memory. Layouts and archives ignore this.

        Returns:
            The blob's descriptor.

        Raises:
            DigestMismatchError: The bytes do not match the digest, even after a second attempt.
            NotFoundError: There is no such blob.
            LayoutError: The file cannot be written.
        """
        return await download_blob(self.source, blob, path, resume=resume, durability=durability, ranges=connections)
