"""The heads of responses, of registries and of proxies, parsed by h11."""

from collections.abc import Awaitable, Callable
from typing import Final

import h11

from dreg_client.protocol.network_errors import BadHTTPError

_LARGEST_HEAD: Final = 100 * 1024
_MOST_INTERIM: Final = 100
Event = h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]


def new_parser() -> h11.Connection:
    """Return a parser for the responses of one connection. A head may have 100 KiB."""
    return h11.Connection(h11.CLIENT, max_incomplete_event_size=_LARGEST_HEAD)


async def read_head(next_event: Callable[[float], Awaitable[Event]], deadline: float) -> h11.Response:
    """Read the head of a response, skipping interim responses (1xx). All of them together have one deadline."""
    for _ in range(_MOST_INTERIM):
        try:
            event = await next_event(deadline)
        except ValueError:  # h11 converts the length to a number, and Python accepts 4,300 digits
            raise BadHTTPError from None
        if isinstance(event, h11.Response):
            _check_version(event)
            return event
    raise BadHTTPError


def _check_version(head: h11.Response) -> None:
    """Accept HTTP/1.1, and HTTP/1.0 without chunks (RFC 9112 6.1); raise BadHTTPError for all others."""
    if head.http_version == b"1.1":
        return
    if head.http_version != b"1.0" or any(name == b"transfer-encoding" for name, _ in head.headers):
        raise BadHTTPError
