"""Requests to a registry and its responses, without any HTTP library (distribution-spec)."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import inf
from typing import Final

from dreg_client.errors import ProtocolError
from dreg_client.values.origin import Reach, without_query
from dreg_client.values.sizes import KIBIBYTE, MAX_DOCUMENT

_LENGTH: Final = re.compile(r"[0-9]{1,19}", re.ASCII)
_WHITE_SPACE: Final = " \t"
"""White space around a value (RFC 9110 5.6.3). All other characters, such as no-break spaces, belong to the value."""
_PLACE: Final = re.compile(r"[^:]*://[^/?#]*")
_MOST_HEADERS: Final = 1000
_LARGEST_HEADERS: Final = 100 * KIBIBYTE


class Headers:
    """The headers of a response, in order, with repetitions; names are lower-case.

    Raises:
        ProtocolError: There are more than 1,000, or they are longer than 100 KiB in total.
    """

    __slots__ = ("_pairs", "_values")

    def __init__(self, pairs: Iterable[tuple[str, str] | tuple[bytes, bytes]] = ()) -> None:
        self._pairs: list[tuple[str, str]] = []
        self._values: dict[str, list[str]] = {}
        size = 0
        for written, content in pairs:
            name = (written if isinstance(written, str) else written.decode("latin-1")).lower()
            value = content if isinstance(content, str) else content.decode("latin-1")
            size += len(name) + len(value)
            self._pairs.append((name, value))
            self._values.setdefault(name, []).append(value)
        if len(self._pairs) > _MOST_HEADERS:
            raise ProtocolError(f"the response has more than {_MOST_HEADERS} headers")
        if size > _LARGEST_HEADERS:
            raise ProtocolError(f"the headers of the response are longer than {_LARGEST_HEADERS} bytes")

    def get(self, name: str) -> str | None:
        """Return the first non-empty value, without spaces and tabs around it; None if there is none."""
        for value in self._values.get(name.lower(), ()):
            if stripped := value.strip(_WHITE_SPACE):
                return stripped
        return None

    def all(self, name: str) -> tuple[str, ...]:
        """Return all values of a header, in order."""
        return tuple(self._values.get(name.lower(), ()))

    @property
    def content_length(self) -> int | None:
        """The stated length of the body; None if it is missing or invalid (RFC 9110 8.6)."""
        try:
            return content_length(self._values.get("content-length", ()))
        except ValueError:
            return None

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._values

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs)

    def __repr__(self) -> str:
        return f"Headers({sorted(self._values)})"


def content_length(values: Iterable[str]) -> int | None:
    """Return the length that all `Content-Length` headers state; None if there is none (RFC 9110 8.6).

    Raises:
        ValueError: A length is malformed, or differs from another one.
    """
    stated = [*values]
    if not any(value.strip(_WHITE_SPACE) for value in stated):
        return None  # an empty header is as good as none
    first: str | None = None
    for value in stated:
        for part in value.split(","):
            length = part.strip(_WHITE_SPACE)
            if _LENGTH.fullmatch(length) is None or length != (first or length):
                raise ValueError("not one length")
            first = length
    return None if first is None else int(first)


@dataclass(frozen=True, slots=True)
class Request:
    """A request to a registry, which the client may send to a mirror instead."""

    method: str
    target: str  # path and query, such as `/v2/acme/web/tags/list`; or an absolute URL from the registry
    scope: str = ""  # the access that a token must grant, such as `repository:acme/web:pull` (distribution's grammar)
    headers: tuple[tuple[str, str], ...] = ()  # in addition to those of every request
    body: bytes = field(default=b"", repr=False)
    limit: int = MAX_DOCUMENT  # the most bytes to read of the response's body
    streams: bool = False  # whether the caller reads the body of a successful response
    mirrored: bool = False  # whether a mirror may respond instead of the registry
    what: str = ""  # what is requested, for messages: `tag 1.4`
    waits: float | None = None  # timeout in seconds for the response's first byte; None: the client's timeout
    absent_is_done: bool = False  # whether a 404 on a retry means that the first attempt succeeded
    is_list: bool = False  # whether the response is a list, which registries may show as empty to anonymous requests
    stays: bool = False  # whether to return a redirect to another origin instead of following it
    content: object = field(default=None, repr=False)  # a body that is sent as it is read, instead of `body`
    once: bool = False  # whether the request is never repeated, except with another `Authorization`
    is_elsewhere: bool = False  # whether it goes to another host, which gets no credential


@dataclass(frozen=True, slots=True)
class Hop:
    """One HTTP request as it is sent. A `Request` takes several if it is redirected or needs a token."""

    method: str
    url: str = field(repr=False)  # absolute
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # all except those that HTTP/1.1 itself needs
    body: bytes = field(default=b"", repr=False)
    limit: int = MAX_DOCUMENT
    streams: bool = False
    nearest: Reach = Reach.LOCAL  # the most private network that the host may be in
    only_loopback: bool = False  # whether to send it to a loopback address only: it has a secret, but there is no TLS
    waits: float | None = None
    content: object = field(default=None, repr=False)  # an `AsyncRequestBody`
    until: float = inf  # when it must be complete, by `time.monotonic()`, with all hops of the same `Request`

    @property
    def place(self) -> str:
        """Scheme, host and port of the URL, as written; empty if the URL is not absolute."""
        found = _PLACE.match(self.url)
        return found[0] if found else ""

    @property
    def where(self) -> str:
        """The URL without its query, for messages."""
        return without_query(self.url)


@dataclass(frozen=True, slots=True)
class Response:
    """A response."""

    status: int
    headers: Headers = field(default_factory=Headers)
    body: bytes = field(default=b"", repr=False)  # empty if it has not been read yet
    url: str = field(default="", repr=False)  # the URL that responded, after redirects
    registry: str = ""  # the URL of the registry, up to `/v2`
    peer: str = ""  # the IP address that responded; empty if unknown
    advice: str = ""  # what to do if access is denied; empty if the credential that was used is unknown
    anonymous: bool = False  # whether the request was anonymous because `credentials=` was not given
    sent: Hop | None = field(default=None, repr=False)  # the request of a successful response, if it had a secret

    @property
    def ok(self) -> bool:
        """Whether the request succeeded."""
        return 200 <= self.status < 300

    @property
    def where(self) -> str:
        """The URL without its query, for messages."""
        return without_query(self.url)
