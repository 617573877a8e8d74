"""Reading one blob through interruptions, without a network: the transfer is fed by hand (the DLD cases)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreg_client import Digest, errors
from dreg_client.protocol.blob_reader import BlobTransfer
from dreg_client.protocol.content import BlobRequest
from dreg_client.protocol.messages import Headers, Response
from dreg_client.values.reference import RepositoryName

BLOB = bytes(range(256)) * 16
SIZE = len(BLOB)
LOST = errors.TransportError("lost")


def blob_transfer(start: int = 0, size: int | None = None) -> BlobTransfer:
    return BlobTransfer(RepositoryName("acme/web"), BlobRequest(Digest.of(BLOB), start, size))


def answer(status: int = 200, **headers: str) -> Response:
    return Response(status, Headers((name.replace("_", "-"), value) for name, value in headers.items()))


def requested_range(transfer: BlobTransfer) -> str | None:
    return dict(transfer.request().headers).get("Range")


def test_a_blob_that_comes_whole_is_done() -> None:
    transfer = blob_transfer()

    assert requested_range(transfer) is None
    assert transfer.begin(answer(Content_Length=str(SIZE)))
    assert transfer.feed(BLOB) == BLOB
    transfer.ended()
    assert (transfer.done, transfer.offset, transfer.total) == (True, SIZE, SIZE)


def test_dld_01_what_breaks_off_goes_on_where_it_did() -> None:
    transfer = blob_transfer()
    transfer.begin(answer(Content_Length=str(SIZE)))
    transfer.feed(BLOB[:100])
    with pytest.raises(errors.TruncatedBodyError) as ended:
        transfer.ended()
    transfer.interrupted(ended.value)

    assert requested_range(transfer) == "bytes=100-"
    assert transfer.begin(answer(206, Content_Range=f"bytes 100-{SIZE - 1}/{SIZE}"))
    assert transfer.feed(BLOB[100:]) == BLOB[100:]
    transfer.ended()
    assert transfer.done


def test_dld_11_a_range_that_is_passed_over_is_skipped_and_nothing_comes_twice() -> None:
    transfer = blob_transfer()
    transfer.begin(answer())
    first = transfer.feed(BLOB[:100])
    transfer.interrupted(LOST)

    assert transfer.begin(answer(200, Content_Length=str(SIZE)))
    assert first + transfer.feed(BLOB[:50]) + transfer.feed(BLOB[50:]) == BLOB


@pytest.mark.parametrize(
    "content_range", ["bytes 99-4095/4096", "bytes 0-4095/4096", "items 100-1/2", "", "bytes */4096"]
)
def test_dld_09_another_part_is_refused_and_all_is_asked_for_once(content_range: str) -> None:
    transfer = blob_transfer()
    transfer.begin(answer())
    transfer.feed(BLOB[:100])
    transfer.interrupted(LOST)

    assert not transfer.begin(answer(206, Content_Range=content_range))
    assert requested_range(transfer) is None
    with pytest.raises(errors.ProtocolError):
        transfer.begin(answer(206, Content_Range=f"bytes 100-{SIZE - 1}/{SIZE}"))


def test_dld_09_a_part_that_was_not_asked_for_is_refused() -> None:
    transfer = blob_transfer()

    assert not transfer.begin(answer(206, Content_Range="bytes 10-20/4096"))
    with pytest.raises(errors.ProtocolError):
        transfer.begin(answer(206, Content_Range="bytes 10-20/4096"))


def test_dld_12_416_behind_the_end_is_the_end() -> None:
    transfer = blob_transfer(start=SIZE)

    assert not transfer.begin(answer(416, Content_Range=f"bytes */{SIZE}"))
    assert transfer.done


def test_dld_12_416_before_the_end_begins_anew() -> None:
    transfer = blob_transfer(start=100, size=SIZE)

    assert not transfer.begin(answer(416))
    assert not transfer.done
    assert requested_range(transfer) is None


def test_what_is_there_already_is_not_asked_for() -> None:
    assert blob_transfer(start=SIZE, size=SIZE).done


def test_dld_03_more_bytes_than_the_blob_has_end_it() -> None:
    transfer = blob_transfer(size=100)
    transfer.begin(answer())

    with pytest.raises(errors.SizeMismatchError):
        transfer.feed(BLOB[:101])


def test_dld_04_another_length_ends_it_before_the_body() -> None:
    with pytest.raises(errors.SizeMismatchError):
        blob_transfer(size=100).begin(answer(Content_Length="101"))
    with pytest.raises(errors.SizeMismatchError):
        blob_transfer(start=10, size=100).begin(answer(206, Content_Range="bytes 10-99/101"))


@pytest.mark.parametrize("length", ["-1", "abc", "1" * 40, "٣"])
def test_a_length_that_is_none_says_nothing(length: str) -> None:
    transfer = blob_transfer()

    assert transfer.begin(answer(Content_Length=length))
    assert transfer.total is None


def test_what_breaks_off_again_and_again_without_getting_further_ends() -> None:
    transfer = blob_transfer()
    for _ in range(5):
        transfer.interrupted(LOST)
    with pytest.raises(errors.TruncatedBodyError, match="interrupted repeatedly"):
        transfer.interrupted(LOST)


def test_what_gets_further_by_a_mebibyte_may_break_off_again() -> None:
    transfer = blob_transfer()
    transfer.begin(answer())
    for _ in range(20):
        transfer.feed(bytes(1024 * 1024))
        transfer.interrupted(LOST)


def test_what_is_wrong_is_not_tried_again() -> None:
    with pytest.raises(errors.ProtocolError):
        blob_transfer().interrupted(errors.ProtocolError("x"))


def test_trn_15_a_drip_ends_after_a_minute() -> None:
    transfer = blob_transfer()
    transfer.begin(answer())
    for _ in range(6):
        transfer.feed(b"x", waited=9)
    with pytest.raises(errors.TransferTimeoutError):
        transfer.feed(b"x", waited=9)


def test_trn_15_a_reader_that_is_slow_is_no_drip() -> None:
    transfer = blob_transfer()
    transfer.begin(answer())
    for _ in range(100):
        transfer.feed(b"x", waited=0.01)


@given(st.data())
def test_whatever_breaks_off_wherever_the_bytes_are_those_of_the_blob(data: st.DataObject) -> None:
    """Property: chunks, interruptions, ranges heeded and not; what is handed on is the blob, each byte once."""
    transfer, handed = blob_transfer(), b""
    for _ in range(5):
        heeds = data.draw(st.booleans())
        start = transfer.offset if heeds else 0
        status = (
            answer(206, Content_Range=f"bytes {start}-{SIZE - 1}/{SIZE}") if heeds and 0 < start < SIZE else answer()
        )
        assert transfer.begin(status)
        stop = data.draw(st.integers(start, SIZE - 1))
        for place in range(start, stop, 700):
            handed += transfer.feed(BLOB[place : min(place + 700, stop)])
        transfer.interrupted(LOST)
    transfer.begin(
        answer(206, Content_Range=f"bytes {transfer.offset}-{SIZE - 1}/{SIZE}") if transfer.offset else answer()
    )
    handed += transfer.feed(BLOB[transfer.offset :])

    assert handed == BLOB


def test_trn_32_requests_that_resume_a_transfer_count_as_waiting() -> None:
    transfer = blob_transfer()
    transfer.begin(answer())
    transfer.feed(b"x", waited=30)
    transfer.interrupted(errors.TransportError("cut off"))
    assert (transfer.pace.patience, transfer.pace.resume_within) == (30, 60)

    transfer.pace.add_wait(59, for_body=False)
    assert (transfer.pace.patience, transfer.pace.resume_within) == (1, 1)
    transfer.pace.add_wait(1)
    with pytest.raises(errors.TransferTimeoutError, match="less than 1024 bytes per second"):
        transfer.interrupted(errors.TransportError("cut off"))


def test_trn_32_a_minute_s_bytes_are_enough_for_a_minute() -> None:
    transfer = blob_transfer()
    transfer.begin(answer())
    transfer.feed(b"x", waited=59)
    assert not transfer.pace.is_fast_enough

    transfer.feed(b"x" * 60 * 1024, waited=0.5)
    assert transfer.pace.is_fast_enough
    assert transfer.pace.patience == 60
