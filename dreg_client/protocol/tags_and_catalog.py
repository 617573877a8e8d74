"""Lists, page by page: tags, and a registry's catalog (distribution-spec "Listing Tags"; distribution "Catalog")."""

from dataclasses import replace
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from dreg_client import errors
from dreg_client._logging import log
from dreg_client.protocol.error_responses import accept
from dreg_client.protocol.link_header import next_target
from dreg_client.protocol.messages import Request, Response
from dreg_client.protocol.responses import parse_names
from dreg_client.values.reference import RepositoryName, Tag

MAX_PAGES: Final = 1000
_LARGEST_PAGE: Final = 1000
_NO_CATALOG: Final = (
    "not every registry has a catalog (Docker Hub, GitHub and Quay have none): name repositories yourself"
)


class Pages:
    """A list that comes page by page; `request` is the request for the next page, None after the last one."""

    def __init__(self, request: Request) -> None:
        self.request: Request | None = request
        self._seen = {request.target}

    def turn(self, response: Response) -> None:
        """Accept the response to `request`, and go on to the next page.

        After a redirect, too, the next page is requested from the registry.

        Raises:
            UnsupportedError: The registry has no catalog.
            TooManyPagesError: There are more than 1,000 pages, or one comes again.
        """
        request = self.request
        assert request is not None  # noqa: S101 (there is a response to it)
        if request.scope.startswith("registry:") and response.status in {404, 405}:
            registry = response.registry.partition("://")[2]
            raise errors.UnsupportedError("has no catalog", registry, _NO_CATALOG, response.status)
        accept(response, request)
        url = f"{response.registry}{request.target}" if request.target.startswith("/") else request.target
        target = next_target(replace(response, url=url))
        if target is None:
            self.request = None
            return
        parts = urlsplit(target)
        if parts.path == urlsplit(response.url).path:  # a link with the path that a redirect led to
            target = urlunsplit(parts._replace(path=urlsplit(url).path))
        if target == url or target in self._seen or len(self._seen) >= MAX_PAGES:
            raise errors.TooManyPagesError(response.where, len(self._seen))
        self._seen.add(target)
        self.request = replace(request, target=target)


def tag_pages(repository: RepositoryName, n: int | None = None, last: str | None = None) -> Pages:
    """Return the pages of a tag list, with `n` tags per page (default: the registry's choice), after the tag `last`."""
    target = f"/v2/{repository}/tags/list{_query(n, last)}"
    return Pages(Request("GET", target, f"repository:{repository}:pull", what=f"repository {repository}"))


def catalog_pages(n: int | None = None, last: str | None = None) -> Pages:
    """Return the pages of a catalog; arguments as those of `tag_pages`."""
    return Pages(Request("GET", f"/v2/_catalog{_query(n, last)}", "registry:catalog:*", what="catalog"))


def _query(n: int | None, last: str | None) -> str:
    if n is not None and n < 1:
        raise ValueError("n: a page has at least 1 entry")
    query = {"n": None if n is None else min(n, _LARGEST_PAGE), "last": last}
    query = {name: value for name, value in query.items() if value is not None}
    return f"?{urlencode(query)}" if query else ""


def parse_tags(response: Response) -> tuple[str, ...]:
    """Return the tags of one page, in the registry's order; invalid ones are left out with a warning (quirk 31)."""
    tags, left_out = parse_names(response, "tags", Tag)
    for entry in left_out:
        log.warning("%s lists %r, which is no tag; it is left out", response.where, entry)
    return tags


def parse_repositories(response: Response) -> tuple[str, ...]:
    """Return the repositories of one page of a catalog; invalid names are left out with a warning."""
    names, left_out = parse_names(response, "repositories", RepositoryName)
    for entry in left_out:
        log.warning("%s lists %r, which is no name of a repository; it is left out", response.where, entry)
    return names
