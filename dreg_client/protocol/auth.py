"""What answers a registry's challenge: which challenge, which credential, and what `Authorization` holds."""

from dataclasses import dataclass, field
from typing import Final

from dreg_client import errors
from dreg_client.protocol.messages import Request, Response
from dreg_client.protocol.options import FoundCredential, Options
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.protocol.www_authenticate import Challenge, parse_challenges, scope_to_ask
from dreg_client.values.credential import Credential, is_sendable
from dreg_client.values.origin import Origin

_WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})

ChallengeKey = tuple[Origin, str, bool]
"""Requests with the same key get the same challenge: origin, scope, and whether they change something."""


@dataclass(frozen=True, slots=True)
class KnownChallenge:
    """A challenge of a registry, kept so that later requests have their `Authorization` from the start.

    Attributes:
        response: The response that had the challenge.
        challenge: The challenge.
        scope: The scope to request a token for; may be empty.
    """

    response: Response = field(repr=False)
    challenge: Challenge
    scope: str


def challenge_key(registry: RegistryURL, request: Request) -> ChallengeKey:
    """Return the key of a request's challenge."""
    return registry.origin, request.scope, request.method in _WRITES


def repository_of(request: Request) -> str:
    """Return the repository of a request, by its scope; empty if it has none."""
    kind, _, rest = request.scope.partition(":")
    return rest.rpartition(":")[0] if kind == "repository" else ""


def challenge_of(request: Request, response: Response) -> KnownChallenge | None:
    """Return the challenge of a 401; None if it has none.

    Raises:
        ChallengeError: It cannot be parsed, or is of an unknown scheme.
    """
    lines = response.headers.all("www-authenticate")
    if not lines:
        return None
    challenge = choose_challenge(parse_challenges(lines), response.where)
    return KnownChallenge(response, challenge, scope_to_ask(challenge.scope, request.scope, request.method))


def choose_challenge(challenges: tuple[Challenge, ...], where: str) -> Challenge:
    """Return the challenge to answer: Bearer with a realm if offered, else Basic.

    Raises:
        ChallengeError: There is neither.
    """
    for challenge in challenges:
        if challenge.scheme == "bearer" and challenge.realm:
            return challenge
    for challenge in challenges:
        if challenge.scheme == "basic":
            return challenge
    schemes = ", ".join(challenge.scheme[:50] for challenge in challenges) or "nothing"
    raise errors.ChallengeError(f"{where} asks for {schemes}; Bearer with a realm, or Basic, is what can be answered")


def given_credential(options: Options) -> FoundCredential | None:
    """Return the credential of the options; None if it has to be looked up."""
    given = options.credentials
    return FoundCredential(given) if given is None or isinstance(given, Credential) else None


def basic_authorization(credential: Credential | None) -> str | None:
    """Return the `Authorization` that answers Basic; None if the credential has no password."""
    if credential is None or credential.identity_token is not None:
        return None
    return f"Bearer {credential.registry_token}" if credential.registry_token is not None else credential.basic


def service_authorization(token: str) -> str:
    """Return the `Authorization` for what a caller's `auth_service` returned.

    Raises:
        TokenError: It is not a token that can be sent.
    """
    # It comes from a caller's own object, which may return anything.
    is_text = isinstance(token, str)  # pyright: ignore[reportUnnecessaryIsInstance]
    if not (is_text and token):
        raise errors.TokenError("auth_service.request_token(scope) gave no text; a token is due")
    if not is_sendable(token):
        raise errors.TokenError("auth_service gave a token with characters that cannot be sent")
    return f"Bearer {token}"


def refuse_plain_http(registry: RegistryURL, where: str, options: Options) -> None:
    """Reject to send a secret unencrypted (AUT-08).

    Raises:
        InsecureDowngradeError: The registry is asked over http, is not on this machine, and `plain_http` is not set.
    """
    origin = registry.origin
    if origin.scheme == "http" and not (origin.is_loopback or options.plain_http):
        reason = "a credential does not go over plain http; use https, or plain_http=True where you trust the network"
        raise errors.InsecureDowngradeError(where, registry.url, reason)
