"""Which pieces of a blob are asked for side by side, without a network."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreg_client import Digest
from dreg_client.protocol.blob_reader import BlobDownload
from dreg_client.protocol.messages import Headers, Response
from dreg_client.protocol.ranges import PIECE, SMALLEST, Pieces
from dreg_client.values.reference import RepositoryName


def pieces(connections: int = 4, start: int = 0, size: int | None = None) -> Pieces:
    return Pieces(RepositoryName("acme/web"), Digest.of(b""), start=start, size=size, connections=connections)


def asked(download: BlobDownload) -> str | None:
    return dict(download.request().headers).get("Range")


def answered(reading: Pieces, total: int) -> bool:
    """Its first piece has its answer, as it was asked for."""
    start, end = reading.offset, min(reading.offset + PIECE, total)
    shown = {"Content-Range": f"bytes {start}-{end - 1}/{total}", "Content-Length": str(end - start)}
    assert reading.first.begin(Response(206, Headers(shown.items())))
    return reading.begin()


@given(total=st.integers(1, 200 * PIECE), kept=st.integers(0, 200 * PIECE), connections=st.integers(2, 16))
def test_pieces_are_all_of_the_blob_in_order_and_few_are_ahead(total: int, kept: int, connections: int) -> None:
    start = min(kept, total - 1)
    reading = pieces(connections, start)
    is_beside = answered(reading, total)
    due, place = [reading.first], start
    while due:
        while (piece := reading.next()) is not None:
            due.append(piece)
        assert len(due) <= connections + 2
        oldest = due.pop(0)
        assert (oldest.offset, oldest.total) == (place, total)
        assert oldest.end is not None
        assert 0 < oldest.end - place <= PIECE
        place = oldest.end
        reading.over()
    assert place == total
    assert is_beside == (total - start > PIECE)


@pytest.mark.parametrize(
    ("connections", "start", "size"),
    [(1, 0, None), (4, 0, SMALLEST - 1), (4, PIECE, SMALLEST), (4, SMALLEST, SMALLEST)],
)
def test_where_nothing_is_gained_there_is_one_stream(connections: int, start: int, size: int | None) -> None:
    assert asked(pieces(connections, start, size).first) == (f"bytes={start}-" if start else None)


def test_nothing_is_asked_for_beside_a_first_piece_that_is_none() -> None:
    reading = pieces()

    assert reading.first.begin(Response(200, Headers([("Content-Length", str(9 * PIECE))])))
    assert not reading.begin()
    assert reading.first.end is None


def test_what_is_left_begins_behind_what_was_handed_on() -> None:
    reading = pieces()
    answered(reading, 9 * PIECE)
    reading.handed_on(1000)
    reading.handed_on(1)

    assert asked(reading.rest()) == "bytes=1001-"
    assert reading.rest().total == 9 * PIECE
