"""Answer a registry's challenge: which challenge, which credential, and the value of `Authorization`.

And what to do if access is denied all the same, which depends on the credential. No secret is ever named.
"""

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
_LISTED: Final = 5
_HIDING: Final = frozenset({401, 403, 404})

ChallengeKey = tuple[Origin, str, bool]
"""Requests with the same key get the same challenge: origin, scope, and whether they change something."""


@dataclass(frozen=True, slots=True)
class KnownChallenge:
    """A challenge of a registry, kept so that later requests have their `Authorization` from the start."""

    response: Response = field(repr=False)
    challenge: Challenge
    scope: str  # of the token to request; may be empty


def challenge_key(registry: RegistryURL, request: Request) -> ChallengeKey:
    """Return the key of a request's challenge."""
    return registry.origin, request.scope, request.method in _WRITES


def may_hide(registry: RegistryURL, request: Request, response: Response) -> bool:
    """Return whether a registry may have hidden from an anonymous request what it shows to a user.

    Artifactory, Nexus and GitHub Packages can respond with 404 or an empty list, without a challenge. Only `/v2/` has
    one then.
    """
    hides = response.status in _HIDING or (request.is_list and _is_empty_list(response))
    return hides and Origin.of(response.url) == registry.origin


def _is_empty_list(response: Response) -> bool:
    if not response.ok:
        return False
    from dreg_client.protocol.responses import lists_nothing  # noqa: PLC0415 (most requests are not for lists)

    return lists_nothing(response.body)


def is_conclusive(ping: Response) -> bool:
    """Return whether a response to `/v2/` says if the registry has a challenge; otherwise it must be asked again."""
    return ping.status < 500 and ping.status not in {408, 429}


def repository_of(request: Request) -> str:
    """Return the repository of a request, by its scope; empty if it has none."""
    kind, _, rest = request.scope.partition(":")
    return rest.rpartition(":")[0] if kind == "repository" else ""


def challenge_of(request: Request, response: Response) -> KnownChallenge | None:
    """Return the challenge of a 401: Bearer with a realm if offered, else Basic; None if it has none at all."""
    lines = response.headers.all("www-authenticate")
    if not lines:
        return None
    offered = parse_challenges(lines)
    usable = [each for each in offered if each.scheme == "basic" or (each.scheme == "bearer" and each.realm)]
    if not usable:
        schemes = ", ".join(each.scheme[:50] for each in offered) or "nothing"
        reason = f"{response.where} asks for {schemes}; Bearer with a realm, or Basic, is what can be answered"
        raise errors.ChallengeError(reason)
    chosen = next((each for each in usable if each.scheme == "bearer"), usable[0])
    return KnownChallenge(response, chosen, scope_to_ask(chosen.scope, request.scope, request.method))


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
    """Return the `Authorization` for what a caller's `auth_service` returned; raise TokenError if it cannot be sent."""
    # It comes from a caller's own object, which may return anything.
    is_text = isinstance(token, str)  # pyright: ignore[reportUnnecessaryIsInstance]
    if not (is_text and token):
        raise errors.TokenError("auth_service.request_token(scope) gave no text; a token is due")
    if not is_sendable(token):
        raise errors.TokenError("auth_service gave a token with characters that cannot be sent")
    return f"Bearer {token}"


def check_plain_http(registry: RegistryURL, where: str, options: Options) -> None:
    """Reject to send a secret over http, except to this machine or with `plain_http` (AUT-08)."""
    origin = registry.origin
    if origin.scheme == "http" and not (origin.is_loopback or options.plain_http):
        allow = "plain_http=True (--plain-http) where you trust the network"
        reason = f"a credential does not go over plain http; use https, or {allow}"
        raise errors.InsecureDowngradeError(where, registry.url, reason)


@dataclass(frozen=True, slots=True)
class Hint:
    """What to do if access is denied, for people; and whether it was because no `credentials=` were given."""

    text: str = ""
    anonymous: bool = False


NOT_ASKED: Final = Hint("it does not ask who we are, so that no credential was looked up")
"""The hint if the registry denies access without a challenge."""
NO_CREDENTIAL_THERE: Final = Hint("the registry redirects there, and no credential is sent to another registry")
"""The hint if another registry, which a redirect led to, denies access to anonymous requests."""


def hint_for(
    options: Options, registry: RegistryURL, request: Request, found: FoundCredential, *, shown: bool, status: int
) -> Hint:
    """Return what to do about a request that a registry denied.

    `shown`: whether the request had an `Authorization`. `status`: 401, or 403 if the registry knew who sent it.
    """
    if options.auth_service is not None:
        if not shown:
            return Hint("auth_service was not asked for a token: the registry does not say that it takes one")
        return Hint(f"it refused the token that auth_service gave for {request.scope or 'no scope'}")
    if found.credential is None:
        return _of_anonymous(options, registry, found)
    who = _called(found.credential)
    if not shown:
        return Hint(f"{who} was not shown to it: it asks for nothing that this credential can answer")
    if status == 403:
        return Hint(f"{who} may not; ask the repository's owner for the right to, or use another credential")
    return Hint(f"it refused {who}; check the password, or log in anew with: dreg login {registry.authority}")


def _called(credential: Credential) -> str:
    if credential.identity_token is not None:
        who = "the identity token"
    elif credential.registry_token is not None:
        who = "the registry token"
    else:
        who = f"the user {credential.username!r}"
    return f"{who} of {credential.source}" if credential.source else who


def _of_anonymous(options: Options, registry: RegistryURL, found: FoundCredential) -> Hint:
    log_in = f"log in with: dreg login {registry.authority}"
    if options.credentials is None or isinstance(options.credentials, Credential):
        how = f"give credentials=(user, password), or credentials=Credentials.default(), and {log_in}"
        return Hint(f"it was asked anonymously, without credentials=; {how}", anonymous=True)
    if found.faults:
        return Hint("; ".join(found.faults))
    listed = ", ".join(found.places[:_LISTED]) or "where credentials= says"
    more = f" and {len(found.places) - _LISTED} places more" if len(found.places) > _LISTED else ""
    return Hint(f"there is no credential for {registry.authority} in {listed}{more}; {log_in}")
