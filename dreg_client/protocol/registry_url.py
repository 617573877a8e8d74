"""Where a registry is: its origin, and what stands before `/v2` in its URLs."""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from dreg_client.errors import InvalidReferenceError
from dreg_client.values.docker_hub import DOCKER_HUB, HUB_HOST, HUB_NAMES
from dreg_client.values.origin import Origin, without_query
from dreg_client.values.reference import shown

_EXPECTED: Final = "a URL such as https://registry.example, or a host such as localhost:5000"


@dataclass(frozen=True, slots=True)
class RegistryURL:
    """Where a registry is.

    Attributes:
        origin: Its origin.
        prefix: What stands before `/v2`: empty, or a path such as `/artifactory/api/docker/local`.
        is_by_url: Whether a URL named it, and with it http or https.
        url: Its URL, up to what stands before `/v2`.
    """

    origin: Origin
    prefix: str = ""
    is_by_url: bool = field(default=False, compare=False)
    url: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", f"{self.origin}{self.prefix}")

    @classmethod
    def parse(cls, text: str, *, plain_http: bool = False, tls: bool = False) -> "RegistryURL":
        """Read a URL with or without `/v2` and a slash behind it, or a host, which is asked over https.

        Plain http is used where the URL says so, where it is asked for, and for this machine (such as `localhost`)
        unless what else is said (`tls`), as the file of an authority, makes sense over TLS alone.

        Raises:
            InvalidReferenceError: The text is neither.
            TypeError: It is no text.
        """
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"a registry is named by a text: {_EXPECTED}; not by {type(text).__name__}")
        if not text.strip():
            raise InvalidReferenceError(text[:100], "registry", _EXPECTED)
        url = text if "://" in text else f"https://{text}"
        try:
            origin = Origin.of(url)
        except ValueError as fault:
            raise InvalidReferenceError(shown(without_query(text)), "registry", f"{_EXPECTED}: {fault}") from None
        parts = urlsplit(url)
        path = parts.path.rstrip("/").removesuffix("/v2").rstrip("/")
        if parts.query or parts.fragment or "%" in path or any(part in {".", ".."} for part in path.split("/")):
            raise InvalidReferenceError(shown(without_query(text)), "registry", f"{_EXPECTED}, without a query")
        if parts.netloc.endswith(":"):
            raise InvalidReferenceError(shown(text), "registry", f"{_EXPECTED}: a port is due behind the colon")
        if "://" not in text:
            _refuse_path(text, path)
            origin = _plain(origin, text) if plain_http or (origin.is_loopback and not tls) else origin
        if origin.host in HUB_NAMES and origin.scheme == "https":
            origin = Origin("https", HUB_HOST, origin.port)
        return cls(origin, path, "://" in text)

    @property
    def name(self) -> str:
        """What the registry is called: in references, and where credentials are looked up."""
        return DOCKER_HUB if self.is_hub else f"{self.origin.authority}{self.prefix}"

    @property
    def authority(self) -> str:
        """The host, and the port if any, by which credentials are looked up."""
        return DOCKER_HUB if self.is_hub else self.origin.authority

    @property
    def is_hub(self) -> bool:
        """Whether it is Docker Hub."""
        return self.origin.host == HUB_HOST

    def url_of(self, target: str) -> str:
        """The URL of what a request asks for."""
        return target if "://" in target else f"{self.url}{target}"


def _refuse_path(text: str, path: str) -> None:
    """Behind a host nobody means a base path, but a repository."""
    if path:
        meant = f"Registry({shown(text.partition('/')[0])!r}).repository({shown(path[1:])!r})"
        expected = f"a host without a path, as in {meant}; a base path is written as a URL, https://{shown(text)}"
        raise InvalidReferenceError(shown(text), "registry", expected)


def _plain(origin: Origin, text: str) -> Origin:
    """The same over http; the port, where none is named, is http's."""
    named = urlsplit(f"https://{text}").port
    return Origin("http", origin.host, named or 80)
