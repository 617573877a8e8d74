"""Repositories of a registry: stores that can be changed."""

from collections.abc import AsyncIterator

from dreg_client import errors
from dreg_client._async.client import AsyncClient
from dreg_client._async.lists import iter_tags
from dreg_client._async.registry_source import AsyncRegistrySource
from dreg_client._async.store import AsyncStore
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.octets import octets_of
from dreg_client.models.parse import parse_manifest
from dreg_client.models.stored import StoredDocument
from dreg_client.protocol import blobs, manifests
from dreg_client.protocol.content import BlobRef, ManifestRef, digest_of, reference_text
from dreg_client.protocol.manifests import TagOrDigest
from dreg_client.protocol.messages import Request
from dreg_client.values.digest import Digest
from dreg_client.values.reference import DEFAULT_TAG, RepositoryName, Tag

_SHOWN_TAGS = 20
_EXAMINED_TAGS = 1000


class AsyncRepository(AsyncStore):
    """A repository of a registry, for any number of tasks. Get one by `AsyncRegistry.repository` or `aopen_store`.

    Whatever it returns was validated and verified; if the wrong bytes come, they are requested once more.

    Args:
        client: The client of its registry.
        name: Its name.
        owns_client: Whether closing the repository closes the client.

    Example:
        async with AsyncRegistry("http://localhost:5000") as registry:
            print(await registry.repository("acme/web").tags())
    """

    def __init__(self, client: AsyncClient, name: RepositoryName, *, owns_client: bool = False) -> None:
        super().__init__(AsyncRegistrySource(client, name, owns_client=owns_client))
        self._client, self._repository = client, name
        self._tags: tuple[str, ...] | None = None

    async def tags(self) -> tuple[str, ...]:
        """List all tags, in the registry's order. They are read once, until `refresh` or a change made here.

        Raises:
            NotFoundError: There is no such repository.
        """
        if self._tags is None:
            self._tags = await super().tags()
        return self._tags

    def refresh(self) -> None:
        """Forget the tags, so that they are read again."""
        self._tags = None

    async def iter_tags(self, *, n: int | None = None, last: str | None = None) -> AsyncIterator[str]:
        """Iterate over the tags; pages are requested as they are needed, and nothing is kept.

        Args:
            n: Tags per page, at most 1,000 (default: the registry's choice).
            last: Start after this tag.
        """
        async for tag in iter_tags(self._client, self._repository, n, last):
            yield tag

    async def put_manifest(
        self, document: StoredDocument | bytes, reference: str | None = None, *, media_type: str | None = None
    ) -> Descriptor:
        """Push a manifest or index, byte for byte, after validating it (distribution-spec "Pushing Manifests").

        Args:
            document: The document, or its bytes.
            reference: A tag or the document's digest (default: its digest).
            media_type: The media type, if the document does not state it.

        Raises:
            InvalidDocumentError: The document is not valid. Nothing was sent.
            DigestMismatchError: `reference` is the digest of other bytes (nothing was sent), or the registry states
                that it received other bytes.
        """
        raw = document.raw if isinstance(document, StoredDocument) else octets_of(document)
        manifest = parse_manifest(raw, media_type, legacy=True)
        name = manifests.name_of(reference) if reference else manifest.digest
        if isinstance(name, Digest) and name != (actual := Digest.of(raw, name.algorithm)):
            raise errors.DigestMismatchError(name, actual, "the manifest to be written")
        media_type = media_type or manifest.media_type
        await self._put(name, raw, media_type)
        return Descriptor(mediaType=media_type, digest=manifest.digest, size=len(raw))

    async def _put(self, name: TagOrDigest, raw: bytes, media_type: str) -> None:
        request = manifests.put_request(self._repository, name, raw, media_type)
        try:
            manifests.written_digest(await self._client.send(request), request, name)
        finally:
            self.refresh()

    async def tag(self, reference: ManifestRef, *new_tags: str) -> Digest:
        """Add tags to what a tag, a digest or a descriptor names. The manifest is pushed as it was pulled.

        If one of several tags cannot be written, those before it are.

        Raises:
            NotFoundError: There is no such manifest.
            InvalidReferenceError: One of the tags is not valid. Nothing was sent.
        """
        tags = [Tag(new) for new in new_tags]
        if not tags:
            raise ValueError("which tags? name at least one")
        found = await self.source.fetch_manifest(reference_text(reference) or DEFAULT_TAG, legacy=True)
        parse_manifest(found.raw, found.media_type, legacy=True)
        for new in tags:
            await self._put(new, found.raw, found.media_type)
        return found.digest

    async def untag(self, tag: str) -> None:
        """Delete a tag, and nothing else (distribution-spec "Deleting tags").

        Raises:
            UnsupportedError: The registry does not offer it. The error names what deleting the digest would delete.
            NotFoundError: There is no such tag.
        """
        name = Tag(tag)
        try:
            await self._delete(manifests.delete_request(self._repository, name), name)
        except errors.UnsupportedError as failure:
            digest, others = await self._tags_beside(name)
            also = (
                f"deleting {digest} would delete these tags, too: {others}" if others else f"no other tag has {digest}"
            )
            advice = f"{also}; delete_manifest, or dreg delete, does that"
            message = f"cannot delete the tag {name} of {self._repository} alone"
            where, said = failure.where, failure.said
            raise errors.UnsupportedError(message, where, advice, failure.status, said, failure.request_id) from None

    delete_tag = untag

    async def _tags_beside(self, tag: Tag) -> tuple[Digest, str]:
        """Return the digest of a tag, and the other tags that have it, as text."""
        digest = (await self.resolve(tag)).digest
        tags = await super().tags()
        others = [
            other for other in tags[:_EXAMINED_TAGS] if other != tag and await self.check_manifest(Tag(other)) == digest
        ]
        more = f" and {len(others) - _SHOWN_TAGS} more" if len(others) > _SHOWN_TAGS else ""
        unseen = f" (of the first {_EXAMINED_TAGS} tags)" if len(tags) > _EXAMINED_TAGS else ""
        return digest, ", ".join(others[:_SHOWN_TAGS]) + more + unseen if others else ""

    async def delete_manifest(self, digest: BlobRef) -> None:
        """Delete a manifest by its digest, and with it all tags that name it (distribution-spec "Deleting Manifests").

        Raises:
            InvalidDigestError: The text is not a digest, but a tag, say: use `untag`. Nothing was sent.
            NotFoundError: There is no such manifest.
            UnsupportedError: The registry does not offer it.
        """
        name = digest_of(digest)
        await self._delete(manifests.delete_request(self._repository, name), name)

    async def _delete(self, request: Request, name: TagOrDigest) -> None:
        try:
            manifests.check_deleted(await self._client.send(request), request, name)
        finally:
            self.refresh()

    async def delete_blob(self, digest: BlobRef) -> None:
        """Delete a blob (distribution-spec "Deleting Blobs").

        Raises:
            NotFoundError: There is no such blob.
            UnsupportedError: The registry does not offer it.
        """
        request = blobs.delete_request(self._repository, digest_of(digest))
        try:
            blobs.check_deleted(await self._client.send(request), request)
        finally:
            self.refresh()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address})"
