"""What is kept between requests to one origin, and how one connection is spoken on; shared by threads and tasks.

HTTP/1.1 is h11's, as it is in the HTTP library itself. Nothing here reads or writes: octets come in and go out.
"""

from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from dreg_client import errors
from dreg_client.protocol.messages import Hop
from dreg_client.protocol.tls_mismatch import ONLY_TLS
from dreg_client.transport.library import Library
from dreg_client.values.origin import Origin
from dreg_client.values.sizes import KIBIBYTE, MEBIBYTE

IDLE: Final = 30.0
"""Seconds for which a connection is kept that nobody uses."""
NARROW: Final = 64 * KIBIBYTE
WIDE: Final = MEBIBYTE
"""The most octets of one reading, of a small body and of a large one."""
_SMALL_PART: Final = 4 * MEBIBYTE
_ALERT: Final = b"\x15\x03"
"""How a record begins by which TLS says that it understood nothing (RFC 8446 5.1)."""
_LONGEST_HEAD: Final = 100 * KIBIBYTE
_MOST_INTERIM: Final = 100
_HAS_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_ASKS_AGAIN: Final = frozenset({"GET", "HEAD"})
# What the HTTP library encodes, too; all else that a URL has goes out as it came.
_ENCODED: Final = {ord(character): f"%{ord(character):02X}" for character in "\"<>`{}'"}


@dataclass(frozen=True, slots=True)
class Head:
    """The head of an answer.

    Attributes:
        status: The status code.
        headers: Names and values, in order.
    """

    status: int
    headers: list[tuple[bytes, bytes]]


class Messages:
    """The messages on one connection: a request out, its answer in, and so on.

    Of a large body with a known length, h11 reads the head alone: the rest is counted, not copied.

    Attributes:
        heard: Whether any octet of an answer has come.
        ended: Whether the answer was read to its end.
        left: How many octets of a large body are still to come.
    """

    heard: bool
    ended: bool
    left: int

    def __init__(self, library: Library, origin: Origin) -> None:
        self._core, self._h11 = library.core, library.h11
        self._origin, self._host = origin, origin.authority.encode("ascii")
        self._connection: Any = None
        self._begin()

    def _begin(self) -> None:
        self._connection = self._h11.Connection(self._h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)
        self.heard = self.ended = self._keeps = self._is_large = False
        self.left = self._interim = 0
        self._most = WIDE
        self._held = b""

    def request(self, hop: Hop) -> bytes:
        """The octets of a request.

        Raises:
            UnsafeURLError: The URL, or a header, is none that can be sent.
        """
        if self.ended:
            self._go_on()
        try:
            event = self._h11.Request(method=hop.method, target=_target(hop), headers=self._headers(hop))
            octets: bytes = self._connection.send(event)
            if hop.body:
                octets += self._connection.send(self._h11.Data(data=hop.body))
            self._connection.send(self._h11.EndOfMessage())
        except (self._h11.LocalProtocolError, UnicodeError):
            raise errors.UnsafeURLError(hop.where, hop.where, "it is no URL that can be asked") from None
        return octets

    def _go_on(self) -> None:
        """Ready for the next request."""
        if self._is_large:
            self._begin()
        else:
            self._connection.start_next_cycle()
            self.heard = self.ended = False
            self._interim = 0

    def _headers(self, hop: Hop) -> list[tuple[bytes, bytes]]:
        headers = [(b"Host", self._host)]
        headers += [(name.encode("ascii"), value.encode("ascii")) for name, value in hop.headers]
        if hop.body or hop.method in _HAS_BODY:
            headers.append((b"Content-Length", b"%d" % len(hop.body)))
        return headers

    @property
    def due(self) -> int:
        """How many octets to read next, at most."""
        return min(self.left, self._most) if self._is_large else NARROW

    def receive(self, octets: bytes) -> None:
        """Take octets that came; none say that the other side has closed.

        Raises:
            RemoteProtocolError: It closed before its answer was whole.
            TLSError: They are of TLS, which nobody asked for.
        """
        if self._origin.scheme == "http" and not self.heard and octets.startswith(_ALERT):
            raise errors.OnlyTLSError(ONLY_TLS, str(self._origin))
        if octets:
            self.heard = True
        elif self._is_large:
            raise self._core.RemoteProtocolError("peer closed connection in a body")
        elif self._connection.their_state is self._h11.SEND_RESPONSE:
            raise self._core.RemoteProtocolError("server disconnected before an answer")
        if self._is_large:
            self._held, self.left = octets, self.left - len(octets)
        else:
            self._connection.receive_data(octets)

    def head(self) -> Head | None:
        """The head of the answer, None where more octets are due.

        Raises:
            RemoteProtocolError: It breaks the grammar of HTTP.
        """
        while self._interim < _MOST_INTERIM:
            event = self._event()
            if event is self._h11.NEED_DATA:
                return None
            if isinstance(event, self._h11.Response):
                # h11 knows who keeps: HTTP/1.0 and `Connection: close` end its own state here.
                self._keeps = self._connection.our_state is self._h11.DONE
                return Head(event.status_code, event.headers.raw_items())
            self._interim += 1
        raise self._core.RemoteProtocolError("too many interim answers")

    def read_wide(self, length: int | None, *, is_part: bool) -> None:
        """The body is this long: from here on it is counted, where it is long enough to gain by that.

        Small parts come several at a time, each to a thread of its own, whose allocator keeps what was once read into.
        """
        if length is None or length < MEBIBYTE:
            return
        # What h11 holds is of one narrow reading: less than the body, whatever comes behind it.
        self._held, self._is_large = self._connection.trailing_data[0], True
        self.left = length - len(self._held)
        self._most = NARROW if is_part and length <= _SMALL_PART else WIDE

    def chunk(self) -> bytes | None:
        """The next chunk of the body; empty at its end, None where more octets are due.

        Raises:
            RemoteProtocolError: It breaks the grammar of HTTP, or off.
        """
        if self._is_large:
            return self._counted()
        event = self._event()
        if event is self._h11.NEED_DATA:
            return None
        if isinstance(event, self._h11.Data):
            return bytes(event.data)
        self.ended = True
        return b""

    def _counted(self) -> bytes | None:
        octets, self._held = self._held, b""
        if octets:
            return octets
        self.ended = self.left == 0
        return b"" if self.ended else None

    def _event(self) -> Any:  # noqa: ANN401 (h11's)
        try:
            return self._connection.next_event()
        except self._h11.RemoteProtocolError as failure:
            raise self._core.RemoteProtocolError(str(failure)) from failure

    @property
    def is_kept(self) -> bool:
        """Whether the connection may be used again: the answer was read to its end, and nothing came behind it."""
        if not (self._keeps and (self.ended or self._ends_here())):
            return False
        return self._is_large or not self._connection.trailing_data[0]

    def _ends_here(self) -> bool:
        """Whether nothing of the body is left, as where there is none."""
        try:
            return self.chunk() == b""
        except self._core.RemoteProtocolError:
            return False


class Kept:
    """A connection that may be used again.

    Attributes:
        messages: How it is spoken on.
        peer: The address that answers; empty where it is not known.
        was_kept: Whether it has had an answer before.
    """

    messages: Messages
    peer: str
    was_kept: bool

    def __init__(self, messages: Messages, peer: str) -> None:
        self.messages, self.peer, self.was_kept = messages, peer, False
        self._since = 0.0

    @property
    def is_over(self) -> bool:
        """Whether it was kept for as long as it may be."""
        return monotonic() - self._since > IDLE

    def keep(self) -> None:
        """Nobody uses it from now on."""
        self.was_kept, self._since = True, monotonic()

    def is_asked_again(self, hop: Hop) -> bool:
        """Whether it failed since the other side had closed it meanwhile, so that a new one may be asked the same."""
        return self.was_kept and not self.messages.heard and hop.method in _ASKS_AGAIN


def length_of(head: Head) -> int | None:
    """How long a body is said to be; None where it comes in chunks of its own, or says nothing."""
    named = {name.lower(): value for name, value in head.headers}
    value = named.get(b"content-length", b"")
    return int(value) if value.isdigit() and b"transfer-encoding" not in named else None


def _target(hop: Hop) -> bytes:
    """What of a URL goes out: path and query."""
    target = hop.url.removeprefix(hop.place).partition("#")[0].translate(_ENCODED)
    return (target if target.startswith("/") else f"/{target}").encode("ascii")
