"""Lengths by a caller's transport (TRN-55), registries at `::1` (TRN-56), mirrors with other content (TRN-57)."""

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import h11
import httpcore
import httpx
import pytest

from dreg_client import AsyncRegistry, Digest, Registry, errors
from dreg_client.values.origin import Reach, reach
from tests.faultserver import Network, Piece, answer, redirect, sentence
from tests.hostile.registry import (
    BASE,
    CONFIG,
    LAYER,
    LAYER_DIGEST,
    MANIFEST,
    MANIFESTS,
    OCI_MANIFEST,
    TAGS,
    document,
    registry_at,
)
from tests.hostile.ways import Way, refused

BODY = sentence({"tags": ["1.4"]})
JSON = "Content-Type: application/json"


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body of one piece."""

    def __iter__(self) -> Iterator[bytes]:
        yield BODY

    async def __aiter__(self) -> Any:
        yield BODY


class Stating(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that states these lengths of what it gives."""

    def __init__(self, *lengths: str) -> None:
        self._headers = [("Content-Type", "application/json"), *(("Content-Length", length) for length in lengths)]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers=self._headers, stream=Body())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


SIZE = str(len(BODY))
LENGTHS = [
    ("2", SIZE),
    (SIZE, "2"),
    (f"2, {SIZE}",),
    ("-1",),
    (f"+{SIZE}",),
    (f"{SIZE}.0",),
    ("9" * 20,),
    ("x",),
]


@pytest.mark.parametrize("lengths", LENGTHS)
def test_trn_55_two_lengths_or_a_malformed_one_are_an_error(library_way: Way, lengths: tuple[str, ...]) -> None:
    library_way.options["transport"] = Stating(*lengths)

    refused(library_way.tags(), errors.ProtocolError)


@pytest.mark.parametrize("lengths", [(), ("",), (SIZE,), (SIZE, SIZE), (f"{SIZE}, {SIZE}",)])
def test_trn_55_one_length_is_fine(library_way: Way, lengths: tuple[str, ...]) -> None:
    library_way.options["transport"] = Stating(*lengths)

    assert library_way.tags().value == ("1.4",)


class Failing(Stating):
    """A transport that fails, at once or while its body is read."""

    def __init__(self, failure: Exception, *, late: bool) -> None:
        super().__init__()
        self._failure, self._late = failure, late

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._late:
            return httpx.Response(200, headers=self._headers, stream=Broken(self._failure))
        raise self._failure


class Broken(Body):
    """A body that breaks off."""

    def __init__(self, failure: Exception) -> None:
        self._failure = failure

    def __iter__(self) -> Iterator[bytes]:
        yield BODY
        raise self._failure

    async def __aiter__(self) -> Any:
        yield BODY
        raise self._failure


SIGNED = "https://registry.test/?sig=canary-signature-5e12"
FAILURES: list[tuple[Exception, type[Exception]]] = [
    (httpcore.ConnectError(SIGNED), errors.ConnectError),
    (httpcore.ConnectTimeout(SIGNED), errors.ConnectError),
    (httpcore.ReadTimeout(SIGNED), errors.TransferTimeoutError),
    (httpcore.ReadError(SIGNED), errors.TransportError),
    (httpcore.RemoteProtocolError(SIGNED), errors.TransportError),
    (httpcore.LocalProtocolError(SIGNED), errors.ProtocolError),
    (httpcore.UnsupportedProtocol(SIGNED), errors.ProtocolError),
    (httpcore.ProxyError(SIGNED), errors.TransportError),
    (httpx.InvalidURL(SIGNED), errors.ProtocolError),
    (h11.RemoteProtocolError(SIGNED), errors.TransportError),
    (h11.LocalProtocolError(SIGNED), errors.ProtocolError),
    (anyio.BrokenResourceError(SIGNED), errors.ProtocolError),
    (anyio.ClosedResourceError(SIGNED), errors.ProtocolError),
    (anyio.EndOfStream(SIGNED), errors.ProtocolError),
    (ssl.SSLError(SIGNED), errors.TLSError),
    (ConnectionResetError(SIGNED), errors.TransportError),
]


@pytest.mark.parametrize("late", [False, True], ids=["at once", "in the body"])
@pytest.mark.parametrize(("failure", "kind"), FAILURES, ids=[str(type(each[0])) for each in FAILURES])
def test_trn_58_no_exception_of_a_library_below_a_transport_is_passed_on(
    library_way: Way, failure: Exception, kind: type[Exception], late: bool
) -> None:
    library_way.options["transport"] = Failing(failure, late=late)

    refused(library_way.tags(), kind, *([errors.TransportError] if late else []))


@pytest.fixture
def at_ipv6() -> Iterator[int]:
    """A registry at `::1`; its port."""
    listener = socket.create_server(("::1", 0), family=socket.AF_INET6)

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(answer(BODY, "200 OK", JSON, "Connection: close"))

    serving = threading.Thread(target=serve, daemon=True)
    serving.start()
    yield int(listener.getsockname()[1])
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    serving.join()


def test_trn_56_a_registry_may_be_at_the_loopback_address_of_ipv6(at_ipv6: int) -> None:
    with Registry(f"http://[::1]:{at_ipv6}", retries=0) as registry:
        assert registry.repository("acme/web").tags() == ("1.4",)


@pytest.mark.anyio
async def test_trn_56_in_async_code_too(at_ipv6: int) -> None:
    async with AsyncRegistry(f"http://[::1]:{at_ipv6}", retries=0) as registry:
        assert await registry.repository("acme/web").tags() == ("1.4",)


@pytest.mark.parametrize("host", ["::1", "[::1]", "::", "::ffff:127.0.0.1", "127.0.0.1", "0"])
def test_trn_56_addresses_of_this_machine_are_near_but_exist(host: str) -> None:
    assert reach(host) is Reach.LOCAL


@pytest.mark.parametrize("host", ["::2", "::ff", "::0.1.2.3"])
def test_trn_56_the_addresses_beside_it_belong_to_no_host(host: str) -> None:
    assert reach(host) is Reach.NOWHERE


def test_trn_56_no_public_registry_leads_there(way: Way, net: Network) -> None:
    registry_at(net).on(TAGS, redirect("https://[::1]/tags"))

    refused(way.tags(), errors.BlockedAddressError)


WRONG: dict[str, Piece] = {
    "other bytes": document(MANIFEST.replace(b"layers", b"layerz")),
    "a web page": answer(b"<html>", "200 OK", "Content-Type: text/html"),
    "nothing": answer(b"", "200 OK", f"Content-Type: {OCI_MANIFEST}"),
    "two digests": document(MANIFEST, OCI_MANIFEST, f"Docker-Content-Digest: {Digest.of(b'')}"),
    "an error": answer(b'{"errors": []}', "200 OK", JSON),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_trn_57_what_a_mirror_gets_wrong_the_registry_is_asked_for(way: Way, net: Network, wrong: Piece) -> None:
    named = f"{MANIFESTS}/{Digest.of(MANIFEST)}"
    registry = registry_at(net)
    mirror = registry_at(net, "mirror.test").on(named, wrong)
    way.options["mirrors"] = ("https://mirror.test",)

    assert way.manifest(str(Digest.of(MANIFEST))).error is None
    assert f"GET {named}" in mirror.asked
    assert f"GET {named}" in registry.asked


@pytest.mark.parametrize(
    "wrong", [answer(b"{}"), answer(CONFIG[:-1]), answer(b"<html>", "200 OK", "Content-Type: text/html")]
)
def test_trn_57_so_it_is_for_configs_and_blobs(way: Way, net: Network, tmp_path: Path, wrong: Piece) -> None:
    registry, mirror = registry_at(net), registry_at(net, "mirror.test")
    for digest in (Digest.of(CONFIG), LAYER_DIGEST):
        mirror.on(f"{BASE}/blobs/{digest}", wrong)
    way.options["mirrors"] = ("https://mirror.test",)

    assert way.config(str(Digest.of(MANIFEST))).error is None
    assert way.blob(LAYER_DIGEST, tmp_path / "layer").error is None
    assert (tmp_path / "layer").read_bytes() == LAYER
    assert registry.asked == [f"GET {BASE}/blobs/{Digest.of(CONFIG)}", f"GET {BASE}/blobs/{LAYER_DIGEST}"]


def test_trn_57_if_both_are_wrong_it_is_an_error(way: Way, net: Network) -> None:
    for name in ("registry.test", "mirror.test"):
        registry_at(net, name).on(f"{MANIFESTS}/{Digest.of(MANIFEST)}", WRONG["other bytes"])
    way.options["mirrors"] = ("https://mirror.test",)

    refused(way.manifest(str(Digest.of(MANIFEST))), errors.DigestMismatchError)
