# Generated from dreg_client/_async/named_images.py by tools/generate_sync.py. Do not edit.
"""A repository in a layout or archive whose images have full names, such as `localhost:5000/acme/web:1.4`."""

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from dreg_client._sync.ports import BlobReader, Content, Destination, OnTags, Source
from dreg_client.copying.repository_names import by_repository
from dreg_client.files.saved_spool import full_name
from dreg_client.protocol.content import BlobRequest, RawManifest
from dreg_client.values.digest import Digest, is_registered_digest

if TYPE_CHECKING:
    from dreg_client.models.descriptor import Descriptor


class NamedImages:
    """Some images of a medium, under their tags (a `Source`).

    Args:
        medium: The layout or archive.
        names: The names of the images, by tag.
    """

    def __init__(self, medium: Source, names: Mapping[str, str]) -> None:
        self._medium, self._names = medium, names
        self.name, self.address, self.strict = medium.name, medium.address, medium.strict
        self.refetches, self.writes_manifests = medium.refetches, medium.writes_manifests
        self.client = medium.client

    def _name_of(self, reference: str) -> str:
        return self._names.get(reference, reference)

    def resolve(self, reference: str) -> "Descriptor":
        """Return the descriptor of a tag or digest."""
        return self._medium.resolve(self._name_of(reference))

    def fetch_manifest(self, reference: str, *, legacy: bool = False) -> RawManifest:
        """Fetch the manifest at a tag or digest."""
        return self._medium.fetch_manifest(self._name_of(reference), legacy=legacy)

    def fetch_document(self, descriptor: "Descriptor", *, is_blob: bool = False) -> bytes:
        """Fetch a manifest or a config."""
        return self._medium.fetch_document(descriptor, is_blob=is_blob)

    def tags(self) -> tuple[str, ...]:
        """List the tags."""
        return tuple(self._names)

    def manifest_list(self) -> None:
        """Return None, because layouts and archives do not state dates."""

    def untagged(self) -> None:
        """Return None: the manifests without a tag may belong to any of the repositories."""

    def referrers(self, digest: Digest, artifact_type: str | None = None) -> "tuple[Descriptor, ...]":
        """List the manifests whose `subject` is this digest."""
        return self._medium.referrers(digest, artifact_type)

    def has_blob(self, digest: Digest) -> bool:
        """Return whether a blob exists."""
        return self._medium.has_blob(digest)

    def open_blob(self, request: BlobRequest) -> BlobReader:
        """Return a reader of a blob."""
        return self._medium.open_blob(request)

    @property
    def writable(self) -> Destination | None:
        """None: it is only read."""
        return None

    def close(self) -> None:
        """Do nothing: the medium may have other repositories."""


class NamedRepository(NamedImages):
    """A repository that is written to a layout or archive under full names (a `Destination`).

    Args:
        medium: The layout or archive.
        repository: The name of the repository.
    """

    def __init__(self, medium: Destination, repository: str) -> None:
        super().__init__(medium, {})
        self._written = medium
        self.has_closures, self.lists_written = medium.has_closures, medium.lists_written
        self.is_atomic = medium.is_atomic
        # A docker-archive has the names that `docker load` expects.
        self._repository = full_name(f"{repository}:x")[:-2] if medium.writes_manifests else repository

    @property
    def writable(self) -> Destination | None:
        """This object."""
        return self

    def _name_of(self, reference: str) -> str:
        return reference if is_registered_digest(reference) else f"{self._repository}:{reference}"

    def tags(self) -> tuple[str, ...]:
        """List the tags."""
        return tuple(by_repository(self._written.tags()).get(self._repository, ()))

    def writing(self, *, on_deferred: OnTags | None = None) -> AbstractContextManager[None]:
        """Write to the medium."""
        if on_deferred is None:
            return self._written.writing()
        prefix = self._name_of("")
        return self._written.writing(on_deferred=lambda names: on_deferred([it.removeprefix(prefix) for it in names]))

    def current_digest(self, reference: str, *, surely: bool = False) -> Digest | None:
        """Return the digest of the manifest at a tag or digest."""
        return self._written.current_digest(self._name_of(reference), surely=surely)

    def current_tags(self) -> "Mapping[str, Descriptor]":
        """Return all tags with what they name."""
        found = self._written.current_tags()
        return {tag: found[name] for tag in self.tags() if (name := self._name_of(tag)) in found}

    def push_blob(self, content: Content) -> "Descriptor":
        """Write a blob."""
        return self._written.push_blob(content)

    def mount_blob(self, digest: Digest, repository: str) -> bool:
        """Return False, because only registries mount."""
        return self._written.mount_blob(digest, repository)

    def push_manifest(
        self, manifest: RawManifest, reference: str, *, no_clobber: bool = False, expected: Digest | None = None
    ) -> bool:
        """Write a manifest under a tag or under its digest; return whether it was written now."""
        name = self._name_of(reference)
        return self._written.push_manifest(manifest, name, no_clobber=no_clobber, expected=expected)

    def delete_tag(
        self,
        tag: str,
        *,
        expected: Digest | None = None,
        known: RawManifest | None = None,
    ) -> None:
        """Delete a tag."""
        self._written.delete_tag(self._name_of(tag), expected=expected, known=known)

    def delete_manifest(
        self, digest: Digest, *, tags: Collection[str] | None = None, known: RawManifest | None = None
    ) -> None:
        """Delete a manifest and all its tags, also those of other repositories."""
        names = None if tags is None else [self._name_of(tag) for tag in tags]
        self._written.delete_manifest(digest, tags=names, known=known)

    def delete_blob(self, digest: Digest) -> None:
        """Delete a blob."""
        self._written.delete_blob(digest)
