"""The types of the options, and their names in other libraries, for errors that say what to write."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, cast

NAMES_ELSEWHERE: Final[Mapping[str, str]] = {
    "verify": "write insecure=True for verify=False, and ca_file=PATH for verify=PATH",
    "tls_verify": "write insecure=True for tls_verify=False",
    "verify_ssl": "write insecure=True for verify_ssl=False",
    "ssl_verify": "write insecure=True for ssl_verify=False",
    "tls": "write client_cert=(CERT, KEY), ca_file=PATH or insecure=True; plain_http=True disables TLS",
    "cert": "write client_cert=(CERT, KEY)",
    "ssl": "write ssl_context=CONTEXT",
    "auth": "write credentials=(USER, PASSWORD), or auth_service=OBJECT for your own tokens",
    "auth_config": "write credentials=(USER, PASSWORD)",
    "username": "write credentials=(USER, PASSWORD)",
    "user": "write credentials=(USER, PASSWORD)",
    "password": "write credentials=(USER, PASSWORD)",
    "token": "write credentials=(USER, TOKEN), or auth_service=OBJECT that returns tokens",
    "proxies": "write proxy=URL",
    "session": "write transport=TRANSPORT with an httpx transport",
    "client": "write transport=TRANSPORT with an httpx transport",
    "max_retries": "write retries=NUMBER",
    "semver": "sync chooses tags by tags=TagFilter(semver=RANGE)",
    "include": "sync chooses tags by tags=[GLOB, ...]",
    "exclude": "sync chooses tags by tags=TagFilter(exclude=(GLOB,))",
    "regex": "sync chooses tags by tags=TagFilter(regex=PATTERN)",
    "headers": "only the User-Agent header can be set: user_agent=TEXT",
    "base_url": "the URL is the first argument",
    "http2": "the built-in transport supports HTTP/1.1 only; for HTTP/2, pass transport=TRANSPORT",
}
"""What to write instead of an option that other libraries have."""

_FLAG: Final = "True or False"
_TEXTS: Final = "a tuple of str, such as ('TEXT',)"
_MIRRORS: Final = "a tuple of URLs or Mirrors, such as ('https://mirror.example',)"
_PATHS: Final = "a tuple of paths, such as ('/etc/docker/certs.d',)"
_PAIR: Final = "a pair (CERT, KEY) of paths; the key is None if both are in one file"


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_path(value: object) -> bool:
    return isinstance(value, str | os.PathLike)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_seconds(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_tuple(value: object, fits: Callable[[object], bool]) -> bool:
    return isinstance(value, tuple | list) and all(map(fits, cast("Sequence[object]", value)))


def _is_pair(value: object) -> bool:
    match value:
        case ((str() | os.PathLike()), (str() | os.PathLike() | None)):
            return True
        case _:
            return False


@dataclass(frozen=True, slots=True)
class OptionType:
    """The values that an option accepts: a check, and a description."""

    fits: Callable[[object], bool]
    expected: str
    is_optional: bool = False

    def check(self, name: str, value: object) -> None:
        """Check the value of the option `name`; raise TypeError if it does not fit."""
        if not self.fits(value) and not (value is None and self.is_optional):
            raise TypeError(f"{name}= takes {self.expected}, not {_type_of(value)}")


@dataclass(frozen=True, slots=True)
class Mirror:
    """A mirror with settings for TLS of its own. Those of the registry do not apply to it, except `ca_file`.

    Attributes:
        url: Its URL, or a host.
        insecure: Do not verify its certificate.
        ca_file: A file with CA certificates to trust for it, in addition to the system's and those of the registry.
        client_cert: Paths of the client certificate for it and its key; the key is None if both are in one file.

    Raises:
        TypeError: A setting has the wrong type.

    Example:
        Registry("https://registry.example", mirrors=(Mirror("https://mirror.example", insecure=True),))
    """

    url: str
    insecure: bool = False
    ca_file: str | None = None
    client_cert: tuple[str, str | None] | None = None

    def __post_init__(self) -> None:
        if not _is_text(self.url):
            raise TypeError(f"Mirror: url= takes the URL of a mirror as a str, not {_type_of(self.url)}")
        for name in ("insecure", "ca_file", "client_cert"):
            OPTION_TYPES[name].check(f"Mirror: {name}", getattr(self, name))

    @classmethod
    def of(cls, given: "str | Mirror") -> "Mirror":
        """Return a mirror; one that is given by its URL has no settings."""
        return cls(given) if isinstance(given, str) else given

    @property
    def requires_tls(self) -> bool:
        """Whether a setting is given that only makes sense with TLS."""
        return bool(self.insecure or self.ca_file or self.client_cert)


def _is_mirror(value: object) -> bool:
    return isinstance(value, str | Mirror)


class TLSSettings(Protocol):
    """The settings for the registry (its `Options`), or for a `Mirror`."""

    @property
    def insecure(self) -> bool:
        """Whether the certificate is not verified."""
        ...

    @property
    def ca_file(self) -> str | None:
        """A file with CA certificates."""
        ...

    @property
    def client_cert(self) -> tuple[str, str | None] | None:
        """Paths of the client certificate and its key."""
        ...


def _type_of(value: object) -> str:
    """Return the name of a value's type, including the types of the items of a tuple or list."""
    kind = type(value).__name__
    if not isinstance(value, tuple | list) or not value:
        return kind
    items = dict.fromkeys(type(item).__name__ for item in cast("Sequence[object]", value))
    return f"{kind} of {' and '.join(items)}"


OPTION_TYPES: Final[Mapping[str, OptionType]] = {
    "plain_http": OptionType(_is_flag, _FLAG),
    "insecure": OptionType(_is_flag, _FLAG),
    "trust_env": OptionType(_is_flag, _FLAG),
    "keep_alive": OptionType(_is_flag, _FLAG),
    "auth_service": OptionType(
        lambda value: callable(getattr(value, "request_token", None)),
        "an object with request_token(scope)",
        is_optional=True,
    ),
    "ca_file": OptionType(_is_path, "the path of a file", is_optional=True),
    "client_cert": OptionType(_is_pair, _PAIR, is_optional=True),
    "certs_dirs": OptionType(lambda value: _is_tuple(value, _is_path), _PATHS),
    "mirrors": OptionType(lambda value: _is_tuple(value, _is_mirror), _MIRRORS),
    "trusted_token_hosts": OptionType(lambda value: _is_tuple(value, _is_text), _TEXTS),
    "upload_hosts": OptionType(lambda value: _is_tuple(value, _is_text), _TEXTS),
    "ssl_context": OptionType(lambda value: hasattr(value, "wrap_bio"), "an ssl.SSLContext", is_optional=True),
    "retries": OptionType(_is_number, "a number"),
    "connections": OptionType(_is_number, "a number"),
    "max_retry_after": OptionType(_is_seconds, "a number of seconds"),
    "proxy": OptionType(_is_text, "the URL of one proxy as a str", is_optional=True),
    "user_agent": OptionType(_is_text, "a str"),
    "http": OptionType(_is_text, "'httpx' or 'httpx2'"),
    "on_event": OptionType(callable, "a function that accepts an event", is_optional=True),
}
"""All options except `timeout`, `deadline` and `credentials`, whose types are checked where their values are read, and
`transport`, whose type differs between sync and async code."""
