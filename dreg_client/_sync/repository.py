# Generated from dreg_client/_async/repository.py by tools/generate_sync.py. Do not edit.
"""Repositories of a registry: stores that can be changed."""

from collections.abc import Iterator

from dreg_client import errors
from dreg_client._sync.client import Client
from dreg_client._sync.lists import iter_tags
from dreg_client._sync.registry_source import RegistrySource
from dreg_client._sync.store import Store
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


class Repository(Store):
    """A repository of a registry, for any number of threads. Get one by `Registry.repository` or `open_store`.

    Whatever it returns was validated and verified; if the wrong bytes come, they are requested once more.

    Args:
        client: The client of its registry.
        name: Its name.
        owns_client: Whether closing the repository closes the client.

    Example:
        with Registry("http://localhost:5000") as registry:
            print(registry.repository("acme/web").tags())
    """

    def __init__(self, client: Client, name: RepositoryName, *, owns_client: bool = False) -> None:
        super().__init__(RegistrySource(client, name, owns_client=owns_client))
        self._client, self._repository = client, name
        self._tags: tuple[str, ...] | None = None

    def tags(self) -> tuple[str, ...]:
        """List all tags, in the registry's order. They are read once, until `refresh` or a change made here.

        Raises:
            NotFoundError: There is no such repository.
        """
        if self._tags is None:
            self._tags = super().tags()
        return self._tags

    def refresh(self) -> None:
        """Forget the tags, so that they are read again."""
        self._tags = None

    def iter_tags(self, *, n: int | None = None, last: str | None = None) -> Iterator[str]:
        """Iterate over the tags; pages are requested as they are needed, and nothing is kept.

        Args:
            n: Tags per page, at most 1,000 (default: the registry's choice).
            last: Start after this tag.
        """
        for tag in iter_tags(self._client, self._repository, n, last):
            yield tag

    def put_manifest(
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
        self._put(name, raw, media_type)
        return Descriptor(mediaType=media_type, digest=manifest.digest, size=len(raw))

    def _put(self, name: TagOrDigest, raw: bytes, media_type: str) -> None:
        request = manifests.put_request(self._repository, name, raw, media_type)
        try:
            manifests.written_digest(self._client.send(request), request, name)
        finally:
            self.refresh()

    def tag(self, reference: ManifestRef, *new_tags: str) -> Digest:
        """Add tags to what a tag, a digest or a descriptor names. The manifest is pushed as it was pulled.

        If one of several tags cannot be written, those before it are.

        Raises:
            NotFoundError: There is no such manifest.
            InvalidReferenceError: One of the tags is not valid. Nothing was sent.
        """
        tags = [Tag(new) for new in new_tags]
        if not tags:
            raise ValueError("which tags? name at least one")
        found = self.source.fetch_manifest(reference_text(reference) or DEFAULT_TAG, legacy=True)
        parse_manifest(found.raw, found.media_type, legacy=True)
        for new in tags:
            self._put(new, found.raw, found.media_type)
        return found.digest

    def untag(self, tag: str) -> None:
        """Delete a tag, and nothing else (distribution-spec "Deleting tags").

        Raises:
            UnsupportedError: The registry does not offer it. The error names what deleting the digest would delete.
            NotFoundError: There is no such tag.
        """
        name = Tag(tag)
        try:
            self._delete(manifests.delete_request(self._repository, name), name)
        except errors.UnsupportedError as failure:
            digest, others = self._tags_beside(name)
            also = (
                f"deleting {digest} would delete these tags, too: {others}" if others else f"no other tag has {digest}"
            )
            advice = f"{also}; delete_manifest, or dreg delete, does that"
            message = f"cannot delete the tag {name} of {self._repository} alone"
            where, said = failure.where, failure.said
            raise errors.UnsupportedError(message, where, advice, failure.status, said, failure.request_id) from None

    delete_tag = untag

    def _tags_beside(self, tag: Tag) -> tuple[Digest, str]:
        """Return the digest of a tag, and the other tags that have it, as text."""
        digest = self.resolve(tag).digest
        tags = super().tags()
        others = [
            other for other in tags[:_EXAMINED_TAGS] if other != tag and self.check_manifest(Tag(other)) == digest
        ]
        more = f" and {len(others) - _SHOWN_TAGS} more" if len(others) > _SHOWN_TAGS else ""
        unseen = f" (of the first {_EXAMINED_TAGS} tags)" if len(tags) > _EXAMINED_TAGS else ""
        return digest, ", ".join(others[:_SHOWN_TAGS]) + more + unseen if others else ""

    def delete_manifest(self, digest: BlobRef) -> None:
        """Delete a manifest by its digest, and with it all tags that name it (distribution-spec "Deleting Manifests").

        Raises:
            InvalidDigestError: The text is not a digest, but a tag, say: use `untag`. Nothing was sent.
            NotFoundError: There is no such manifest.
            UnsupportedError: The registry does not offer it.
        """
        name = digest_of(digest)
        self._delete(manifests.delete_request(self._repository, name), name)

    def _delete(self, request: Request, name: TagOrDigest) -> None:
        try:
            manifests.check_deleted(self._client.send(request), request, name)
        finally:
            self.refresh()

    def delete_blob(self, digest: BlobRef) -> None:
        """Delete a blob (distribution-spec "Deleting Blobs").

        Raises:
            NotFoundError: There is no such blob.
            UnsupportedError: The registry does not offer it.
        """
        request = blobs.delete_request(self._repository, digest_of(digest))
        try:
            blobs.check_deleted(self._client.send(request), request)
        finally:
            self.refresh()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address})"
