"""Send a client's request to a registry, and follow redirects (RFC 9110 15.4)."""

from dataclasses import replace

from dreg_client import errors
from dreg_client._async.anonymous import AsyncAnonymousAuthenticator
from dreg_client._async.sender import AsyncResponseAndBody, AsyncSender
from dreg_client.protocol.auth import is_for_loopback
from dreg_client.protocol.messages import Hop, Request, Response
from dreg_client.protocol.options import Options
from dreg_client.protocol.redact import redact_error
from dreg_client.protocol.redirects import MAX_REDIRECTS, next_hop, other_registry, redirect_target, with_token
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.protocol.tls_mismatch import check_tls_expected
from dreg_client.values.media_type import KNOWN


class AsyncRedirects:
    """Sends the requests of one client, and follows redirects.

    Args:
        options: The options of the client.
        sender: The sender of single HTTP requests.
    """

    def __init__(self, options: Options, sender: AsyncSender) -> None:
        self._options, self._sender = options, sender
        self._others = AsyncAnonymousAuthenticator(options, sender)  # for other registries that redirects lead to

    async def send(
        self, registry: RegistryURL, request: Request, authorization: str | None, until: float
    ) -> AsyncResponseAndBody:
        """Send a request, and follow redirects. `Authorization` is sent to the registry's own origin only."""
        hop = first = self._first_hop(registry, request, authorization, until)
        for _ in range(MAX_REDIRECTS + 1):
            response, body = await self._sender.send(hop, registry.url)
            is_elsewhere = response.status == 401 and hop is not first
            if is_elsewhere and (authorized := await self._authorized(registry, hop, response)) is not None:
                hop = authorized
                response, body = await self._sender.send(hop, registry.url)
            if response.status < 300:
                return (_with_secret(response, hop) if authorization or hop is not first else response), body
            target = redirect_target(registry, request, response)
            if target is None or request.content is not None:  # such a body can be sent only once
                check_tls_expected(response)
                return redact_error(response, hop, redirected=hop is not first or request.once), None
            hop = next_hop(registry, hop, response, target, first)
            if self._others.challenges:
                hop = await self._with_known_token(registry, hop)
        raise errors.TooManyRedirectsError(first.where, MAX_REDIRECTS)

    def _first_hop(self, registry: RegistryURL, request: Request, authorization: str | None, until: float) -> Hop:
        headers, only_loopback = (*self._sender.fixed, *request.headers), False
        if authorization:
            headers = (*headers, ("Authorization", authorization))
            only_loopback = is_for_loopback(registry.origin, authorization, self._options)
        return Hop(
            request.method,
            url_of(registry, request),
            headers,
            request.body,
            request.limit,
            request.streams,
            only_loopback=only_loopback,
            waits=request.waits,
            until=until,
            content=request.content,
        )

    async def _with_known_token(self, registry: RegistryURL, hop: Hop) -> Hop:
        """Return the request; with an anonymous token, if it goes to another registry that required one earlier."""
        other = other_registry(registry, hop)
        authorization = None if other is None else await self._others.known(*other, hop.until, nearest=hop.nearest)
        return with_token(hop, authorization) if authorization else hop

    async def _authorized(self, registry: RegistryURL, hop: Hop, challenged: Response) -> Hop | None:
        """Return the request to another registry, with an anonymous token that answers its challenge.

        Return None if the host is not a registry (a CDN, for example), or does not accept anonymous tokens.
        """
        other = other_registry(registry, hop)
        if other is None:
            return None
        used = next((value for name, value in hop.headers if name == "Authorization"), None)
        authorization = await self._others.answer(*other, challenged, used, hop.until, nearest=hop.nearest)
        return with_token(hop, authorization) if authorization else None


def _with_secret(response: Response, hop: Hop) -> Response:
    """Return a successful response; with its request, which has a secret, if a part of the response may be shown.

    That is a warning, or a body that is not a document.
    """
    may_be_shown = response.headers.get("content-type") not in KNOWN or response.headers.get("warning") is not None
    return replace(response, sent=hop) if may_be_shown else response


def url_of(registry: RegistryURL, request: Request) -> str:
    """Return the URL of a request to a registry."""
    return request.target if "://" in request.target else registry.url + request.target
