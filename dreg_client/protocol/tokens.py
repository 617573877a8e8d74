"""Tokens: the cache, token requests (distribution "Token Authentication"), and the token servers that are trusted."""

import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus, urlencode, urlsplit

from dreg_client import errors
from dreg_client.protocol.auth import Hint, KnownChallenge, check_plain_http
from dreg_client.protocol.error_responses import raise_for_status
from dreg_client.protocol.messages import Headers, Hop, Request, Response
from dreg_client.protocol.options import Options
from dreg_client.protocol.redirects import check_no_downgrade, check_reach, nearest_of
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.values.credential import Credential
from dreg_client.values.docker_hub import HUB_TOKEN_HOST
from dreg_client.values.latest import Latest
from dreg_client.values.origin import Origin, Reach, without_query
from dreg_client.values.sizes import KIBIBYTE, MEBIBYTE

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

    from dreg_client.protocol.responses import TokenResponse

_EARLY: Final = 10.0
"""A token is no longer used this many seconds before it expires."""
_MOST: Final = 1000
_MOST_BYTES: Final = 8 * MEBIBYTE
_LIMIT: Final = 64 * KIBIBYTE
_DENIED: Final = frozenset({400, 401, 403})
_SHOWN: Final = frozenset({"date", "retry-after"})
_FORM: Final = ("Content-Type", "application/x-www-form-urlencoded")
_FEWEST_LABELS: Final = 2
_OURS: Final = frozenset({"service", "scope"})
"""The query parameters that are added to a token server's URL. Of two with one name, servers use either, or both."""


class TokenCache:
    """The token cache of one client. `clock` returns monotonic seconds; dates from servers are ignored (AUT-13)."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._tokens = Latest[Hashable, tuple[str, float, int]](_MOST, _MOST_BYTES, itemgetter(2))

    def get(self, key: Hashable, *, refused: str = "") -> str:
        """Return a token that is still valid, or an empty text; never one that the registry rejected (`refused`)."""
        token, end, _ = self._tokens.get(key) or ("", 0.0, 0)
        return token if token != refused and end > self._clock() else ""

    def put(self, key: Hashable, token: str, *, requested: float, expires_in: float) -> None:
        """Cache a token for `expires_in` seconds from the time of the request (by the clock), not of the response."""
        # The key contains texts of the registry, such as the URL of the token server.
        self._tokens.put(key, (token, requested + expires_in - _EARLY, len(token) + len(repr(key))))


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A token to request after a registry's challenge; anonymous if there is no credential."""

    registry: RegistryURL
    known: KnownChallenge
    credential: Credential | None
    nearest: Reach = Reach.LOCAL  # the most private network that the token server may be in

    @property
    def key(self) -> tuple[Origin, str, str, str, str]:
        """The cache key of the token: registry, realm, service, scope, credential."""
        challenge = self.known.challenge
        credential = self.credential.key if self.credential else ""
        return self.registry.origin, challenge.realm, challenge.service, self.known.scope, credential


def token_hop(wanted: TokenRequest, headers: tuple[tuple[str, str], ...], options: Options) -> Hop:
    """Return the HTTP request for a token. The credential is sent to the registry's own hosts, and to trusted ones."""
    credential, challenge = wanted.credential, wanted.known.challenge
    realm = challenge.realm
    target, nearest = _check_realm(wanted, realm, options.trusted_token_hosts)
    only_loopback = credential is not None and check_plain_http(target, wanted.known.response.where, options)
    query = {"service": challenge.service, "scope": wanted.known.scope}
    query = {name: value for name, value in query.items() if value}
    if credential is not None and credential.identity_token is not None:
        # OAuth 2 with a refresh token, which must not be in a URL (distribution "OAuth2 Token Authentication").
        form = {"grant_type": "refresh_token", "client_id": "dreg-client", **query}
        body = urlencode({**form, "refresh_token": credential.identity_token}).encode()
        headers = (*headers, _FORM)
        return Hop("POST", realm, headers, body, limit=_LIMIT, nearest=nearest, only_loopback=only_loopback)
    authorization = (("Authorization", credential.basic),) if credential else ()
    url = realm
    if query:
        # "This query parameter should be specified multiple times if there is more than one scope entry."
        pairs = [
            (name, part) for name, value in query.items() for part in (value.split() if name == "scope" else [value])
        ]
        url += f"{'&' if urlsplit(realm).query else '?'}{urlencode(pairs)}"
    headers = (*headers, *authorization)
    return Hop("GET", url, headers, limit=_LIMIT, nearest=nearest, only_loopback=only_loopback)


def _check_realm(wanted: TokenRequest, realm: str, trusted: tuple[str, ...]) -> tuple[Origin, Reach]:
    """Check a token server's URL (AUT-01 to AUT-03); return its origin, and the most private network it may be in."""
    base, response = wanted.registry, wanted.known.response
    try:
        target = Origin.of(realm)
    except ValueError as fault:
        raise errors.ChallengeError(f"{response.where} names a token server with an invalid URL: {fault}") from None
    if "#" in realm:
        raise errors.ChallengeError(f"{response.where} names a token server by a URL with a fragment ('#')")
    if not _OURS.isdisjoint(_query_names(realm)):
        reason = "names a token server by a URL that already has a service or a scope, so the token could grant more"
        raise errors.ChallengeError(f"{response.where} {reason}")
    check_no_downgrade(response.where, realm, base.origin, target)
    if target == base.origin:
        return target, wanted.nearest
    nearest = min(nearest_of(base, response), wanted.nearest)
    check_reach(response.where, realm, target, nearest)
    names = {target.authority, target.host, f"{target.host}:{target.port}"}
    is_trusted = not names.isdisjoint(map(str.lower, trusted))
    if wanted.credential is not None and not is_trusted and not _is_its_own(base, target):
        name = target.authority
        advice = f"trusted_token_hosts=({name!r},) or --trust-token-host {name}"
        reason = f"credentials are sent only to the registry's own hosts; to trust this one, use {advice}"
        raise errors.CrossOriginError(response.where, without_query(realm), reason)
    return target, nearest


def _query_names(url: str) -> set[str]:
    """Return the names of a URL's query parameters in lower case, whether they are separated by `&` or `;`."""
    return {unquote_plus(pair.partition("=")[0]).lower() for pair in re.split("[&;]", urlsplit(url).query)}


def _is_its_own(base: RegistryURL, target: Origin) -> bool:
    """Return whether a token server is one of the registry's own hosts."""
    registry, host = base.origin.host, target.host
    if base.is_docker_hub:
        return target == Origin("https", HUB_TOKEN_HOST, 443)
    if host == registry or host.endswith(f".{registry}"):
        return True
    if registry[-1].isdigit() or ":" in registry:  # an IP address has no parent domain
        return False
    # A common parent domain is one level above at least one of the two, and equal to or above the other.
    parent = registry.partition(".")[2]
    is_common = parent in {host, host.partition(".")[2]}
    if not is_common or parent.count(".") < _FEWEST_LABELS - 1:
        return False
    return not _public_suffixes().is_public(parent)


@cache
def _public_suffixes() -> "PublicSuffixList":
    # Loaded here, and only once, because the list is slow to load and hardly any registry needs it.
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415

    return PublicSuffixList()


def parse_token(response: Response, hint: Hint) -> "TokenResponse":
    """Return the token in a response; if the token server denied it, raise an error with the hint."""
    # The body of an error response may repeat the credential, so it is never shown.
    server = f"the token server {response.where}"
    if response.status in _DENIED:
        raise errors.UnauthorizedError("access denied", server, hint.text, response.status, anonymous=hint.anonymous)
    if response.status != 200:
        if response.status == 429 or response.status >= 500:
            headers = Headers([pair for pair in response.headers if pair[0] in _SHOWN])
            raise_for_status(replace(response, body=b"", headers=headers), Request("GET", "", what="token"))
        raise errors.TokenError(f"{server} returned no token (status {response.status})")
    from dreg_client.protocol.responses import TokenResponse  # noqa: PLC0415 (not all registries need tokens)

    return TokenResponse.parse(response.body)
