# Generated from dreg_client/_async/repository.py by tools/generate_sync.py. Do not edit.
"""Repositories of a registry: stores that can be written."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from dreg_client import errors
from dreg_client._logging import log
from dreg_client._sync import changes
from dreg_client._sync.client import Client
from dreg_client._sync.limits import limited
from dreg_client._sync.lists import iter_tags
from dreg_client._sync.manifests import get_manifest
from dreg_client._sync.registry_source import RegistrySource
from dreg_client._sync.store import Store
from dreg_client._sync.untag import untag
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.manifest import Manifest
from dreg_client.models.octets import check_order, octets_of
from dreg_client.models.parse import parse_manifest
from dreg_client.models.stored import StoredDocument
from dreg_client.protocol import manifests
from dreg_client.protocol.content import (
    BlobRef,
    ManifestRef,
    RawManifest,
    digest_of,
    digest_of_manifest,
    reference_text,
)
from dreg_client.protocol.manifests import TagOrDigest
from dreg_client.protocol.messages import Response
from dreg_client.protocol.referrers import lists_referrers, referrer, subject_in, subject_of
from dreg_client.protocol.tags_and_catalog import MAX_STREAMED_PAGES
from dreg_client.protocol.untag import tag_to_delete
from dreg_client.values.arguments import check_flag
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import essence
from dreg_client.values.reference import DEFAULT_TAG, RepositoryName, Tag

if TYPE_CHECKING:  # few manifests have a subject, and few are of schema 1
    from dreg_client._sync.referrers_tag import ReferrersTag
    from dreg_client.models.index import AnyManifest
    from dreg_client.models.legacy import LegacyManifest


class Repository(Store):
    """A repository of a registry. Threads may share it. Create one with `Registry.repository` or `open_store`.

    All content that it returns was validated and verified. Content that fails verification is requested once more.

    Args:
        client: The client of the registry.
        name: The name of the repository.
        owns_client: Whether closing the repository closes the client.
        strict: If False, also return documents with only minor errors, such as a media type with parameters (see
            Rules, "Read invalid documents"); `.problems` lists them.

    Example:
        with Registry("http://localhost:5000") as registry:
            print(registry.repository("acme/web").tags())
    """

    def __init__(self, client: Client, name: RepositoryName, *, owns_client: bool = False, strict: bool = True) -> None:
        super().__init__(RegistrySource(client, name, owns_client=owns_client, strict=strict))
        self._client, self._repository = client, name
        self._tags: tuple[str, ...] | None = None
        self._deadline_seconds = client.deadline_seconds

    @limited
    def tags(self) -> tuple[str, ...]:
        """List all tags, in the registry's order. The list is cached until `refresh`, or a change through this object.

        Raises:
            NotFoundError: There is no such repository.
        """
        if self._tags is None:
            self._tags = super().tags()
        return self._tags

    def refresh(self) -> None:
        """Clear the cached list of tags."""
        self._tags = None

    def iter_tags(self, *, n: int | None = None, last: str | None = None) -> Iterator[str]:
        """Iterate over the tags. Pages are requested as needed, and are not cached.

        Args:
            n: Tags per page, at most 1,000 (default: the registry's choice).
            last: Start after this tag.
        """
        for tag in iter_tags(self._client, self._repository, n, last, MAX_STREAMED_PAGES):
            yield tag

    @limited
    def put_manifest(
        self, document: StoredDocument | bytes, reference: str | None = None, *, media_type: str | None = None
    ) -> Descriptor:
        """Push a manifest or index, byte for byte, after validating it (distribution-spec "Pushing Manifests").

        If the document has a `subject`, and the registry keeps no list of referrers, the document is added to the list
        under the referrers tag ("Pushing Manifests with Subject"). This takes one to two seconds longer, to check that
        no other process overwrote the list.

        Args:
            document: The document or its bytes.
            reference: A tag, or the document's digest (default: the digest).
            media_type: The media type, if the document does not state it.

        Returns:
            The descriptor of the document in the registry.

        Raises:
            ConflictError: The document was pushed, but cannot be listed as a referrer: the referrers tag is not an OCI
                index, other processes keep overwriting it, or the registry confirms changes of it without storing them.
            InvalidDocumentError: The document is not valid. Nothing was sent.
            DigestMismatchError: `reference` is not the digest of the document (nothing was sent), or the registry
                reports another digest than the document's.
        """
        check_order(document, reference)
        raw = document.raw if isinstance(document, StoredDocument) else octets_of(document)
        manifest = parse_manifest(raw, media_type, legacy=True)
        own = document.digest if isinstance(document, StoredDocument) else manifest.digest
        name = manifests.name_of(reference) if reference else own
        if isinstance(name, Digest) and name != (actual := Digest.of(raw, name.algorithm)):
            raise errors.DigestMismatchError(name, actual, "the manifest to push")
        media_type = essence(media_type) if media_type else manifest.media_type
        digest, response = self._put(name, raw, media_type)
        written = Descriptor(mediaType=media_type, digest=digest, size=len(raw))
        self._list(written, manifest, response)
        return written

    def _put(self, name: TagOrDigest, raw: bytes, media_type: str) -> tuple[Digest, Response]:
        """Push a manifest; return its digest in the registry, and the response."""
        try:
            return changes.put_manifest(self._client, self._repository, name, raw, media_type)
        finally:
            self.refresh()

    def _list(self, written: Descriptor, manifest: "AnyManifest | LegacyManifest", response: Response) -> None:
        """List a pushed manifest as a referrer of its `subject`, unless the response states that the registry does."""
        if not isinstance(manifest, Manifest):  # schema 1 has no subject
            return
        subject = subject_of(manifest)
        if subject is None or lists_referrers(response, subject.digest):
            return
        try:
            self._referrers_tag(subject.digest).add(referrer(written, manifest))
        finally:
            self.refresh()

    def _referrers_tag(self, subject: Digest) -> "ReferrersTag":
        from dreg_client._sync.referrers_tag import ReferrersTag  # noqa: PLC0415 (few manifests have a subject)

        return ReferrersTag(self._client, self._repository, subject)

    @limited
    def tag(self, reference: ManifestRef, *new_tags: str) -> Digest:
        """Add tags to the manifest at a tag, a digest or a descriptor. Its bytes do not change.

        Tags are written in order. If one fails, those before it stay written.

        Raises:
            NotFoundError: There is no such manifest.
            UnsupportedError: The manifest names content that was deleted, so the registry does not accept it again.
            InvalidReferenceError: A tag is not valid. Nothing was sent.
        """
        tags = [manifests.new_tag(text) for text in new_tags]
        if not tags:
            raise ValueError("name at least one tag to add")
        found = self._read_to_tag(manifests.name_of(reference_text(reference) or DEFAULT_TAG))
        manifest = parse_manifest(found.raw, found.media_type, legacy=True, strict=self.source.strict)
        named = Descriptor(mediaType=found.media_type, digest=found.digest, size=len(found.raw))
        for new in tags:
            response = self._put_again(new, found)
            self._list(named, manifest, response)
        return found.digest

    def _read_to_tag(self, name: TagOrDigest) -> RawManifest:
        # Not from a mirror, which may be outdated: the tag would then name another manifest than its source does.
        found = get_manifest(self._client, self._repository, name, legacy=True, mirrored=False)
        return found if found.media_type else replace(found, media_type=manifests.own_media_type(found.raw))

    def _put_again(self, tag: Tag, manifest: RawManifest) -> Response:
        try:
            _, response = self._put(tag, manifest.raw, manifest.media_type)
        except errors.RegistryError as failure:
            cannot = f"cannot tag {self._repository}:{tag}"
            raise changes.explained(self._client, self._repository, manifest, failure, cannot) from None
        return response

    @limited
    def untag(self, tag: str, *, placeholder: bool = True) -> None:
        """Delete a tag, but not its manifest or its other tags (distribution-spec "Deleting tags").

        Many registries delete only by digest, which deletes all tags of the manifest. In this case, the tag is first
        moved to a placeholder, which is a manifest with the same blobs but its own digest. The placeholder is then
        deleted by its digest. If that fails or is cancelled, the tag is moved back.

        Args:
            tag: The tag.
            placeholder: Whether a placeholder may be written. If False, `untag` raises UnsupportedError if the
                registry deletes only by digest.

        Raises:
            UnsupportedError: The registry deletes neither tags nor digests; or the manifest has schema 1, or names
                content that was deleted, so that no placeholder can be written. Nothing was changed.
            NotFoundError: There is no such tag.
            ConflictError: Another client changed the tag.
            ProtocolError: The registry accepted the deletion of the placeholder, but did not carry it out within a
                second. The tag was moved back.
            DigestMismatchError: The registry changes manifests that it stores. The tag was moved back.
            DregError: A request failed. If the placeholder had already been written, the message states the digest of
                the original manifest, and what the tag names now.
        """
        check_flag("placeholder", placeholder)
        try:
            untag(self._client, self._repository, tag_to_delete(tag), placeholder=placeholder)
        finally:
            self.refresh()

    delete_tag = untag

    @limited
    def delete_manifest(self, digest: BlobRef) -> None:
        """Delete a manifest, given its digest, and all its tags (distribution-spec "Deleting Manifests").

        The manifest is read first. If it has a `subject`, and the registry keeps no list of referrers, its entry under
        the referrers tag is also removed. If reading it is denied, it is deleted anyway, with a warning.

        Raises:
            InvalidDigestError: The text is not a valid digest. For a tag, use `untag`. Nothing was sent.
            NotFoundError: There is no such manifest.
            UnsupportedError: The registry does not support deletion.
            ServerError: The registry failed. If the manifest could not be read, nothing was deleted.
        """
        name = digest_of_manifest(digest)
        found = self._read_to_delete(name)
        try:
            changes.delete_manifest(self._client, self._repository, name)
        finally:
            self.refresh()
        if isinstance(found, errors.DregError):
            log.warning("%s was deleted without being read, so a referrers tag may still list it: %s", name, found)
        elif found is not None and (subject := subject_in(found.raw)) is not None:
            self._referrers_tag(subject).remove(found)

    def _read_to_delete(self, name: Digest) -> RawManifest | errors.DregError | None:
        """Return a manifest to be deleted, or why it cannot be read; None if it does not exist or cannot be checked."""
        if not name.computable:
            return None
        try:
            return self.source.fetch_manifest(name, legacy=True)
        except errors.NotFoundError:
            return None
        except (errors.TransportError, errors.RateLimitedError, errors.ServerError):
            raise  # reading may succeed later, but not after the deletion
        except errors.DregError as failure:
            return failure

    @limited
    def delete_blob(self, digest: BlobRef) -> None:
        """Delete a blob (distribution-spec "Deleting Blobs").

        Raises:
            NotFoundError: There is no such blob.
            UnsupportedError: The registry does not support deletion.
        """
        name = digest_of(digest)
        try:
            changes.delete_blob(self._client, self._repository, name)
        finally:
            self.refresh()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address})"
