"""The sender of tasks, the twin of `sending`; a task that is cancelled gives back what it held."""

import asyncio
import time
from asyncio import Lock, Semaphore
from collections.abc import AsyncGenerator, AsyncIterator, Hashable
from inspect import isawaitable
from typing import Any, assert_never

from dreg_client import errors
from dreg_client.conversation.acts import Act, AskService, Hold, LookUp, Pause, Send, Tell
from dreg_client.protocol.events import Event
from dreg_client.protocol.messages import Hop, Response
from dreg_client.protocol.options import FoundCredential, Options
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.transport import lines
from dreg_client.transport.async_handed import AsyncHandedAnswer, AsyncHandedLine
from dreg_client.transport.async_kept import AsyncKeptAnswer, AsyncKeptLine
from dreg_client.transport.library import library_of
from dreg_client.values.origin import Origin
from dreg_client.waiting import waiting


class AsyncLine:
    """The connections to one origin.

    Attributes:
        way: Who keeps them.
        proxied: Whether a proxy, or a transport of the caller, stands between.
        free: How many places are free.
    """

    way: AsyncKeptLine | AsyncHandedLine
    proxied: bool
    free: int

    def __init__(self, way: AsyncKeptLine | AsyncHandedLine, connections: int) -> None:
        self.way, self.proxied, self.free = way, isinstance(way, AsyncHandedLine), connections
        self._gate = Semaphore(connections)

    async def enter(self, seconds: float) -> bool:
        """Wait for a place. False where none was free in time."""
        try:
            if self._gate.locked():
                async with asyncio.timeout(seconds):
                    await self._gate.acquire()
            else:
                await self._gate.acquire()
        except TimeoutError:
            return False
        self.free -= 1
        return True

    def leave(self) -> None:
        """Give the place back."""
        self.free += 1
        self._gate.release()


class AsyncBody:
    """The body of an answer, still to be read; closing it gives its connection back."""

    def __init__(self, given: AsyncKeptAnswer | AsyncHandedAnswer, line: AsyncLine) -> None:
        self.given = given
        self._line, self._open = line, True
        self._chunks: AsyncGenerator[bytes] = given.__aiter__()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._chunks

    async def __anext__(self) -> bytes:
        return await anext(self._chunks)

    async def close(self) -> None:
        """Give the connection back; one whose body was not read to its end is closed."""
        if not self._open:
            return
        self._open = False
        try:
            await self._chunks.aclose()
            await self.given.close()
        finally:
            self._line.leave()


class AsyncSender:
    """Carries out the acts of one client, for any number of tasks of one event loop.

    Args:
        options: How registries are talked to.
        bases: The registry and its mirrors.

    Raises:
        MissingLibraryError: The HTTP library is not installed.
    """

    def __init__(self, options: Options, bases: tuple[RegistryURL, ...]) -> None:
        self._options, self._bases = options, bases
        self._library = library_of(options)
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
        """Tell the caller what happens."""
        if self._options.on_event is not None:
            self._options.on_event(event)

    async def close(self) -> None:
        """Close all connections."""
        self._closed = True
        for line in self._lines.values():
            await line.way.close()
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
        return AsyncLine(self._way(origin), self._options.connections)

    def _way(self, origin: Origin) -> AsyncKeptLine | AsyncHandedLine:
        options, library = self._options, self._library
        if options.transport is not None:
            return AsyncHandedLine(options.transport, library.http, options)
        proxy, context = lines.proxy_of(origin, options), lines.context_of(origin, options, self._bases)
        if proxy is None:
            return AsyncKeptLine(origin, context, library, options)
        transport = library.http.AsyncHTTPTransport(**lines.arguments_of(options, context, proxy, library.http))
        return AsyncHandedLine(transport, library.http, options)

    async def _send(self, hop: Hop) -> Response:
        """Send one HTTP request: the only place where it is done."""
        line = self._line(lines.origin_of(hop))
        began = time.monotonic()
        body = await self._opened(line, hop)
        try:
            response = lines.response_of(hop, body.given, proxied=line.proxied)
            self.tell(lines.log_answer(hop, response, time.monotonic() - began))
            if hop.streams and response.ok:
                return lines.with_body(response, stream=body)
            octets = await self._whole(hop, response, body)
        except BaseException:
            await asyncio.shield(body.close())
            raise
        await body.close()
        return lines.with_body(response, octets)

    async def _opened(self, line: AsyncLine, hop: Hop) -> AsyncBody:
        if not await line.enter(self._options.timeouts.pool):
            raise lines.no_connection_free(hop, self._options)
        try:
            return AsyncBody(await line.way.open(hop), line)
        except BaseException:
            line.leave()
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
