"""Blobs into memory, into a file and as a stream, by threads, asyncio and trio: verified before they are used."""

import fcntl
import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Descriptor, Digest, errors
from dreg_client._async.client import AsyncClient
from dreg_client.files.partial_file import kept_part
from dreg_client.protocol.content import BlobRequest
from tests.raw_server import RawServer, answer, speaking

BLOB = bytes(range(256)) * 8192
DIGEST = Digest.of(BLOB)
SIZE = len(BLOB)
WRONG = BLOB[:-1] + b"?"
Client = Callable[..., Any]


def serving(*bodies: bytes, headers: tuple[str, ...] = ()) -> Any:
    """A server of these bodies, one response after another; the last one again and again."""
    left = list(bodies)

    def script(head: bytes, connection: Any) -> None:
        body = left.pop(0) if len(left) > 1 else left[0]
        connection.sendall(answer(body, "200 OK", *headers))

    return speaking(script)


def streamed(source: Any, request: BlobRequest, got: list[bytes], verifier: Any = None, *, leave: bool = False) -> Any:
    """Read a stream to its end, or leave it after one chunk and go on reading; chunks come in `got`."""
    if isinstance(source.client, AsyncClient):
        return _streamed(source, request, got, verifier, leave=leave)
    with source.stream_blob(request, verifier) as chunks:
        for chunk in chunks:
            got.append(chunk)
            if leave:
                break
    if leave:
        next(chunks)
    return None


async def _streamed(source: Any, request: BlobRequest, got: list[bytes], verifier: Any, *, leave: bool) -> None:
    async with source.stream_blob(request, verifier) as chunks:
        async for chunk in chunks:
            got.append(chunk)
            if leave:
                break
    if leave:
        await anext(chunks)


def no_cache(server: RawServer) -> list[bool]:
    """For each request, whether caches must be bypassed."""
    return [b"no-cache" in head for head in server.heads]


def test_a_blob_in_memory(client: Client) -> None:
    with serving(BLOB) as server, client(server) as (_, do):
        assert do(lambda source: source.get_blob(BlobRequest(DIGEST), SIZE)) == BLOB


def test_a_blob_over_the_limit_is_not_requested_or_not_read_on(client: Client) -> None:
    with serving(BLOB) as server, client(server) as (_, do):
        with pytest.raises(errors.ResponseTooLargeError):
            do(lambda source: source.get_blob(BlobRequest(DIGEST, size=SIZE), SIZE - 1))
        assert server.heads == []
        with pytest.raises(errors.ResponseTooLargeError):
            do(lambda source: source.get_blob(BlobRequest(DIGEST), SIZE - 1))


def test_dld_05_wrong_bytes_are_requested_once_more_without_caches(client: Client, tmp_path: Path) -> None:
    for act in (
        lambda source: source.get_blob(BlobRequest(DIGEST), SIZE),
        lambda source: source.download_blob(DIGEST, tmp_path / "blob"),
    ):
        with serving(WRONG, BLOB) as server, client(server) as (_, do):
            do(act)
            assert no_cache(server) == [False, True]
        with serving(WRONG) as server, client(server) as (_, do):
            with pytest.raises(errors.DigestMismatchError):
                do(act)
            assert no_cache(server) == [False, True]
    assert (tmp_path / "blob").read_bytes() == BLOB
    assert len(list(tmp_path.iterdir())) == 1


def test_d_01_bytes_that_came_compressed_are_decompressed_if_that_makes_them_right(client: Client) -> None:
    compressed = gzip.compress(BLOB)
    with (
        serving(compressed, headers=("Content-Encoding: gzip",)) as server,
        client(server) as (_, do),
    ):
        assert do(lambda source: source.get_blob(BlobRequest(DIGEST), SIZE)) == BLOB
        assert no_cache(server) == [False, True]
        assert do(lambda source: source.get_blob(BlobRequest(Digest.of(compressed)), SIZE)) == compressed


def test_wrong_bytes_that_came_compressed_are_named(client: Client) -> None:
    with (
        serving(gzip.compress(WRONG), headers=("Content-Encoding: gzip",)) as server,
        client(server) as (_, do),
        pytest.raises(errors.ContentEncodingError),
    ):
        do(lambda source: source.get_blob(BlobRequest(DIGEST), SIZE))


def test_the_last_chunk_of_a_stream_comes_once_it_was_verified(client: Client) -> None:
    got: list[bytes] = []
    with serving(BLOB) as server, client(server) as (_, do):
        do(lambda source: streamed(source, BlobRequest(DIGEST), got))
    assert b"".join(got) == BLOB
    got.clear()
    with serving(WRONG) as server, client(server) as (_, do), pytest.raises(errors.DigestMismatchError):
        do(lambda source: streamed(source, BlobRequest(DIGEST), got))
    assert BLOB.startswith(b"".join(got))


def test_a_stream_from_an_offset_is_verified_with_what_came_before(client: Client) -> None:
    got: list[bytes] = []
    rest = answer(BLOB[1000:], "206 Partial Content", f"Content-Range: bytes 1000-{SIZE - 1}/{SIZE}")
    with speaking(lambda head, connection: connection.sendall(rest)) as server, client(server) as (_, do):
        for before, right in ((BLOB[:1000], True), (b"?" * 1000, False)):
            verifier = DIGEST.verifier()
            verifier.update(before)
            got.clear()
            try:
                do(lambda source, verifier=verifier: streamed(source, BlobRequest(DIGEST, 1000), got, verifier))
            except errors.DigestMismatchError:
                assert not right
            else:
                assert right
                assert b"".join(got) == BLOB[1000:]
        got.clear()
        do(lambda source: streamed(source, BlobRequest(DIGEST, 1000), got))
        assert b"".join(got) == BLOB[1000:]


def test_a_stream_that_was_left_says_so(client: Client) -> None:
    def slowly(head: bytes, connection: Any) -> None:
        connection.sendall(answer(BLOB[:200_000], length=SIZE))
        connection.sendall(BLOB[200_000:])

    with speaking(slowly) as server, client(server) as (_, do), pytest.raises(errors.ClosedError):
        do(lambda source: streamed(source, BlobRequest(DIGEST), [], leave=True))


def test_a_part_that_another_process_writes_is_left_to_it(client: Client, tmp_path: Path) -> None:
    part = kept_part(tmp_path / "blob", DIGEST)
    file = os.open(part, os.O_CREAT | os.O_RDWR)
    fcntl.flock(file, fcntl.LOCK_EX)
    with serving(BLOB) as server, client(server) as (_, do):
        do(lambda source: source.download_blob(DIGEST, tmp_path / "blob", resume=True))
        assert (tmp_path / "blob").read_bytes() == BLOB
        assert part.read_bytes() == b""
        os.close(file)
        assert do(lambda source: source.download_blob(DIGEST, tmp_path / "blob", resume=True)) == Descriptor(
            mediaType="application/octet-stream", digest=DIGEST, size=SIZE
        )
    assert [path.name for path in tmp_path.iterdir()] == ["blob"]


def test_kept_bytes_that_are_too_many_are_dropped(client: Client, tmp_path: Path) -> None:
    kept_part(tmp_path / "blob", DIGEST).write_bytes(BLOB + b"?")

    def script(head: bytes, connection: Any) -> None:
        ranged = b"range:" in head.lower()
        missing = answer(b"", "416 Range Not Satisfiable", f"Content-Range: bytes */{SIZE}")
        connection.sendall(missing if ranged else answer(BLOB))

    with speaking(script) as server, client(server) as (_, do):
        do(lambda source: source.download_blob(DIGEST, tmp_path / "blob", resume=True))
        assert len(server.heads) == 2
    assert (tmp_path / "blob").read_bytes() == BLOB
