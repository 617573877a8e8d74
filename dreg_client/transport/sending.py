"""The sender of threads: carries out the acts of a conversation. All that is sent goes through its `_send`."""

import time
from collections.abc import Hashable, Iterator
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any, assert_never

from dreg_client import errors
from dreg_client.conversation.acts import Act, AskService, Hold, LookUp, Pause, Send, Tell
from dreg_client.protocol.events import Event
from dreg_client.protocol.messages import Hop, Response
from dreg_client.protocol.options import Options
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.transport import lines
from dreg_client.transport.handed import HandedAnswer, HandedLine
from dreg_client.transport.kept import KeptAnswer, KeptLine
from dreg_client.transport.library import library_of
from dreg_client.values.origin import Origin
from dreg_client.waiting import LeftError, nobody_waits, pause


class Line:
    """The connections to one origin.

    Attributes:
        way: Who keeps them.
        proxied: Whether a proxy, or a transport of the caller, stands between.
    """

    way: KeptLine | HandedLine
    proxied: bool

    def __init__(self, way: KeptLine | HandedLine, connections: int) -> None:
        self.way, self.proxied = way, isinstance(way, HandedLine)
        # The gate: a place for each connection that there may be. This queue is C, unlike the semaphores.
        self._places: SimpleQueue[None] = SimpleQueue()
        for _ in range(connections):
            self.leave()

    def enter(self, seconds: float) -> bool:
        """Wait for a place. False where none was free in time."""
        try:
            self._places.get(timeout=seconds)
        except Empty:
            return False
        return True

    def leave(self) -> None:
        """Give the place back."""
        self._places.put(None)

    @property
    def free(self) -> int:
        """How many places are free."""
        return self._places.qsize()


class Body:
    """The body of an answer, still to be read; closing it gives its connection back."""

    def __init__(self, given: KeptAnswer | HandedAnswer, line: Line) -> None:
        self.given = given
        self._line, self._open = line, True

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.given)

    def close(self) -> None:
        """Give the connection back; one whose body was not read to its end is closed."""
        if not self._open:
            return
        self._open = False
        try:
            self.given.close()
        finally:
            self._line.leave()


class Sender:
    """Carries out the acts of one client, for any number of threads.

    Args:
        options: How registries are talked to.
        bases: The registry and its mirrors.

    Raises:
        MissingLibraryError: The HTTP library is not installed.
    """

    def __init__(self, options: Options, bases: tuple[RegistryURL, ...]) -> None:
        self._options, self._bases = options, bases
        self._library = library_of(options)
        self._lines: dict[Origin, Line] = {}
        self._locks: dict[Hashable, Lock] = {}
        self._own = Lock()
        self._closed = False

    def answer(self, act: Act) -> Any:  # noqa: ANN401 (each act says what it is answered by)
        """Carry out one act, unless nobody waits for it any more."""
        if nobody_waits():
            raise LeftError
        match act:
            case Send(hop):
                return self._send(hop)
            case Pause(seconds):
                return pause(seconds)
            case Hold(key):
                return self._held(key)
            case LookUp(registry, repository):
                return self._options.find(registry, repository)
            case AskService(scope):
                return self._token(scope)
            case Tell(event):
                return self.tell(event)
            case _:
                assert_never(act)

    def tell(self, event: Event) -> None:
        """Tell the caller what happens."""
        if self._options.on_event is not None:
            self._options.on_event(event)

    def close(self) -> None:
        """Close all connections."""
        with self._own:
            self._closed = True
            for line in self._lines.values():
                line.way.close()
            self._lines.clear()

    def _held(self, key: Hashable) -> Lock:
        lock = self._locks.setdefault(key, Lock())
        lock.acquire()
        return lock

    def _token(self, scope: str) -> str:
        service = self._options.auth_service
        token = service.request_token(scope) if service else ""
        if not isinstance(token, str) or not token:
            raise errors.TokenError("auth_service.request_token(scope) gave no text; a token is due")
        return token

    def _line(self, origin: Origin) -> Line:
        with self._own:
            if self._closed:
                raise errors.ClosedError(str(origin))
            if origin not in self._lines:
                self._lines[origin] = self._new_line(origin)
            return self._lines[origin]

    def _new_line(self, origin: Origin) -> Line:
        return Line(self._way(origin), self._options.connections)

    def _way(self, origin: Origin) -> KeptLine | HandedLine:
        options, library = self._options, self._library
        if options.transport is not None:
            return HandedLine(options.transport, library.http, options)
        proxy, context = lines.proxy_of(origin, options), lines.context_of(origin, options, self._bases)
        if proxy is None:
            return KeptLine(origin, context, library, options)
        transport = library.http.HTTPTransport(**lines.arguments_of(options, context, proxy, library.http))
        return HandedLine(transport, library.http, options)

    def _send(self, hop: Hop) -> Response:
        """Send one HTTP request: the only place where it is done."""
        line = self._line(lines.origin_of(hop))
        began = time.monotonic()
        body = self._opened(line, hop)
        try:
            response = lines.response_of(hop, body.given, proxied=line.proxied)
            self.tell(lines.log_answer(hop, response, time.monotonic() - began))
            if hop.streams and response.ok:
                return lines.with_body(response, stream=body)
            octets = self._whole(hop, response, body)
        except BaseException:
            body.close()
            raise
        body.close()
        return lines.with_body(response, octets)

    def _opened(self, line: Line, hop: Hop) -> Body:
        if not line.enter(self._options.timeouts.pool):
            raise lines.no_connection_free(hop, self._options)
        try:
            return Body(line.way.open(hop), line)
        except BaseException:
            line.leave()
            raise

    def _whole(self, hop: Hop, response: Response, body: Body) -> bytes:
        gathered = lines.Gathered(hop, response, self._options.timeouts)
        try:
            for chunk in () if gathered.full else body:
                gathered.add(chunk)
                if gathered.full:
                    break
        except errors.DregError as failure:
            gathered.failed(failure)
        return gathered.octets()
