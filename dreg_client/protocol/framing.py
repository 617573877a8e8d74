"""How long the body of a response is (RFC 9112 6.3)."""

from collections.abc import Iterable

from dreg_client.errors import ProtocolError


def body_length(headers: Iterable[tuple[bytes, bytes]], where: str) -> int | None:
    """Return the stated length of a body; None for chunks, or if none is stated.

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
