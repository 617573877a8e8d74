"""What a host says: pieces, written one after another. Bytes go out as they are; the rest is what goes wrong."""

import json
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Fault(Enum):
    """What happens to a connection in the midst of an answer."""

    END = "it ends, as one that was closed"
    RESET = "it is torn off"
    STALL = "nothing more comes, until the client leaves"


END: Final = Fault.END
RESET: Final = Fault.RESET
STALL: Final = Fault.STALL


@dataclass(frozen=True)
class Drip:
    """The same piece again and again: `times` of it, None for as long as the client takes it."""

    piece: bytes
    times: int | None = None


@dataclass(frozen=True)
class Trickle:
    """The same piece again and again, with a pause of some seconds after each, until the client leaves."""

    piece: bytes
    pause: float = 0.05


Piece = bytes | Fault | Drip | Trickle


def head(status: str | int = "200 OK", *headers: str) -> bytes:
    """The head of an answer, exactly: no header is added."""
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode("latin-1", "surrogateescape")


def answer(body: bytes = b"", status: str | int = "200 OK", *headers: str, length: int | None = None) -> bytes:
    """An answer with a length, that of its body unless told."""
    return head(status, f"Content-Length: {len(body) if length is None else length}", *headers) + body


def chunked(
    *chunks: bytes, status: str | int = "200 OK", headers: tuple[str, ...] = (), end: bytes = b"0\r\n\r\n"
) -> bytes:
    """An answer in chunks, with the given end."""
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return head(status, "Transfer-Encoding: chunked", *headers) + body + end


def redirect(location: str, status: str | int = "307 Temporary Redirect", *headers: str) -> bytes:
    """An answer that names another place."""
    return answer(b"", status, f"Location: {location}", *headers)


def challenge(text: str, *headers: str) -> bytes:
    """An answer that asks who we are."""
    return refusal("401 Unauthorized", "UNAUTHORIZED", "authentication required", f"WWW-Authenticate: {text}", *headers)


def refusal(status: str | int, code: str = "DENIED", message: str = "no", *headers: str) -> bytes:
    """An error as the distribution specification has it."""
    return answer(sentence({"errors": [{"code": code, "message": message}]}), status, *JSON, *headers)


JSON: Final = ("Content-Type: application/json",)


def sentence(document: object) -> bytes:
    """A document as JSON."""
    return json.dumps(document).encode()
