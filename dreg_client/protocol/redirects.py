"""Check the targets of redirects (RFC 9110 15.4), and build the headers of each hop from scratch."""

import re
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from dreg_client import errors
from dreg_client.protocol.messages import Hop, Request, Response
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.values.origin import Origin, Reach, is_printable, joined, reach, without_query
from dreg_client.values.reference import RepositoryName

MAX_REDIRECTS: Final = 10
_KEEPS_METHOD: Final = frozenset({307, 308})
_FOLLOWED: Final = frozenset({301, 302, 303}) | _KEEPS_METHOD
_READS: Final = frozenset({"GET", "HEAD"})
_SENT_ELSEWHERE: Final = frozenset({"accept", "range", "cache-control", "user-agent", "accept-encoding"})
"""The only headers that are sent to another host (TRN-01)."""
_WITHOUT_HOST: Final = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]*:(?!//)|(?:[A-Za-z][A-Za-z0-9+.-]*:)?//(?:[/?#]|$))", re.ASCII
)
_OF_A_REPOSITORY: Final = re.compile(
    r"(?P<prefix>.*?)/v2/(?P<name>[^/]+(?:/[^/]+){0,127})/(?:manifests/[^/]+|blobs/[^/]+|tags/list)"
)


def redirect_target(registry: RegistryURL, request: Request, response: Response) -> str | None:
    """Return the URL to request next; None if the response is final."""
    # A change never turns into a GET, and is sent to the registry's own origin only (TRN-12).
    location = _location_of(response) if response.status in _FOLLOWED else None
    if location is None or (request.method not in _READS and response.status not in _KEEPS_METHOD):
        return None
    target = joined(response.url, location).partition("#")[0]
    if request.method not in _READS and _origin_of(response, target) != registry.origin:
        reason = f"a {request.method} is only sent to the registry itself"
        raise errors.CrossOriginError(response.where, without_query(target), reason)
    return None if request.stays and _origin_of(response, target) != registry.origin else target


def _location_of(response: Response) -> str | None:
    """Return the target of a redirect; None if it has none, or an empty one.

    Raises:
        ProtocolError: There are two different ones.
        UnsafeURLError: It has characters that URLs do not have. Parsers remove some of them (tabs, for example), so the
            target that was checked would not be the one that was written. Or it has no host although it should:
            `https:host/path` is a path for some parsers, and a URL for others.
    """
    found = list(dict.fromkeys(value.strip(" \t") for value in response.headers.all("location")))
    if len(found) > 1:
        raise errors.ProtocolError("the response has two different Location headers", response.where)
    location = found[0] if found else ""
    reason = ""
    if location and not is_printable(location):
        reason = "a Location must contain only printable ASCII characters, without spaces"
    elif _WITHOUT_HOST.match(location):
        reason = "a Location with a scheme, or with // at its start, must have a host"
    if reason:
        raise errors.UnsafeURLError(response.where, without_query(location)[:200], reason)
    return location or None


def next_hop(registry: RegistryURL, hop: Hop, response: Response, url: str, first: Hop) -> Hop:
    """Return the request that follows a redirect of `hop` to `url`.

    The registry itself gets all headers of the `first` request; another origin gets only those without credentials or
    other private data. If another origin redirects back to the registry, the `Authorization` is sent only to the path
    of the first request. Otherwise, that origin could choose what is done with the credential.

    Raises:
        UnsafeURLError: The URL is not valid, leads from https to http, or leads from a public to a private network.
    """
    target = _origin_of(response, url)
    check_no_downgrade(response.where, url, Origin.of(hop.url), target)
    headers = first.headers
    if target == registry.origin:
        if hop.headers != headers and without_query(url) != without_query(first.url):
            headers = tuple([pair for pair in headers if pair[0] != "Authorization"])
        return replace(hop, url=url, headers=headers, nearest=Reach.LOCAL, only_loopback=first.only_loopback)
    nearest = nearest_of(registry, response)
    check_reach(response.where, url, target, nearest)
    sent = tuple([pair for pair in headers if pair[0].lower() in _SENT_ELSEWHERE])
    return replace(hop, url=url, headers=sent, nearest=nearest, only_loopback=False)


def other_registry(registry: RegistryURL, hop: Hop) -> tuple[RegistryURL, Request] | None:
    """Return another registry that a redirect led to, and the request to it; None for the same registry, or a CDN.

    registry.k8s.io, for example, redirects everything to a registry near the caller, which requires a token.
    """
    origin = Origin.of(hop.url)
    found = _OF_A_REPOSITORY.fullmatch(urlsplit(hop.url).path)
    if found is None or origin == registry.origin or hop.method not in _READS:
        return None
    try:
        name = RepositoryName(found["name"])
    except errors.InvalidReferenceError:
        return None
    return RegistryURL(origin, found["prefix"]), Request(hop.method, hop.url, f"repository:{name}:pull")


def with_token(hop: Hop, authorization: str) -> Hop:
    """Return the request with an anonymous token for its host. The next redirect drops the token (see `next_hop`)."""
    headers = [pair for pair in hop.headers if pair[0] != "Authorization"]
    return replace(hop, headers=(*headers, ("Authorization", authorization)))


def _origin_of(response: Response, url: str) -> Origin:
    try:
        return Origin.of(url)
    except ValueError as fault:
        raise errors.UnsafeURLError(response.where, without_query(url)[:200], f"not a valid URL: {fault}") from None


def check_no_downgrade(where: str, url: str, before: Origin, after: Origin) -> None:
    """Reject a step from https to http (TRN-03)."""
    if before.scheme == "https" and after.scheme == "http":
        raise errors.InsecureDowngradeError(where, without_query(url), "switching from https to http is not allowed")


def check_reach(where: str, url: str, target: Origin, nearest: Reach) -> None:
    """Reject a step from a public network to a private one (TRN-04)."""
    if reach(target.host) > nearest:
        reason = "a registry must not redirect to this machine or to a private network"
        if reach(target.host) is Reach.NOWHERE:
            reason = "the address is a multicast or reserved one, which no host has"
        raise errors.BlockedAddressError(where, without_query(url), reason)


def nearest_of(registry: RegistryURL, response: Response) -> Reach:
    """Return the most private network that a registry may point to: its own, according to its name and IP address."""
    own = reach(registry.origin.host)
    is_own = response.peer and Origin.of(response.url) == registry.origin
    return max(own, reach(response.peer)) if is_own else own
