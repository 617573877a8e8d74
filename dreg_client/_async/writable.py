"""Stores that can be written: the methods that do not depend on the storage medium."""

from abc import abstractmethod
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from dreg_client import errors
from dreg_client._async.ports import AsyncDestination
from dreg_client._async.store import AsyncStore
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.octets import check_order, octets_of
from dreg_client.models.parse import parse_manifest
from dreg_client.models.stored import StoredDocument
from dreg_client.protocol.content import (
    BlobRef,
    ManifestRef,
    RawManifest,
    digest_of,
    digest_of_manifest,
    reference_text,
    verifiable,
)
from dreg_client.protocol.missing import required_content
from dreg_client.values.digest import Digest, is_registered_digest
from dreg_client.values.media_type import OCTET_STREAM, essence
from dreg_client.values.ref_name import check_ref_name

if TYPE_CHECKING:  # few programs write
    from dreg_client._async.contents import BlobSource
    from dreg_client._async.tag_planner import AsyncTagPlanner


class AsyncWritableStore(AsyncStore):
    """A store that can be written, such as an image layout.

    A blob or a manifest is complete and verified before it appears. Write blobs first, then the manifests that name
    them.
    """

    @property
    @abstractmethod
    def destination(self) -> AsyncDestination:
        """The storage medium that is written."""

    def writing(self) -> AbstractAsyncContextManager[None]:
        """Keep what is written in a block from being deleted by `gc` in another process, before a manifest names it.

        Manifests without a tag are listed at the end of the block, unless another manifest that is written in the block
        names them. If the block raises, they are not listed. The block is that of the task that enters it, and of
        the tasks that this one starts. Delete content outside of it.

        Example:
            async with layout.writing():
                layer = await layout.push_blob(b"...")
                config = await layout.push_blob(b"...")
                await layout.put_manifest(manifest, "1.4")
        """
        return self.destination.writing()

    async def push_blob(
        self, source: "BlobSource", *, digest: str | None = None, media_type: str = OCTET_STREAM
    ) -> Descriptor:
        """Write a blob, unless it exists. It appears under its digest once it is complete and verified.

        The bytes are hashed while they are written, and held in memory in pieces of at most a few MiB.

        Args:
            source: The bytes: `bytes`, a path, an open binary file, or an iterable of `bytes`.
            digest: The digest that the bytes must have. If the blob exists, the source is not read then.
            media_type: The media type of the descriptor that is returned. Stores do not keep it.

        Returns:
            The descriptor of the blob.

        Raises:
            DigestMismatchError: The bytes do not have the `digest`. Nothing was written.
            FileError: A file cannot be read.
            LayoutError: The blob cannot be written, for example because the disk is full. Nothing was changed.
            LayoutLockedError: Another process has been deleting content for 30 seconds.
        """
        from dreg_client._async.contents import content_of  # noqa: PLC0415 (few programs write)

        given = None if digest is None else verifiable(digest_of(digest))
        is_in_memory = isinstance(source, bytes | bytearray | memoryview)
        content = await content_of(source, given, hashed=is_in_memory)  # a file would have to be read twice
        written = await self.destination.push_blob(content)
        return Descriptor(mediaType=media_type, digest=written.digest, size=written.size)

    async def put_manifest(
        self, document: StoredDocument | bytes, reference: str | None = None, *, media_type: str | None = None
    ) -> Descriptor:
        """Write a manifest or index, byte for byte, after validating it.

        Args:
            document: The document or its bytes.
            reference: A tag, or the document's digest (default: the digest).
            media_type: The media type, if the document does not state it.

        Returns:
            The descriptor of the document.

        Raises:
            InvalidDocumentError: The document is not valid. Nothing was written.
            InvalidReferenceError: The tag is not valid. Nothing was written.
            DigestMismatchError: `reference` is not the digest of the document. Nothing was written.
            NotFoundError: The store lacks a blob or a manifest that the document names. Nothing was written. Content
                with `urls` and the `subject` may be missing.
        """
        check_order(document, reference)
        raw = document.raw if isinstance(document, StoredDocument) else octets_of(document)
        manifest = parse_manifest(raw, media_type)
        own = document.digest if isinstance(document, StoredDocument) else manifest.digest
        wanted = own if reference is None else self._checked_reference(reference)
        digest = wanted if isinstance(wanted, Digest) else own
        pushed = RawManifest(raw, essence(media_type) if media_type else manifest.media_type, digest, "the manifest")
        async with self.writing():
            await self._check_complete(raw, digest)
            await self.destination.push_manifest(pushed, wanted)
        return Descriptor(mediaType=pushed.media_type, digest=digest, size=len(raw))

    def _checked_reference(self, reference: str) -> str:
        return Digest(reference) if is_registered_digest(reference) else check_ref_name(reference)

    async def _check_complete(self, raw: bytes, digest: Digest) -> None:
        """Raise NotFoundError if content is missing that a manifest names, as registries do."""
        for what, named in required_content(raw):
            if not await self.source.has_blob(named):
                advice = f"{digest} names it; push it first. Nothing was written"
                raise errors.NotFoundError(f"{what} {named}", self.name, advice)

    async def tag(self, reference: ManifestRef, *new_tags: str) -> Digest:
        """Add tags to the manifest at a tag, a digest or a descriptor. Its bytes do not change.

        A tag that another manifest has is moved. Tags are written in order. If one fails, those before it stay written.

        Raises:
            NotFoundError: There is no such manifest.
            InvalidReferenceError: A tag is not valid. Nothing was written.
        """
        tags = [check_ref_name(text) for text in new_tags]
        if not tags:
            raise ValueError("name at least one tag to add")
        async with self.destination.writing(on_deferred=len):
            found = await self.source.fetch_manifest(reference_text(reference), legacy=True)
            for new in tags:
                await self.destination.push_manifest(found, new)
        return found.digest

    async def untag(self, tag: str) -> None:
        """Delete a tag, but not its manifest or its other tags.

        Raises:
            NotFoundError: There is no such tag.
        """
        await self.destination.delete_tag(tag)

    delete_tag = untag

    async def delete_manifest(self, digest: BlobRef) -> None:
        """Delete a manifest, given its digest, and all its tags.

        Raises:
            InvalidDigestError: The text is not a valid digest. For a tag, use `untag`. Nothing was changed.
            NotFoundError: There is no such manifest.
            ConflictError: An index in the store names the manifest, which has no tag of its own.
        """
        await self.destination.delete_manifest(digest_of_manifest(digest))

    async def delete_blob(self, digest: BlobRef) -> None:
        """Delete a blob.

        Raises:
            NotFoundError: There is no such blob.
            ConflictError: A manifest in the store names the blob.
        """
        await self.destination.delete_blob(digest_of(digest))

    def plan(self) -> "AsyncTagPlanner":
        """Return a planner of changes of tags. Nothing is requested yet.

        Example:
            plan = await layout.plan().prune("nightly-*", keep_last=10).make()
            print(plan.changes)
        """
        from dreg_client._async.tag_planner import AsyncTagPlanner  # noqa: PLC0415 (few programs plan changes)

        return AsyncTagPlanner([self], {})
