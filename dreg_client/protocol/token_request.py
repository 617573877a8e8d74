"""The request for a token, and its response (distribution "Token Authentication")."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

from dreg_client import errors
from dreg_client.protocol.auth import KnownChallenge
from dreg_client.protocol.error_responses import accept
from dreg_client.protocol.hints import Hint
from dreg_client.protocol.messages import Headers, Hop, Request, Response
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.protocol.token_hosts import refuse_realm
from dreg_client.values.credential import Credential
from dreg_client.values.origin import Origin

if TYPE_CHECKING:
    from dreg_client.protocol.responses import TokenResponse

_LIMIT: Final = 64 * 1024
_CLIENT: Final = "dreg-client"
_DENIED: Final = frozenset({400, 401, 403})
_SHOWN: Final = frozenset({"date", "retry-after"})
_FORM: Final = ("Content-Type", "application/x-www-form-urlencoded")

TokenKey = tuple[Origin, str, str, str, str]
"""The cache key of a token: registry, realm, service, scope, credential."""


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A token to request.

    Attributes:
        registry: The registry.
        known: Its challenge.
        credential: The credential, None for an anonymous token.
    """

    registry: RegistryURL
    known: KnownChallenge
    credential: Credential | None

    @property
    def key(self) -> TokenKey:
        """The cache key of the token."""
        challenge = self.known.challenge
        credential = self.credential.key if self.credential else ""
        return self.registry.origin, challenge.realm, challenge.service, self.known.scope, credential


def token_hop(wanted: TokenRequest, headers: tuple[tuple[str, str], ...], trusted: tuple[str, ...]) -> Hop:
    """Return the HTTP request for a token.

    Args:
        wanted: The token.
        headers: The headers that every request has.
        trusted: Hosts that may get the credential besides the registry's own (`trusted_token_hosts`).

    Raises:
        ChallengeError: The realm is not a valid URL.
        UnsafeURLError: The realm is not one to request tokens from (AUT-01 to AUT-03).
    """
    credential, challenge = wanted.credential, wanted.known.challenge
    realm, response = challenge.realm, wanted.known.response
    nearest = refuse_realm(wanted.registry, response, realm, secret=credential is not None, trusted=trusted)
    asked = {"service": challenge.service, "scope": wanted.known.scope}
    named = {name: value for name, value in asked.items() if value}
    if credential is not None and credential.identity_token is not None:
        # OAuth 2 with a refresh token, which must not be in a URL (distribution "OAuth2 Token Authentication").
        form = {"grant_type": "refresh_token", "client_id": _CLIENT, **named}
        body = urlencode({**form, "refresh_token": credential.identity_token}).encode()
        return Hop("POST", realm, (*headers, _FORM), body, limit=_LIMIT, nearest=nearest)
    shown = (("Authorization", credential.basic),) if credential else ()
    return Hop("GET", _with_query(realm, named), (*headers, *shown), limit=_LIMIT, nearest=nearest)


def _with_query(realm: str, asked: dict[str, str]) -> str:
    bare = realm.partition("#")[0]
    if not asked:
        return bare
    return f"{bare}{'&' if urlsplit(bare).query else '?'}{urlencode(asked)}"


def parse_token(response: Response, wanted: TokenRequest, hint: Hint) -> "TokenResponse":
    """Return the token of a response.

    The body of a refusal may repeat what it was sent, so it is never shown.

    Args:
        response: The response of the token server.
        wanted: The token that was requested.
        hint: What to do if it was denied.

    Raises:
        UnauthorizedError: The token server does not accept the credential.
        RateLimitedError: It responded 429.
        ServerError: It responded 5xx.
        TokenError: Its response has no valid token.
    """
    server = f"the token server {response.where}"
    if response.status in _DENIED:
        what = f"refuses {'the credential' if wanted.credential else 'a request without a credential'}"
        raise errors.UnauthorizedError(what, server, hint.text, response.status, anonymous=hint.anonymous)
    if not response.ok:
        if response.status == 429 or response.status >= 500:
            headers = Headers([pair for pair in response.headers if pair[0] in _SHOWN])
            accept(replace(response, body=b"", headers=headers), Request("GET", "", what="token"))
        raise errors.TokenError(f"{server} answered {response.status}, and gave no token")
    from dreg_client.protocol.responses import TokenResponse  # noqa: PLC0415 (not all registries need tokens)

    return TokenResponse.parse(response.body)
