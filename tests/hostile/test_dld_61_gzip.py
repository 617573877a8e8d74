"""Blobs that come compressed, with bytes that are none of theirs: after the end (DLD-61), or within (DLD-62)."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from dreg_client import Digest, errors
from dreg_client.protocol.blob_reader import BlobTransfer
from dreg_client.protocol.content import BlobRequest
from dreg_client.protocol.messages import Headers, Response
from dreg_client.values.reference import RepositoryName
from tests.faultserver import Drip, Heard, Network, Piece, Trickle, head
from tests.hostile.downloads import MIB, SOCKETS, Tap, descriptor, held
from tests.hostile.registry import BLOB, LAYER, LAYER_DIGEST, registry_at
from tests.hostile.ways import Way, refused

GZIP = "Content-Encoding: gzip"
START = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
EMPTY = b"\0\0\0\xff\xff" * 300
"""Blocks of gzip without content."""


def gzipped(size: int | None = None) -> BlobTransfer:
    """A transfer whose response is compressed, and is to be decompressed."""
    transfer = BlobTransfer(RepositoryName("acme/web"), BlobRequest(Digest.of(LAYER), size=size, decode=True))
    assert transfer.begin(Response(200, Headers([("Content-Encoding", "gzip")])))
    return transfer


# --- DLD-61


@pytest.mark.parametrize("more", [b"\0" * 65536, gzip.compress(b"more"), b"x"], ids=["zeros", "member", "byte"])
@pytest.mark.parametrize("size", [len(LAYER), None], ids=["with-size", "digest-only"])
def test_dld_61_the_first_byte_after_the_end_is_an_error(size: int | None, more: bytes) -> None:
    transfer = gzipped(size)
    assert transfer.feed(gzip.compress(LAYER)) == LAYER

    with pytest.raises(errors.ContentEncodingError, match="more bytes after the end"):
        transfer.feed(more)


@pytest.mark.parametrize("stated", [True, False], ids=["with-descriptor", "digest-only"])
def test_dld_61_an_endless_rest_is_not_read(library_way: Way, net: Network, folder: Path, stated: bool) -> None:
    def pieces() -> Iterator[bytes]:
        yield head("200 OK", GZIP, f"Content-Length: {1 << 40}") + gzip.compress(LAYER)
        yield from (bytes(MIB) for _ in range(4096))

    tap = Tap(pieces)

    def said(heard: Heard) -> Piece | Iterator[Piece]:
        return tap(heard) if heard.header("cache-control") else head("200 OK", GZIP, "Content-Length: 1") + b"x"

    registry_at(net).on(BLOB, said)  # type: ignore[arg-type]
    wanted = descriptor(LAYER) if stated else str(LAYER_DIGEST)
    before = held(folder)

    for action in (
        lambda web: web.get_blob(wanted),
        lambda web: web.download_blob(wanted, folder / "layer"),
    ):
        refused(library_way.ask(action), errors.ContentEncodingError)
    assert held(folder) == before
    assert tap.taken < 2 * SOCKETS


def test_dld_61_the_command_line_ends_too(net: Network, folder: Path) -> None:
    def said(heard: Heard) -> Iterator[Piece]:
        yield head("200 OK", GZIP, "Transfer-Encoding: chunked" if not heard.header("cache-control") else "X: y")
        if heard.header("cache-control"):
            yield gzip.compress(LAYER)
            yield Drip(bytes(MIB), 4096)
        else:
            yield b"1\r\nx\r\n0\r\n\r\n"

    registry_at(net).on(BLOB, said)
    before = held(folder)

    done = Way("command line", net).blob(LAYER_DIGEST, folder / "layer")
    refused(done, errors.ContentEncodingError)
    assert held(folder) == before


def test_dld_61_a_resumed_blob_that_comes_plain_is_not_decompressed() -> None:
    transfer = gzipped(len(LAYER))
    packed = gzip.compress(LAYER)
    first = transfer.feed(packed[: len(packed) // 2])
    transfer.interrupted(errors.TransportError("lost"))

    assert transfer.begin(Response(200, Headers([("Content-Length", str(len(LAYER)))])))
    assert first + transfer.feed(LAYER) == LAYER


# --- DLD-62


def test_dld_62_blocks_without_content_are_not_progress() -> None:
    transfer = gzipped()
    transfer.feed(START)

    def minute() -> None:
        for _ in range(130):
            transfer.feed(EMPTY, 0.5)

    with pytest.raises(errors.TransferTimeoutError, match="less than 1024 bytes per second"):
        minute()


def test_dld_62_nor_is_a_header_without_an_end() -> None:
    transfer = gzipped()
    transfer.feed(b"\x1f\x8b\x08\x08\0\0\0\0\0\xff")  # the name of a file follows

    def minute() -> None:
        for _ in range(130):
            transfer.feed(b"n" * 1500, 0.5)

    with pytest.raises(errors.TransferTimeoutError):
        minute()


def test_dld_62_what_comes_quickly_ends_as_well() -> None:
    transfer = gzipped()
    transfer.feed(START)

    def flood() -> None:
        for _ in range(2000):
            transfer.feed(EMPTY)

    with pytest.raises(errors.ContentEncodingError, match="much longer than the blob"):
        flood()


def test_dld_62_content_that_is_flushed_often_is_read() -> None:
    content, packer = bytes(range(256)) * 8192, zlib.compressobj(wbits=31, level=0)
    transfer = BlobTransfer(RepositoryName("acme/web"), BlobRequest(Digest.of(content), decode=True))
    transfer.begin(Response(200, Headers([("Content-Encoding", "gzip")])))
    read = bytearray()
    for start in range(0, len(content), 64):
        read += transfer.feed(packer.compress(content[start : start + 64]) + packer.flush(zlib.Z_SYNC_FLUSH))
    read += transfer.feed(packer.flush())

    assert read == content


def test_dld_62_a_call_ends_at_its_deadline(library_way: Way, net: Network) -> None:
    def said(heard: Heard) -> Iterator[Piece]:
        if heard.header("cache-control"):
            yield head("200 OK", GZIP) + START
            yield Trickle(EMPTY * 10)
        else:
            yield head("200 OK", GZIP, "Content-Length: 1") + b"x"

    registry_at(net).on(BLOB, said)
    library_way.options["deadline"] = 2.0

    refused(library_way.ask(lambda web: web.get_blob(str(LAYER_DIGEST))), errors.TransportError)
