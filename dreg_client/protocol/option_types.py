"""Options by their names and types, as callers give them: what other libraries call them is named in the error."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

from dreg_client.protocol.options import Options, RegistryOptions

_ELSEWHERE: Final[Mapping[str, str]] = {
    "verify": "write insecure=True for verify=False, and ca_file=PATH for verify=PATH",
    "tls_verify": "write insecure=True for tls_verify=False",
    "verify_ssl": "write insecure=True for verify_ssl=False",
    "ssl_verify": "write insecure=True for ssl_verify=False",
    "tls": "write client_cert=(CERT, KEY), ca_file=PATH or insecure=True; plain_http=True is without TLS",
    "cert": "write client_cert=(CERT, KEY)",
    "ssl": "write ssl_context=CONTEXT",
    "auth": "write credentials=(USER, PASSWORD), or auth_service=OBJECT for tokens of your own",
    "auth_config": "write credentials=(USER, PASSWORD)",
    "username": "write credentials=(USER, PASSWORD)",
    "user": "write credentials=(USER, PASSWORD)",
    "password": "write credentials=(USER, PASSWORD)",
    "token": "write credentials=(USER, TOKEN), or auth_service=OBJECT that returns tokens",
    "proxies": "write proxy=URL",
    "session": "write transport=TRANSPORT, a transport of httpx",
    "client": "write transport=TRANSPORT, a transport of httpx",
    "max_retries": "write retries=NUMBER",
    "headers": "headers are written for each host; user_agent=TEXT sets that one",
    "base_url": "the URL is the first argument",
    "http2": "the built-in transport speaks HTTP/1.1; pass transport=TRANSPORT for another",
}

_TEXTS: Final = "a tuple of texts, such as ('TEXT',)"
_PAIR: Final = "a pair (CERT, KEY) of paths; the key is None if both are in one file"


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_path(value: object) -> bool:
    return isinstance(value, str | os.PathLike)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _are_texts(value: object) -> bool:
    return isinstance(value, tuple | list) and all(map(_is_path, cast("Sequence[object]", value)))


def _is_pair(value: object) -> bool:
    match value:
        case ((str() | os.PathLike()), (str() | os.PathLike() | None)):
            return True
        case _:
            return False


_TYPES: Final[Mapping[str, tuple[Callable[[object], bool], str]]] = {
    "plain_http": (_is_flag, "True or False"),
    "insecure": (_is_flag, "True or False"),
    "trust_env": (_is_flag, "True or False"),
    "ca_file": (_is_path, "the path of a file"),
    "client_cert": (_is_pair, _PAIR),
    "certs_dirs": (_are_texts, _TEXTS),
    "mirrors": (_are_texts, _TEXTS),
    "trusted_token_hosts": (_are_texts, _TEXTS),
    "ssl_context": (lambda value: hasattr(value, "wrap_bio"), "an ssl.SSLContext"),
    "retries": (_is_number, "a number"),
    "connections": (_is_number, "a number"),
    "max_retry_after": (
        lambda value: isinstance(value, int | float) and not isinstance(value, bool),
        "a number of seconds",
    ),
    "proxy": (_is_text, "the URL of one proxy, as text"),
    "user_agent": (_is_text, "a text"),
}
_MAY_BE_NONE: Final = frozenset({"ca_file", "client_cert", "ssl_context", "proxy"})


def options_of(given: RegistryOptions) -> Options:
    """Return the options that a caller gave.

    Raises:
        TypeError: There is no such option, or it has the wrong type; the error says what to write.
        ValueError: An option has a value that it cannot have.
    """
    for name, value in given.items():
        if name not in RegistryOptions.__annotations__:
            known = ", ".join(RegistryOptions.__annotations__)
            raise TypeError(f"there is no option {name}=; {_ELSEWHERE.get(name, f'the options are: {known}')}")
        fits, expected = _TYPES.get(name, (None, ""))
        if fits is not None and not (fits(value) or (value is None and name in _MAY_BE_NONE)):
            raise TypeError(f"{name}= takes {expected}, not {type(value).__name__}")
    return Options(**given)
