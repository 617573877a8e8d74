"""Bodies that are compressed although that was not requested, as some caches send them (D-01)."""

import zlib
from typing import Final

from dreg_client import errors
from dreg_client._logging import log
from dreg_client.protocol.messages import Response
from dreg_client.values.digest import Digest

GZIP: Final = frozenset({"gzip", "x-gzip"})


def encoding_of(response: Response) -> str:
    """Return the `Content-Encoding` of a body in lower case; empty if it has none."""
    encoding = (response.headers.get("content-encoding") or "").lower()
    return "" if encoding == "identity" else encoding


def decoded_body(response: Response, wanted: Digest | None, limit: int) -> bytes:
    """Return a body as sent if it has the wanted digest, else decompressed once, to at most `limit` bytes."""
    encoding = encoding_of(response)
    if not encoding or (wanted is not None and Digest.of(response.body, wanted.algorithm) == wanted):
        return response.body
    octets = _decompressed(response.body, limit) if encoding in GZIP else None
    if octets is None or (wanted is not None and Digest.of(octets, wanted.algorithm) != wanted):
        sent = f"{response.where}: the body has Content-Encoding {encoding[:20]}, which was not requested"
        raise errors.ContentEncodingError(f"{sent}, and decompressing it does not give the requested content")
    log.warning("%s: the body was compressed although that was not requested; it was decompressed", response.where)
    return octets


def _decompressed(body: bytes, limit: int) -> bytes | None:
    """Decompress exactly one gzip member; None if it is invalid, or longer than the limit."""
    decompressor = zlib.decompressobj(wbits=31)
    try:
        octets = decompressor.decompress(body, limit + 1)
    except zlib.error:
        return None
    return octets if decompressor.eof and len(octets) <= limit and not decompressor.unused_data else None
