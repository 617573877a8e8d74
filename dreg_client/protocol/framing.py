"""What HTTP/1.1 needs to know of a message: the target of a request, and how long the body of a response is."""

from collections.abc import Iterable
from typing import Final

from dreg_client.protocol.network_errors import TwoLengthsError

# Not allowed in a URL, but common in what registries send. Everything else is sent as it came.
_ENCODED: Final = {ord(character): f"%{ord(character):02X}" for character in "\"<>`{}'"}


def request_target(text: str) -> bytes:
    """Return path and query of a URL as they are sent; raise UnicodeError if they are not ASCII."""
    target = text.partition("#")[0].translate(_ENCODED).encode("ascii")
    return target if target.startswith(b"/") else b"/" + target


def body_length(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """Return the length of a response's body that its headers state; None for chunks, or if none is stated.

    Raises:
        TwoLengthsError: They state a length and chunks: two parsers may read it differently (TRN-28; RFC 9112 6.3).
    """
    length, is_chunked = b"", False
    for name, value in headers:
        lowered = name.lower()
        if lowered == b"content-length":
            length = value.strip()
        elif lowered == b"transfer-encoding":
            is_chunked = True
    if length and is_chunked:
        raise TwoLengthsError
    return int(length) if length.isdigit() else None
