"""Tags and repositories, listed page by page (distribution-spec "Listing Tags"; distribution "Catalog")."""

from collections.abc import AsyncIterator

from dreg_client._async.client import AsyncClient
from dreg_client.protocol.tags_and_catalog import catalog_pages, tag_pages
from dreg_client.values.reference import RepositoryName


async def list_tags(client: AsyncClient, repository: RepositoryName) -> tuple[str, ...]:
    """List all tags of a repository, each once, in the registry's order."""
    return tuple(dict.fromkeys([tag async for tag in iter_tags(client, repository)]))


async def iter_tags(
    client: AsyncClient, repository: RepositoryName, n: int | None = None, last: str | None = None
) -> AsyncIterator[str]:
    """Iterate over the tags after `last`, `n` per page (at most 1,000). Pages are requested as needed."""
    pages, call = tag_pages(repository, n, last), client.deadline()
    while pages.request is not None:
        for tag in pages.names(await client.send(pages.request, call)):
            yield tag


async def iter_catalog(client: AsyncClient, n: int | None = None, last: str | None = None) -> AsyncIterator[str]:
    """Iterate over the repositories of a registry, with the same arguments as `iter_tags`."""
    pages, call = catalog_pages(n, last), client.deadline()
    while pages.request is not None:
        for name in pages.names(await client.send(pages.request, call)):
            yield name
