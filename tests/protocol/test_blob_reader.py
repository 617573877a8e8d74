"""The reading of one blob through whatever happens, without a network: the machine is fed by hand (the DLD cases)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreg_client import Digest, errors
from dreg_client.protocol.blob_reader import BlobDownload
from dreg_client.protocol.messages import Headers, Response
from dreg_client.values.reference import RepositoryName

BLOB = bytes(range(256)) * 16
SIZE = len(BLOB)
LOST = errors.TransportError("lost")


def download(**more: object) -> BlobDownload:
    return BlobDownload(RepositoryName("acme/web"), Digest.of(BLOB), **more)  # type: ignore[arg-type]


def answer(status: int = 200, **headers: str) -> Response:
    return Response(status, Headers((name.replace("_", "-"), value) for name, value in headers.items()))


def asked_range(machine: BlobDownload) -> str | None:
    return dict(machine.request().headers).get("Range")


def test_a_blob_that_comes_whole_is_done() -> None:
    machine = download()

    assert asked_range(machine) is None
    assert machine.begin(answer(Content_Length=str(SIZE)))
    assert machine.feed(BLOB) == BLOB
    machine.ended()
    assert (machine.done, machine.offset, machine.total) == (True, SIZE, SIZE)


def test_dld_01_what_breaks_off_goes_on_where_it_did() -> None:
    machine = download()
    machine.begin(answer(Content_Length=str(SIZE)))
    machine.feed(BLOB[:100])
    with pytest.raises(errors.TruncatedBodyError) as ended:
        machine.ended()
    machine.interrupted(ended.value)

    assert asked_range(machine) == "bytes=100-"
    assert machine.begin(answer(206, Content_Range=f"bytes 100-{SIZE - 1}/{SIZE}"))
    assert machine.feed(BLOB[100:]) == BLOB[100:]
    machine.ended()
    assert machine.done


def test_dld_11_a_range_that_is_passed_over_is_skipped_and_nothing_comes_twice() -> None:
    machine = download()
    machine.begin(answer())
    first = machine.feed(BLOB[:100])
    machine.interrupted(LOST)

    assert machine.begin(answer(200, Content_Length=str(SIZE)))
    assert first + machine.feed(BLOB[:50]) + machine.feed(BLOB[50:]) == BLOB


@pytest.mark.parametrize(
    "content_range", ["bytes 99-4095/4096", "bytes 0-4095/4096", "items 100-1/2", "", "bytes */4096"]
)
def test_dld_09_another_part_is_refused_and_all_is_asked_for_once(content_range: str) -> None:
    machine = download()
    machine.begin(answer())
    machine.feed(BLOB[:100])
    machine.interrupted(LOST)

    assert not machine.begin(answer(206, Content_Range=content_range))
    assert asked_range(machine) is None
    with pytest.raises(errors.ProtocolError):
        machine.begin(answer(206, Content_Range=f"bytes 100-{SIZE - 1}/{SIZE}"))


def test_dld_09_a_part_that_was_not_asked_for_is_refused() -> None:
    machine = download()

    assert not machine.begin(answer(206, Content_Range="bytes 10-20/4096"))
    with pytest.raises(errors.ProtocolError):
        machine.begin(answer(206, Content_Range="bytes 10-20/4096"))


def test_dld_12_416_behind_the_end_is_the_end() -> None:
    machine = download(start=SIZE)

    assert not machine.begin(answer(416, Content_Range=f"bytes */{SIZE}"))
    assert machine.done


def test_dld_12_416_before_the_end_begins_anew() -> None:
    machine = download(start=100, size=SIZE)

    assert not machine.begin(answer(416))
    assert not machine.done
    assert asked_range(machine) is None


def test_what_is_there_already_is_not_asked_for() -> None:
    assert download(start=SIZE, size=SIZE).done


def test_dld_03_more_bytes_than_the_blob_has_end_it() -> None:
    machine = download(size=100)
    machine.begin(answer())

    with pytest.raises(errors.SizeMismatchError):
        machine.feed(BLOB[:101])


def test_dld_04_another_length_ends_it_before_the_body() -> None:
    with pytest.raises(errors.SizeMismatchError):
        download(size=100).begin(answer(Content_Length="101"))
    with pytest.raises(errors.SizeMismatchError):
        download(start=10, size=100).begin(answer(206, Content_Range="bytes 10-99/101"))


@pytest.mark.parametrize("length", ["-1", "abc", "1" * 40, "٣"])
def test_a_length_that_is_none_says_nothing(length: str) -> None:
    machine = download()

    assert machine.begin(answer(Content_Length=length))
    assert machine.total is None


def test_what_breaks_off_again_and_again_without_getting_further_ends() -> None:
    machine = download()
    for _ in range(5):
        machine.interrupted(LOST)
    with pytest.raises(errors.TruncatedBodyError, match="again and again"):
        machine.interrupted(LOST)


def test_what_gets_further_by_a_mebibyte_may_break_off_again() -> None:
    machine = download()
    machine.begin(answer())
    for _ in range(20):
        machine.feed(bytes(1024 * 1024))
        machine.interrupted(LOST)


def test_what_is_wrong_is_not_tried_again() -> None:
    with pytest.raises(errors.ProtocolError):
        download().interrupted(errors.ProtocolError("x"))


def test_trn_15_a_drip_ends_after_a_minute() -> None:
    machine = download()
    machine.begin(answer())
    for _ in range(6):
        machine.feed(b"x", waited=9)
    with pytest.raises(errors.TransferTimeoutError):
        machine.feed(b"x", waited=9)


def test_trn_15_a_reader_that_is_slow_is_no_drip() -> None:
    machine = download()
    machine.begin(answer())
    for _ in range(100):
        machine.feed(b"x", waited=0.01)


@given(st.data())
def test_whatever_breaks_off_wherever_the_bytes_are_those_of_the_blob(data: st.DataObject) -> None:
    """Property: chunks, interruptions, ranges heeded and not; what is handed on is the blob, each byte once."""
    machine, handed = download(), b""
    for _ in range(5):
        heeds = data.draw(st.booleans())
        start = machine.offset if heeds else 0
        status = (
            answer(206, Content_Range=f"bytes {start}-{SIZE - 1}/{SIZE}") if heeds and 0 < start < SIZE else answer()
        )
        assert machine.begin(status)
        stop = data.draw(st.integers(start, SIZE - 1))
        for place in range(start, stop, 700):
            handed += machine.feed(BLOB[place : min(place + 700, stop)])
        machine.interrupted(LOST)
    machine.begin(
        answer(206, Content_Range=f"bytes {machine.offset}-{SIZE - 1}/{SIZE}") if machine.offset else answer()
    )
    handed += machine.feed(BLOB[machine.offset :])

    assert handed == BLOB
