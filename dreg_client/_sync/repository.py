# Generated from dreg_client/_async/repository.py by tools/generate_sync.py. Do not edit.
"""Repositories of a registry: stores that can be written."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from dreg_client import errors
from dreg_client._sync import changes
from dreg_client._sync.client import Client
from dreg_client._sync.limits import limited
from dreg_client._sync.lists import iter_tags
from dreg_client._sync.manifests import get_manifest
from dreg_client._sync.registry_destination import RegistryDestination
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
    verifiable,
)
from dreg_client.protocol.manifests import TagOrDigest
from dreg_client.protocol.messages import Response
from dreg_client.protocol.missing import is_for_missing
from dreg_client.protocol.referrers import lists_referrers, referrer, subject_of
from dreg_client.protocol.tags_and_catalog import MAX_STREAMED_PAGES
from dreg_client.protocol.untag import tag_to_delete
from dreg_client.values.arguments import check_flag
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import OCTET_STREAM, essence
from dreg_client.values.reference import DEFAULT_TAG, RepositoryName, Tag

if TYPE_CHECKING:  # few manifests have a subject, few are of schema 1, and few programs write
    from dreg_client._sync.contents import BlobSource
    from dreg_client._sync.tag_planner import TagPlanner
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
        self._destination = RegistryDestination(client, name, owns_client=owns_client, strict=strict)
        super().__init__(self._destination)
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
    def push_blob(
        self,
        source: "BlobSource",
        *,
        digest: str | None = None,
        mount_from: str | None = None,
        resume: bool = False,
        media_type: str = OCTET_STREAM,
    ) -> Descriptor:
        """Upload a blob, unless the registry has it already (distribution-spec "Pushing Blobs").

        A source that can be read twice (bytes, a path, a seekable file) is hashed first, and then sent in one request.
        Others are sent in chunks, which are held in memory (16 MiB each, or as the registry requires), and hashed at
        the same time. The digest is always that of the bytes that were sent, and compared with the registry's. If the
        connection is lost, the upload goes on from where the registry has received it.

        Args:
            source: The bytes: `bytes`, a path, an open binary file, or an iterable of `bytes`.
            digest: The digest that the bytes must have. If the source cannot be read twice, it allows to check whether
                the blob exists before the bytes are read.
            mount_from: Another repository of the same registry, which may have the blob. The registry then adds the
                blob without a transfer; if it does not, the bytes are sent.
            resume: Send chunks, and remember the upload in `$XDG_STATE_HOME/dreg/uploads` until it ends, so that the
                same call goes on after this process has ended, instead of mounting the blob. Without `digest`, the
                source must be readable twice.
            media_type: The media type of the descriptor that is returned. Registries do not store it.

        Returns:
            The descriptor of the blob.

        Raises:
            DigestMismatchError: The bytes do not have the `digest`, or the registry has stored other bytes.
            SizeMismatchError: A file became longer or shorter while it was sent. Nothing was written.
            UploadError: The registry rejects the upload; UploadOffsetError: it has lost or invented some bytes.
            CrossOriginError: The registry wants the bytes sent to another host, which `upload_hosts` does not name.
            FileError: A file cannot be read.
            UnsupportedError: The registry does not accept uploads.
        """
        from dreg_client._sync.contents import content_of  # noqa: PLC0415 (few programs write)

        given = None if digest is None else verifiable(digest_of(digest))
        check_flag("resume", resume)
        other = None if mount_from is None else RepositoryName(mount_from)
        content = content_of(source, given)
        if resume and content.digest is None:
            raise ValueError("resume=True needs digest=, because the source can be read only once")
        written = self._destination.uploads().push(content, mount_from=other, resume=resume)
        return Descriptor(mediaType=media_type, digest=written.digest, size=written.size)

    @limited
    def mount_blob(self, digest: BlobRef, repository: str) -> bool:
        """Add a blob of another repository of the registry, without a transfer (distribution-spec "Mounting").

        Returns:
            Whether the registry has added it. Many registries mount only what the user can read.

        Raises:
            InvalidReferenceError: The text is not the name of a repository. Nothing was sent.
        """
        return self._destination.uploads().mount(digest_of(digest), RepositoryName(repository))

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
        except errors.RegistryError as failure:
            if is_for_missing(failure) and not failure.advice:
                failure.advice = "push what is missing first, with push_blob and put_manifest"
            raise
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
            self._destination.referrers_tag(subject.digest).add(referrer(written, manifest))
        finally:
            self.refresh()

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
        try:
            self._destination.delete_manifest(name)
        finally:
            self.refresh()

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

    def plan(self) -> "TagPlanner":
        """Return a planner of changes of tags. Nothing is requested yet.

        Example:
            plan = repository.plan().prune("nightly-*", keep_last=10).make()
            print(plan.changes)
        """
        from dreg_client._sync.tag_planner import TagPlanner  # noqa: PLC0415 (few programs plan changes)

        return TagPlanner([self], {"deadline": self._deadline_seconds})

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address})"
