"""What is needed to send to one origin: who carries it, how long one waits, and who may turn out to be there."""

import time
from functools import lru_cache
from ssl import SSLContext
from typing import Any, Final

from dreg_client import errors
from dreg_client._logging import log
from dreg_client.credentials.tls import tls_context
from dreg_client.protocol.events import Answered
from dreg_client.protocol.messages import Headers, Hop, Response
from dreg_client.protocol.options import Options, Timeouts
from dreg_client.protocol.proxies import proxy_for, proxy_url
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.values.origin import Origin, Reach, reach
from dreg_client.values.sizes import KIBIBYTE

MAX_REFUSAL: Final = 64 * KIBIBYTE
"""The most bytes that are read of the body of a refusal."""
_PLACES: Final = frozenset({301, 302, 303, 307, 308, 401})


def origin_of(hop: Hop) -> Origin:
    """To whom a hop goes."""
    return _origin(hop.place or hop.url)


@lru_cache(maxsize=256)
def _origin(place: str) -> Origin:
    return Origin.of(place)


def proxy_of(origin: Origin, options: Options) -> str | None:
    """The proxy before an origin, None for the direct way.

    Raises:
        ConfigError: It cannot be used.
    """
    if options.proxy:
        return proxy_url(options.proxy)
    return proxy_for(origin) if options.trust_env else None


def context_of(origin: Origin, options: Options, bases: tuple[RegistryURL, ...]) -> SSLContext:
    """The rules for TLS connections to an origin.

    Raises:
        ConfigError: A file of certificates cannot be used.
    """
    return tls_context(options, origin, is_registry=any(base.origin == origin for base in bases))


def arguments_of(options: Options, context: SSLContext, proxy: str, http: Any) -> dict[str, Any]:  # noqa: ANN401
    """What the HTTP library's transport through a proxy is made with."""
    # The pool has no limit of its own: ours is the gate, which gives back what a cancelled request held.
    limits = http.Limits(max_connections=None, max_keepalive_connections=options.connections, keepalive_expiry=30.0)
    arguments = {"verify": context, "limits": limits, "trust_env": False, "retries": 0, "http2": False}
    return {**arguments, "proxy": http.Proxy(proxy)}


def timeouts_of(hop: Hop, timeouts: Timeouts) -> dict[str, float]:
    """The time-outs of a hop, as the HTTP library's transports take them."""
    read = hop.waits if hop.waits is not None else timeouts.read
    return {"connect": timeouts.connect, "read": read, "write": timeouts.write, "pool": timeouts.pool}


def request_of(hop: Hop, http: Any, timeouts: Timeouts) -> Any:  # noqa: ANN401 (either library's)
    """The request as the HTTP library has it; its headers are ours alone."""
    try:
        return http.Request(
            hop.method,
            hop.url,
            headers=list(hop.headers),
            content=hop.body or None,
            extensions={"timeout": timeouts_of(hop, timeouts)},
        )
    except (http.InvalidURL, UnicodeError, ValueError):
        raise errors.UnsafeURLError(hop.where, hop.where, "it is no URL that can be asked") from None


def response_of(hop: Hop, given: Any, *, proxied: bool) -> Response:  # noqa: ANN401 (either library's)
    """Status and headers of what came; the body is still to be read.

    Raises:
        ProtocolError: It says twice how long its body is: two parsers may read it differently (TRN-28; RFC 9112 6.3).
    """
    headers = Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in given.headers)
    if headers.all("transfer-encoding") and headers.all("content-length"):
        raise errors.ProtocolError("the answer has a length, and comes in chunks", hop.where)
    peer = "" if proxied or given.status not in _PLACES else given.peer
    return Response(given.status, headers, url=hop.url, peer=peer)


def with_body(response: Response, octets: bytes = b"", stream: object = None) -> Response:
    """The same answer with its body."""
    return Response(response.status, response.headers, octets, response.url, stream=stream, peer=response.peer)


def peer_of(stream: Any) -> str:  # noqa: ANN401 (either library's)
    """The address at the other end of a connection; empty where it has none."""
    address: Any = stream.get_extra_info("server_addr")
    return str(address[0]) if address and not isinstance(address, str) else ""


def refuse_near_peer(hop: Hop, peer: str) -> None:
    """Refuse the address that was dialled where it is nearer than it may be; nothing was sent yet (TRN-05).

    Raises:
        BlockedAddressError: It is.
    """
    if hop.nearest is not Reach.LOCAL and peer and reach(peer) > hop.nearest:
        reason = f"its address is {peer}: a registry may not send us to this machine or network"
        raise errors.BlockedAddressError("the registry", hop.where, reason)


class Gathered:
    """The body of an answer, gathered chunk by chunk within its bounds.

    Attributes:
        full: Whether no more of it is wanted.
    """

    full: bool

    def __init__(self, hop: Hop, response: Response, timeouts: Timeouts) -> None:
        self._hop, self._ok = hop, response.ok
        self._limit = hop.limit if response.ok else MAX_REFUSAL
        self._longest = max(timeouts.whole, hop.waits or 0.0)
        self._until = time.monotonic() + self._longest
        self._held: list[bytes] = []
        self._size = 0
        self.full = response.ok and hop.limit == 0
        if self._ok and hop.method != "HEAD" and not self.full:
            self._check(response.length or 0)

    def add(self, chunk: bytes) -> None:
        """Take a chunk.

        Raises:
            ResponseTooLargeError: A good answer is longer than it may be; of a refusal, the beginning is kept.
            TransferTimeoutError: It takes too long.
        """
        self._held.append(chunk[: max(self._limit - self._size, 0)])
        self._size += len(chunk)
        if self._ok:
            self._check(self._size)
        self.full = self._size > self._limit
        if time.monotonic() > self._until:
            reason = f"the answer was not whole after {self._longest:.0f} s"
            raise errors.TransferTimeoutError(reason, self._hop.where)

    def _check(self, size: int) -> None:
        if size > self._limit:
            raise errors.ResponseTooLargeError(f"{self._hop.where}: its answer", size, self._limit)

    def failed(self, failure: errors.DregError) -> None:
        """The body broke off; of a refusal, what came is enough.

        Raises:
            DregError: The failure, of a good answer.
        """
        if self._ok or not isinstance(failure, errors.TransportError):
            raise failure
        self.full = True

    def octets(self) -> bytes:
        """What was gathered."""
        return b"".join(self._held)


def no_connection_free(hop: Hop, options: Options) -> errors.NoPlaceError:
    """The error of a request that found no connection."""
    reason = f"all {options.connections} connections are in use; close streams, or raise the number by connections="
    return errors.NoPlaceError(reason, hop.where)


def log_answer(hop: Hop, response: Response, seconds: float) -> Answered:
    """Log an answer, and make the event of it."""
    log.debug("%s %s: %d in %.3f s", hop.method, hop.where, response.status, seconds)
    return Answered(hop.method, hop.where, response.status, seconds)
