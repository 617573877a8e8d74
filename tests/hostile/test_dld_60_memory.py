"""What comes in tiny chunks takes no more memory than other bytes: DLD-60."""

import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dreg_client import Digest
from tests.faultserver import Drip, Heard, Network, Piece, head
from tests.hostile.downloads import MIB
from tests.hostile.measured import run_measured
from tests.hostile.registry import BASE, MANIFESTS, OCI_MANIFEST, registry_at
from tests.hostile.ways import Way

TINY = b"  "
CHUNKED = b"%x\r\n%b\r\n" % (len(TINY), TINY) * 8192
SIZE = 64 * 1024
BLANKS = b" " * SIZE
Act = Callable[[Any], Any]
ACTS: dict[str, Act] = {
    "document": lambda web: web.get_raw_manifest("1.4"),
    "error": lambda web: web.get_raw_manifest("gone"),
    "blob": lambda web: web.get_blob(Digest.of(BLANKS)),
    "file": lambda web: web.download_blob(Digest.of(BLANKS), "layer", durability="fast"),
}


def tiny(status: str, size: int = SIZE) -> Callable[[Heard], Iterator[Piece]]:
    """Return an answer of so many bytes in chunks of two."""

    def said(heard: Heard) -> Iterator[Piece]:
        kind = OCI_MANIFEST if heard.path.startswith(MANIFESTS) else "application/octet-stream"
        yield head(status, f"Content-Type: {kind}", "Transfer-Encoding: chunked")
        yield Drip(CHUNKED, size // len(TINY) // 8192)
        yield b"0\r\n\r\n"

    return said


class Tiny(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The same of a caller's transport."""

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, SIZE, len(TINY)):
            yield BLANKS[start : start + len(TINY)]

    async def __aiter__(self) -> Any:
        for chunk in self:
            yield chunk


class Transport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that gives tiny chunks."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        status = 404 if request.url.path.endswith("/gone") else 200
        return httpx.Response(status, headers={"Content-Type": OCI_MANIFEST}, stream=Tiny())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


@pytest.mark.parametrize("through", ["network", "transport"])
@pytest.mark.parametrize("act", ACTS)
def test_dld_60_tiny_chunks_take_little_memory(
    library_way: Way, net: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str, through: str
) -> None:
    monkeypatch.chdir(tmp_path)
    registry_at(net).on(f"{MANIFESTS}/1.4", tiny("200 OK")).on(f"{MANIFESTS}/gone", tiny("404 Not Found")).on(
        f"{BASE}/blobs/*", tiny("200 OK")
    )
    library_way.ask(lambda web: web.resolve("all"))  # imports what is imported late
    if through == "transport":
        library_way.options["transport"] = Transport()

    tracemalloc.start()
    try:
        outcome = library_way.ask(ACTS[act])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert (outcome.kind is None) == (act != "error")
    assert peak < 2 * MIB


def test_dld_60_nor_do_they_for_the_command_line(net: Network) -> None:
    registry_at(net).on(f"{MANIFESTS}/1.4", tiny("200 OK", MIB))

    done = run_measured(net, "manifest", "registry.test/acme/web:1.4")

    assert done.peak < 110 * MIB, done.err
