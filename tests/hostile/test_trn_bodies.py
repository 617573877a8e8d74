"""Answers that are none, or never end: TRN-14 to TRN-16, TRN-20, TRN-21, TRN-24, TRN-25, TRN-28."""

import gzip
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Timeouts, errors
from tests.faultserver import END, STALL, Drip, Network, Piece, answer, chunked, head, sentence
from tests.hostile.registry import (
    BASE,
    BLOB,
    DIGEST,
    LAYER,
    LAYER_DIGEST,
    MANIFEST,
    MANIFESTS,
    OCI_MANIFEST,
    TAGS,
    listed,
    registry_at,
)
from tests.hostile.ways import Way, refused

MEBIBYTE = 1024 * 1024
PAGE = answer(b"<html><form>Log in to the network</form></html>", 200, "Content-Type: text/html; charset=utf-8")


@pytest.fixture
def little_memory() -> Iterator[None]:
    """What a test does takes less than 64 MiB at once."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < 64 * MEBIBYTE
    finally:
        tracemalloc.stop()


HEADS: dict[str, tuple[Piece, ...]] = {
    "one long header": (b"HTTP/1.1 200 OK\r\nX: ", Drip(b"y" * 65536)),
    "10,000 headers": (b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: some value\r\n" % n for n in range(10_000)), STALL),
    "headers without an end": (b"HTTP/1.1 200 OK\r\n", Drip(b"X: y\r\n" * 1000)),
    "a status without an end": (b"HTTP/1.1 200 ", Drip(b"OK" * 30_000)),
    "no HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", END),
}


@pytest.mark.parametrize("pieces", HEADS.values(), ids=HEADS)
def test_trn_14_a_head_has_an_end(
    library_way: Way, net: Network, little_memory: None, pieces: tuple[Piece, ...]
) -> None:
    registry = registry_at(net).on(TAGS, pieces)
    library_way.options["retries"] = 3

    refused(library_way.tags(), errors.ProtocolError)
    assert len(registry.requests) == 1


def test_trn_14_neither_by_the_command_line(way: Way, net: Network) -> None:
    registry_at(net).on(TAGS, HEADS["headers without an end"])

    refused(way.tags(), errors.ProtocolError)


def test_trn_14_interim_answers_are_no_answer(library_way: Way, net: Network, little_memory: None) -> None:
    registry_at(net).on(TAGS, (Drip(b"HTTP/1.1 102 Processing\r\n\r\n", 2000), END))

    refused(library_way.tags(), errors.TransportError)


def test_trn_15_a_list_that_drips_ends(library_way: Way, net: Network) -> None:
    """A blob's low speed is told by the plan (tests/protocol/test_download.py), with a clock of its own."""

    def drip(_: object) -> Iterator[Piece]:
        yield answer(b"", 200, "Content-Type: application/json", length=4 * MEBIBYTE)
        while True:
            yield b" "

    registry_at(net).on(TAGS, drip)
    library_way.options["timeout"] = Timeouts(whole=0.05)

    refused(library_way.tags(), errors.TransferTimeoutError)


@pytest.mark.parametrize("said", [(), (head(200, "Content-Length: 100"),), (head(200, "Content-Length: 9"), b"{")])
def test_trn_16_whoever_stays_silent_is_left(library_way: Way, net: Network, said: tuple[Piece, ...]) -> None:
    registry = registry_at(net).on(TAGS, (*said, STALL))
    library_way.options["timeout"] = Timeouts(read=0.3)

    refused(library_way.tags(), errors.TransferTimeoutError)
    registry.wait_until_idle()
    assert len(registry.requests) == 1


def test_trn_16_by_the_command_line_too(way: Way, net: Network) -> None:
    registry = registry_at(net).on(TAGS, STALL)
    way.options["timeout"] = 4.0 if way.name == "command line" else Timeouts(read=0.3)

    refused(way.tags(), errors.TransferTimeoutError)
    registry.wait_until_idle()


def test_trn_16_a_silent_blob_leaves_no_file(library_way: Way, net: Network, tmp_path: Path) -> None:
    registry_at(net).on(BLOB, (head(200, f"Content-Length: {len(LAYER)}") + LAYER[:10], STALL))
    library_way.options["timeout"] = Timeouts(read=0.2)
    folder = tmp_path / "layers"
    folder.mkdir()

    refused(library_way.blob(LAYER_DIGEST, folder / "layer"), errors.TruncatedBodyError, errors.TransferTimeoutError)
    assert list(folder.iterdir()) == []


def test_trn_16_whoever_takes_no_connection_is_left(way: Way, net: Network) -> None:
    net.black_hole("registry.test")
    way.options["timeout"] = 0.5

    refused(way.tags(), errors.ConnectError)


def test_trn_16_whoever_never_shakes_hands_is_left(library_way: Way, net: Network) -> None:
    host = net.host("registry.test", scheme="http", port=443)
    library_way.options["timeout"] = Timeouts(connect=0.3)

    refused(library_way.tags(), errors.ConnectError)
    host.wait_until_idle()
    assert host.requests == []


MANY = sentence({"errors": [{"code": "DENIED", "message": f"no {n}"} for n in range(1000)]})
REFUSALS: dict[str, tuple[Piece, ...]] = {
    "1 GiB": (head(403, f"Content-Length: {1024 * MEBIBYTE}"), Drip(b"x" * 65536, 16384)),
    "without an end": (head(403, "Content-Type: text/plain"), Drip(b"y" * 65536)),
    "a page": (answer(b"<html>" + b"z" * 5000, 403, "Content-Type: text/html"),),
    "no JSON": (answer(b'{"errors": [', 403),),
    "no list": (answer(b'{"errors": {}}', 403),),
    "a list": (answer(b"[]", 403),),
    "a code that is a number": (answer(b'{"errors": [{"code": 7, "message": 8}]}', 403),),
    "many errors": (answer(MANY, 403),),
    "10^6 errors": (
        head(403, "Content-Length: 40000000"),
        b'{"errors": [',
        Drip(b'{"code": "DENIED", "message": ""},'),
    ),
    "deep": (answer(b"[" * 60_000, 403),),
    "colours": (answer(sentence({"errors": [{"code": "\x1b[31mX", "message": "a\x1b]0;b\x07\u202e"}]}), 403),),
    "cut short": (answer(b"denied", 403, length=100), END),
}


@pytest.mark.parametrize("pieces", REFUSALS.values(), ids=REFUSALS)
def test_trn_20_any_body_of_a_refusal_will_do(
    library_way: Way, net: Network, little_memory: None, pieces: tuple[Piece, ...]
) -> None:
    registry = registry_at(net).on(TAGS, pieces)
    library_way.options["retries"] = 3

    failed = refused(library_way.tags(), errors.DeniedError)
    assert isinstance(failed.error, errors.DeniedError)
    assert failed.error.status == 403
    assert len(failed.error.said) <= 10
    assert all(len(said) <= 1024 + 110 for said in failed.error.said)
    assert failed.text.isprintable()
    assert len(registry.requests) == 1


@pytest.mark.parametrize("name", ["1 GiB", "colours"])
def test_trn_20_neither_by_the_command_line(way: Way, net: Network, name: str) -> None:
    registry_at(net).on(TAGS, REFUSALS[name])

    failed = refused(way.tags(), errors.DeniedError)
    assert len(failed.text) < 8000
    assert failed.text.replace("\n", "").isprintable()


PACKED = {
    "of something else": ("gzip", gzip.compress(b"something else")),
    "a bomb": ("gzip", gzip.compress(b"\0" * 20_000_000)),
    "cut short": ("gzip", gzip.compress(LAYER)[:20]),
    "two members": ("gzip", gzip.compress(LAYER[:800]) + gzip.compress(LAYER[800:])),
    "no gzip": ("gzip", b"no gzip at all"),
    "br": ("br", b"\x0b\x02\x80"),
    "zstd": ("zstd", b"\x28\xb5\x2f\xfd"),
    "deflate": ("deflate", b"x\x9c"),
}


@pytest.mark.parametrize(("encoding", "body"), PACKED.values(), ids=PACKED)
def test_trn_21_what_comes_packed_is_proven_or_refused(
    library_way: Way, net: Network, tmp_path: Path, little_memory: None, encoding: str, body: bytes
) -> None:
    """Only gzip that unpacks to exactly what was asked for is taken (D-01, tests/http/test_blobs.py)."""
    packed = answer(body, 200, f"Content-Encoding: {encoding}", f"Content-Type: {OCI_MANIFEST}")
    registry_at(net).on(BLOB, packed).on(f"{MANIFESTS}/{DIGEST}", packed)
    folder = tmp_path / "layers"
    folder.mkdir()
    kinds = (errors.ContentEncodingError, errors.DigestMismatchError, errors.SizeMismatchError)

    refused(library_way.blob(LAYER_DIGEST, folder / "layer"), *kinds)
    refused(library_way.manifest(str(DIGEST)), *kinds)
    assert list(folder.iterdir()) == []


def test_trn_21_neither_by_the_command_line(way: Way, net: Network, tmp_path: Path) -> None:
    registry_at(net).on(BLOB, answer(PACKED["a bomb"][1], 200, "Content-Encoding: gzip"))
    folder = tmp_path / "layers"
    folder.mkdir()

    refused(way.blob(LAYER_DIGEST, folder / "layer"), errors.ContentEncodingError, errors.DigestMismatchError)
    assert list(folder.iterdir()) == []


def test_trn_24_a_page_before_the_registry_is_no_registry(way: Way, net: Network, tmp_path: Path) -> None:
    net.host("registry.test").on("*", PAGE)

    refused(way.tags(), errors.ProtocolError)
    refused(way.repositories(), errors.ProtocolError)
    refused(way.manifest("1.4"), errors.UnsupportedMediaTypeError)
    refused(way.resolve("1.4"), errors.UnsupportedMediaTypeError)
    refused(way.blob(LAYER_DIGEST, tmp_path / "layer"), errors.DigestMismatchError)
    assert not (tmp_path / "layer").exists()


def test_trn_24_a_head_without_a_digest_says_nothing_alone(library_way: Way, net: Network) -> None:
    def has_blob(registry: Any) -> Any:
        return registry.repository("acme/web").has_blob(LAYER_DIGEST)

    registry = registry_at(net)
    assert library_way.all_of(has_blob).value == [True]
    assert [heard.method for heard in registry.requests] == ["HEAD", "GET"]
    registry.on(BLOB, answer(LAYER, 200, f"Docker-Content-Digest: {LAYER_DIGEST}"))
    assert library_way.all_of(has_blob).value == [True]
    assert [heard.method for heard in registry.requests] == ["HEAD", "GET", "HEAD"]
    registry.on(BLOB, answer(LAYER[:-1]), method="GET").on(BLOB, answer(LAYER), method="HEAD")
    refused(library_way.all_of(has_blob), errors.ProtocolError)
    registry.on(BLOB, PAGE)
    refused(library_way.all_of(has_blob), errors.ProtocolError)
    registry.on(BLOB, answer(b"", 404), method="GET").on(BLOB, PAGE, method="HEAD")
    assert library_way.all_of(has_blob).value == [False]


def test_trn_25_whoever_always_refuses_is_asked_twice(way: Way, net: Network) -> None:
    seen: list[int] = []

    def fresh(_: object) -> bytes:
        seen.append(1)
        return answer(b"", 401, f'WWW-Authenticate: Bearer realm="https://registry.test/token",service="s{len(seen)}"')

    registry = registry_at(net).on(TAGS, fresh).on("/token", answer(sentence({"token": "anybody"})))
    way.options["retries"] = 4

    refused(way.tags(), errors.UnauthorizedError)
    assert sum(heard.path == TAGS for heard in registry.requests) <= 2
    assert sum(heard.path == "/token" for heard in registry.requests) <= 2


TWO_READINGS: dict[str, tuple[Piece, ...]] = {
    "two lengths": (head(200, "Content-Length: 2", "Content-Length: 3") + b"{} ",),
    "two lengths in one line": (head(200, "Content-Length: 2, 3") + b"{} ",),
    "a length with a sign": (head(200, "Content-Length: +2") + b"{}",),
    "a length below nothing": (head(200, "Content-Length: -1") + b"{}",),
    "a length and chunks": (head(200, "Content-Length: 5", "Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\n\r\n",),
    "chunks twice": (head(200, "Transfer-Encoding: chunked, chunked") + b"2\r\n{}\r\n0\r\n\r\n",),
    "another coding": (head(200, "Transfer-Encoding: gzip") + b"2\r\n{}\r\n0\r\n\r\n",),
    "a chunk's end": (chunked(b"{}", end=b"xx0\r\n\r\n"),),
    "a chunk's size": (chunked(end=b"2 2\r\n{}\r\n0\r\n\r\n"),),
    "a chunk below nothing": (chunked(end=b"-2\r\n{}\r\n0\r\n\r\n"),),
    "a space in a header's name": (head(200, "Content-Length : 2") + b"{}",),
    "a header that goes on": (head(200, "X: y", " z: 1", "Content-Length\t: 2") + b"{}",),
}


@pytest.mark.parametrize("pieces", TWO_READINGS.values(), ids=TWO_READINGS)
def test_trn_28_what_two_parsers_may_read_differently_is_refused(
    library_way: Way, net: Network, pieces: tuple[Piece, ...]
) -> None:
    registry = registry_at(net).on(TAGS, pieces, listed("1.4")).on(f"{MANIFESTS}/new", pieces, method="PUT")
    library_way.options["retries"] = 3

    refused(library_way.tags(), errors.ProtocolError)
    assert len(registry.requests) == 1
    refused(library_way.tag("1.4", "new"), errors.ProtocolError)
    assert [heard.method for heard in registry.requests].count("PUT") == 1


@pytest.mark.parametrize("pieces", TWO_READINGS.values(), ids=TWO_READINGS)
def test_trn_28_such_a_connection_is_not_used_again(library_way: Way, net: Network, pieces: tuple[Piece, ...]) -> None:
    registry = registry_at(net).on("/v2/", pieces)

    def broken(registry: Any) -> Any:
        try:
            done = registry.ping()
        except errors.ProtocolError as failure:
            return type(failure)
        return done

    async def broken_by_task(registry: Any) -> Any:
        try:
            return await registry.ping()
        except errors.ProtocolError as failure:
            return type(failure)

    def tags(registry: Any) -> Any:
        return registry.repository("acme/web").tags()

    ping = broken if library_way.name == "threads" else broken_by_task
    assert library_way.all_of(ping, tags).value == [errors.ProtocolError, ("1.4", "all")]
    assert [heard.connection for heard in registry.requests] == [1, 2]


def test_trn_28_neither_by_the_command_line(way: Way, net: Network) -> None:
    registry_at(net).on(TAGS, TWO_READINGS["a length and chunks"])

    refused(way.tags(), errors.ProtocolError)


def test_trn_28_two_equal_lengths_are_one(library_way: Way, net: Network) -> None:
    """RFC 9110 8.6 lets a recipient take a repeated, equal length."""
    twice = head(200, f"Content-Type: {OCI_MANIFEST}", *[f"Content-Length: {len(MANIFEST)}"] * 2) + MANIFEST
    registry_at(net).on(f"{BASE}/manifests/1.4", twice)

    assert library_way.manifest("1.4").value.digest == DIGEST


def test_trn_28_a_body_where_none_may_be_is_no_next_answer(library_way: Way, net: Network) -> None:
    """What stands behind a 204 is read as nothing, least of all as the answer to what is asked next."""
    smuggled = listed("smuggled")
    assert isinstance(smuggled, bytes)
    registry = registry_at(net).on(f"{MANIFESTS}/{DIGEST}", head("204 No Content") + smuggled, method="DELETE")

    def delete(registry: Any) -> Any:
        return registry.repository("acme/web").delete_manifest(str(DIGEST))

    def tags(registry: Any) -> Any:
        return registry.repository("acme/web").tags()

    done = library_way.all_of(delete, tags)
    assert done.error is not None or done.value == [None, ("1.4", "all")]
    assert f"DELETE {MANIFESTS}/{DIGEST}" in registry.asked


def test_trn_14_interim_answers_without_an_end(library_way: Way, net: Network, little_memory: None) -> None:
    registry_at(net).on(TAGS, Drip(b"HTTP/1.1 102 Processing\r\n\r\n"))

    refused(library_way.tags(), errors.ProtocolError)
