"""A repository of a registry as a source (distribution-spec "Pull")."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from dreg_client import errors
from dreg_client._async.blob_body import AsyncBlobBody
from dreg_client._async.client import AsyncClient
from dreg_client._async.documents import completed_entry
from dreg_client._async.in_order import AT_A_TIME, in_order
from dreg_client._async.lists import list_manifests, list_tags
from dreg_client._async.manifests import get_manifest, resolve_manifest
from dreg_client._async.ports import AsyncDestination
from dreg_client._async.ranged_download import AsyncRangedDownload
from dreg_client._logging import log
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.listing import is_incomplete, unsized
from dreg_client.protocol import blobs, referrers
from dreg_client.protocol.blob_reader import BlobTransfer
from dreg_client.protocol.content import BlobRequest, RawManifest
from dreg_client.protocol.manifests import check_served, manifest_in, manifest_request, name_of, own_media_type
from dreg_client.protocol.messages import Response
from dreg_client.protocol.tags_and_catalog import tag_pages
from dreg_client.values.digest import Digest
from dreg_client.values.reference import DEFAULT_TAG, RepositoryName, Tag
from dreg_client.values.sizes import MAX_DOCUMENT

if TYPE_CHECKING:  # few programs list all manifests
    from dreg_client.protocol.manifest_list import ListedManifest


class AsyncRegistrySource:
    """A repository of a registry (an `AsyncSource`). With `owns_client`, closing it closes the client."""

    refetches = True
    writes_manifests = False

    def __init__(
        self, client: AsyncClient, repository: RepositoryName, *, owns_client: bool = False, strict: bool = True
    ) -> None:
        self._client, self._name, self._owns_client, self.strict = client, repository, owns_client, strict
        self.client = client
        self.name: str = repository
        self.lists_referrers: bool | None = None
        """Whether the registry keeps lists of referrers, by its last response; None before the first one."""
        self.may_list_manifests: bool = False
        """Whether the last tag list may have all manifests, so that `manifest_list` is worth a request."""
        self.address = f"{client.registry.name}/{repository}"

    @property
    def writable(self) -> AsyncDestination | None:
        """None: a source is only read."""
        return None

    async def aclose(self) -> None:
        """Close the client if it belongs to this source."""
        if self._owns_client:
            await self._client.aclose()

    async def resolve(self, reference: str) -> Descriptor:
        """Return the descriptor of a tag or digest, by HEAD if its response is sufficient."""
        name = name_of(reference or DEFAULT_TAG)
        return (await resolve_manifest(self._client, self._name, name)).descriptor

    async def fetch_manifest(self, reference: str, *, legacy: bool = False) -> RawManifest:
        """Fetch the manifest at a tag or digest. If the registry states no media type, it is taken from the bytes."""
        name = name_of(reference or DEFAULT_TAG)
        request = manifest_request("GET", self._name, name, legacy=legacy)
        response = await self._client.send(request)
        try:
            found = manifest_in(response, request, name)
        except errors.DregError as failure:
            if not self._is_of_mirror(response):
                raise
            log.warning("%s; requesting %s from the registry itself", failure, request.what)
            found = await get_manifest(self._client, self._name, name, legacy=legacy, mirrored=False)
        return found if found.media_type else replace(found, media_type=own_media_type(found.raw))

    async def fetch_document(self, descriptor: Descriptor, *, is_blob: bool = False) -> bytes:
        """Fetch a manifest, or, with `is_blob`, a config, which a registry stores as a blob."""
        digest, size = descriptor.digest, descriptor.size
        if size > MAX_DOCUMENT:
            raise errors.ResponseTooLargeError(str(digest), size, MAX_DOCUMENT)
        if is_blob:
            return await self._fetch_small_blob(digest, size)
        found = await self.fetch_manifest(digest)
        check_served(found, descriptor)
        return found.raw

    async def _fetch_small_blob(self, digest: Digest, size: int) -> bytes:
        request = blobs.small_blob_request(self._name, digest, size)
        response = await self._client.send(request)
        if self._is_of_mirror(response) and not blobs.is_small_blob(response, digest):
            log.warning("%s: not the requested blob; requesting it from the registry itself", response.where)
            request = replace(request, mirrored=False)
            response = await self._client.send(request)
        return blobs.small_blob_in(response, request, digest, size)

    def _is_of_mirror(self, response: Response) -> bool:
        return response.registry != self._client.registry.url

    async def tags(self) -> tuple[str, ...]:
        """List all tags, each once, in the registry's order."""
        pages = tag_pages(self._name)
        found = await list_tags(self._client, pages, self._name)
        self.may_list_manifests = pages.may_have_manifests
        return found

    async def manifest_list(self) -> "tuple[ListedManifest, ...] | None":
        """List all manifests, with and without a tag; None if the tag list of the registry does not have them."""
        return await list_manifests(self._client, self._name)

    async def untagged(self) -> tuple[Descriptor, ...] | None:
        """List the manifests without a tag, with a size of 0; None if the registry has no `manifest_list`."""
        listed = await self.manifest_list()
        if listed is None:
            return None
        return tuple(unsized(each.digest, each.media_type) for each in listed if not each.tags)

    async def referrers(self, digest: Digest, artifact_type: str | None = None) -> tuple[Descriptor, ...]:
        """List the referrers that the registry states for a manifest ("Listing Referrers").

        If the registry keeps no such list, the tag `sha256-...` is read, under which clients keep one ("Referrers Tag
        Schema"). If there is no such tag, the manifest has no referrers.
        """
        entries = await self._listed_referrers(digest, artifact_type)
        at_a_time = min(self._client.connections, AT_A_TIME)
        if artifact_type is not None:
            is_of_type = partial(self._is_of_type, artifact_type)
            kept = await in_order(is_of_type, entries, at_a_time=at_a_time)
            entries = [entry for entry, is_kept in zip(entries, kept, strict=True) if is_kept]
        return tuple(await in_order(self._completed, entries, at_a_time=at_a_time))

    async def _listed_referrers(self, digest: Digest, artifact_type: str | None) -> Sequence[Descriptor]:
        pages = referrers.referrer_pages(self._name, digest, artifact_type)
        found: list[Descriptor] = []
        while pages.request is not None:
            response = await self._client.send(pages.request)
            if not found and referrers.is_not_offered(response):
                self.lists_referrers = False
                if response.status == 401:
                    log.warning("%s: 401 without a challenge; reading the referrers tag instead", response.where)
                return await self._referrers_by_tag(referrers.fallback_tag(digest))
            found += referrers.parse_referrers(response, pages.request)
            self.lists_referrers = True
            referrers.check_count(found, response.where)
            pages.advance(response)
        return found

    async def _referrers_by_tag(self, tag: Tag) -> tuple[Descriptor, ...]:
        try:
            # Not from a mirror, which may be outdated: referrers would be missing without any error.
            served = await get_manifest(self._client, self._name, tag, mirrored=False)
        except errors.NotFoundError:
            return ()
        return referrers.parse_fallback(served, f"{self._name}:{tag}")

    async def _is_of_type(self, artifact_type: str, entry: Descriptor) -> bool:
        """Return whether an entry has an artifact type, according to the list, otherwise to its manifest."""
        if entry.artifact_type == artifact_type:
            return True
        try:
            served = await get_manifest(self._client, self._name, entry.digest)
        except errors.DregError as failure:
            if not referrers.is_fault_of_referrer(failure):
                raise
            log.warning(
                "%s is not listed as %s, because its manifest cannot be read: %s", entry.digest, artifact_type, failure
            )
            return False
        return referrers.served_type(served) == artifact_type

    async def _completed(self, entry: Descriptor) -> Descriptor:
        return await completed_entry(self, entry) if is_incomplete(entry) else entry

    async def has_blob(self, digest: Digest) -> bool:
        """Return whether a blob exists: by HEAD if the response states its digest, else by its first byte (TRN-24)."""
        request = blobs.blob_request("HEAD", self._name, digest)
        head = await self._client.send(request)
        if blobs.head_proves(head, request, digest):
            return True
        first_byte = blobs.first_byte_request(self._name, digest)
        return blobs.has_first_byte(await self._client.send(first_byte), first_byte, digest, head)

    def open_blob(self, request: BlobRequest) -> AsyncBlobBody | AsyncRangedDownload:
        """Return a reader of a blob, which sends concurrent range requests if `request.ranges` is more than 1."""
        if request.ranges > 1:
            return AsyncRangedDownload(self._client, self._name, request)
        return AsyncBlobBody(self._client, request.digest, BlobTransfer(self._name, request))
