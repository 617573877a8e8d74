"""What to do if a registry denies access: it depends on the credential of the request. No secret is ever named."""

from dataclasses import dataclass
from typing import Final

from dreg_client.protocol.messages import Request
from dreg_client.protocol.options import FoundCredential, Options
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.values.credential import Credential

_LISTED: Final = 5


@dataclass(frozen=True, slots=True)
class Hint:
    """What to do if access is denied.

    Attributes:
        text: The hint, for people; empty for none.
        anonymous: Whether the request was anonymous because no `credentials=` were given.
    """

    text: str = ""
    anonymous: bool = False


NOT_ASKED: Final = Hint("it does not ask who we are, so that no credential was looked up")
"""The hint if the registry denies access without a challenge."""


def hint_for(
    options: Options, registry: RegistryURL, request: Request, found: FoundCredential, *, shown: bool, status: int
) -> Hint:
    """Return what to do about a denied request.

    Args:
        options: The options of the client.
        registry: The registry that denied it.
        request: The request.
        found: The credential that was given or looked up.
        shown: Whether the request had an `Authorization`.
        status: 401, or 403 if the registry knew who sent it.
    """
    if options.auth_service is not None:
        return Hint(_of_service(request, shown=shown))
    if found.credential is None:
        return _of_anonymous(options, registry, found)
    who = called(found.credential)
    if not shown:
        return Hint(f"{who} was not shown to it: it asks for nothing that this credential can answer")
    if status == 403:
        return Hint(f"{who} may not; ask the repository's owner for the right to, or use another credential")
    return Hint(f"it refused {who}; check the password, or log in anew with: dreg login {registry.authority}")


def called(credential: Credential) -> str:
    """Return whom a credential stands for, and where it was found."""
    if credential.identity_token is not None:
        who = "the identity token"
    elif credential.registry_token is not None:
        who = "the registry token"
    else:
        who = f"the user {credential.username!r}"
    return f"{who} of {credential.source}" if credential.source else who


def _of_service(request: Request, *, shown: bool) -> str:
    if not shown:
        return "auth_service was not asked for a token: the registry does not say that it takes one"
    return f"it refused the token that auth_service gave for {request.scope or 'no scope'}"


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
