"""Lists, page by page: tags, and a registry's catalog (distribution-spec "Listing Tags"; distribution "Catalog").

The `Link` header leads from page to page (RFC 8288).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final, Generic, TypeVar
from urllib.parse import urlencode, urlsplit, urlunsplit

from dreg_client import errors
from dreg_client._logging import log
from dreg_client.protocol.error_responses import raise_for_status
from dreg_client.protocol.messages import Request, Response
from dreg_client.protocol.responses import parse_names
from dreg_client.values.docker_hub import DOCKER_HUB
from dreg_client.values.origin import Origin, joined, without_query
from dreg_client.values.reference import RepositoryName, Tag
from dreg_client.values.text_fields import not_a_text

R = TypeVar("R")
MAX_PAGES: Final = 1000
_LARGEST_PAGE: Final = 1000
_LIBRARY: Final = "library"
_NO_CATALOG: Final = (
    "not every registry has a catalog (Docker Hub, GitHub and Quay have none): name repositories yourself"
)
_LONGEST_LINK: Final = 8192
_TARGET: Final = re.compile(r"[\s,]*<([^<>\s]*)>")
_PARAMETER: Final = re.compile(r"\s*;\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(\"(?:[^\"\\]|\\.)*\"|[^\s;,\"]+))?")
_TRAILING: Final = re.compile(r"\s*;(?=\s*(?:,|$))")
_ESCAPED: Final = re.compile(r"\\(.)")


class Pages:
    """A list that comes page by page; `request` is the request for the next page, None after the last one."""

    def __init__(self, request: Request) -> None:
        self.request: Request | None = request
        self._seen = {request.target}

    def turn(self, response: Response) -> None:
        """Accept the response to `request`, and go on to the next page; after a redirect, too, at the registry itself.

        UnsupportedError: the registry has no catalog. TooManyPagesError: a page comes again, or the 1,001st comes.
        """
        request = self.request
        assert request is not None  # noqa: S101 (there is a response to it)
        if request.scope.startswith("registry:") and response.status in {404, 405}:
            registry = response.registry.partition("://")[2]
            raise errors.UnsupportedError("has no catalog", registry, _NO_CATALOG, response.status)
        raise_for_status(response, request)
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


def next_target(response: Response) -> str | None:
    """Return the URL of the next page, on the registry itself; None if this was the last one."""
    lines = response.headers.all("link")
    if sum(map(len, lines)) > _LONGEST_LINK:
        raise errors.ProtocolError(f"Link is longer than {_LONGEST_LINK} characters", response.where)
    for line in lines:
        for target, relations in [*_links(line, response.where)]:
            if "next" in relations:
                return _of_registry(joined(response.url, target), response)
    return None


def _links(line: str, where: str) -> Iterator[tuple[str, list[str]]]:
    """Yield targets and their relations; a target without any is taken for the next page, as it is meant."""
    position = 0
    while line[position:].strip(" \t,"):
        target = _TARGET.match(line, position)
        if target is None:
            raise errors.ProtocolError('Link does not follow RFC 8288: <TARGET>; rel="next" is due', where)
        position = target.end()
        relations: list[str] | None = None
        while parameter := _PARAMETER.match(line, position):
            position = parameter.end()
            if parameter[1].lower() == "rel" and relations is None:
                value = parameter[2] or ""
                relations = (_ESCAPED.sub(r"\1", value[1:-1]) if value.startswith('"') else value).lower().split()
        while trailing := _TRAILING.match(line, position):  # a parameter without a name (RFC 8288 appendix B.3)
            position = trailing.end()
        yield target[1], ["next"] if relations is None else relations


def _of_registry(url: str, response: Response) -> str:
    """Return the page on the registry itself: a proxy may lose the scheme (UPL-03), but the host must be the same."""
    origin = Origin.of(response.registry)
    try:
        target = Origin.of(url)
    except ValueError as fault:
        raise errors.ProtocolError(f"Link leads to no URL: {fault}", response.where) from None
    lost_scheme = target.host == origin.host and target.scheme == "http" and target.port in {80, origin.port}
    if target != origin and not lost_scheme:
        reason = "pages are read from the registry itself alone"
        raise errors.CrossOriginError(response.where, without_query(url), reason)
    parts = urlsplit(url)
    return f"{origin}{parts.path}" + (f"?{parts.query}" if parts.query else "")


class Namespaces(Generic[R]):
    """The repositories of a catalog, by namespace; `registry` is its name in errors."""

    def __init__(self, repositories: Iterable[tuple[str, R]], registry: str) -> None:
        self._all = dict(repositories)
        self._registry = registry

    @property
    def names(self) -> tuple[str, ...]:
        """The namespaces, each once, in the catalog's order: the first part of each name, else `library`."""
        return tuple(dict.fromkeys(map(namespace_of, self._all)))

    def of(self, namespace: str | None) -> Mapping[str, R]:
        """Return the repositories of a namespace by their whole names, all for None; raise UnknownNamespaceError."""
        if namespace is None:
            return MappingProxyType(self._all)
        found = {name: repository for name, repository in self._all.items() if namespace_of(name) == namespace}
        if not found:
            advice = f"there are: {', '.join(self.names[:20]) or 'none'}"
            raise errors.UnknownNamespaceError(f"the catalog has no namespace {namespace!r}", self._registry, advice)
        return MappingProxyType(found)


def namespace_of(name: str) -> str:
    """Return the namespace of a repository.

    Examples:
        >>> namespace_of("acme/team/web"), namespace_of("nginx")
        ('acme', 'library')
    """
    first, slash, _ = name.partition("/")
    return first if slash else _LIBRARY


def whole_name(name: str, namespace: str | None, registry: str) -> RepositoryName:
    """Return the name of a repository with its namespace; raise ValueError if it has one already."""
    if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise not_a_text(name, "a repository's name is a str, such as 'acme/web'")
    if namespace is not None and "/" in name:
        raise ValueError(f"{name!r} has its namespace in it; give it without namespace=")
    if namespace is None and registry == DOCKER_HUB and "/" not in name:
        namespace = _LIBRARY
    return RepositoryName(name if namespace is None else f"{namespace}/{name}")
