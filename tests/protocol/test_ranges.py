"""Which ranges of a blob are requested, without a network."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreg_client import Digest
from dreg_client.protocol.blob_reader import MIN_RANGED, RANGE_SIZE, BlobRanges, BlobTransfer
from dreg_client.protocol.content import BlobRequest
from dreg_client.protocol.messages import Headers, Response
from dreg_client.values.reference import RepositoryName


def blob_ranges(requests: int = 4, start: int = 0, size: int | None = None) -> BlobRanges:
    return BlobRanges(RepositoryName("acme/web"), BlobRequest(Digest.of(b""), start, size), requests)


def requested_range(transfer: BlobTransfer) -> str | None:
    return dict(transfer.request().headers).get("Range")


def begun(reading: BlobRanges, total: int) -> bool:
    """The response to the first range is that range."""
    start, end = reading.offset, min(reading.offset + RANGE_SIZE, total)
    shown = {"Content-Range": f"bytes {start}-{end - 1}/{total}", "Content-Length": str(end - start)}
    assert reading.first.begin(Response(206, Headers(shown.items())))
    return reading.begin()


@given(total=st.integers(1, 200 * RANGE_SIZE), kept=st.integers(0, 200 * RANGE_SIZE), requests=st.integers(2, 16))
def test_ranges_cover_the_blob_in_order_and_few_are_held(total: int, kept: int, requests: int) -> None:
    start = min(kept, total - 1)
    reading = blob_ranges(requests, start)
    is_ranged = begun(reading, total)
    held, offset = [reading.first], start
    while held:
        while (transfer := reading.next()) is not None:
            held.append(transfer)
        assert len(held) <= requests + 2
        oldest = held.pop(0)
        assert (oldest.offset, oldest.total) == (offset, total)
        assert oldest.end is not None
        assert 0 < oldest.end - offset <= RANGE_SIZE
        offset = oldest.end
        reading.finish_range()
    assert offset == total
    assert is_ranged == (total - start > RANGE_SIZE)


@pytest.mark.parametrize(
    ("requests", "start", "size"),
    [(1, 0, None), (4, 0, MIN_RANGED - 1), (4, RANGE_SIZE, MIN_RANGED), (4, MIN_RANGED, MIN_RANGED)],
)
def test_one_request_reads_what_is_too_small_for_ranges(requests: int, start: int, size: int | None) -> None:
    assert requested_range(blob_ranges(requests, start, size).first) == (f"bytes={start}-" if start else None)


def test_no_ranges_are_requested_after_a_first_response_that_is_not_one() -> None:
    reading = blob_ranges()

    assert reading.first.begin(Response(200, Headers([("Content-Length", str(9 * RANGE_SIZE))])))
    assert not reading.begin()
    assert reading.first.end is None


def test_the_rest_begins_after_the_bytes_that_were_handed_on() -> None:
    reading = blob_ranges()
    begun(reading, 9 * RANGE_SIZE)
    reading.advance(1000)
    reading.advance(1)

    assert requested_range(reading.rest()) == "bytes=1001-"
    assert reading.rest().total == 9 * RANGE_SIZE
