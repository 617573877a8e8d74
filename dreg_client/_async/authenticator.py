"""Authentication: answers the challenges of one registry and its mirrors, with passwords or tokens."""

from collections.abc import Hashable
from time import monotonic
from typing import Final

from dreg_client import errors
from dreg_client._async._compat import Lock, maybe_await, new_lock, run_cancellable
from dreg_client._async.sender import AsyncSender
from dreg_client._logging import log
from dreg_client.protocol.auth import (
    ELSEWHERE,
    NOT_ASKED,
    ChallengeKey,
    Hint,
    KnownChallenge,
    basic_authorization,
    challenge_key,
    challenge_of,
    check_plain_http,
    given_credential,
    hint_for,
    repository_of,
    service_authorization,
)
from dreg_client.protocol.messages import Hop, Request, Response
from dreg_client.protocol.options import FoundCredential, Options
from dreg_client.protocol.registry_url import PING, RegistryURL
from dreg_client.protocol.retry import Attempts
from dreg_client.protocol.tokens import TokenCache, TokenRequest, parse_token, token_hop
from dreg_client.protocol.www_authenticate import is_foreign
from dreg_client.values.credential import Credential
from dreg_client.values.origin import Origin, Reach

_MOST: Final = 1000
"""The most challenges that are kept."""


class AsyncAuthenticator:
    """The challenges, credentials and tokens of one client.

    Args:
        options: The options of the client.
        own: The registry that credentials were given for: its mirrors never get them. None for the registries that
            redirects lead to: requests to them are anonymous.
        sender: Sends the requests for tokens.
    """

    def __init__(self, options: Options, own: RegistryURL | None, sender: AsyncSender) -> None:
        self._options, self._own, self._sender = options, own, sender
        self._tokens = TokenCache(monotonic)
        self.challenges: dict[ChallengeKey, KnownChallenge] = {}
        self._credentials: dict[tuple[str, str], FoundCredential] = {}
        self._locks: dict[Hashable, Lock] = {}
        self._warned: set[Origin] = set()

    async def known(self, registry: RegistryURL, request: Request, *, nearest: Reach = Reach.LOCAL) -> str | None:
        """Return the `Authorization` that answers an earlier challenge of such a request; None if there was none."""
        challenge = self.challenges.get(challenge_key(registry, request))
        return None if challenge is None else await self._authorization(registry, request, challenge, nearest=nearest)

    async def answer(
        self,
        registry: RegistryURL,
        request: Request,
        response: Response,
        used: str | None = None,
        *,
        nearest: Reach = Reach.LOCAL,
    ) -> str | None:
        """Return the `Authorization` that answers the challenge of a 401.

        Args:
            registry: The registry.
            request: The request that needs it.
            response: The response with the challenge: to this request, or to `/v2/`.
            used: The `Authorization` that the request had.
            nearest: The nearest network that the token server may be in.

        Returns:
            The `Authorization`; None if there is none, or none but what was `used`.
        """
        challenge = challenge_of(request, response)
        if challenge is None:
            return None
        if not response.where.endswith(PING):  # whose scope is only an example
            self._warn_of_foreign_scope(registry, request, challenge.challenge.scope)
        refused = used.partition(" ")[2] if used else ""
        authorization = await self._authorization(registry, request, challenge, refused=refused, nearest=nearest)
        if authorization is None or authorization == used:
            return None
        if len(self.challenges) >= _MOST:
            self.challenges.clear()
        self.challenges[challenge_key(registry, request)] = challenge
        return authorization

    def hint(self, registry: RegistryURL, request: Request, status: int, *, shown: bool) -> Hint:
        """Return what to do about a request that was denied with 401 or 403; `shown`: it had an `Authorization`."""
        if self._own is None:
            return ELSEWHERE
        if registry != self._own:
            return Hint()
        key = registry.authority, repository_of(request)
        found = given_credential(self._options) or self._credentials.get(key)
        return hint_for(self._options, registry, request, found, shown=shown, status=status) if found else NOT_ASKED

    async def has_user(self, registry: RegistryURL, request: Request) -> bool:
        """Return whether there is a credential, or a service for tokens, for a request."""
        if self._options.auth_service is not None and registry == self._own:
            return True
        return await self._credential(registry, request) is not None

    async def _authorization(
        self, registry: RegistryURL, request: Request, known: KnownChallenge, *, refused: str = "", nearest: Reach
    ) -> str | None:
        """Return the `Authorization` that answers a challenge; the token in it is another one than `refused`."""
        service = self._options.auth_service
        if service is not None and registry == self._own:
            check_plain_http(registry, known.response.where, self._options)
            return service_authorization(await maybe_await(service.request_token(known.scope)))
        credential = await self._credential(registry, request)
        if credential is not None:
            check_plain_http(registry, known.response.where, self._options)
        if known.challenge.scheme == "basic":
            return basic_authorization(credential)
        if credential is not None and credential.registry_token is not None:
            return f"Bearer {credential.registry_token}"
        return "Bearer " + await self._token(TokenRequest(registry, known, credential, nearest), request, refused)

    async def _credential(self, registry: RegistryURL, request: Request) -> Credential | None:
        if self._own is None:
            return None
        if isinstance(self._options.credentials, Credential):
            return self._options.credentials if registry == self._own else None
        key = registry.authority, repository_of(request)
        if key not in self._credentials:
            # In a thread, because a credential helper is a program that may take long. Cancellation ends it.
            self._credentials[key] = await run_cancellable(self._options.find, *key)
        return self._credentials[key].credential

    async def _token(self, wanted: TokenRequest, request: Request, refused: str) -> str:
        """Return a token from the cache, or request one. Of many callers at a time, one requests it (AUT-14)."""
        key = wanted.key
        if token := self._tokens.get(key, refused=refused):
            return token
        async with self._locks.setdefault(key, new_lock()):
            if token := self._tokens.get(key, refused=refused):
                return token
            hop = token_hop(wanted, self._sender.fixed, self._options.trusted_token_hosts)
            requested = monotonic()
            try:
                response = await self._token_response(hop, wanted.registry)
            except errors.TransportError as failure:
                failure.reason = f"the token server of {wanted.registry.authority}: {failure.reason}"
                raise
            except errors.ResponseTooLargeError as failure:
                raise errors.TokenTooLargeError(f"the token server {hop.where}", failure.size, failure.limit) from None
            answer = parse_token(response, wanted, self.hint(wanted.registry, request, 401, shown=True))
            self._tokens.put(key, answer.value, requested=requested, expires_in=answer.expires_in)
            return answer.value

    async def _token_response(self, hop: Hop, registry: RegistryURL) -> Response:
        """Send a request to a token server, with attempts of its own; redirects are not followed with a secret."""
        attempts = Attempts(self._options.retries + 1, monotonic, self._options.max_retry_after)
        while True:
            try:
                response, _ = await self._sender.send(hop, registry.url)
            except errors.TransportError as failure:
                if isinstance(failure, errors.TransferTimeoutError):
                    # Other requests wait for the token too, so a server that does not respond is tried once more only.
                    attempts.most = min(attempts.most, attempts.made + 2)
                delay = attempts.after_failure(failure)
                await self._sender.pause(hop.method, hop.where, attempts, failure.reason, delay)
                continue
            wait = attempts.after_answer("POST", response)
            if wait is None:
                return response
            await self._sender.pause(hop.method, hop.where, attempts, f"status {response.status}", wait)

    def _warn_of_foreign_scope(self, registry: RegistryURL, request: Request, scope: str) -> None:
        """Warn once of a registry that asks for access that the request does not need (AUT-15)."""
        if request.scope and is_foreign(scope, request.scope) and registry.origin not in self._warned:
            self._warned.add(registry.origin)
            log.warning("%s asks for the scope %r; dreg requests only %r", registry.name, scope[:200], request.scope)
