# Generated from dreg_client/_async/lists.py by tools/generate_sync.py. Do not edit.
"""Tags and repositories, listed page by page (distribution-spec "Listing Tags"; distribution "Catalog")."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dreg_client._sync.client import Client
from dreg_client.protocol.tags_and_catalog import (
    ITER_TAGS,
    MAX_PAGES,
    AllNames,
    NamePages,
    catalog_pages,
    tag_pages,
)
from dreg_client.values.reference import RepositoryName

if TYPE_CHECKING:  # few programs list all manifests
    from dreg_client.protocol.manifest_list import ListedManifest


def list_tags(client: Client, pages: NamePages, repository: RepositoryName) -> tuple[str, ...]:
    """List all tags of a repository, each once, in the registry's order. `pages` are those of its tag list."""
    found = AllNames(f"repository {repository}", ITER_TAGS)
    for tags in iter_pages(client, pages):
        for tag in tags:
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
    for tags in iter_pages(client, tag_pages(repository, n, last, most)):
        for tag in tags:
            yield tag


def iter_catalog(client: Client, n: int | None = None, last: str | None = None, most: int = MAX_PAGES) -> Iterator[str]:
    """Iterate over the repositories of a registry, with the same arguments as `iter_tags`."""
    for names in iter_pages(client, catalog_pages(n, last, most)):
        for name in names:
            yield name


def iter_pages(client: Client, pages: NamePages) -> Iterator[tuple[str, ...]]:
    """Iterate over the pages of a list of names. They are requested as needed."""
    call = client.deadline()
    while pages.request is not None:
        yield pages.names(client.send(pages.request, call))


def list_manifests(client: Client, repository: RepositoryName) -> "tuple[ListedManifest, ...] | None":
    """List all manifests of a repository, each once; None if the first page of its tag list has none of them.

    They are requested from the registry itself: a mirror may be outdated.
    """
    from dreg_client.protocol.manifest_list import AllListed, manifest_pages, parse_listed  # noqa: PLC0415 (rare)

    pages, found = manifest_pages(repository), AllListed(f"repository {repository}")
    call = client.deadline()
    while pages.request is not None:
        response = client.send(pages.request, call)
        pages.advance(response)
        if not found.add(parse_listed(response)):
            return None
    return found.all()
