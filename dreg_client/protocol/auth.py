"""Authentication: choose a registry's challenge and the credential for it, and build the `Authorization` header.

If access is denied nevertheless, the hint says what to do, depending on the credential. It never contains a secret.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from dreg_client import errors
from dreg_client.protocol.messages import Headers, Request, Response
from dreg_client.protocol.options import FoundCredential, Options
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.protocol.www_authenticate import Challenge, parse_challenges, scope_to_request
from dreg_client.values.credential import Credential, is_sendable
from dreg_client.values.origin import Origin

_WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_LISTED: Final = 5
_USED: Final = frozenset({"realm", "service", "scope"})
NO_PLAIN_HTTP: Final = (
    "credentials are not sent over plain HTTP; use https, or plain_http=True if you trust the network"
)
_HIDING: Final = frozenset({401, 403, 404})


class UserAuthorization(str):
    """An `Authorization` with a secret of the user, as opposed to an anonymous token."""

    __slots__ = ()


ChallengeKey = tuple[Origin, str, bool]
"""Requests with the same key get the same challenge. The key is the origin, the scope, and whether they write."""


@dataclass(frozen=True, slots=True)
class KnownChallenge:
    """A registry's challenge, kept so that later requests can be authorized from the start."""

    response: Response = field(repr=False)  # without headers and body, which may be large
    challenge: Challenge
    scope: str  # of the token to request; may be empty
    size: int = 0  # the length of its texts


def challenge_key(registry: RegistryURL, request: Request) -> ChallengeKey:
    """Return the key of a request's challenge."""
    return registry.origin, request.scope, request.method in _WRITES


def may_hide(registry: RegistryURL, request: Request, response: Response) -> bool:
    """Return whether a registry may have hidden something from an anonymous request that it shows to users.

    Artifactory, Nexus and GitHub Packages may respond with 404 or an empty list, and send a challenge for `/v2/` only.
    """
    hides = response.status in _HIDING or (request.is_list and _is_empty_list(response))
    return hides and Origin.of(response.url) == registry.origin


def _is_empty_list(response: Response) -> bool:
    if not response.ok:
        return False
    from dreg_client.protocol.responses import lists_nothing  # noqa: PLC0415 (most requests are not for lists)

    return lists_nothing(response.body)


def is_conclusive(ping: Response) -> bool:
    """Return whether a response to `/v2/` shows if authentication is required. If not, the request must be repeated."""
    return ping.status < 500 and ping.status not in {408, 429}


def repository_of(request: Request) -> str:
    """Return the repository in the scope of a request; empty if there is none."""
    kind, _, rest = request.scope.rpartition(" ")[2].partition(":")  # the last one, if it mounts a blob of another
    return rest.rpartition(":")[0] if kind == "repository" else ""


def challenge_of(request: Request, response: Response) -> KnownChallenge | None:
    """Return the challenge of a 401; None if there is none. Bearer with a realm is preferred to Basic."""
    lines = response.headers.all("www-authenticate")
    if not lines:
        return None
    offered = parse_challenges(lines)
    usable = [each for each in offered if each.scheme == "basic" or (each.scheme == "bearer" and each.realm)]
    if not usable:
        schemes = ", ".join(each.scheme[:50] for each in offered) or "none"
        reason = f"{response.where} offers no supported authentication scheme (offered: {schemes})"
        raise errors.ChallengeError(f"{reason}; supported are Basic, and Bearer with a realm")
    chosen = next((each for each in usable if each.scheme == "bearer"), usable[0])
    scope = scope_to_request(chosen.scope, request.scope, request.method)
    parameters = {name: value for name, value in chosen.parameters.items() if name in _USED}
    size = len(response.url) + len(scope) + sum(map(len, parameters.values()))
    response = replace(response, headers=Headers(), body=b"")
    return KnownChallenge(response, Challenge(chosen.scheme, parameters), scope, size)


def only_challenges(response: Response) -> Response:
    """Return a response with nothing but its challenges, to be kept."""
    lines = [("www-authenticate", line) for line in response.headers.all("www-authenticate")]
    return replace(response, headers=Headers(lines), body=b"")


def given_credential(options: Options) -> FoundCredential | None:
    """Return the credential in the options; None if it must be looked up."""
    given = options.credentials
    return FoundCredential(given) if given is None or isinstance(given, Credential) else None


def found_credential(found: object) -> FoundCredential:
    """Return the result of `credentials.find`; raise CredentialError if the caller's object returns another type."""
    if isinstance(found, Credential | None):
        return FoundCredential(found)
    if isinstance(found, FoundCredential) and isinstance(found.credential, Credential | None):  # pyright: ignore[reportUnnecessaryIsInstance]
        return found
    kind = type(found.credential if isinstance(found, FoundCredential) else found).__name__
    raise errors.CredentialError(f"credentials.find(registry, repository) must return a Credential or None, not {kind}")


def basic_authorization(credential: Credential | None) -> str | None:
    """Return the `Authorization` for a Basic challenge; None if the credential has no password."""
    if credential is None or credential.identity_token is not None:
        return None
    token = credential.registry_token
    return UserAuthorization(credential.basic if token is None else f"Bearer {token}")


def service_authorization(token: str) -> str:
    """Return the `Authorization` for a token of the caller's `auth_service`; raise TokenError if it is not valid."""
    # The caller's object may return anything.
    is_text = isinstance(token, str)  # pyright: ignore[reportUnnecessaryIsInstance]
    if not (is_text and token):
        raise errors.TokenError("auth_service.request_token(scope) must return a non-empty str")
    if not is_sendable(token):
        raise errors.TokenError("auth_service returned a token with characters that are not allowed in a header")
    return UserAuthorization(f"Bearer {token}")


def check_plain_http(origin: Origin, where: str, options: Options) -> bool:
    """Raise an error before a secret is sent over plain HTTP, except to this machine or with `plain_http` (AUT-08).

    Return whether the connection must be to this machine: a name such as `a.localhost` may have any address (AUT-30).
    """
    if origin.scheme == "https" or options.plain_http:
        return False
    if not origin.is_loopback:
        raise errors.InsecureDowngradeError(where, str(origin), NO_PLAIN_HTTP)
    return True


def is_for_loopback(origin: Origin, authorization: str, options: Options) -> bool:
    """Return whether a request with an `Authorization` may be sent to a loopback address only (see `Hop`)."""
    return origin.scheme == "http" and not options.plain_http and isinstance(authorization, UserAuthorization)


def no_loopback(where: str, reason: str) -> errors.InsecureDowngradeError:
    """Return the error for a request with a secret, but without TLS, whose connection is not to this machine."""
    return errors.InsecureDowngradeError("the registry", where, f"{reason}, not on this machine; {NO_PLAIN_HTTP}")


@dataclass(frozen=True, slots=True)
class Hint:
    """What to do if access is denied, as text, and whether the cause was that `credentials=` was not given."""

    text: str = ""
    anonymous: bool = False


NO_CHALLENGE: Final = Hint("the registry did not request authentication, so no credentials were looked up")
"""The hint if the registry denies access without a challenge."""
NO_CREDENTIAL_THERE: Final = Hint("the registry redirected to another registry; credentials are not sent there")
"""The hint if a redirect led to another registry, and that one denies anonymous access."""


def hint_for(
    options: Options, registry: RegistryURL, request: Request, found: FoundCredential, *, shown: bool, status: int
) -> Hint:
    """Return what to do about a request that the registry denied.

    `shown`: whether the request had an `Authorization`. `status`: 401, or 403 if the registry knew the user.
    """
    if options.auth_service is not None:
        if not shown:
            return Hint("auth_service was not called, because the registry did not request a token")
        return Hint(f"the token from auth_service was rejected (scope: {request.scope or 'none'})")
    if found.credential is None:
        return _of_anonymous(options, registry, found)
    name = _name_of(found.credential)
    if not shown:
        return Hint(f"{name} was not used, because the registry did not request this kind of credential")
    if status == 403:
        return Hint(f"{name} lacks permission; ask the repository's owner for access, or use another credential")
    return Hint(f"{name} was rejected; check the password, or log in again with: dreg login {registry.authority}")


def _name_of(credential: Credential) -> str:
    if credential.identity_token is not None:
        name = "the identity token"
    elif credential.registry_token is not None:
        name = "the registry token"
    else:
        name = f"the user {credential.username!r}"
    return f"{name} from {credential.source}" if credential.source else name


def _of_anonymous(options: Options, registry: RegistryURL, found: FoundCredential) -> Hint:
    log_in = f"log in with: dreg login {registry.authority}"
    if options.credentials is None or isinstance(options.credentials, Credential):
        how = f"pass credentials=(user, password); or pass credentials=Credentials.default(), and {log_in}"
        return Hint(f"the request was anonymous, because credentials= was not given; {how}", anonymous=True)
    if found.faults:
        return Hint("; ".join(found.faults))
    listed = ", ".join(found.places[:_LISTED]) or "the given credentials= object"
    more = f" and {len(found.places) - _LISTED} more" if len(found.places) > _LISTED else ""
    return Hint(f"no credential for {registry.authority} found in {listed}{more}; {log_in}")
