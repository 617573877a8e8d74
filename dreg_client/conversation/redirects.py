"""Redirects: where they may lead, and what goes along (RFC 9110 15.4). Headers are built from nothing for each hop."""

from dataclasses import replace
from typing import Final

from dreg_client import errors
from dreg_client.conversation.acts import Send, Talk
from dreg_client.protocol.messages import Hop, Request, Response
from dreg_client.protocol.redact import without_secrets
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.values.origin import Origin, Reach, joined, reach, without_query

MAX_REDIRECTS: Final = 10
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_KEEPS_METHOD: Final = frozenset({307, 308})
_READING: Final = frozenset({"GET", "HEAD"})
_TRAVELS: Final = frozenset({"accept", "range", "cache-control"})
"""The request's own headers that go to another host, too."""


def travel(
    base: RegistryURL, request: Request, fixed: tuple[tuple[str, str], ...], proof: str | None
) -> Talk[Response]:
    """Send a request, and go where the answers lead.

    Args:
        base: The registry.
        request: What is asked.
        fixed: Headers that every hop has.
        proof: What stands in `Authorization`; sent to the registry's own origin alone.

    Raises:
        UnsafeURLError: An answer leads where we do not go.
        TooManyRedirectsError: There are more than 10, or they lead in a circle.
    """
    hop = first = _first(base, request, fixed, proof)
    for _ in range(MAX_REDIRECTS + 1):
        response: Response = yield Send(hop)
        response = replace(response, url=hop.url, registry=base.url)
        location = response.headers.get("location")
        if response.status not in _REDIRECTS or location is None or not _is_followed(request, response, base, location):
            return without_secrets(response, hop, redirected=hop is not first)
        hop = _onward(base, request, hop, response, (*fixed, *_proof(proof)))
    raise errors.TooManyRedirectsError(f"{base.url}{request.target}".partition("?")[0], MAX_REDIRECTS)


def _first(base: RegistryURL, request: Request, fixed: tuple[tuple[str, str], ...], proof: str | None) -> Hop:
    url = base.url_of(request.target)
    headers = (*fixed, *request.headers, *_proof(proof))
    return Hop(request.method, url, headers, request.body, request.limit, request.streams, waits=request.waits)


def _proof(proof: str | None) -> tuple[tuple[str, str], ...]:
    return (("Authorization", proof),) if proof else ()


def _is_followed(request: Request, response: Response, base: RegistryURL, location: str) -> bool:
    """What changes something never turns into a GET, and goes to the registry's own origin alone (TRN-12)."""
    if request.method in _READING:
        return True
    if response.status not in _KEEPS_METHOD:
        return False
    target = joined(response.url, location)
    if _origin(response, target) != base.origin:
        reason = f"what a {request.method} changes is at the registry itself alone"
        raise errors.CrossOriginError(response.where, without_query(target), reason)
    return True


def _onward(
    base: RegistryURL, request: Request, hop: Hop, response: Response, to_registry: tuple[tuple[str, str], ...]
) -> Hop:
    url = joined(hop.url, response.headers.get("location") or "").partition("#")[0]
    target = _origin(response, url)
    refuse_downgrade(response.where, url, Origin.of(hop.url), target)
    if target == base.origin:
        return replace(hop, url=url, headers=(*to_registry, *request.headers), nearest=Reach.LOCAL)
    nearest = nearest_of(base, response)
    refuse_nearer(response.where, url, target, nearest)
    travelling = tuple(
        pair
        for pair in (*to_registry, *request.headers)
        if pair[0].lower() in {*_TRAVELS, "user-agent", "accept-encoding"}
    )
    return replace(hop, url=url, headers=travelling, nearest=nearest)


def _origin(response: Response, url: str) -> Origin:
    try:
        return Origin.of(url)
    except ValueError as fault:
        raise errors.UnsafeURLError(response.where, without_query(url)[:200], f"no URL to follow: {fault}") from None


def refuse_downgrade(where: str, url: str, before: Origin, after: Origin) -> None:
    """Refuse the way from https to http (TRN-03)."""
    if before.scheme == "https" and after.scheme == "http":
        raise errors.InsecureDowngradeError(where, without_query(url), "https never becomes http")


def refuse_nearer(where: str, url: str, target: Origin, nearest: Reach) -> None:
    """Refuse the way from a public place to a private one (TRN-04)."""
    if reach(target.host) > nearest:
        reason = "a registry may send us to places as far away as itself, not to this machine or network"
        raise errors.BlockedAddressError(where, without_query(url), reason)


def nearest_of(base: RegistryURL, response: Response) -> Reach:
    """The nearest place that a registry may send us to: as near as itself, by its name and by what answered."""
    own = reach(base.origin.host)
    return max(own, reach(response.peer)) if response.peer and Origin.of(response.url) == base.origin else own
