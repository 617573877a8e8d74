"""What to do where a registry does not let us: it depends on who we were when we asked. No secret is ever named."""

from typing import Final

from dreg_client.protocol.messages import Request
from dreg_client.protocol.options import FoundCredential, Options
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.values.credential import Credential

_LISTED: Final = 5
ANONYMOUS: Final = "it was asked anonymously, without credentials="
"""How the advice for those begins who gave no credential."""


def advice(
    options: Options, base: RegistryURL, request: Request, found: FoundCredential, *, shown: bool, status: int
) -> str:
    """What to do about a refusal.

    Args:
        options: How registries are talked to.
        base: The registry that refused.
        request: What was asked.
        found: The credential that was given or looked up.
        shown: Whether any proof of who we are was sent.
        status: 401, or 403 where it is no matter of who we are.
    """
    if options.auth_service is not None:
        return _of_service(request, shown=shown)
    if found.credential is None:
        return _of_nobody(options, base, found)
    who = called(found.credential)
    if not shown:
        return f"{who} was not shown to it: it asks for nothing that this credential can answer"
    if status == 403:
        return f"{who} may not; ask the repository's owner for the right to, or use another credential"
    return f"it refused {who}; check the password, or log in anew with: dreg login {base.authority}"


def called(credential: Credential) -> str:
    """Who a credential stands for, and where it was found."""
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


def _of_nobody(options: Options, base: RegistryURL, found: FoundCredential) -> str:
    log_in = f"log in with: dreg login {base.authority}"
    if options.credentials is None or isinstance(options.credentials, Credential):
        kept = f"credentials=Credentials.default(), and {log_in}"
        return f"{ANONYMOUS}; give credentials=(user, password), or {kept}"
    if found.faults:
        return "; ".join(found.faults)
    listed = ", ".join(found.places[:_LISTED]) or "where credentials= says"
    more = f" and {len(found.places) - _LISTED} places more" if len(found.places) > _LISTED else ""
    return f"there is no credential for {base.authority} in {listed}{more}; {log_in}"
