"""What HTTP/1.1 needs to know of a message: the target of a request, and how long the body of a response is."""

from collections.abc import Iterable
from typing import Final

from dreg_client.errors import ProtocolError

# Not allowed in a URL, but common in what registries send. Everything else is sent as it came.
_ENCODED: Final = {ord(character): f"%{ord(character):02X}" for character in "\"<>`{}'"}


def request_target(text: str) -> bytes:
    """Return path and query of a URL as they are sent.

    Args:
        text: What follows scheme, host and port.

    Raises:
        UnicodeError: It is not ASCII.
    """
    target = text.partition("#")[0].translate(_ENCODED).encode("ascii")
    return target if target.startswith(b"/") else b"/" + target


def body_length(headers: Iterable[tuple[bytes, bytes]], where: str) -> int | None:
    """Return the stated length of a body (RFC 9112 6.3); None for chunks, or if none is stated.

    Args:
        headers: The headers of the response.
        where: The URL without its query.

    Raises:
        ProtocolError: The headers state a length and chunks: two parsers may read it differently (TRN-28).
    """
    length, is_chunked = b"", False
    for name, value in headers:
        lowered = name.lower()
        if lowered == b"content-length":
            length = value.strip()
        elif lowered == b"transfer-encoding":
            is_chunked = True
    if length and is_chunked:
        raise ProtocolError("the answer has a length, and comes in chunks", where)
    return int(length) if length.isdigit() else None
