"""The sender of tasks, the twin of `sending`; a task that is cancelled gives back what it held."""

import asyncio
import time
from asyncio import Lock, Semaphore
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import suppress
from dataclasses import replace
from inspect import isawaitable
from typing import Any, assert_never

from dreg_client import errors
from dreg_client.conversation.acts import Act, AskService, Hold, LookUp, Pause, Send, Tell
from dreg_client.conversation.base import Base
from dreg_client.events import Event
from dreg_client.logs import log
from dreg_client.options import FoundCredential, Options
from dreg_client.protocol.wire import Hop, Response
from dreg_client.transport import lines
from dreg_client.transport.library import library_of, translated
from dreg_client.values.origin import Origin
from dreg_client.waiting import waiting


class AsyncLine:
    """The connections to one origin.

    Attributes:
        transport: The HTTP library's.
        proxied: Whether a proxy stands between.
        gate: As many may pass as there may be connections.
    """

    transport: Any
    proxied: bool
    gate: Semaphore

    def __init__(self, transport: Any, options: Options, *, proxied: bool) -> None:  # noqa: ANN401 (either library's)
        self.transport, self.proxied = transport, proxied
        self.gate = Semaphore(options.connections)


class AsyncBody:
    """The body of an answer, still to be read; closing it gives its connection back."""

    given: Any

    def __init__(self, given: Any, line: AsyncLine, hop: Hop, http: Any) -> None:  # noqa: ANN401 (either library's)
        self.given = given
        self._line, self._hop, self._http = line, hop, http
        self._open = True
        self._chunks = aiter(given.stream)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk: bytes = await anext(self._chunks)
        except (self._http.HTTPError, self._http.StreamError) as failure:
            raise translated(failure, self._http, self._hop) from None
        return chunk

    async def close(self) -> None:
        """Give the connection back; one whose body was not read to its end is closed."""
        if not self._open:
            return
        self._open = False
        try:
            with suppress(self._http.HTTPError):
                await self.given.stream.aclose()
        finally:
            self._line.gate.release()


class AsyncSender:
    """Carries out the acts of one client, for any number of tasks of one event loop.

    Args:
        options: How registries are talked to.
        bases: The registry and its mirrors.

    Raises:
        ConfigError: The HTTP library is not there.
    """

    def __init__(self, options: Options, bases: tuple[Base, ...]) -> None:
        self._options, self._bases = options, bases
        self._http = library_of(options)
        self._lines: dict[Origin, AsyncLine] = {}
        self._locks: dict[Hashable, Lock] = {}
        self._closed = False

    async def answer(self, act: Act) -> Any:  # noqa: ANN401 (each act says what it is answered by)
        """Carry out one act."""
        match act:
            case Send(hop):
                return await self._send(hop)
            case Pause(seconds):
                return await asyncio.sleep(seconds)
            case Hold(key):
                return await self._held(key)
            case LookUp(registry, repository):
                return await self._found(registry, repository)
            case AskService(scope):
                return await self._token(scope)
            case Tell(event):
                return self.tell(event)
            case _:
                assert_never(act)

    def tell(self, event: Event) -> None:
        """Tell the caller what happens; where that fails, nothing else does."""
        if self._options.on_event is not None:
            try:
                self._options.on_event(event)
            except Exception:  # noqa: BLE001 (a stranger's code: anything may come out of it)
                log.exception("on_event failed")

    async def close(self) -> None:
        """Close all connections."""
        self._closed = True
        for line in self._lines.values():
            await line.transport.aclose()
        self._lines.clear()

    async def _held(self, key: Hashable) -> Lock:
        lock = self._locks.setdefault(key, Lock())
        await lock.acquire()
        return lock

    async def _found(self, registry: str, repository: str) -> FoundCredential:
        """Look up in a thread: a program may take long. Who is cancelled ends the program."""
        with waiting() as leave:
            try:
                return await asyncio.to_thread(self._options.find, registry, repository)
            except asyncio.CancelledError:
                leave()
                raise

    async def _token(self, scope: str) -> str:
        service = self._options.auth_service
        given: Any = service.request_token(scope) if service else ""
        token = await given if isawaitable(given) else given
        if not (isinstance(token, str) and token):
            raise errors.TokenError("auth_service.request_token(scope) gave no text; a token is due")
        return token

    def _line(self, origin: Origin) -> AsyncLine:
        if self._closed:
            raise errors.ClosedError(str(origin))
        if origin not in self._lines:
            self._lines[origin] = self._new_line(origin)
        return self._lines[origin]

    def _new_line(self, origin: Origin) -> AsyncLine:
        if self._options.transport is not None:
            return AsyncLine(self._options.transport, self._options, proxied=True)
        way = lines.way_to(origin, self._options, self._bases, self._http)
        return AsyncLine(self._http.AsyncHTTPTransport(**way.arguments), self._options, proxied=way.proxy is not None)

    async def _send(self, hop: Hop) -> Response:
        """Send one HTTP request: the only place where it is done."""
        line = self._line(Origin.of(hop.url))
        request = lines.request_of(hop, self._http, self._options.timeouts)
        if lines.is_watched(hop, proxied=line.proxied):
            request.extensions["trace"] = _watching(hop)
        began = time.monotonic()
        body = await self._opened(line, request, hop)
        try:
            response = lines.response_of(hop, body.given, proxied=line.proxied)
            self.tell(lines.log_answer(hop, response, time.monotonic() - began))
            if hop.streams and response.ok:
                return replace(response, stream=body)
            octets = await self._whole(hop, response, body)
        except BaseException:
            await asyncio.shield(body.close())
            raise
        await body.close()
        return replace(response, body=octets)

    async def _opened(self, line: AsyncLine, request: Any, hop: Hop) -> AsyncBody:  # noqa: ANN401 (either library's)
        try:
            async with asyncio.timeout(self._options.timeouts.pool):
                await line.gate.acquire()
        except TimeoutError:
            raise lines.no_connection_free(hop, self._options) from None
        try:
            return AsyncBody(await line.transport.handle_async_request(request), line, hop, self._http)
        except (self._http.HTTPError, OSError) as failure:
            line.gate.release()
            raise translated(failure, self._http, hop) from None
        except BaseException:
            line.gate.release()
            raise

    async def _whole(self, hop: Hop, response: Response, body: AsyncBody) -> bytes:
        gathered = lines.Gathered(hop, response, self._options.timeouts)
        try:
            if not gathered.full:
                await self._gather(gathered, body)
        except errors.DregError as failure:
            gathered.failed(failure)
        return gathered.octets()

    async def _gather(self, gathered: lines.Gathered, body: AsyncBody) -> None:
        async for chunk in body:
            gathered.add(chunk)
            if gathered.full:
                return


def _watching(hop: Hop) -> Callable[[str, dict[str, Any]], Awaitable[None]]:
    """A look at each connection that is made, before anything is sent on it."""

    async def watch(event: str, told: dict[str, Any]) -> None:
        if event == lines.CONNECTED:
            stream = told["return_value"]
            try:
                lines.refuse_near_peer(hop, stream)
            except errors.BlockedAddressError:
                await stream.aclose()
                raise

    return watch
