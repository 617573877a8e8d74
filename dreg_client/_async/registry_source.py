"""A repository of a registry as a source: which requests answer a question (distribution-spec "Pull")."""

from dreg_client import errors
from dreg_client._async.blob_body import AsyncRegistryBlob
from dreg_client._async.client import AsyncClient
from dreg_client._async.lists import list_tags
from dreg_client._async.manifests import fetch_manifest, resolve_manifest
from dreg_client._async.ranged_download import AsyncRangedDownload
from dreg_client._async.referrers import list_referrers
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.limits import MAX_DOCUMENT
from dreg_client.protocol import blobs
from dreg_client.protocol.content import BlobRequest, FetchedManifest
from dreg_client.protocol.manifests import check_served, name_of, own_media_type
from dreg_client.values.digest import Digest
from dreg_client.values.reference import DEFAULT_TAG, RepositoryName


class AsyncRegistrySource:
    """A repository of a registry (an `AsyncSource`).

    Args:
        client: The client of the registry.
        repository: The repository.
        owns_client: Whether closing this source closes the client.
    """

    refetches = True
    writes_manifests = False

    def __init__(self, client: AsyncClient, repository: RepositoryName, *, owns_client: bool = False) -> None:
        self._client, self._name, self._owns_client = client, repository, owns_client

    @property
    def name(self) -> str:
        """The repository's name, such as `acme/web`."""
        return self._name

    @property
    def address(self) -> str:
        """The repository's name with its registry, such as `registry.example/acme/web`."""
        return f"{self._client.registry.name}/{self._name}"

    async def aclose(self) -> None:
        """Close the client if it belongs to this source."""
        if self._owns_client:
            await self._client.aclose()

    async def resolve(self, reference: str) -> Descriptor:
        """Return the descriptor of a tag or digest, by HEAD if that says enough."""
        name = name_of(reference or DEFAULT_TAG)
        return (await resolve_manifest(self._client, self._name, name)).descriptor

    async def fetch_manifest(self, reference: str, *, legacy: bool = False) -> FetchedManifest:
        """Fetch the manifest at a tag or digest; if the registry does not state its media type, its bytes do."""
        name = name_of(reference or DEFAULT_TAG)
        found = await fetch_manifest(self._client, self._name, name, legacy=legacy)
        media_type = found.media_type or own_media_type(found.raw)
        return FetchedManifest(found.raw, media_type, found.digest, len(found.raw))

    async def fetch_document(
        self, descriptor: Descriptor, *, limit: int = MAX_DOCUMENT, is_blob: bool = False
    ) -> bytes:
        """Fetch a manifest; with `is_blob` a config, which a registry keeps among its blobs."""
        if descriptor.size > limit:
            raise errors.ResponseTooLargeError(str(descriptor.digest), descriptor.size, limit)
        if is_blob:
            digest, size = descriptor.digest, descriptor.size
            request = blobs.small_blob_request(self._name, digest, size)
            return blobs.small_blob_in(await self._client.send(request), request, digest, size)
        found = await fetch_manifest(self._client, self._name, descriptor.digest, limit=limit)
        check_served(found, descriptor)
        return found.raw

    async def tags(self) -> tuple[str, ...]:
        """List all tags, each once, in the registry's order."""
        return await list_tags(self._client, self._name)

    async def referrers(self, digest: Digest, artifact_type: str | None = None) -> tuple[Descriptor, ...]:
        """List the referrers of a manifest, as the registry states them."""
        return await list_referrers(self._client, self._name, digest, artifact_type)

    async def has_blob(self, digest: Digest) -> bool:
        """Return whether a blob exists: by HEAD if the response names its digest, else by its first byte (TRN-24)."""
        request = blobs.blob_request("HEAD", self._name, digest)
        head = await self._client.send(request)
        if blobs.head_proves(head, request, digest):
            return True
        first_byte = blobs.first_byte_request(self._name, digest)
        return blobs.has_first_byte(await self._client.send(first_byte), first_byte, head)

    def open_blob(self, request: BlobRequest) -> AsyncRegistryBlob | AsyncRangedDownload:
        """Return a reader of a blob, by several range requests at a time if that is asked for."""
        if request.ranges > 1:
            return AsyncRangedDownload(self._client, self._name, request)
        return AsyncRegistryBlob(self._client, self._name, request)
