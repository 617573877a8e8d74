"""Tokens: asked for once by many, kept in memory alone, each for its scope (distribution "Token Authentication")."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

from dreg_client import errors
from dreg_client.conversation.acts import Hold, Talk
from dreg_client.protocol.error_responses import accept
from dreg_client.protocol.hints import Hint
from dreg_client.protocol.messages import Headers, Hop, Request, Response
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.protocol.token_hosts import refuse_realm
from dreg_client.protocol.www_authenticate import Challenge
from dreg_client.values.credential import Credential
from dreg_client.values.origin import Reach
from dreg_client.values.sizes import KIBIBYTE

if TYPE_CHECKING:
    from dreg_client.protocol.responses import TokenResponse

_EARLY: Final = 10.0
_MOST: Final = 1000
_LIMIT: Final = 64 * KIBIBYTE
_CLIENT: Final = "dreg-client"
_REFUSED: Final = frozenset({400, 401, 403})
_TOLD: Final = frozenset({"date", "retry-after"})
_FORM: Final = ("Content-Type", "application/x-www-form-urlencoded")

Attempt = Callable[[Hop], Talk[Response]]
"""Sends a hop with as many attempts as there may be."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A token that is wanted.

    Attributes:
        base: The registry.
        response: Its challenge, or what remains of it.
        challenge: What it asks for.
        scope: What the token must allow; may be empty.
        credential: Who we are, None for anybody.
        hint: What to do where that is refused.
    """

    base: RegistryURL
    response: Response = field(repr=False)
    challenge: Challenge
    scope: str
    credential: Credential | None
    hint: Hint

    @property
    def key(self) -> Hashable:
        """What a token is kept by."""
        who = self.credential.key if self.credential else ""
        return (self.base.origin, self.challenge.realm, self.challenge.service, self.scope, who)


@dataclass(slots=True)
class _Token:
    text: str = field(repr=False)
    until: float


@dataclass(slots=True)
class Tokens:
    """The tokens of one client, shared by its threads or tasks.

    Attributes:
        clock: Monotonic seconds.
        trusted: Hosts that may see credentials besides the registry's own.
        fixed: Headers that every hop has.
    """

    clock: Callable[[], float]
    trusted: tuple[str, ...]
    fixed: tuple[tuple[str, str], ...]
    _kept: dict[Hashable, _Token] = field(default_factory=dict[Hashable, _Token], repr=False)

    def get(self, wanted: Wanted, attempt: Attempt, *, unlike: str = "") -> Talk[str]:
        """A token, from memory where it is still good.

        Args:
            wanted: What is wanted.
            attempt: How a hop is sent.
            unlike: A token that the registry refused: another one is due.

        Raises:
            UnsafeURLError: The token server is nowhere that we go.
            UnauthorizedError: It does not accept the credential.
            TokenError: Its answer is no token.
        """
        if token := self._good(wanted.key, unlike):
            return token
        lock = yield Hold(("token", wanted.key))
        try:
            if token := self._good(wanted.key, unlike):  # another one asked for it while we waited
                return token
            return (yield from self._fetch(wanted, attempt))
        finally:
            lock.release()

    def _good(self, key: Hashable, unlike: str) -> str:
        token = self._kept.get(key)
        return token.text if token and token.until > self.clock() and token.text != unlike else ""

    def _fetch(self, wanted: Wanted, attempt: Attempt) -> Talk[str]:
        hop = self._hop(wanted)
        sent = self.clock()
        try:
            response = yield from attempt(hop)
        except errors.ResponseTooLargeError as failure:
            raise errors.TokenTooLargeError(f"the token server {hop.where}", failure.size, failure.limit) from None
        answer = _answer(replace(response, url=hop.url, registry=wanted.base.url), wanted)
        if len(self._kept) >= _MOST:
            self._kept.clear()
        self._kept[wanted.key] = _Token(answer.value, sent + answer.expires_in - _EARLY)
        return answer.value

    def _hop(self, wanted: Wanted) -> Hop:
        credential = wanted.credential
        realm = wanted.challenge.realm
        nearest = refuse_realm(wanted.base, wanted.response, realm, secret=credential is not None, trusted=self.trusted)
        asked = {"service": wanted.challenge.service, "scope": wanted.scope}
        named = {name: value for name, value in asked.items() if value}
        if credential is not None and credential.identity_token is not None:
            return self._post(realm, named, credential.identity_token, nearest)
        proof = (("Authorization", credential.basic),) if credential else ()
        return Hop("GET", _with_query(realm, named), (*self.fixed, *proof), limit=_LIMIT, nearest=nearest)

    def _post(self, realm: str, asked: dict[str, str], identity: str, nearest: Reach) -> Hop:
        """OAuth 2 with a refresh token, which no URL may hold (distribution "OAuth2 Token Authentication")."""
        form = {"grant_type": "refresh_token", "client_id": _CLIENT, **asked, "refresh_token": identity}
        body = urlencode(form).encode()
        return Hop("POST", realm, (*self.fixed, _FORM), body, limit=_LIMIT, nearest=nearest)


def _with_query(realm: str, asked: dict[str, str]) -> str:
    bare = realm.partition("#")[0]
    if not asked:
        return bare
    return f"{bare}{'&' if urlsplit(bare).query else '?'}{urlencode(asked)}"


def _answer(response: Response, wanted: Wanted) -> "TokenResponse":
    """The token in an answer; what a token server says in a refusal may repeat what it was sent, and is not shown."""
    host = response.where
    if response.status in _REFUSED:
        who = "the credential" if wanted.credential else "a request without a credential"
        facts = wanted.hint.text, response.status, (), "", wanted.hint.anonymous
        raise errors.UnauthorizedError(f"refuses {who}", f"the token server {host}", *facts)
    if not response.ok:
        if response.status == 429 or response.status >= 500:
            told = Headers(pair for pair in response.headers if pair[0] in _TOLD)
            accept(replace(response, body=b"", headers=told), Request("GET", "", what="token"))
        raise errors.TokenError(f"the token server {host} answered {response.status}, and gave no token")
    from dreg_client.protocol.responses import TokenResponse  # noqa: PLC0415 (not all registries want tokens)

    return TokenResponse.parse(response.body)
