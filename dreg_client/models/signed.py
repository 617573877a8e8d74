"""The payload of a signed schema 1 manifest (JWS as written by libtrust).

The payload is needed because registries compute the digest of a signed manifest from it, not from the whole document.
Signatures are not verified.
"""

from base64 import urlsafe_b64decode
from typing import Final, cast

from dreg_client.models.json_text import AmbiguousTextError, read_object

_LONGEST_TAIL: Final = 1024
_LONGEST_PROTECTED: Final = 4096


def payload_of(raw: bytes) -> bytes | None:
    """Return the bytes of a manifest before it was signed; None if it is not signed, or the signatures disagree.

    The protected header of each signature states how many bytes from the start of the document belong to the payload
    (`formatLength`), and the bytes that follow them in place of the signatures (`formatTail`).
    """
    try:
        tree = read_object(raw)
    except AmbiguousTextError:
        return None
    signatures = tree.get("signatures")
    if tree.get("schemaVersion") != 1 or not isinstance(signatures, list) or not signatures:
        return None
    payloads = {_payload(raw, entry) for entry in cast("list[object]", signatures)}
    return payloads.pop() if len(payloads) == 1 else None


def _payload(raw: bytes, signature: object) -> bytes | None:
    protected = cast("dict[str, object]", signature).get("protected") if isinstance(signature, dict) else None
    try:
        header = read_object(_decoded(protected, _LONGEST_PROTECTED))
        tail = _decoded(header.get("formatTail"), _LONGEST_TAIL)
    except ValueError:
        return None
    length = header.get("formatLength")
    if type(length) is not int or not 0 < length <= len(raw):
        return None
    return raw[:length] + tail


def _decoded(text: object, longest: int) -> bytes:
    """Decode base64url without padding (RFC 7515 2); raise ValueError if the string is not valid."""
    if not isinstance(text, str) or not text.isascii() or len(text) > longest or "=" in text:
        raise ValueError("not valid base64 of this length")
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
