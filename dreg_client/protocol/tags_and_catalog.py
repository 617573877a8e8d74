"""Lists, page by page: tags, and a registry's catalog (distribution-spec "Listing Tags"; distribution "Catalog")."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar
from urllib.parse import urlencode, urlsplit, urlunsplit

from dreg_client import errors
from dreg_client._logging import log
from dreg_client.protocol.error_responses import accept
from dreg_client.protocol.link_header import next_target
from dreg_client.protocol.messages import Request, Response
from dreg_client.protocol.responses import Catalog, TagList
from dreg_client.values.reference import RepositoryName

T = TypeVar("T")
MAX_PAGES: Final = 1000
_LARGEST_PAGE: Final = 1000
_NO_CATALOG: Final = (
    "not every registry has a catalog (Docker Hub, GitHub and Quay have none): name repositories yourself"
)


class Pages:
    """A list that comes page by page.

    Example:
        pages = tag_pages(name)
        while pages.request is not None:
            response = await client.send(pages.request)
            pages.turn(response)
            found.extend(parse_tags(response))

    Attributes:
        request: The request for the next page, None after the last one.
    """

    def __init__(self, request: Request) -> None:
        self.request: Request | None = request
        self._first, self._seen = request, {request.target}

    def turn(self, response: Response) -> None:
        """Accept the response to `request`, and go on to the next page.

        After a redirect, too, the next page is requested from the registry.

        Raises:
            NotFoundError: There is no such list; and whatever else `accept` raises.
            UnsupportedError: The registry has no catalog.
            ProtocolError: The `Link` header does not follow its grammar.
            CrossOriginError: It leads to another host.
            TooManyPagesError: There are more than 1,000 pages, or one comes again.
        """
        assert self.request is not None  # noqa: S101 (there is a response to it)
        _accept_page(response, self.request)
        asked = self.request.target
        asked = f"{response.registry}{asked}" if asked.startswith("/") else asked
        target = next_target(replace(response, url=asked))
        if target is None:
            self.request = None
            return
        target = _unmoved(target, asked, response.url)
        if target == asked or target in self._seen or len(self._seen) >= MAX_PAGES:
            raise errors.TooManyPagesError(response.where, len(self._seen))
        self._seen.add(target)
        first = self._first
        self.request = Request("GET", target, first.scope, first.headers, what=first.what)


def _accept_page(response: Response, request: Request) -> None:
    if request.scope.startswith("registry:") and response.status in {404, 405}:
        registry = response.registry.partition("://")[2]
        raise errors.UnsupportedError("has no catalog", registry, _NO_CATALOG, response.status)
    accept(response, request)


def _unmoved(target: str, asked: str, answered: str) -> str:
    """Return the next page of the list that was requested, if its link has the path that a redirect led to."""
    parts = urlsplit(target)
    return urlunsplit(parts._replace(path=urlsplit(asked).path)) if parts.path == urlsplit(answered).path else target


def tag_pages(repository: RepositoryName, n: int | None = None, last: str | None = None) -> Pages:
    """Return the pages of a tag list.

    Args:
        repository: The repository.
        n: How many tags a page should have, at most 1,000; None leaves it to the registry.
        last: The list begins after this tag.

    Raises:
        ValueError: `n` is less than 1.
    """
    target = f"/v2/{repository}/tags/list{_query(n, last)}"
    return Pages(Request("GET", target, f"repository:{repository}:pull", what=f"repository {repository}"))


def catalog_pages(n: int | None = None, last: str | None = None) -> Pages:
    """Return the pages of a catalog; arguments as those of `tag_pages`."""
    return Pages(Request("GET", f"/v2/_catalog{_query(n, last)}", "registry:catalog:*", what="catalog"))


def _query(n: int | None, last: str | None) -> str:
    if n is not None and n < 1:
        raise ValueError("n: a page has at least 1 entry")
    asked = {"n": None if n is None else min(n, _LARGEST_PAGE), "last": last}
    given = {name: value for name, value in asked.items() if value is not None}
    return f"?{urlencode(given)}" if given else ""


def parse_tags(response: Response) -> tuple[str, ...]:
    """Return the tags of one page, in the registry's order; entries that are not tags are left out with a warning.

    Some registries list digests, or null (quirk 31).

    Raises:
        ProtocolError: It is not a tag list.
    """
    listed = _located(response, TagList.parse)
    for entry in listed.left_out:
        log.warning("%s lists %r, which is no tag; it is left out", response.where, entry)
    return listed.tags


def parse_repositories(response: Response) -> tuple[str, ...]:
    """Return the repositories of one page of a catalog; entries that are not valid names are left out with a warning.

    Raises:
        ProtocolError: It is not a catalog.
    """
    catalog = _located(response, Catalog.parse)
    for entry in catalog.left_out:
        log.warning("%s lists %r, which is no name of a repository; it is left out", response.where, entry)
    return catalog.repositories


def _located(response: Response, parse: Callable[[bytes], T]) -> T:
    """Parse a body; the error says which URL it came from."""
    try:
        return parse(response.body)
    except errors.ProtocolError as failure:
        raise errors.ProtocolError(failure.reason, response.where) from None
