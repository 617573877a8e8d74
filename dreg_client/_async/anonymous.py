"""Authentication without a credential: answer the challenges of registries with anonymous tokens."""

from dataclasses import replace
from operator import attrgetter
from time import monotonic
from typing import TYPE_CHECKING, Final

from dreg_client import errors
from dreg_client._async._compat import wait_future
from dreg_client._async.sender import AsyncSender
from dreg_client._logging import log
from dreg_client.protocol.auth import (
    NO_CREDENTIAL_THERE,
    ChallengeKey,
    Hint,
    KnownChallenge,
    challenge_key,
    challenge_of,
)
from dreg_client.protocol.messages import Hop, Request, Response
from dreg_client.protocol.options import Options
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.protocol.retry import Attempts
from dreg_client.protocol.tokens import TokenCache, TokenRequest, parse_token, token_hop
from dreg_client.protocol.www_authenticate import is_foreign
from dreg_client.values.latest import Latest
from dreg_client.values.origin import Origin, Reach
from dreg_client.values.sizes import MEBIBYTE

if TYPE_CHECKING:
    from concurrent.futures import Future  # imports `logging`

MOST: Final = 1000
"""The maximum number of entries in each cache, such as that of challenges."""
_MOST_BYTES: Final = 8 * MEBIBYTE
"""The maximum size of all challenges."""
_MOST_SHOWN: Final = 200


class AsyncAnonymousAuthenticator:
    """The challenges and anonymous tokens of one client.

    Args:
        options: The options of the client.
        sender: The sender of token requests.

    Attributes:
        challenges: The challenges that were answered successfully.
    """

    def __init__(self, options: Options, sender: AsyncSender) -> None:
        self._options, self._sender = options, sender
        self._tokens = TokenCache(monotonic)
        self.challenges: Latest[ChallengeKey, KnownChallenge] = Latest(MOST, _MOST_BYTES, attrgetter("size"))
        self._warned: Latest[Origin, str] = Latest(MOST)

    async def known(
        self, registry: RegistryURL, request: Request, until: float, *, nearest: Reach = Reach.LOCAL
    ) -> str | None:
        """Return the `Authorization` for the known challenge to such a request, by `until`; None if there is none."""
        challenge = self.challenges.get(challenge_key(registry, request))
        if challenge is None:
            return None
        return await self._authorization(registry, request, challenge, until, nearest=nearest)

    async def answer(
        self,
        registry: RegistryURL,
        request: Request,
        response: Response,
        used: str | None,
        until: float,
        *,
        nearest: Reach = Reach.LOCAL,
    ) -> str | None:
        """Return the `Authorization` that answers the challenge in a 401.

        Args:
            registry: The registry.
            request: The request.
            response: The response to it.
            used: The `Authorization` that the request had.
            until: When the request must be complete.
            nearest: The most private network that the token server may be in.

        Returns:
            The `Authorization`; None if there is none, or only the one that was `used`.
        """
        challenge = challenge_of(request, response)
        if challenge is None:
            return None
        self._warn_of_foreign_scope(registry, request, challenge.challenge.scope)
        refused = used.partition(" ")[2] if used else ""
        authorization = await self._authorization(registry, request, challenge, until, refused=refused, nearest=nearest)
        if authorization is None or authorization == used:
            return None
        self.challenges.put(challenge_key(registry, request), challenge)
        return authorization

    def hint(self, registry: RegistryURL, request: Request, status: int, *, shown: bool) -> Hint:  # noqa: ARG002 (always the same)
        """Return what to do about a request that was denied with 401 or 403. `shown`: it had an `Authorization`."""
        return NO_CREDENTIAL_THERE

    async def _authorization(
        self,
        registry: RegistryURL,
        request: Request,
        known: KnownChallenge,
        until: float,
        *,
        refused: str = "",
        nearest: Reach,
    ) -> str | None:
        """Return the `Authorization` that answers a challenge, with a token other than `refused`."""
        if known.challenge.scheme == "basic":
            return None
        return "Bearer " + await self._token(TokenRequest(registry, known, None, nearest), request, until, refused)

    async def _token(self, wanted: TokenRequest, request: Request, until: float, refused: str) -> str:
        """Return a token from the cache, or request one. Concurrent callers share one request (AUT-14)."""
        key = wanted.key
        if cached := self._tokens.get(key, refused=refused):
            return cached
        from dreg_client.protocol.turns import Turn  # noqa: PLC0415 (imports concurrent.futures, and is rarely needed)

        with Turn((id(self), key)) as before:
            await wait_for_token(before, until, wanted.registry)
            if cached := self._tokens.get(key, refused=refused):
                return cached
            hop = replace(token_hop(wanted, self._sender.fixed, self._options), until=until)
            requested = monotonic()
            try:
                response = await self._token_response(hop, wanted.registry)
            except errors.TransportError as failure:
                failure.reason = f"the token server of {wanted.registry.authority}: {failure.reason}"
                raise
            except errors.ResponseTooLargeError as failure:
                raise errors.TokenTooLargeError(f"the token server {hop.where}", failure.size, failure.limit) from None
            token = parse_token(response, self.hint(wanted.registry, request, 401, shown=True))
            self._tokens.put(key, token.value, requested=requested, expires_in=token.expires_in)
            return token.value

    async def _token_response(self, hop: Hop, registry: RegistryURL) -> Response:
        """Send a request to a token server, with its own retries. Redirects are not followed: it may have a secret."""
        attempts = Attempts(self._options.retries + 1, monotonic, self._options.max_retry_after, hop.until)
        while True:
            try:
                response, _ = await self._sender.send(hop, registry.url)
            except errors.TransportError as failure:
                if isinstance(failure, errors.TransferTimeoutError):
                    # Other requests also wait for the token, so a server that does not respond is retried only once.
                    attempts.most = min(attempts.most, attempts.made + 2)
                delay = attempts.after_failure(failure)
                await self._sender.pause(hop.method, hop.where, attempts, failure.reason, delay)
                continue
            wait = attempts.after_response("POST", response)
            if wait is None:
                return response
            await self._sender.pause(hop.method, hop.where, attempts, f"status {response.status}", wait)

    def _warn_of_foreign_scope(self, registry: RegistryURL, request: Request, scope: str) -> None:
        """Warn once about a registry that asks for a scope that the request does not need (AUT-15)."""
        if request.scope and is_foreign(scope, request.scope) and self._warned.get(registry.origin) is None:
            self._warned.put(registry.origin, scope[:_MOST_SHOWN])
            log.warning(
                "%s: the challenge contains the scope %r; requesting only %r",
                registry.name,
                scope[:_MOST_SHOWN],
                request.scope,
            )


async def wait_for_token(before: "Future[None]", until: float, registry: RegistryURL) -> None:
    """Wait for the end of another request that may authenticate this one; raise TransferTimeoutError at `until`."""
    try:
        await wait_future(before, until - monotonic())
    except TimeoutError:
        reason = "another request for its token was not complete in time"
        raise errors.TransferTimeoutError(reason, registry.url) from None
