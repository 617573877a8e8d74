"""The client of one registry: retries, around authorization, around redirects, around one HTTP request.

`protocol` makes the decisions: whether to retry, where a redirect may lead, how to answer a challenge.
"""

from dataclasses import replace
from time import monotonic
from typing import Final, NoReturn, Self, Unpack

from dreg_client import errors
from dreg_client._async._compat import sleep
from dreg_client._async.adapter import new_transport
from dreg_client._async.authenticator import AsyncAuthenticator
from dreg_client._async.redirects import AsyncRedirects, url_of
from dreg_client._async.sender import AsyncAnswer, AsyncSender
from dreg_client._async.transport import AsyncTransport
from dreg_client._logging import log
from dreg_client.protocol.error_responses import check_wait
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

_DENIED: Final = frozenset({401, 403})
_WRITES: Final = frozenset({"PUT", "DELETE"})
_CONTENT: Final = frozenset({200, 206})
"""Statuses of a mirror's response that has content."""
_MOST_WARNINGS: Final = 1000


class AsyncClient:
    """The client of one registry, shared by its repositories and by any number of tasks.

    Args:
        registry: The registry.
        options: The options.
        transport: The transport for HTTP requests. None: the caller's transport in the options, else our own pool.

    Attributes:
        connections: The maximum number of connections to one host.
        upload_hosts: Other hosts to which the registry may have blobs uploaded.
        upload_limits: What the registry accepts of an upload.
        head_describes: Whether responses to HEAD describe manifests. Once they do not, HEAD is not sent again.

    Raises:
        InvalidReferenceError: A mirror is not a valid URL.
        ConfigError: The transport cannot be used.
    """

    def __init__(self, registry: RegistryURL, options: Options, transport: AsyncTransport | None = None) -> None:
        self.registry: RegistryURL = registry
        self.connections: int = options.connections
        self.head_describes: bool = True
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
        self._not_before: dict[Origin, float] = {}
        self._warned: set[str] = set()

    @classmethod
    def open(cls, registry: str, **options: Unpack[RegistryOptions]) -> Self:
        """Return a client for the registry at a URL or host.

        Raises:
            InvalidReferenceError: The text is neither a URL nor a host.
            ConfigError: An option has a value that cannot be used, such as an unreadable file.
        """
        chosen = options_of(options)
        return cls(RegistryURL.parse(registry, plain_http=chosen.plain_http, tls=chosen.requires_tls), chosen)

    async def send(self, request: Request) -> Response:
        """Send a request to one of the registry's mirrors or to the registry itself, and read the whole response.

        Raises:
            TransportError: There was no response, even after all retries.
            RateLimitedError: The registry requests a delay of more than `max_retry_after`.
            ResponseTooLargeError: The response is longer than `request.limit`.
            UnsafeURLError: A redirect or a challenge leads to an unsafe URL.
            AuthError: The challenge of the registry cannot be answered.
            ClosedError: The client is closed.
        """
        mirrored = await self._from_mirrors(request, streams=False) if self._mirrors and request.mirrored else None
        if request.once:
            return await self._once(request)
        response, _ = mirrored or await self._with_retries(self.registry, request, streams=False)
        return response

    async def stream(self, request: Request) -> AsyncAnswer:
        """Send a request (see `send`), without reading the body of a successful response.

        Returns:
            The response and its body, which must be closed. If the response is not successful, the body is None, and
            the response contains its beginning.
        """
        mirrored = await self._from_mirrors(request, streams=True) if self._mirrors and request.mirrored else None
        return mirrored or await self._with_retries(self.registry, request, streams=True)

    def new_attempts(self) -> Attempts:
        """Return a count of attempts, as the options limit them, for a request that has `once`."""
        return self._attempts(monotonic())

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

    async def _from_mirrors(self, request: Request, *, streams: bool) -> AsyncAnswer | None:
        """Return the first successful response of a mirror; None if there is none."""
        for mirror in self._mirrors:
            try:
                response, body = await self._with_retries(mirror, request, streams=streams)
            except errors.DregError as failure:
                log.warning("mirror %s: %s; trying the next one", mirror.url, failure)
            else:
                if response.status in _CONTENT:
                    return response, body
                log.debug("mirror %s: status %s; trying the next one", mirror.url, response.status)
        return None

    # --- retries

    async def _with_retries(self, registry: RegistryURL, request: Request, *, streams: bool) -> AsyncAnswer:
        """Send a request, and retry it as long as a retry may help."""
        attempts: Attempts | None = None  # created after the first failure, because most requests do not fail
        began, lost = monotonic(), False
        while True:
            if self._not_before and (left := self._not_before.get(registry.origin, 0.0) - monotonic()) > 0:
                await sleep(left)  # the registry requested this delay in response to another request
            try:
                response, body = await self._authorized(registry, request, streams=streams)
            except errors.TransportError as error:
                failure = with_advice(error, registry, self._options)
                attempts = attempts or self._attempts(began)
                url, delay = url_of(registry, request).partition("?")[0], attempts.after_failure(failure)
                await self._sender.pause(request.method, url, attempts, failure.reason, delay)
                lost = True
                continue
            if 200 <= response.status < 300:
                if (
                    request.method in _WRITES
                    or response.headers.get("warning")
                    or response.headers.get("ratelimit-limit")
                ):
                    self._note(registry, request, response)
                return response, body
            attempts = attempts or self._attempts(began)
            wait = attempts.after_answer(request.method, response, is_written=self._writes.are_read_by(request))
            if wait is None:
                return self._final(registry, request, response, lost=lost), None
            if retry_after(response) is not None:
                self._not_before[registry.origin] = monotonic() + wait
            await self._sender.pause(request.method, response.where, attempts, f"status {response.status}", wait)

    async def _once(self, request: Request) -> Response:
        """Send a request to the registry itself, without retries."""
        if self._not_before and (left := self._not_before.get(self.registry.origin, 0.0) - monotonic()) > 0:
            await sleep(left)
        try:
            response, _ = await self._authorized(self.registry, request, streams=False)
        except errors.TransportError as error:
            raise with_advice(error, self.registry, self._options) from None
        return self._final(self.registry, request, response, lost=False)

    def _attempts(self, began: float) -> Attempts:
        return Attempts(self._options.retries + 1, monotonic, self._options.max_retry_after, began)

    def _final(self, registry: RegistryURL, request: Request, response: Response, *, lost: bool) -> Response:
        """Return a response for which there is no further attempt."""
        self._note(registry, request, response)
        check_wait(response, self._options.max_retry_after)
        if lost and request.absent_is_done and response.status == 404:
            # The response to an earlier attempt was lost, but that attempt succeeded.
            return replace(response, status=202)
        return response

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

    async def _authorized(self, registry: RegistryURL, request: Request, *, streams: bool) -> AsyncAnswer:
        """Send a request with the known `Authorization`; if that is not enough, answer the challenge and resend it."""
        if request.is_elsewhere:
            return await self._redirects.send(registry, request, None, streams=streams)
        known = self._authenticator.challenges
        authorization = await self._authenticator.known(registry, request) if known else None
        response, body = await self._redirects.send(registry, request, authorization, streams=streams)
        if response.status >= 400 or request.is_list:
            fresh = await self._authenticator.authorization_for(registry, request, response, authorization)
            if fresh is not None and request.content is None:
                authorization = fresh
                response, body = await self._redirects.send(registry, request, fresh, streams=streams)
            if response.status in _DENIED:
                response = self._with_hint(registry, request, response, shown=authorization is not None)
        return response, body

    def _with_hint(self, registry: RegistryURL, request: Request, response: Response, *, shown: bool) -> Response:
        if Origin.of(response.url) != registry.origin:
            advice = f"the registry redirected to {response.where}; credentials are not sent there"
            return replace(response, advice=advice)
        hint = self._authenticator.hint(registry, request, response.status, shown=shown)
        return replace(response, advice=hint.text, anonymous=hint.anonymous)
