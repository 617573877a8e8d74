"""Stores as users see them: everything that is read from a source, written once for all of them."""

import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal, Self, overload

from dreg_client import errors
from dreg_client._async._compat import Awaited
from dreg_client._async.documents import read_config_at, read_manifest, read_raw_manifest, read_referrers
from dreg_client._async.downloads import download_blob, get_blob, stream_blob
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


class AsyncStore(Awaited):
    """A store of images: a repository of a registry, an image layout, an archive. An async context manager.

    Whatever it returns was validated, and verified to be the bytes that were requested. If the store was opened with
    `strict=False`, documents with only minor errors are returned, too; `.problems` lists them.

    Args:
        source: The storage medium. To support another one, implement the methods of `AsyncSource`.

    Attributes:
        source: The storage medium.
    """

    source: AsyncSource

    def __init__(self, source: AsyncSource) -> None:
        self.source = source

    @property
    def name(self) -> str:
        """What people call the store: a repository's name, a path."""
        return self.source.name

    @property
    def address(self) -> str:
        """Where the store is: a repository's name with its registry, a path."""
        return self.source.address

    @property
    def writes_manifests(self) -> bool:
        """True for a docker-archive: it stores no manifests, so the library creates them."""
        return self.source.writes_manifests

    async def close(self) -> None:
        """Close what the store holds open."""
        await self.source.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def tags(self) -> tuple[str, ...]:
        """List all tags, in the store's order."""
        return await self.source.tags()

    async def resolve(self, reference: ManifestRef) -> Descriptor:
        """Return the descriptor of the manifest that a tag, digest or descriptor names.

        It is what the store states; the manifest is not read.

        Raises:
            NotFoundError: There is no such manifest.
            ConflictError: The name is ambiguous.
        """
        return await self.source.resolve(reference_text(reference))

    async def check_manifest(self, reference: ManifestRef) -> Digest | None:
        """Return the digest of the manifest that a tag, digest or descriptor names; None if it does not exist."""
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
    async def get_manifest(self, reference: ManifestRef, *, legacy: bool = False) -> "AnyManifest | LegacyManifest":
        """Read the manifest or index at a tag, a digest or a descriptor.

        Args:
            reference: The tag, the digest, or the manifest's descriptor.
            legacy: Whether Docker's schema 1 is accepted, too.

        Raises:
            NotFoundError: There is no such manifest.
            DigestMismatchError: The store has other bytes.
            InvalidDocumentError: The document is not valid; `get_raw_manifest` returns its bytes.
            UnsupportedMediaTypeError: It is not a manifest of OCI or of Docker's schema 2.
        """
        return await read_manifest(self.source, reference, legacy=legacy)

    async def get_raw_manifest(self, reference: ManifestRef) -> RawManifest:
        """Read the bytes of a manifest, verified but not parsed: for broken documents."""
        return await read_raw_manifest(self.source, reference)

    async def get_config(self, reference: ManifestRef | ImageManifest) -> "ImageConfig":
        """Read the config of the image at a reference, of a manifest, or at the descriptor of the config itself.

        Raises:
            NotAnImageError: It is an artifact; or an index, of which a platform must be chosen first.
        """
        return await read_config_at(self.source, reference)

    async def get_image(self, reference: ManifestRef) -> "AsyncImage":
        """Read what a tag, a digest or a descriptor names, as an image.

        Configs are read only where an index leaves platforms open.

        Raises:
            NotFoundError: There is no such manifest.
            NotAnImageError: It is an artifact.
            DepthLimitError: Indexes are nested more than 8 deep.
        """
        from dreg_client._async.images import read_image  # noqa: PLC0415 (see above)

        return await read_image(self.source, reference)

    async def referrers(
        self, digest: BlobRef, artifact_type: str | None = None, *, verify: Verify = False
    ) -> tuple[Descriptor, ...]:
        """List what refers to a manifest, such as its signatures, in the store's order (distribution-spec).

        A registry's list is only its claim. With `verify`, the manifest of each entry is read and checked. Entries
        that have another `subject`, cannot be read, or are of another type are left out, with a warning in the log.
        Without it, any entry with a valid digest is listed; if it is malformed, a warning in the log says how.

        Args:
            digest: The manifest that is referred to; it need not exist.
            artifact_type: Only entries of this type, by the list, or else by their manifests, which are then read.
            verify: Whether to check the entries; with `strict`, an error is raised instead of leaving one out.

        Raises:
            ValueError: `verify` has another value. Nothing was requested.
            IntegrityError: With `strict`: an entry has another subject.
            NotFoundError: With `strict`: an entry does not exist.
            DocumentError: With `strict`: an entry cannot be read.
        """
        return await read_referrers(self.source, digest_of_manifest(digest), artifact_type, verify)

    async def has_blob(self, digest: BlobRef) -> bool:
        """Return whether a blob exists; it is not read."""
        return await self.source.has_blob(digest_of(digest))

    async def get_blob(self, blob: BlobRef, *, limit: int = MAX_BLOB) -> bytes:
        """Read a blob into memory, checked against its digest.

        Args:
            blob: The blob's digest or descriptor.
            limit: The most bytes to hold in memory (default: 64 MiB).

        Raises:
            ResponseTooLargeError: The blob is larger than `limit`.
            DigestMismatchError: The store has other bytes.
            NotFoundError: There is no such blob.
        """
        return await get_blob(self.source, blob_request(blob), limit)

    @asynccontextmanager
    async def stream_blob(
        self, blob: BlobRef, *, start: int = 0, verifier: Verifier | None = None
    ) -> AsyncGenerator[AsyncIterator[bytes]]:
        """Read a blob in chunks.

        The last chunk is held back until the digest is verified; do not trust earlier chunks before that.

        Args:
            blob: The blob's digest or descriptor.
            start: Offset of the first byte. Bytes from there on are verified only with a `verifier`.
            verifier: A verifier that was fed the first `start` bytes, so that the end verifies all of them.

        Raises:
            DigestMismatchError: In place of the last chunk: the store has other bytes.
            NotFoundError: There is no such blob.
            UnsupportedDigestError: Bytes cannot be checked against this digest. Nothing was read.
        """
        async with stream_blob(self.source, blob_request(blob, start), verifier) as chunks:
            yield chunks

    async def download_blob(
        self,
        blob: BlobRef,
        path: str | os.PathLike[str],
        *,
        resume: bool = False,
        durability: Durability = "full",
        connections: int = 1,
    ) -> Descriptor:
        """Download a blob to a file, which gets its name once the bytes are verified: whole or not at all.

        Args:
            blob: The blob's digest or descriptor.
            path: The file. An existing file stays as it is until then.
            resume: Whether to keep what was received beside the file, as `.sha256-....part`, so that a later call
                continues from there. What was kept is hashed again.
            durability: `full` survives a loss of power (fsync), `fast` leaves that to the operating system.
            connections: How many ranges of 4 MiB to request at a time, for servers that limit the rate of a
                connection. If the registry does not support ranges, the blob is smaller than 16 MiB, or a connection
                gives more than 128 MiB a second, one request reads it. At most two ranges more than that are held in
                memory. Layouts and archives ignore it.

        Returns:
            The blob's descriptor.

        Raises:
            DigestMismatchError: The wrong bytes came, also when they were requested once more.
            NotFoundError: There is no such blob.
            LayoutError: The file cannot be written.
            LayoutLockedError: Another process is writing the same file (`resume`).
        """
        return await download_blob(self.source, blob, path, resume=resume, durability=durability, ranges=connections)
