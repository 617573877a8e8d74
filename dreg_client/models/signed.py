"""What the signatures of a signed schema 1 manifest are of: its payload, which registries name it by (libtrust's JWS).

Nothing is verified here: what is wanted is the digest that a registry says, which is of the payload, not of the bytes.
"""

from base64 import urlsafe_b64decode
from typing import Final, cast

from dreg_client.models.json_text import DishonestTextError, read_object

_LONGEST_TAIL: Final = 1024
_LONGEST_PROTECTED: Final = 4096


def payload_of(raw: bytes) -> bytes | None:
    """The bytes that a manifest had before it was signed; None where it is not signed, or not honestly.

    Each signature's protected header says how many bytes of the document come first (`formatLength`), and which
    follow in place of the signatures (`formatTail`). All signatures have to agree.
    """
    try:
        tree = read_object(raw)
    except DishonestTextError:
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
    """Base64 for URLs, without its padding (RFC 7515 2).

    Raises:
        ValueError: It is none.
    """
    if not isinstance(text, str) or not text.isascii() or len(text) > longest or "=" in text:
        raise ValueError("no base64 of this length")
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
