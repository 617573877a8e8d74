"""What is needed to send to one origin: who carries it, how long one waits, and who may turn out to be there."""

import time
from dataclasses import dataclass
from typing import Any, Final

from dreg_client import errors
from dreg_client.conversation.base import Base
from dreg_client.events import Answered
from dreg_client.logs import log
from dreg_client.options import Options, Timeouts
from dreg_client.protocol.wire import Headers, Hop, Response
from dreg_client.transport.proxies import proxy_for, proxy_url
from dreg_client.transport.tls import tls_context
from dreg_client.values.origin import Origin, Reach, reach

MAX_REFUSAL: Final = 64 * 1024
"""The most bytes that are read of the body of a refusal."""
_PLACES: Final = frozenset({301, 302, 303, 307, 308, 401})
CONNECTED: Final = "connection.connect_tcp.complete"


@dataclass(frozen=True, slots=True)
class Way:
    """How an origin is reached.

    Attributes:
        proxy: The proxy's URL, None for the direct way.
        arguments: What the HTTP library's transport is made with.
    """

    proxy: str | None
    arguments: dict[str, Any]


def way_to(origin: Origin, options: Options, bases: tuple[Base, ...], http: Any) -> Way:  # noqa: ANN401 (a module)
    """How an origin is reached.

    Raises:
        ConfigError: A file of certificates, or a proxy, cannot be used.
    """
    proxy = _proxy(origin, options)
    context = tls_context(options, origin, is_registry=any(base.origin == origin for base in bases))
    # The pool has no limit of its own: ours is the gate, which gives back what a cancelled request held.
    limits = http.Limits(max_connections=None, max_keepalive_connections=options.connections, keepalive_expiry=30.0)
    arguments = {"verify": context, "limits": limits, "trust_env": False, "retries": 0, "http2": False}
    return Way(proxy, arguments | ({"proxy": http.Proxy(proxy)} if proxy else {}))


def _proxy(origin: Origin, options: Options) -> str | None:
    if options.proxy:
        return proxy_url(options.proxy)
    return proxy_for(origin) if options.trust_env else None


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
    headers = Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in given.headers.raw)
    if headers.all("transfer-encoding") and headers.all("content-length"):
        raise errors.ProtocolError("the answer has a length, and comes in chunks", hop.where)
    peer = "" if proxied or given.status_code not in _PLACES else _peer(given.extensions.get("network_stream"))
    return Response(given.status_code, headers, url=hop.url, peer=peer)


def _peer(stream: Any) -> str:  # noqa: ANN401 (either library's)
    address: Any = stream.get_extra_info("server_addr") if stream is not None else None
    return str(address[0]) if address and not isinstance(address, str) else ""


def refuse_near_peer(hop: Hop, stream: Any) -> None:  # noqa: ANN401 (either library's)
    """Refuse the address that was dialled where it is nearer than it may be; nothing was sent yet (TRN-05).

    Raises:
        BlockedAddressError: It is.
    """
    peer = _peer(stream)
    if peer and reach(peer) > hop.nearest:
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

    def add(self, chunk: bytes) -> None:
        """Take a chunk.

        Raises:
            ResponseTooLargeError: A good answer is longer than it may be; of a refusal, the beginning is kept.
            TransferTimeoutError: It takes too long.
        """
        self._held.append(chunk[: max(self._limit - self._size, 0)])
        self._size += len(chunk)
        if self._size > self._limit:
            if self._ok:
                raise errors.ResponseTooLargeError(f"{self._hop.where}: its answer", self._size, self._hop.limit)
            self.full = True
        if time.monotonic() > self._until:
            reason = f"the answer was not whole after {self._longest:.0f} s"
            raise errors.TransferTimeoutError(reason, self._hop.where)

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


def no_connection_free(hop: Hop, options: Options) -> errors.TransferTimeoutError:
    """The error of a request that found no connection."""
    reason = f"all {options.connections} connections are in use; close streams, or raise the number by connections="
    return errors.TransferTimeoutError(reason, hop.where)


def is_watched(hop: Hop, *, proxied: bool) -> bool:
    """Whether the address that is dialled is to be looked at; behind a proxy it is the proxy's."""
    return hop.nearest is not Reach.LOCAL and not proxied


def log_answer(hop: Hop, response: Response, seconds: float) -> Answered:
    """Log an answer, and make the event of it."""
    log.debug("%s %s: %d in %.3f s", hop.method, hop.where, response.status, seconds)
    return Answered(hop.method, hop.where, response.status, seconds)
