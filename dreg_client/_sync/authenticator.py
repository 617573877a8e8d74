# Generated from dreg_client/_async/authenticator.py by tools/generate_sync.py. Do not edit.
"""Authentication: answer the challenges of one registry and its mirrors, with passwords or tokens."""

from collections.abc import Callable
from dataclasses import replace
from time import monotonic

from dreg_client import errors
from dreg_client._sync._compat import Arguments, T, maybe_await, run_cancellable, run_until, wait_future
from dreg_client._sync.anonymous import MOST, AnonymousAuthenticator
from dreg_client._sync.redirects import Redirects
from dreg_client._sync.sender import Sender
from dreg_client.protocol.auth import (
    NO_CHALLENGE,
    Hint,
    KnownChallenge,
    UserAuthorization,
    basic_authorization,
    challenge_key,
    challenge_of,
    check_plain_http,
    found_credential,
    given_credential,
    hint_for,
    is_conclusive,
    may_hide,
    repository_of,
    service_authorization,
)
from dreg_client.protocol.deadlines import request_end
from dreg_client.protocol.error_responses import check_wait, raise_for_status
from dreg_client.protocol.messages import Request, Response
from dreg_client.protocol.options import FoundCredential, Options
from dreg_client.protocol.registry_url import PING, RegistryURL, ping_request
from dreg_client.protocol.retry import Attempts
from dreg_client.protocol.tokens import TokenRequest
from dreg_client.values.credential import Credential
from dreg_client.values.latest import Latest
from dreg_client.values.origin import Origin, Reach


class Authenticator(AnonymousAuthenticator):
    """The challenges, credentials and tokens of one client.

    Args:
        options: The options of the client.
        own: The registry that the credentials are for. Its mirrors never get them.
        sender: The sender of token requests.
        redirects: The sender of requests to `/v2/`.
    """

    def __init__(self, options: Options, own: RegistryURL, sender: Sender, redirects: Redirects) -> None:
        super().__init__(options, sender)
        self._own, self._redirects = own, redirects
        self._credentials: Latest[tuple[str, str], FoundCredential] = Latest(MOST)
        self._pings: dict[Origin, Response] = {}  # of the registry and its mirrors

    def authorization_for(
        self, registry: RegistryURL, request: Request, response: Response, used: str | None
    ) -> str | None:
        """Return the `Authorization` with which to resend a request; None if its response is final.

        It answers the challenge of the response. If there is none, but there is a credential, and the registry may have
        hidden something from the anonymous request, it answers the challenge of `/v2/`.

        Args:
            registry: The registry.
            request: The request.
            response: The response to it.
            used: The `Authorization` that the request had.

        Raises:
            ServerError: `/v2/` fails, so it is unknown whether there is a challenge.
            RateLimitedError: `/v2/` is rate-limited.
        """
        if response.status == 401 and Origin.of(response.url) == registry.origin:
            fresh = self.answer(registry, request, response, used)
            if fresh is not None:
                return fresh
        if used is not None or request.target == PING or not may_hide(registry, request, response):
            return None
        return self._answer_to_ping(registry, request) if self._has_user(registry, request) else None

    def hint(self, registry: RegistryURL, request: Request, status: int, *, shown: bool) -> Hint:
        """Return what to do about a request that was denied with 401 or 403. `shown`: it had an `Authorization`."""
        if registry != self._own:
            return Hint()
        key = registry.authority, repository_of(request)
        found = given_credential(self._options) or self._credentials.get(key)
        return hint_for(self._options, registry, request, found, shown=shown, status=status) if found else NO_CHALLENGE

    def _answer_to_ping(self, registry: RegistryURL, request: Request) -> str | None:
        """Return the `Authorization` that answers the challenge of `/v2/`, for the scope of the request."""
        ping = self._pinged(registry)
        challenge = challenge_of(request, ping) if ping.status == 401 else None
        if challenge is None:
            return None
        authorization = self._authorization(registry, request, challenge, nearest=Reach.LOCAL)
        if authorization is not None:
            self.challenges.put(challenge_key(registry, request), challenge)
        return authorization

    def _pinged(self, registry: RegistryURL) -> Response:
        """Return the response to an anonymous request to `/v2/`. It is cached once it is conclusive."""
        from dreg_client.protocol.turns import Turn  # noqa: PLC0415 (imports concurrent.futures, and is rarely needed)

        with Turn((id(self), registry.origin)) as before:
            wait_future(before)
            ping = self._pings.get(registry.origin)
            if ping is None:
                ping = self._pings[registry.origin] = self._conclusive_ping(registry)
        return ping

    def _conclusive_ping(self, registry: RegistryURL) -> Response:
        request = replace(ping_request(), stays=True)
        attempts = Attempts(self._options.retries + 1, monotonic, self._options.max_retry_after, request_end.get())
        while True:
            ping, _ = self._redirects.send(registry, request, None)
            if is_conclusive(ping):
                return ping
            wait = attempts.after_answer(request.method, ping)
            if wait is None:
                check_wait(ping, self._options.max_retry_after, attempts.left)
                return raise_for_status(ping, request)
            self._sender.pause(request.method, ping.where, attempts, f"status {ping.status}", wait)

    def _authorization(
        self, registry: RegistryURL, request: Request, known: KnownChallenge, *, refused: str = "", nearest: Reach
    ) -> str | None:
        service = self._options.auth_service
        if service is not None and registry == self._own:
            check_plain_http(registry.origin, known.response.where, self._options)
            token = self._in_time(registry, maybe_await, service.request_token(known.scope))
            return service_authorization(token)
        credential = self._credential(registry, request)
        if credential is None:
            return super()._authorization(registry, request, known, refused=refused, nearest=nearest)
        check_plain_http(registry.origin, known.response.where, self._options)
        if known.challenge.scheme == "basic":
            return basic_authorization(credential)
        if credential.registry_token is not None:
            return UserAuthorization(f"Bearer {credential.registry_token}")
        token = self._token(TokenRequest(registry, known, credential, nearest), request, refused)
        return UserAuthorization(f"Bearer {token}")

    def _has_user(self, registry: RegistryURL, request: Request) -> bool:
        """Return whether there is a credential or a token service for a request."""
        if self._options.auth_service is not None and registry == self._own:
            return True
        return self._options.credentials is not None and self._credential(registry, request) is not None

    def _credential(self, registry: RegistryURL, request: Request) -> Credential | None:
        if isinstance(self._options.credentials, Credential):
            return self._options.credentials if registry == self._own else None
        key = registry.authority, repository_of(request)
        found = self._credentials.get(key)
        if found is None:
            # In a thread, because credential helpers are programs that may be slow. Cancellation kills them.
            found = found_credential(self._in_time(registry, run_cancellable, self._options.find, *key))
            self._credentials.put(key, found)
        return found.credential

    def _in_time(self, registry: RegistryURL, function: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
        """Call a function of the caller, or a credential helper, within the time for the request."""
        try:
            return run_until(request_end.get(), function, *arguments)
        except TimeoutError:
            raise errors.TransferTimeoutError("no credential was found in time", registry.url) from None
