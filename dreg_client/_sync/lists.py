# Generated from dreg_client/_async/lists.py by tools/generate_sync.py. Do not edit.
"""Tags and repositories, listed page by page (distribution-spec "Listing Tags"; distribution "Catalog")."""

from collections.abc import Iterator

from dreg_client._sync.client import Client
from dreg_client.protocol.tags_and_catalog import MAX_PAGES, AllNames, catalog_pages, tag_pages
from dreg_client.values.reference import RepositoryName


def list_tags(client: Client, repository: RepositoryName) -> tuple[str, ...]:
    """List all tags of a repository, each once, in the registry's order."""
    found = AllNames(f"repository {repository}", "read them one by one, with iter_tags")
    for tag in iter_tags(client, repository):
        found.add(tag)
    return found.all()


def iter_tags(
    client: Client,
    repository: RepositoryName,
    n: int | None = None,
    last: str | None = None,
    most: int = MAX_PAGES,
) -> Iterator[str]:
    """Iterate over the tags after `last`, `n` per page (at most 1,000). Pages are requested as needed."""
    pages, call = tag_pages(repository, n, last, most), client.deadline()
    while pages.request is not None:
        for tag in pages.names(client.send(pages.request, call)):
            yield tag


def iter_catalog(client: Client, n: int | None = None, last: str | None = None, most: int = MAX_PAGES) -> Iterator[str]:
    """Iterate over the repositories of a registry, with the same arguments as `iter_tags`."""
    pages, call = catalog_pages(n, last, most), client.deadline()
    while pages.request is not None:
        for name in pages.names(client.send(pages.request, call)):
            yield name
