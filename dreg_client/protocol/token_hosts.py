"""To which token server a credential may go (decision D-15; AUT-01 to AUT-03)."""

from typing import Final

from dreg_client import errors
from dreg_client.protocol.messages import Response
from dreg_client.protocol.redirects import nearest_of, refuse_downgrade, refuse_nearer
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.values.docker_hub import HUB_HOST, HUB_TOKEN_HOST
from dreg_client.values.origin import Origin, Reach, without_query

_PAIRS: Final = frozenset({(HUB_HOST, HUB_TOKEN_HOST)})
_FEWEST_LABELS: Final = 2


def refuse_realm(base: RegistryURL, response: Response, realm: str, *, secret: bool, trusted: tuple[str, ...]) -> Reach:
    """Refuse a token server that a registry names and that we do not go to.

    Args:
        base: The registry.
        response: Its challenge.
        realm: The URL of the token server.
        secret: Whether a credential would go there.
        trusted: Hosts that the caller trusts with it.

    Returns:
        The nearest place that its host may turn out to be at.

    Raises:
        ChallengeError: The realm is no URL.
        InsecureDowngradeError: It is http, and the registry https.
        BlockedAddressError: It is nearer than the registry.
        CrossOriginError: A credential would go to a host that is neither the registry's own nor trusted.
    """
    try:
        target = Origin.of(realm)
    except ValueError as fault:
        raise errors.ChallengeError(f"{response.where} names a token server that is no URL: {fault}") from None
    refuse_downgrade(response.where, realm, base.origin, target)
    if target == base.origin:
        return Reach.LOCAL
    nearest = nearest_of(base, response)
    refuse_nearer(response.where, realm, target, nearest)
    if secret and not _is_its_own(base.origin.host, target.host) and not _is_trusted(target, trusted):
        reason = f"credentials go to the registry's own hosts; to trust it: trusted_token_hosts=({target.authority!r},)"
        raise errors.CrossOriginError(response.where, without_query(realm), reason)
    return nearest


def _is_its_own(registry: str, host: str) -> bool:
    if host == registry or (registry, host) in _PAIRS or host.endswith(f".{registry}"):
        return True
    if registry[-1].isdigit() or ":" in registry:  # an address has no parent
        return False
    parent = _common_parent(registry, host)
    return parent.count(".") >= _FEWEST_LABELS - 1 and not _is_public_suffix(parent)


def _common_parent(first: str, second: str) -> str:
    """The parent that is one step above one of them at least, and above or equal to the other; empty without one."""
    own = first.partition(".")[2]
    return own if own and (second == own or second.partition(".")[2] == own) else ""


def _is_public_suffix(name: str) -> bool:
    # Here, and not above: the list takes a while to read, and nearly no registry needs it.
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415

    return bool(PublicSuffixList().is_public(name))


def _is_trusted(target: Origin, trusted: tuple[str, ...]) -> bool:
    return target.authority in trusted or target.host in trusted
