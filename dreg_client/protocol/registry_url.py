"""The URL of a registry (its origin and the path before `/v2`), and the check that it is a registry."""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from dreg_client.errors import InvalidReferenceError, ProtocolError
from dreg_client.protocol.error_responses import raise_for_status
from dreg_client.protocol.messages import Request, Response
from dreg_client.values.docker_hub import DOCKER_HUB, HUB_HOST, HUB_NAMES
from dreg_client.values.media_type import PAGES, essence
from dreg_client.values.origin import Origin, without_query
from dreg_client.values.reference import shown

_EXPECTED: Final = "a URL such as https://registry.example, or a host such as localhost:5000"
PING: Final = "/v2/"
_HUB: Final = Origin("https", HUB_HOST, 443)
_NO_REGISTRY: Final = "the server responds, but not like a registry; check the URL"


@dataclass(frozen=True, slots=True)
class RegistryURL:
    """The URL of a registry."""

    origin: Origin
    prefix: str = ""  # the path before `/v2`, such as `/artifactory/api/docker/local`
    is_by_url: bool = field(default=False, compare=False)  # whether it was given as a URL, with http or https
    url: str = field(init=False, repr=False, compare=False)  # origin and prefix

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", f"{self.origin}{self.prefix}")

    @classmethod
    def parse(cls, text: str, *, plain_http: bool = False, tls: bool = False) -> "RegistryURL":
        """Parse a URL, with or without `/v2` and a trailing slash, or a host; raise InvalidReferenceError.

        Plain HTTP is used for a URL with `http://`, with `plain_http`, and for this machine (such as `localhost`)
        unless an option such as a CA file requires TLS (`tls`).
        """
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"a registry must be a str: {_EXPECTED}; not {type(text).__name__}")
        if not text.strip():
            raise InvalidReferenceError(text[:100], "registry", _EXPECTED)
        url = text if "://" in text else f"https://{text}"
        try:
            origin = Origin.of(url)
        except ValueError as fault:
            raise InvalidReferenceError(shown(without_query(text)), "registry", f"{_EXPECTED}; {fault}") from None
        parts = urlsplit(url)
        path = parts.path.rstrip("/").removesuffix("/v2").rstrip("/")
        if parts.query or parts.fragment or "%" in path or any(part in {".", ".."} for part in path.split("/")):
            raise InvalidReferenceError(shown(without_query(text)), "registry", f"{_EXPECTED}, without a query")
        if parts.netloc.endswith(":"):
            raise InvalidReferenceError(shown(text), "registry", f"{_EXPECTED}, with a port after the colon")
        if "://" not in text:
            is_plain = plain_http or (origin.is_loopback and not tls)
            _check_no_path(text, path, "http" if is_plain else "https")
            origin = Origin("http", origin.host, parts.port or 80) if is_plain else origin
        if origin.host in HUB_NAMES and (origin.scheme, origin.port) == ("https", 443):
            origin = _HUB
        return cls(origin, path, "://" in text)

    @property
    def name(self) -> str:
        """The registry's name in references."""
        return DOCKER_HUB if self.is_docker_hub else f"{self.origin.authority}{self.prefix}"

    @property
    def authority(self) -> str:
        """The host, and the port if any, for which credentials are looked up."""
        if self.is_docker_hub:
            return DOCKER_HUB
        if self.origin.host in HUB_NAMES:  # another server than Docker Hub, whose credential it must not get
            return f"{self.origin.host}:{self.origin.port}"
        return self.origin.authority

    @property
    def is_docker_hub(self) -> bool:
        """Whether this is Docker Hub, by its own scheme and port."""
        return self.origin == _HUB


def _check_no_path(text: str, path: str, scheme: str) -> None:
    # A path after a host is almost never a base path: the caller means a repository.
    if path:
        meant = f"Registry({shown(text.partition('/')[0])!r}).repository({shown(path[1:])!r})"
        expected = f"a host without a path; for a repository, write {meant}; for a base path, {scheme}://{shown(text)}"
        raise InvalidReferenceError(shown(text), "registry", expected)


def ping_request() -> Request:
    """Return the request for `/v2/`."""
    return Request("GET", PING, what="registry API (/v2/)")


def check_ping(response: Response, request: Request) -> None:
    """Check that the response to `/v2/` comes from a registry (distribution-spec "Determining Support")."""
    raise_for_status(response, request, _NO_REGISTRY)
    if essence(response.headers.get("content-type") or "") in PAGES:
        raise ProtocolError(f"the response is a web page; {_NO_REGISTRY}", response.where)
