"""The client of one registry: retries, around authorization, around redirects, around one HTTP request.

`protocol` makes the decisions: whether to retry, where a redirect may lead, how to answer a challenge.
"""

from dataclasses import replace
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn, Self, Unpack

from dreg_client import errors
from dreg_client._async._compat import Lock, new_lock, sleep, wait_future
from dreg_client._async.adapter import new_transport
from dreg_client._async.authenticator import AsyncAuthenticator
from dreg_client._async.redirects import AsyncRedirects, url_of
from dreg_client._async.sender import AsyncResponseAndBody, AsyncSender
from dreg_client._async.transport import AsyncRequestBody, AsyncTransport
from dreg_client._logging import log
from dreg_client.protocol.deadlines import CallDeadline, current_call
from dreg_client.protocol.error_responses import check_wait, raise_for_status, with_attempts
from dreg_client.protocol.events import Counted, Event, Warned
from dreg_client.protocol.messages import Request, Response
from dreg_client.protocol.option_types import Mirror
from dreg_client.protocol.options import Options, RegistryOptions, options_of
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.protocol.retry import Attempts, RecentWrites, retry_after
from dreg_client.protocol.tls_mismatch import with_advice
from dreg_client.protocol.upload_limits import UploadLimits
from dreg_client.protocol.warning_header import quota_of, warnings_of
from dreg_client.values.origin import Origin

if TYPE_CHECKING:
    from concurrent.futures import Future  # imports `logging`

_DENIED: Final = frozenset({401, 403})
_WRITES: Final = frozenset({"PUT", "DELETE"})
_CONTENT: Final = frozenset({200, 206})
"""Statuses of a mirror's response that has content."""
_SHARE_OF_A_MIRROR: Final = 0.5
"""The part of the time that is left for a request which a mirror may use. The rest is for the next one."""
_MOST_WARNINGS: Final = 1000


class _Delay(NamedTuple):
    """A delay that a registry requested."""

    end: float
    response: Response


class AsyncClient:
    """The client of one registry, shared by its repositories and by any number of tasks.

    Args:
        registry: The registry.
        options: The options.
        transport: The transport for HTTP requests. None: the caller's transport in the options, else our own pool.

    Attributes:
        connections: The maximum number of connections to one host.
        budget: The time for one request, with all its attempts, in seconds.
        deadline_seconds: The time limit of each call; None if there is none.
        upload_hosts: Other hosts to which the registry may have blobs uploaded.
        upload_limits: What the registry accepts of an upload.
        head_describes: Whether responses to HEAD describe manifests. Once they do not, HEAD is not sent again.
        head_answers: Whether the registry itself, not a mirror, has described a manifest in a response to HEAD.
        head_lock: Held while a request finds this out, so that concurrent ones do not.

    Raises:
        InvalidReferenceError: A mirror is not a valid URL.
        ConfigError: The transport cannot be used.
    """

    def __init__(self, registry: RegistryURL, options: Options, transport: AsyncTransport | None = None) -> None:
        self.registry: RegistryURL = registry
        self.budget: float = options.budget
        self.connections: int = options.connections
        self.deadline_seconds: float | None = options.deadline
        self.head_describes: bool = True
        self.head_answers: bool = False
        self.head_lock: Lock = new_lock()
        self.upload_hosts: tuple[str, ...] = options.upload_hosts
        self.upload_limits: UploadLimits = UploadLimits(registry.origin)
        self._options = options
        mirrors = [Mirror.of(given) for given in options.mirrors]
        self._mirrors = tuple([RegistryURL.parse(mirror.url, tls=mirror.requires_tls) for mirror in mirrors])
        named = {url.origin: mirror for url, mirror in zip(self._mirrors, mirrors, strict=True)}
        self._transport = transport or new_transport(options, {**named, registry.origin: options})
        self._sender = AsyncSender(options, self._transport)
        self._redirects = AsyncRedirects(options, self._sender)
        self._authenticator = AsyncAuthenticator(options, registry, self._sender, self._redirects)
        self._writes = RecentWrites(monotonic)
        self._delays: dict[Origin, _Delay] = {}
        self._warned: set[str] = set()
        if (call := current_call.get()) is not None:
            call.allow(self.budget)

    @classmethod
    def open(cls, registry: str, **options: Unpack[RegistryOptions]) -> Self:
        """Return a client for the registry at a URL or host.

        Raises:
            InvalidReferenceError: The text is neither a URL nor a host.
            ConfigError: An option has a value that cannot be used, such as an unreadable file.
        """
        chosen = options_of(options)
        return cls(RegistryURL.parse(registry, plain_http=chosen.plain_http, tls=chosen.requires_tls), chosen)

    def deadline(self) -> CallDeadline | None:
        """Return the limit of the current call; outside of any call, a new one; None if there is no limit."""
        known = current_call.get()
        return CallDeadline(self.deadline_seconds) if known is None and self.deadline_seconds is not None else known

    async def wait_for_turn(self, before: "Future[None]", reason: str, where: str) -> None:
        """Wait until the turn before this one has ended (see `protocol.turns`).

        Raises:
            DeadlineError: That takes longer than the call may take.
        """
        call = self.deadline()
        try:
            await wait_future(before, inf if call is None else call.until(monotonic()) - monotonic())
        except TimeoutError:
            failure = errors.TransferTimeoutError(reason, where)
            if call is not None:
                call.check(failure)
            raise failure from None

    async def send(self, request: Request, call: CallDeadline | None = None, within: float = inf) -> Response:
        """Send a request to one of the registry's mirrors or to the registry itself, and read the whole response.

        Args:
            request: The request.
            call: The limit of the call (see `deadline`), if it sends several requests.
            within: The seconds in which the response must arrive, with all retries, if less than usual.

        Raises:
            TransportError: There was no response in time, even after all retries.
            RateLimitedError: The registry requests a delay of more than `max_retry_after`, or than the time that is
                left for the request.
            ResponseTooLargeError: The response is longer than `request.limit`.
            UnsafeURLError: A redirect or a challenge leads to an unsafe URL.
            AuthError: The challenge of the registry cannot be answered.
            ClosedError: The client is closed.
        """
        if request.once:
            return await self._send_once(request, call, within)
        end = monotonic() + min(self.budget, within)
        if self._mirrors and request.mirrored:
            response, _ = await self._from_any(request, call, end)
        else:
            response, _ = await self._within_limits(self.registry, request, call, end)
        return response

    async def stream(
        self, request: Request, call: CallDeadline | None = None, within: float = inf
    ) -> AsyncResponseAndBody:
        """Send a request (see `send`), without reading the body of a successful response.

        Args:
            request: The request.
            call: The limit of the call (see `deadline`), if it sends several requests.
            within: The seconds in which the response must arrive, with all retries, if less than usual.

        Returns:
            The response and its body, which must be closed. If the response is not successful, the body is None, and
            the response contains its beginning.
        """
        request = request if request.streams else replace(request, streams=True)
        end = monotonic() + min(self.budget, within)
        if self._mirrors and request.mirrored:
            return await self._from_any(request, call, end)
        return await self._within_limits(self.registry, request, call, end)

    def new_attempts(self) -> Attempts:
        """Return a count of attempts, as the options limit them, for a request that has `once`."""
        return self._attempts(inf)

    def emit(self, event: Event) -> None:
        """Pass an event to `on_event`."""
        self._sender.emit(event)

    def __reduce__(self) -> NoReturn:
        """Reject pickling and `copy.deepcopy` of clients, registries, repositories and images: they contain passwords.

        Raises:
            TypeError: Always.
        """
        raise TypeError("connections and credentials of a registry cannot be pickled or copied; create a new Registry")

    async def aclose(self) -> None:
        """Close all connections. Later requests fail."""
        await self._transport.aclose()

    async def _from_any(self, request: Request, call: CallDeadline | None, end: float) -> AsyncResponseAndBody:
        """Return the first successful response of a mirror; if there is none, the response of the registry itself."""
        call = call or self.deadline()
        for mirror in self._mirrors:
            try:
                response, body = await self._within_limits(mirror, request, call, end, _SHARE_OF_A_MIRROR)
            except (errors.ClosedError, errors.DeadlineError):
                raise
            except errors.DregError as failure:
                log.warning("mirror %s: %s; trying the next one", mirror.url, failure)
                continue
            if response.status in _CONTENT:
                return response, body
            if body is not None:
                await body.aclose()
            log.debug("mirror %s: status %s; trying the next one", mirror.url, response.status)
        return await self._within_limits(self.registry, request, call, end)

    async def _send_once(self, request: Request, call: CallDeadline | None, within: float) -> Response:
        """Send a request to the registry itself, without retries."""
        budget, call = max(self.budget, (request.waits or 0.0) + 30.0), call or self.deadline()
        if call is not None:
            call.allow(budget)
        began = monotonic()
        end = began + min(budget, within)
        if request.content is None:
            response, _ = await self._within_limits(self.registry, request, call, end)
        else:  # its pace reports to the call how it goes
            end = end if call is None else min(end, call.until(began))
            response, _ = await self._once(self.registry, request, end)
        return response

    # --- limits of time

    async def _within_limits(
        self, registry: RegistryURL, request: Request, call: CallDeadline | None, end: float, share: float = 1.0
    ) -> AsyncResponseAndBody:
        """Send a request, with retries, until `end`, or until that of the call; in a `share` of the time until then."""
        began = monotonic()
        call = call or self.deadline()
        if call is not None:
            end = min(end, call.until(began))
        if share != 1.0:
            end = began + (end - began) * share
        if call is None:
            return await self._attempted(registry, request, end)
        return await self._within_call(registry, request, call, began, end)

    async def _within_call(
        self, registry: RegistryURL, request: Request, call: CallDeadline, began: float, end: float
    ) -> AsyncResponseAndBody:
        """Send a request, with retries, and report to the call how it went."""
        if end <= began:  # nothing is sent whose response could not be awaited
            call.check(errors.TransferTimeoutError("no time is left", url_of(registry, request).partition("?")[0]))
        try:
            response, body = await self._attempted(registry, request, end)
        except errors.DregError as failure:
            call.failed(began)
            if isinstance(failure, errors.TransportError):
                call.check(failure)
            raise
        if not response.ok:
            call.failed(began)
        elif body is None:
            call.succeeded()
        return response, body

    async def _attempted(self, registry: RegistryURL, request: Request, end: float) -> AsyncResponseAndBody:
        return await (self._once if request.once else self._with_retries)(registry, request, end)

    # --- retries

    async def _with_retries(self, registry: RegistryURL, request: Request, end: float) -> AsyncResponseAndBody:
        """Send a request, and retry it as long as a retry may help, and as long as there is time."""
        attempts: Attempts | None = None  # created after the first failure, because most requests do not fail
        lost = False
        while True:
            if self._delays:
                await self._wait_for_delay(registry, request, end)
            try:
                response, body = await self._authorized(registry, request, end)
            except errors.TransportError as error:
                failure = with_advice(error, registry, self._options)
                attempts = attempts or self._attempts(end)
                url, delay = url_of(registry, request).partition("?")[0], attempts.after_failure(failure)
                await self._sender.pause(request.method, url, attempts, failure.reason, delay)
                lost = lost or not isinstance(failure, errors.ConnectError)  # without a connection, nothing was sent
                continue
            if 200 <= response.status < 300:
                if (
                    request.method in _WRITES
                    or response.headers.get("warning")
                    or response.headers.get("ratelimit-limit")
                ):
                    self._note(registry, request, response)
                return response, body
            attempts = attempts or self._attempts(end)
            wait = attempts.after_response(request.method, response, is_written=self._writes.are_read_by(request))
            if wait is None:
                return self._final(registry, request, response, attempts, lost=lost), None
            if retry_after(response) is not None:
                self._remember_delay(registry, _Delay(monotonic() + wait, response))
            await self._sender.pause(request.method, response.where, attempts, f"status {response.status}", wait)

    async def _once(self, registry: RegistryURL, request: Request, end: float) -> AsyncResponseAndBody:
        """Send a request without retries."""
        if self._delays:
            await self._wait_for_delay(registry, request, end)
        try:
            response, _ = await self._authorized(registry, request, end)
        except errors.TransportError as error:
            raise with_advice(error, registry, self._options) from None
        return self._final(registry, request, response, self._attempts(end), lost=False), None

    def _attempts(self, end: float) -> Attempts:
        return Attempts(self._options.retries + 1, monotonic, self._options.max_retry_after, end)

    def _remember_delay(self, registry: RegistryURL, delay: _Delay) -> None:
        known = self._delays.get(registry.origin)
        if known is None or known.end < delay.end:  # the response to another request does not shorten it
            self._delays[registry.origin] = delay

    async def _wait_for_delay(self, registry: RegistryURL, request: Request, end: float) -> None:
        """Wait as long as the registry requested in response to this request or another one."""
        while (delay := self._delays.get(registry.origin)) is not None:
            seconds = delay.end - monotonic()
            if seconds <= 0:
                self._delays.pop(registry.origin, None)
                return
            if delay.end >= end:
                check_wait(delay.response, self._options.max_retry_after, end - monotonic())
                raise_for_status(delay.response, request)
            await sleep(seconds)

    def _final(
        self, registry: RegistryURL, request: Request, response: Response, attempts: Attempts, *, lost: bool
    ) -> Response:
        """Return a response for which there is no further attempt."""
        self._note(registry, request, response)
        check_wait(response, self._options.max_retry_after, attempts.left)
        if lost and request.absent_is_done and response.status == 404:
            # The response to an earlier attempt was lost, but that attempt succeeded.
            return replace(response, status=202)
        return with_attempts(response, attempts.made)

    def _note(self, registry: RegistryURL, request: Request, response: Response) -> None:
        """Remember what was written, and report the quota and the warnings of a response."""
        self._writes.note(request, response)
        if quota := quota_of(response):
            log.info("%s: %d of %d pulls are left", registry.name, quota[1], quota[0])
            self.emit(Counted(registry.name, *quota))
        for text in warnings_of(response):
            if text not in self._warned and len(self._warned) < _MOST_WARNINGS:
                self._warned.add(text)
                log.warning("%s warns: %s", registry.name, text)
                self.emit(Warned(registry.name, text))

    # --- authorization

    async def _authorized(self, registry: RegistryURL, request: Request, end: float) -> AsyncResponseAndBody:
        """Send a request with the known `Authorization`; if that is not enough, answer the challenge and resend it."""
        if request.is_elsewhere:
            return await self._redirects.send(registry, request, None, end)
        known = self._authenticator.challenges
        authorization = await self._authenticator.known(registry, request, end) if known else None
        response, body = await self._redirects.send(registry, request, authorization, end)
        if isinstance(request.content, AsyncRequestBody):  # which may have taken longer
            end = request.content.pace.response_end()
        if response.status >= 400 or request.is_list:
            fresh = await self._authenticator.authorization_for(registry, request, response, authorization, end)
            if fresh is not None and request.content is None:
                authorization = fresh
                response, body = await self._redirects.send(registry, request, fresh, end)
            if response.status in _DENIED:
                response = self._with_hint(registry, request, response, shown=authorization is not None)
        return response, body

    def _with_hint(self, registry: RegistryURL, request: Request, response: Response, *, shown: bool) -> Response:
        if Origin.of(response.url) != registry.origin:
            advice = f"the registry redirected to {response.where}; credentials are not sent there"
            return replace(response, advice=advice)
        hint = self._authenticator.hint(registry, request, response.status, shown=shown)
        return replace(response, advice=hint.text, anonymous=hint.anonymous)
