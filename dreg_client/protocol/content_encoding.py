"""Bodies that come packed though that was not asked for, as some caches send them (decision D-01)."""

import zlib
from typing import Final

from dreg_client import errors
from dreg_client._logging import log
from dreg_client.protocol.messages import Response
from dreg_client.values.digest import Digest

GZIP: Final = frozenset({"gzip", "x-gzip"})
_PLAIN: Final = frozenset({"", "identity"})


def encoding_of(response: Response) -> str:
    """How a body is packed, lower-case; empty where it is not."""
    encoding = (response.headers.get("content-encoding") or "").lower()
    return "" if encoding in _PLAIN else encoding


def plain(response: Response, wanted: Digest | None, limit: int) -> bytes:
    """The body as it is meant: as it came where that is what was asked for, else unpacked once, within a bound.

    Args:
        response: The answer, its body read.
        wanted: The digest of what was asked for, None where it is not known.
        limit: The most bytes that it may unpack to.

    Raises:
        ContentEncodingError: It is neither.
    """
    encoding = encoding_of(response)
    if not encoding or (wanted is not None and Digest.of(response.body, wanted.algorithm) == wanted):
        return response.body
    octets = _unpacked(response.body, limit) if encoding in GZIP else None
    if octets is None or (wanted is not None and Digest.of(octets, wanted.algorithm) != wanted):
        message = (
            f"{response.where}: came as {encoding[:20]} though that was not asked for, and is not what was asked for"
        )
        raise errors.ContentEncodingError(message)
    log.warning("%s: came packed though that was not asked for; unpacked, it is what was asked for", response.where)
    return octets


def _unpacked(body: bytes, limit: int) -> bytes | None:
    """One gzip member, whole; None where it is none, or longer."""
    unpacking = zlib.decompressobj(wbits=31)
    try:
        octets = unpacking.decompress(body, limit + 1)
    except zlib.error:
        return None
    return octets if unpacking.eof and len(octets) <= limit and not unpacking.unused_data else None
