"""Proof of who we are, as a registry asks for it: the challenge dance of one client with one registry."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final

from dreg_client import errors
from dreg_client._logging import log
from dreg_client.conversation.acts import AskService, LookUp, Talk
from dreg_client.conversation.tokens import Attempt, Tokens, Wanted
from dreg_client.protocol.hints import NOT_ASKED, Hint, hint_for
from dreg_client.protocol.messages import Request, Response
from dreg_client.protocol.options import FoundCredential, Options
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.protocol.www_authenticate import Challenge, is_foreign, parse_challenges, scope_to_ask
from dreg_client.values.credential import Credential, is_sendable
from dreg_client.values.origin import Origin

_WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class _Known:
    """What a registry asked for the last time, so that the next request brings it along."""

    response: Response
    challenge: Challenge
    scope: str


@dataclass(slots=True)
class Proof:
    """What was learnt of who wants which proof, shared by the threads or tasks of one client.

    Attributes:
        options: How registries are talked to.
        own: The registry that a credential or a service was given for: no mirror is shown either.
        tokens: The tokens.
    """

    options: Options
    own: RegistryURL
    tokens: Tokens
    _known: dict[Hashable, _Known] = field(default_factory=dict[Hashable, _Known], repr=False)
    _found: dict[tuple[str, str], FoundCredential] = field(
        default_factory=dict[tuple[str, str], FoundCredential], repr=False
    )
    _warned: set[Origin] = field(default_factory=set[Origin], repr=False)

    def beforehand(self, base: RegistryURL, request: Request, attempt: Attempt) -> Talk[str | None]:
        """What the registry is known to want for such a request, None where it was not asked for any yet."""
        known = self._known.get(_key(base, request))
        if known is None:
            return None
        return (yield from self._made(base, request, known, attempt, ""))

    def answered(
        self, base: RegistryURL, request: Request, response: Response, used: str | None, attempt: Attempt
    ) -> Talk[str | None]:
        """What a challenge asks for; None where there is nothing, or nothing but what was refused already.

        Raises:
            ChallengeError: The challenge cannot be read, or asks for something unknown.
            UnsafeURLError: What it asks for would go where we do not go.
            AuthError: There is no token.
        """
        if not response.headers.all("www-authenticate"):
            return None
        challenge = _chosen(parse_challenges(response.headers.all("www-authenticate")), response)
        if request.scope and is_foreign(challenge.scope, request.scope):
            self._warn_of(base, challenge.scope, request.scope)
        known = _Known(response, challenge, scope_to_ask(challenge.scope, request.scope, request.method))
        refused = used.partition(" ")[2] if used else ""
        made = yield from self._made(base, request, known, attempt, refused)
        if made is None or made == used:
            return None
        self._known[_key(base, request)] = known
        return made

    def advice(self, base: RegistryURL, request: Request, status: int, proof: str | None) -> Hint:
        """What to do where a registry does not let us, by who we were."""
        if base != self.own:
            return Hint()
        found = self._given(base, request)
        if found is None:
            return NOT_ASKED
        return hint_for(self.options, base, request, found, shown=proof is not None, status=status)

    def _given(self, base: RegistryURL, request: Request) -> FoundCredential | None:
        """The credential that was given or found; None where there was no need to look yet."""
        given = self.options.credentials
        if given is None or isinstance(given, Credential):
            return FoundCredential(given)
        return self._found.get((base.authority, _repository(request)))

    def _made(
        self, base: RegistryURL, request: Request, known: _Known, attempt: Attempt, refused: str
    ) -> Talk[str | None]:
        if self.options.auth_service is not None and base == self.own:
            _refuse_plain(base, known.response, self.options)
            given: str = yield AskService(known.scope)
            if not is_sendable(given):
                raise errors.TokenError("auth_service gave a token with characters that cannot be sent")
            return f"Bearer {given}"
        credential = yield from self._credential(base, request)
        if credential is not None:
            _refuse_plain(base, known.response, self.options)
        if known.challenge.scheme == "basic":
            return _basic(credential)
        if credential is not None and credential.registry_token is not None:
            return f"Bearer {credential.registry_token}"
        hint = self.advice(base, request, 401, "")
        wanted = Wanted(base, known.response, known.challenge, known.scope, credential, hint)
        return "Bearer " + (yield from self.tokens.get(wanted, attempt, unlike=refused))

    def _credential(self, base: RegistryURL, request: Request) -> Talk[Credential | None]:
        if isinstance(self.options.credentials, Credential):
            return self.options.credentials if base == self.own else None
        key = base.authority, _repository(request)
        if key not in self._found:
            self._found[key] = yield LookUp(*key)
        return self._found[key].credential

    def _warn_of(self, base: RegistryURL, foreign: str, own: str) -> None:
        """Warn of a registry that asks for what we do not need (AUT-15); once each."""
        if base.origin not in self._warned:
            self._warned.add(base.origin)
            log.warning("%s asks for the scope %r; ours alone is asked for: %r", base.name, foreign[:200], own)


def _basic(credential: Credential | None) -> str | None:
    """A user and a password; tokens are nothing that stands in Basic."""
    if credential is None or credential.identity_token is not None:
        return None
    if credential.registry_token is not None:
        return f"Bearer {credential.registry_token}"
    return credential.basic


def _chosen(challenges: tuple[Challenge, ...], response: Response) -> Challenge:
    """The challenge that is answered: for a token where one is offered, else for a password."""
    for challenge in challenges:
        if challenge.scheme == "bearer" and challenge.realm:
            return challenge
    for challenge in challenges:
        if challenge.scheme == "basic":
            return challenge
    schemes = ", ".join(challenge.scheme[:50] for challenge in challenges) or "nothing"
    message = f"{response.where} asks for {schemes}; Bearer with a realm, or Basic, is what can be answered"
    raise errors.ChallengeError(message)


def _refuse_plain(base: RegistryURL, response: Response, options: Options) -> None:
    """Refuse to show a secret to whoever listens (AUT-08)."""
    origin = Origin.of(base.url)
    if origin.scheme == "http" and not (origin.is_loopback or options.plain_http):
        reason = "a credential does not go over plain http; use https, or plain_http=True where you trust the network"
        raise errors.InsecureDowngradeError(response.where, base.url, reason)


def _repository(request: Request) -> str:
    kind, _, rest = request.scope.partition(":")
    return rest.rpartition(":")[0] if kind == "repository" else ""


def _key(base: RegistryURL, request: Request) -> Hashable:
    return base.origin, request.scope, request.method in _WRITES
