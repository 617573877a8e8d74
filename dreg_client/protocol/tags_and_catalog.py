"""Lists, page by page: tags, and a registry's catalog (distribution-spec "Listing Tags"; distribution "Catalog")."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar
from urllib.parse import urlencode, urlsplit, urlunsplit

from dreg_client import errors
from dreg_client._logging import log
from dreg_client.protocol.error_responses import accept
from dreg_client.protocol.link_header import next_target
from dreg_client.protocol.messages import Exchange, Request, Response
from dreg_client.protocol.responses import Catalog, TagList
from dreg_client.values.reference import RepositoryName

T = TypeVar("T")
MAX_PAGES: Final = 1000
_LARGEST_PAGE: Final = 1000
_NO_CATALOG: Final = (
    "not every registry has a catalog (Docker Hub, GitHub and Quay have none): name repositories yourself"
)


class Pages:
    """Where one is in a list: the request of the next page, None after the last one.

    Raises:
        TooManyPagesError: There are more than 1,000 pages, or one comes again.
    """

    def __init__(self, request: Request) -> None:
        self.request: Request | None = request
        self._first, self._seen = request, {request.target}

    def turn(self, response: Response) -> None:
        """Go on to the page behind an answer; after a redirect, too, it is asked for at the registry."""
        assert self.request is not None  # noqa: S101 (it has been answered)
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


def _unmoved(target: str, asked: str, answered: str) -> str:
    """The next page of what was asked for, where it is called by the path that answered after a redirect."""
    parts = urlsplit(target)
    return urlunsplit(parts._replace(path=urlsplit(asked).path)) if parts.path == urlsplit(answered).path else target


def tag_pages(repository: RepositoryName, n: int | None = None, last: str | None = None) -> Pages:
    """The pages of a tag list.

    Args:
        repository: The repository.
        n: How many tags a page should have; what the registry likes where it is None. At most 1,000 are asked for.
        last: The list begins behind this tag.
    """
    target = f"/v2/{repository}/tags/list{_query(n, last)}"
    return Pages(Request("GET", target, f"repository:{repository}:pull", what=f"repository {repository}"))


def catalog_pages(n: int | None = None, last: str | None = None) -> Pages:
    """The pages of a catalog; arguments as those of `tag_pages`."""
    return Pages(Request("GET", f"/v2/_catalog{_query(n, last)}", "registry:catalog:*", what="catalog"))


def _query(n: int | None, last: str | None) -> str:
    if n is not None and n < 1:
        raise ValueError("n: a page has at least 1 entry")
    asked = {"n": None if n is None else min(n, _LARGEST_PAGE), "last": last}
    given = {name: value for name, value in asked.items() if value is not None}
    return f"?{urlencode(given)}" if given else ""


def tags(pages: Pages) -> Exchange[tuple[str, ...]]:
    """The tags of one page, in the registry's order; what is no tag is left out, with a warning (quirk 31)."""
    response = yield from _page(pages)
    with_name = _located(response, TagList.parse)
    for entry in with_name.left_out:
        log.warning("%s lists %r, which is no tag; it is left out", response.where, entry)
    return with_name.tags


def repositories(pages: Pages) -> Exchange[tuple[str, ...]]:
    """The repositories of one page of a catalog."""
    response = yield from _page(pages, _NO_CATALOG)
    catalog = _located(response, Catalog.parse)
    for entry in catalog.left_out:
        log.warning("%s lists %r, which is no name of a repository; it is left out", response.where, entry)
    return catalog.repositories


def _page(pages: Pages, advice: str = "") -> Exchange[Response]:
    request = pages.request
    assert request is not None  # noqa: S101 (nobody asks behind the last page)
    response = yield request
    if request.scope.startswith("registry:") and response.status in {404, 405}:
        raise errors.UnsupportedError("has no catalog", response.registry.partition("://")[2], advice, response.status)
    accept(response, request)
    pages.turn(response)
    return response


def _located(response: Response, parse: Callable[[bytes], T]) -> T:
    """An answer as its model; what is wrong says where it came from."""
    try:
        return parse(response.body)
    except errors.ProtocolError as failure:
        raise errors.ProtocolError(failure.reason, response.where) from None


def every(pages: Pages, read: Callable[[Pages], Exchange[tuple[T, ...]]]) -> Exchange[tuple[T, ...]]:
    """The entries of all pages, each once, in order."""
    found: dict[T, None] = {}
    while pages.request is not None:
        found.update(dict.fromkeys((yield from read(pages))))
    return tuple(found)
