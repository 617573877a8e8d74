"""Paged lists: tags, and a registry's catalog (distribution-spec "Listing Tags"; distribution "Catalog").

The `Link` header leads from page to page (RFC 8288).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final, Generic, TypeVar
from urllib.parse import unquote, urlencode, urlsplit, urlunsplit

from dreg_client import errors
from dreg_client._logging import log
from dreg_client.protocol.error_responses import raise_unless_content
from dreg_client.protocol.messages import Request, Response
from dreg_client.protocol.redact import redacted_text
from dreg_client.protocol.responses import parse_names
from dreg_client.values.docker_hub import DOCKER_HUB, HUB_NAMES
from dreg_client.values.origin import Origin, is_printable, joined, without_query
from dreg_client.values.reference import RepositoryName, Tag, shown
from dreg_client.values.sizes import MEBIBYTE
from dreg_client.values.text_fields import not_a_text

R = TypeVar("R")
MAX_PAGES: Final = 1000
MAX_STREAMED_PAGES: Final = 100_000
"""The same for a list of which only one page at a time is in memory."""
MAX_NAMES: Final = 1_000_000
MAX_NAMES_SIZE: Final = 64 * MEBIBYTE
ITER_TAGS: Final = "read them one by one, with iter_tags()"
_LARGEST_PAGE: Final = 1000
_LIBRARY: Final = "library"
_NO_CATALOG: Final = "registries such as Docker Hub, GitHub and Quay have none; use the names of repositories instead"
_NO_SUCH_PAGE: Final = frozenset({400, 404, 405, 501})
"""Statuses after a full last page from registries that page in another way, such as by a cursor."""
_LINKS_BACK: Final = "it links back to an earlier page"
_ONE_BY_ONE: Final = {"repository": ITER_TAGS, "catalog": "read it name by name, with catalog()"}
_LONGEST_LINK: Final = 8192
_TARGET: Final = re.compile(r"[\s,]*<([^<>\s]*)>")
_PARAMETER: Final = re.compile(r"\s*;\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(\"(?:[^\"\\]|\\.)*\"|[^\s;,\"]+))?")
_TRAILING: Final = re.compile(r"\s*;(?=\s*(?:,|$))")
_ESCAPED: Final = re.compile(r"\\(.)")


class Pages:
    """A paged list. `request` is the request for the next page, or None after the last one."""

    def __init__(self, request: Request, most: int = MAX_PAGES) -> None:
        self.request: Request | None = request
        self._seen = {hash(request.target)}  # not the targets, which may be long
        self._most = most

    def advance(self, response: Response) -> None:
        """Accept the response to `request`, and move to the next page, which is requested from the registry itself.

        Raises:
            UnsupportedError: The registry has no catalog.
            TooManyPagesError: The list links back to an earlier page, or has too many pages.
        """
        if self.leads_back(response):
            raise errors.TooManyPagesError(response.where, len(self._seen), _LINKS_BACK)

    def leads_back(self, response: Response) -> bool:
        """Like `turn`, but return whether the response links back to a page that was already requested."""
        request = self.request
        assert request is not None  # noqa: S101 (there is a response to it)
        if request.scope.startswith("registry:") and response.status in {404, 405}:
            registry = response.registry.partition("://")[2]
            raise errors.UnsupportedError("the registry has no catalog", registry, _NO_CATALOG, response.status)
        raise_unless_content(response, request)
        url = f"{response.registry}{request.target}" if request.target.startswith("/") else request.target
        link = next_target(replace(response, url=url))
        if link is None:
            self.end()
            return False
        target = _of_list(link, url, response)
        if target == url or hash(target) in self._seen:
            return True
        self.go_to(replace(request, target=target), response)
        return False

    def end(self) -> None:
        """End the list."""
        self.request = None

    def go_to(self, request: Request, response: Response) -> None:
        """Move to a page. TooManyPagesError: it was already requested, or there are too many."""
        if hash(request.target) in self._seen:
            raise errors.TooManyPagesError(response.where, len(self._seen), _LINKS_BACK)
        if len(self._seen) >= self._most:
            advice = _ONE_BY_ONE.get(request.what.partition(" ")[0], "") if self._most == MAX_PAGES else ""
            raise errors.TooManyPagesError(response.where, len(self._seen), advice)
        self._seen.add(hash(request.target))
        self.request = request


class NamePages:
    """The pages of a list of names, starting after the name `last`, with `n` per page (default: the registry's choice).

    Some registries send no `Link`. So if `n` was requested, and a page has exactly `n` entries and no `Link`, the page
    after its last name is requested (DST-31).
    """

    def __init__(
        self,
        request: Request,
        kind: type[Tag | RepositoryName],
        n: int | None,
        last: str | None,
        most: int = MAX_PAGES,
    ) -> None:
        if n is not None and n < 1:
            raise ValueError("n must be at least 1")
        self._list, self._kind = request, kind
        self._n = None if n is None else min(n, _LARGEST_PAGE)
        self._known: set[str] = set()  # names that must not be repeated, from the first page that was continued
        self._pages = Pages(self._page_after(last), most)
        self.may_have_manifests: bool = False
        """Whether a page may have a member `manifest`, a list of all manifests (see `manifest_list`)."""

    @property
    def request(self) -> Request | None:
        """The request for the next page; None after the last one."""
        return self._pages.request

    def names(self, response: Response) -> tuple[str, ...]:
        """Accept the response to `request`, move to the next page, and return the new names of this one."""
        if not self._known:
            self._pages.advance(response)
        elif self._ends_before(response):
            self._pages.end()
            return ()
        names, left_out = _parse(response, self._kind)
        self.may_have_manifests = self.may_have_manifests or b'"manifest"' in response.body
        is_full = self.request is None and len(names) + left_out == self._n
        if not (is_full or self._known):
            return names
        new = tuple(name for name in dict.fromkeys(names) if name not in self._known)
        self._known.update(new)
        if len(self._known) > MAX_NAMES:
            raise errors.TooManyEntriesError(response.where, MAX_NAMES, "names", "omit n=, so that the registry pages")
        if not new:
            self._pages.end()
        elif is_full:
            self._pages.go_to(self._page_after(new[-1]), response)
        return new

    def _ends_before(self, response: Response) -> bool:
        """Accept the response to a request for one more page; return whether the registry has no such page."""
        if response.status in _NO_SUCH_PAGE:
            log.warning(
                "%s: status %d for the page after a full page; the list ends here", response.where, response.status
            )
            return True
        # A registry that does not support `last` returns its first page again, with the same Link.
        return self._pages.leads_back(response)

    def _page_after(self, last: str | None) -> Request:
        query = {"n": self._n, "last": last}
        query = {name: value for name, value in query.items() if value is not None}
        return replace(self._list, target=f"{self._list.target}?{urlencode(query)}") if query else self._list


class AllNames:
    """All names of a list, each once, in order. Adding one too many raises TooManyEntriesError."""

    def __init__(self, what: str, advice: str) -> None:
        self._what, self._advice = what, advice
        self._names: dict[str, None] = {}
        self._size = 0

    def add(self, name: str) -> None:
        """Add a name, unless it is already there."""
        if name in self._names:
            return
        self._names[name] = None
        self._size += len(name)
        if len(self._names) > MAX_NAMES:
            raise errors.TooManyEntriesError(self._what, MAX_NAMES, "names", self._advice)
        if self._size > MAX_NAMES_SIZE:
            raise errors.TooManyEntriesError(self._what, MAX_NAMES_SIZE, "bytes of names", self._advice)

    def all(self) -> tuple[str, ...]:
        """Return the names."""
        return tuple(self._names)


def tag_pages(
    repository: RepositoryName, n: int | None = None, last: str | None = None, most: int = MAX_PAGES
) -> NamePages:
    """Return the pages of a tag list."""
    return NamePages(tag_list(repository), Tag, n, last, most)


def tag_list(repository: RepositoryName) -> Request:
    """Return the request for the first page of a tag list."""
    target, scope = f"/v2/{repository}/tags/list", f"repository:{repository}:pull"
    return Request("GET", target, scope, what=f"repository {repository}", is_list=True)


def catalog_pages(n: int | None = None, last: str | None = None, most: int = MAX_PAGES) -> NamePages:
    """Return the pages of a catalog."""
    request = Request("GET", "/v2/_catalog", "registry:catalog:*", what="catalog", is_list=True)
    return NamePages(request, RepositoryName, n, last, most)


def _parse(response: Response, kind: type[Tag | RepositoryName]) -> tuple[tuple[str, ...], int]:
    """Return the valid names of one page, and the number of invalid ones."""
    member, noun = ("tags", "tag") if kind is Tag else ("repositories", "repository name")
    names, left_out = parse_names(response, member, kind)
    for entry in left_out:
        log.warning("%s: skipping %r, which is not a valid %s", response.where, redacted_text(entry, response), noun)
    return names, len(left_out)


def next_target(response: Response) -> str | None:
    """Return the URL of the next page, on the registry itself; None if this was the last one."""
    lines = response.headers.all("link")
    if sum(map(len, lines)) > _LONGEST_LINK:
        raise errors.ProtocolError(f"the Link header is longer than {_LONGEST_LINK} characters", response.where)
    for line in lines:
        for target, relations in [*_links(line, response.where)]:
            if "next" in relations:
                if target and not is_printable(target):  # parsers remove some characters, such as tabs
                    raise errors.ProtocolError(
                        "the Link header has a URL with spaces or control characters", response.where
                    )
                return _of_registry(joined(response.url, target), response)
    return None


def _links(line: str, where: str) -> Iterator[tuple[str, list[str]]]:
    """Yield targets and their relations. A target without a relation counts as the next page, as registries mean it."""
    position = 0
    while line[position:].strip(" \t,"):
        target = _TARGET.match(line, position)
        if target is None:
            raise errors.ProtocolError('the Link header is malformed: expected <TARGET>; rel="next" (RFC 8288)', where)
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
    """Return the page's URL on the registry itself. The host must match; a proxy may change the scheme (UPL-03)."""
    origin = Origin.of(response.registry)
    try:
        target = Origin.of(url)
    except ValueError as fault:
        raise errors.ProtocolError(f"the Link header has an invalid URL: {fault}", response.where) from None
    lost_scheme = target.host == origin.host and target.scheme == "http" and target.port in {80, origin.port}
    if target != origin and not lost_scheme:
        reason = "the next page of a list must be on the registry itself"
        raise errors.CrossOriginError(response.where, without_query(url), reason)
    parts = urlsplit(url)
    return f"{origin}{parts.path}" + (f"?{parts.query}" if parts.query else "")


def _of_list(link: str, url: str, response: Response) -> str:
    """Return the URL of the next page of the list at `url`: its own path, with the query of a link.

    The response may come from another host, after a redirect. That host must not choose where a credential is sent.

    Raises:
        ProtocolError: The link leads to another list, such as that of another repository.
    """
    own, linked = urlsplit(url), urlsplit(link)
    prefix = urlsplit(response.registry).path
    # A proxy may have added the prefix, which the registry does not know then.
    list_path = own.path.removeprefix(prefix).removeprefix("/v2")
    if linked.path != urlsplit(response.url).path and not unquote(linked.path).endswith(unquote(list_path)):
        raise errors.ProtocolError(
            "the Link header leads to another list, not to the next page of this one", without_query(url)
        )
    return urlunsplit(linked._replace(path=own.path))


class Namespaces(Generic[R]):
    """The repositories of a catalog, by namespace. `registry` is the registry's name, for errors."""

    def __init__(self, repositories: Iterable[tuple[str, R]], registry: str) -> None:
        self._all = dict(repositories)
        self._registry = registry

    @property
    def names(self) -> tuple[str, ...]:
        """The namespaces, each once, in the catalog's order: the first part of each name, or `library`."""
        return tuple(dict.fromkeys(map(namespace_of, self._all)))

    def of(self, namespace: str | None) -> Mapping[str, R]:
        """Return the repositories of a namespace (None: all) by their full names; raise UnknownNamespaceError."""
        if namespace is None:
            return MappingProxyType(self._all)
        found = {name: repository for name, repository in self._all.items() if namespace_of(name) == namespace}
        if not found:
            advice = f"its namespaces are: {', '.join(self.names[:20]) or 'none'}"
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


def _check_bare_name(name: str, registry: str) -> None:
    """Raise InvalidReferenceError if the name of a repository includes the registry, a tag or a digest."""
    host, slash, rest = name.partition("/")
    is_here = bool(slash) and host in (HUB_NAMES if registry == DOCKER_HUB else {registry})
    whole = rest if is_here else name
    path, sign, reference = whole.partition("@") if "@" in whole else _split_tag(whole)
    if is_here or (sign and path and reference):
        unwanted = "a tag or digest" if not is_here else "the registry and the tag" if sign else "the registry"
        image = f".get_image({shown(reference)!r})" if sign else ""
        expected = f"a name without {unwanted}: repository({shown(path)!r}){image}"
        raise errors.InvalidReferenceError(shown(name), "repository", expected)


def _split_tag(name: str) -> tuple[str, str, str]:
    """Split a name before the tag; a colon before the last slash belongs to a host and port."""
    folder, slash, last = name.rpartition("/")
    path, colon, tag = last.partition(":")
    return f"{folder}{slash}{path}", colon, tag


def whole_name(name: str, namespace: str | None, registry: str) -> RepositoryName:
    """Return the full name of a repository; raise ValueError if `name` already has a namespace."""
    if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise not_a_text(name, "a repository's name must be a str, such as 'acme/web'")
    _check_bare_name(name, registry)
    if namespace is not None and "/" in name:
        raise ValueError(f"{name!r} already includes its namespace; omit namespace=")
    if namespace is None and registry == DOCKER_HUB and "/" not in name:
        namespace = _LIBRARY
    return RepositoryName(name if namespace is None else f"{namespace}/{name}")
