"""A repository in a layout or archive whose images have full names, such as `localhost:5000/acme/web:1.4`."""

from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from dreg_client._async.ports import AsyncBlobReader, AsyncContent, AsyncDestination, AsyncSource, OnTags
from dreg_client.copying.repository_names import by_repository
from dreg_client.files.saved_spool import full_name
from dreg_client.protocol.content import BlobRequest, RawManifest
from dreg_client.values.digest import Digest, is_registered_digest

if TYPE_CHECKING:
    from dreg_client.models.descriptor import Descriptor


class AsyncNamedImages:
    """Some images of a medium, under their tags (an `AsyncSource`).

    Args:
        medium: The layout or archive.
        names: The names of the images, by tag.
    """

    def __init__(self, medium: AsyncSource, names: Mapping[str, str]) -> None:
        self._medium, self._names = medium, names
        self.name, self.address, self.strict = medium.name, medium.address, medium.strict
        self.refetches, self.writes_manifests = medium.refetches, medium.writes_manifests
        self.client = medium.client

    def _name_of(self, reference: str) -> str:
        return self._names.get(reference, reference)

    async def resolve(self, reference: str) -> "Descriptor":
        """Return the descriptor of a tag or digest."""
        return await self._medium.resolve(self._name_of(reference))

    async def fetch_manifest(self, reference: str, *, legacy: bool = False) -> RawManifest:
        """Fetch the manifest at a tag or digest."""
        return await self._medium.fetch_manifest(self._name_of(reference), legacy=legacy)

    async def fetch_document(self, descriptor: "Descriptor", *, is_blob: bool = False) -> bytes:
        """Fetch a manifest or a config."""
        return await self._medium.fetch_document(descriptor, is_blob=is_blob)

    async def tags(self) -> tuple[str, ...]:
        """List the tags."""
        return tuple(self._names)

    async def manifest_list(self) -> None:
        """Return None, because layouts and archives do not state dates."""

    async def untagged(self) -> None:
        """Return None: the manifests without a tag may belong to any of the repositories."""

    async def referrers(self, digest: Digest, artifact_type: str | None = None) -> "tuple[Descriptor, ...]":
        """List the manifests whose `subject` is this digest."""
        return await self._medium.referrers(digest, artifact_type)

    async def has_blob(self, digest: Digest) -> bool:
        """Return whether a blob exists."""
        return await self._medium.has_blob(digest)

    def open_blob(self, request: BlobRequest) -> AsyncBlobReader:
        """Return a reader of a blob."""
        return self._medium.open_blob(request)

    @property
    def writable(self) -> AsyncDestination | None:
        """None: it is only read."""
        return None

    async def aclose(self) -> None:
        """Do nothing: the medium may have other repositories."""


class AsyncNamedRepository(AsyncNamedImages):
    """A repository that is written to a layout or archive under full names (an `AsyncDestination`).

    Args:
        medium: The layout or archive.
        repository: The name of the repository.
    """

    def __init__(self, medium: AsyncDestination, repository: str) -> None:
        super().__init__(medium, {})
        self._written = medium
        self.has_closures, self.lists_written = medium.has_closures, medium.lists_written
        self.is_atomic = medium.is_atomic
        # A docker-archive has the names that `docker load` expects.
        self._repository = full_name(f"{repository}:x")[:-2] if medium.writes_manifests else repository

    @property
    def writable(self) -> AsyncDestination | None:
        """This object."""
        return self

    def _name_of(self, reference: str) -> str:
        return reference if is_registered_digest(reference) else f"{self._repository}:{reference}"

    async def tags(self) -> tuple[str, ...]:
        """List the tags."""
        return tuple(by_repository(await self._written.tags()).get(self._repository, ()))

    def writing(self, *, on_deferred: OnTags | None = None) -> AbstractAsyncContextManager[None]:
        """Write to the medium."""
        if on_deferred is None:
            return self._written.writing()
        prefix = self._name_of("")
        return self._written.writing(on_deferred=lambda names: on_deferred([it.removeprefix(prefix) for it in names]))

    async def current_digest(self, reference: str, *, surely: bool = False) -> Digest | None:
        """Return the digest of the manifest at a tag or digest."""
        return await self._written.current_digest(self._name_of(reference), surely=surely)

    async def current_tags(self) -> "Mapping[str, Descriptor]":
        """Return all tags with what they name."""
        found = await self._written.current_tags()
        return {tag: found[name] for tag in await self.tags() if (name := self._name_of(tag)) in found}

    async def push_blob(self, content: AsyncContent) -> "Descriptor":
        """Write a blob."""
        return await self._written.push_blob(content)

    async def mount_blob(self, digest: Digest, repository: str) -> bool:
        """Return False, because only registries mount."""
        return await self._written.mount_blob(digest, repository)

    async def push_manifest(
        self, manifest: RawManifest, reference: str, *, no_clobber: bool = False, expected: Digest | None = None
    ) -> bool:
        """Write a manifest under a tag or under its digest; return whether it was written now."""
        name = self._name_of(reference)
        return await self._written.push_manifest(manifest, name, no_clobber=no_clobber, expected=expected)

    async def delete_tag(
        self,
        tag: str,
        *,
        expected: Digest | None = None,
        known: RawManifest | None = None,
    ) -> None:
        """Delete a tag."""
        await self._written.delete_tag(self._name_of(tag), expected=expected, known=known)

    async def delete_manifest(
        self, digest: Digest, *, tags: Collection[str] | None = None, known: RawManifest | None = None
    ) -> None:
        """Delete a manifest and all its tags, also those of other repositories."""
        names = None if tags is None else [self._name_of(tag) for tag in tags]
        await self._written.delete_manifest(digest, tags=names, known=known)

    async def delete_blob(self, digest: Digest) -> None:
        """Delete a blob."""
        await self._written.delete_blob(digest)
