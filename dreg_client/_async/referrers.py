"""Listing the referrers of a manifest (distribution-spec "Listing Referrers")."""

from dreg_client import errors
from dreg_client._async.client import AsyncClient
from dreg_client.models.descriptor import Descriptor
from dreg_client.protocol import referrers
from dreg_client.protocol.content import RawManifest
from dreg_client.protocol.manifests import TagOrDigest, manifest_in, manifest_request
from dreg_client.values.digest import Digest
from dreg_client.values.reference import RepositoryName


async def list_referrers(
    client: AsyncClient, repository: RepositoryName, digest: Digest, artifact_type: str | None = None
) -> tuple[Descriptor, ...]:
    """Fetch the descriptors of a manifest's referrers, in the registry's order.

    If the registry has no such list, its tag `sha256-...` is read, in which older clients keep one ("Referrers Tag
    Schema"); if there is none, nothing refers to the manifest.

    Args:
        client: The client of the registry.
        repository: The repository.
        digest: The manifest that the referrers have as their `subject`; it need not exist.
        artifact_type: Return only those of this type.

    Raises:
        ResponseTooLargeError: There are more than 1,000.
        InvalidDocumentError: The list is not an index.
    """
    pages = referrers.referrer_pages(repository, digest, artifact_type)
    found: list[Descriptor] = []
    while pages.request is not None:
        response = await client.send(pages.request)
        if not found and referrers.is_not_offered(response):
            return await _at_fallback_tag(client, repository, digest, artifact_type)
        found += referrers.parse_referrers(response, pages.request)
        referrers.check_count(found, response.where)
        pages.turn(response)
    return referrers.of_type(found, artifact_type)


async def _at_fallback_tag(
    client: AsyncClient, repository: RepositoryName, digest: Digest, artifact_type: str | None
) -> tuple[Descriptor, ...]:
    tag = referrers.fallback_tag(digest)
    try:
        served = await _fetch(client, repository, tag)
    except errors.NotFoundError:
        return ()
    entries = referrers.parse_fallback(served, f"{repository}:{tag}")
    chosen = referrers.of_type(entries, artifact_type)
    if chosen or artifact_type is None:
        return chosen
    # The list may state another type than the manifests themselves (quirk 39).
    return tuple([entry for entry in entries if await _is_of_type(client, repository, entry, artifact_type)])


async def _is_of_type(client: AsyncClient, repository: RepositoryName, entry: Descriptor, artifact_type: str) -> bool:
    try:
        return referrers.served_type(await _fetch(client, repository, entry.digest)) == artifact_type
    except errors.DregError:
        return False


async def _fetch(client: AsyncClient, repository: RepositoryName, name: TagOrDigest) -> RawManifest:
    request = manifest_request("GET", repository, name)
    return manifest_in(await client.send(request), request, name)
