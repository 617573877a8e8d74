"""One large blob by several range requests: the same bytes, in order, all or none; a wrong range is not used."""

import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Descriptor, Digest, errors
from dreg_client._async import ranged_download as async_ranged_download
from dreg_client._async._compat import maybe_await
from dreg_client._sync import ranged_download
from dreg_client.files.partial_file import kept_part
from dreg_client.protocol.blob_reader import MIN_RANGED
from dreg_client.protocol.blob_reader import RANGE_SIZE as PIECE
from dreg_client.protocol.events import Received
from tests.flavours import FLAVOURS, Flavour
from tests.raw_server import answer, speaking
from tests.transport.pieces import (
    BLOB,
    DIGEST,
    PIECES,
    SIZE,
    Say,
    Server,
    breaking_off,
    exactly,
    part,
    ranges,
    saying,
    threads,
)

Client = Callable[..., Any]
MISFITS: dict[str, Say] = {
    "another part": saying(part(PIECE + 1, 2 * PIECE + 1)),
    "less of it": saying(part(PIECE, 2 * PIECE - 1)),
    "more of it": saying(part(PIECE, 2 * PIECE + 1)),
    "a part that says nothing": saying(answer(BLOB[PIECE : 2 * PIECE], "206 Partial Content")),
    "a blob of unknown size": saying(part(PIECE, 2 * PIECE, shown=f"{PIECE}-{2 * PIECE - 1}/*")),
    "a blob of another size": saying(part(PIECE, 2 * PIECE, shown=f"{PIECE}-{2 * PIECE - 1}/{SIZE - 1}")),
    "another length": saying(part(PIECE, 2 * PIECE - 9, shown=f"{PIECE}-{2 * PIECE - 1}/{SIZE}")),
    "packed": saying(
        answer(
            BLOB[PIECE : 2 * PIECE],
            "206 Partial Content",
            f"Content-Range: bytes {PIECE}-{2 * PIECE - 1}/{SIZE}",
            "Content-Encoding: gzip",
        )
    ),
    "all of it": saying(answer(BLOB)),
    "nothing": saying(answer(b"", "416 Range Not Satisfiable", "Content-Range: bytes */7")),
}


def downloaded(do: Any, folder: Path, **more: Any) -> bytes:
    """The blob by four range requests at a time."""
    given = {"connections": 4, **more}
    do(lambda repository: repository.download_blob(given.pop("blob", DIGEST), folder / "blob", **given))
    assert [path.name for path in folder.iterdir()] == ["blob"]
    assert threads() == []
    return (folder / "blob").read_bytes()


def test_pieces_come_at_the_same_time_and_each_once(client: Client, tmp_path: Path) -> None:
    together = threading.Barrier(4)

    def say(connection: Any, start: int, end: int) -> bool:
        octets = part(start, end)
        connection.sendall(octets[:-1000])
        if start < 4 * PIECE:
            together.wait(60)
        connection.sendall(octets[-1000:])
        return True

    with speaking(Server(always=say)) as server, client(server) as (_, do):
        assert downloaded(do, tmp_path) == BLOB
    assert sorted(ranges(server)) == sorted(PIECES)
    assert ranges(server)[0] == PIECES[0]
    assert server.most == 4


def set_pace(monkeypatch: pytest.MonkeyPatch, fast: int) -> None:
    """So many bytes a second are fast, and the first piece may take any time."""
    for module in (ranged_download, async_ranged_download):
        monkeypatch.setattr(module, "_FAST", fast)
        monkeypatch.setattr(module, "_HEAD_START", 600)


def test_one_request_reads_the_rest_if_the_first_piece_is_fast(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    set_pace(monkeypatch, 0)
    with speaking(Server(is_fast=True)) as server, client(server) as (_, do):
        assert downloaded(do, tmp_path) == BLOB
    assert ranges(server) == [PIECES[0], f"{PIECE}-"]


def test_pieces_take_over_from_a_request_that_has_become_slow(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    set_pace(monkeypatch, 1 << 20)
    others = threading.Event()

    def drip(connection: Any, start: int, end: int) -> None:
        octets = part(start, end)
        connection.sendall(octets[: PIECE + 123])
        for sent in range(PIECE + 123, len(octets)):
            if others.wait(0.01):
                break
            connection.sendall(octets[sent : sent + 1])

    def say(connection: Any, start: int, end: int) -> bool:
        if start > PIECE:
            others.set()
        return exactly(connection, start, end)

    told: list[Received] = []

    def hear(event: object) -> None:
        if isinstance(event, Received):
            told.append(event)

    with (
        speaking(Server({PIECE: drip}, always=say, is_fast=True)) as server,
        client(server, on_event=hear) as (_, do),
    ):
        assert downloaded(do, tmp_path) == BLOB
    assert ranges(server)[:2] == [PIECES[0], f"{PIECE}-"]
    assert len(ranges(server)) == 5
    assert sum(event.octets for event in told) == told[-1].so_far == SIZE


def test_events_tell_of_bytes_in_order(client: Client, tmp_path: Path) -> None:
    told: list[Received] = []

    def hear(event: object) -> None:
        if isinstance(event, Received):
            told.append(event)

    with speaking(Server()) as server, client(server, on_event=hear) as (_, do):
        downloaded(do, tmp_path)
    so_far = 0
    for event in told:
        so_far += event.octets
        assert (event.so_far, event.total, event.digest) == (so_far, SIZE, DIGEST)
    assert so_far == SIZE


def test_pieces_that_break_off_go_on_where_they_did(client: Client, tmp_path: Path) -> None:
    odd = {0: 1_234_567, PIECE: 1, 2 * PIECE: 0, 3 * PIECE: PIECE - 1}
    script = Server({start: breaking_off(after) for start, after in odd.items()})
    with speaking(script) as server, client(server) as (_, do):
        assert downloaded(do, tmp_path) == BLOB
    again = [f"{start + after}-{start + PIECE - 1}" for start, after in odd.items()]
    assert sorted(ranges(server)) == sorted([*PIECES, *again])


@pytest.mark.parametrize("name", MISFITS)
def test_dld_09_what_does_not_fit_is_not_used_and_the_rest_comes_by_one_stream(
    client: Client, name: str, tmp_path: Path
) -> None:
    with speaking(Server({PIECE: MISFITS[name]})) as server, client(server) as (_, do):
        assert downloaded(do, tmp_path) == BLOB
    assert [asked for asked in ranges(server) if asked.endswith("-")] == [f"{PIECE}-"]


def test_more_than_a_piece_without_a_length_is_not_used(client: Client, tmp_path: Path) -> None:
    head = f"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {PIECE}-{2 * PIECE - 1}/{SIZE}\r\n"
    octets = head.encode() + b"Connection: close\r\n\r\n" + BLOB[PIECE : 2 * PIECE] + b"?" * 100_000
    with speaking(Server({PIECE: saying(octets)})) as server, client(server) as (_, do):
        assert downloaded(do, tmp_path) == BLOB
    assert len([asked for asked in ranges(server) if asked.endswith("-")]) == 1


def test_what_goes_on_in_a_piece_is_to_fit_too(client: Client, tmp_path: Path) -> None:
    script = Server({PIECE: breaking_off(1000), PIECE + 1000: saying(answer(BLOB))})
    with speaking(script) as server, client(server) as (_, do):
        assert downloaded(do, tmp_path) == BLOB
    assert [asked for asked in ranges(server) if asked.endswith("-")] == [f"{PIECE + 1000}-"]


WITHOUT: dict[str, tuple[Say, list[str]]] = {
    "passes ranges over": (saying(answer(BLOB)), [PIECES[0]]),
    "refuses them": (saying(answer(b"", "416 Range Not Satisfiable")), [PIECES[0], ""]),
    "gives another part": (saying(part(1, PIECE + 1)), [PIECES[0], ""]),
    "does not know its size": (saying(part(0, PIECE, shown=f"0-{PIECE - 1}/*")), [PIECES[0], ""]),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_a_server_without_ranges_gives_all_by_one_stream(client: Client, name: str, tmp_path: Path) -> None:
    say, asked = WITHOUT[name]
    with speaking(Server(always=say)) as server, client(server) as (_, do):
        assert downloaded(do, tmp_path) == BLOB
    assert ranges(server) == asked


@pytest.mark.parametrize("size", [MIN_RANGED - 1, 0])
def test_a_blob_that_is_known_to_be_small_is_asked_for_whole(client: Client, size: int, tmp_path: Path) -> None:
    small = BLOB[:size]
    wanted = Descriptor(mediaType="application/octet-stream", digest=Digest.of(small), size=size)
    with speaking(Server(whole=saying(answer(small)))) as server, client(server) as (_, do):
        assert downloaded(do, tmp_path, blob=wanted) == small
    assert ranges(server) == [""]


def test_dld_04_a_blob_that_shrinks_is_another_one(client: Client, tmp_path: Path) -> None:
    less = BLOB[: -PIECE // 2]

    def say(connection: Any, start: int, end: int) -> None:
        connection.sendall(part(start, min(end, len(less)), blob=less))

    with speaking(Server({0: exactly}, always=say)) as server, client(server) as (_, do):
        with pytest.raises(errors.SizeMismatchError):
            downloaded(do, tmp_path)
        assert list(tmp_path.iterdir()) == []
        assert threads() == []


def test_it_goes_on_behind_what_an_earlier_call_left(client: Client, tmp_path: Path) -> None:
    kept = PIECE - 1001
    kept_part(tmp_path / "blob", DIGEST).write_bytes(BLOB[:kept])
    with speaking(Server()) as server, client(server) as (_, do):
        assert downloaded(do, tmp_path, resume=True) == BLOB
    assert ranges(server)[0] == f"{kept}-{kept + PIECE - 1}"
    assert len(ranges(server)) == 4


def test_what_is_kept_is_a_beginning_without_gaps(client: Client, tmp_path: Path) -> None:
    script = Server({2 * PIECE: saying(answer(b"", "501 Not Implemented"))})
    with speaking(script) as server, client(server) as (_, do):
        with pytest.raises(errors.DregError, match="501"):
            downloaded(do, tmp_path, resume=True)
        [kept] = tmp_path.iterdir()
        assert kept.read_bytes() == BLOB[: 2 * PIECE]
        assert threads() == []
        assert downloaded(do, tmp_path, resume=True) == BLOB


def test_a_piece_that_is_refused_for_now_is_asked_for_again(client: Client, tmp_path: Path) -> None:
    script = Server({PIECE: saying(answer(b"", "429 Too Many Requests", "Retry-After: 0"))})
    with speaking(script) as server, client(server, retries=1) as (_, do):
        assert downloaded(do, tmp_path) == BLOB
    assert sorted(ranges(server)) == sorted([*PIECES, PIECES[1]])


def test_dld_05_other_bytes_are_asked_for_anew_by_one_stream_once(client: Client, tmp_path: Path) -> None:
    wrong = part(PIECE, 2 * PIECE)[:-1] + b"?"
    with speaking(Server({PIECE: saying(wrong)})) as server, client(server) as (_, do):
        assert downloaded(do, tmp_path) == BLOB
    assert ranges(server).count("") == 1


def test_dld_05_other_bytes_again_are_refused(client: Client, tmp_path: Path) -> None:
    wrong = part(PIECE, 2 * PIECE)[:-1] + b"?"
    script = Server({PIECE: saying(wrong)}, whole=saying(answer(BLOB[:-1] + b"?")))
    with speaking(script) as server, client(server) as (_, do):
        with pytest.raises(errors.DigestMismatchError):
            downloaded(do, tmp_path)
        assert list(tmp_path.iterdir()) == []
    assert ranges(server).count("") == 1


@pytest.mark.parametrize("most", [1, 2])
def test_the_gate_holds_and_nobody_waits_for_ever(client: Client, most: int, tmp_path: Path) -> None:
    with speaking(Server()) as server, client(server, connections=most) as (_, do):
        assert downloaded(do, tmp_path, connections=16) == BLOB
    assert server.most <= most


def test_at_least_one_connection_is_due(client: Client, tmp_path: Path) -> None:
    with speaking(Server()) as server, client(server) as (_, do), pytest.raises(ValueError, match="at least 1"):
        downloaded(do, tmp_path, connections=0)
    assert server.heads == []


class EndsMeanwhile(deque[tuple[memoryview, int]]):
    """The filled blocks of a range; its last one comes right after the second look, which finds none."""

    of: Any
    looks = 0

    def __bool__(self) -> bool:
        self.looks += 1
        found = len(self) > 0
        if self.looks == 2:
            self.append((memoryview(b"last"), 4))
            self.of._ended = True
            self.of._changed.set()
        return found


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_the_last_block_comes_before_the_end_whenever_it_is_filled(flavour: str) -> None:
    kind: Any = ranged_download._Range if flavour == "threads" else async_ranged_download._AsyncRange

    async def read() -> list[bytes]:
        read = kind(None, [])
        read._filled = EndsMeanwhile()
        read._filled.of = read
        return [await maybe_await(read.next_chunk()) for _ in range(2)]

    assert Flavour(flavour).run(read) == [b"last", b""]
