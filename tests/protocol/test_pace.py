"""The bytes of an upload must be sent fast enough, over all of its requests (TRN-32, TRN-35)."""

from time import monotonic

import pytest

from dreg_client import errors
from dreg_client.protocol.deadlines import CallDeadline
from dreg_client.protocol.pace import SendingPace

LOST = errors.TransportError("the connection was lost")
KIB = 1024


def test_trn_32_an_upload_of_less_than_one_kib_per_second_is_an_error() -> None:
    pace = SendingPace("blob 1")
    pace.add(30 * KIB, 59)
    assert pace.patience == 1

    with pytest.raises(errors.TransferTimeoutError, match="less than 1024 bytes per second were sent for a minute"):
        pace.add(29 * KIB, 1)


def test_a_minute_s_bytes_are_enough_for_a_minute() -> None:
    pace = SendingPace()
    for _ in range(10):
        pace.add(60 * KIB, 59.9)
    assert pace.is_fast_enough
    assert pace.patience == 60


def test_time_in_which_nothing_is_waited_for_does_not_count() -> None:
    pace = SendingPace()
    pace.add(1, 0)
    assert pace.patience == 60


def test_trn_32_requests_that_resume_an_upload_count_as_waiting() -> None:
    pace = SendingPace()
    pace.add(1, 50)
    pace.add_wait(39, for_body=False)
    assert (pace.patience, pace.resume_within) == (1, 1)

    pace.add_wait(1, for_body=False)
    pace.begin()
    with pytest.raises(errors.TransferTimeoutError):
        pace.failed(LOST, is_cut=True)


def test_a_registry_that_is_slow_after_all_bytes_is_not_a_slow_connection() -> None:
    pace = SendingPace()
    pace.add_wait(300, for_body=False)
    pace.begin()
    pace.failed(LOST, is_cut=False)


def test_pieces_are_small_on_a_slow_connection() -> None:
    pace = SendingPace()
    sizes = [pace.piece]
    for _ in range(5):
        pace.add(pace.piece, 0.01)
        sizes.append(pace.piece)
    assert sizes == [16 * KIB, 32 * KIB, 64 * KIB, 128 * KIB, 256 * KIB, 256 * KIB]

    pace.add(pace.piece, 10)
    assert pace.piece == 16 * KIB


def test_trn_33_a_deadline_applies_to_each_write_and_to_the_response() -> None:
    pace = SendingPace("blob 1", CallDeadline(20), budget=90)
    now = monotonic()

    assert pace.until(now) == pytest.approx(now + 20, abs=1)
    assert pace.response_end(300) == pytest.approx(now + 20, abs=1)


def test_trn_35_a_command_ends_if_nothing_is_sent_but_may_take_long_as_long_as_bytes_are() -> None:
    pace = SendingPace("blob 1", CallDeadline(patience=80), budget=90)
    pace.add(1, 59)
    pace.begin()
    pace.failed(LOST, is_cut=False)
    assert pace.until(monotonic()) < monotonic() + 30, "requests have been failing for a minute"

    pace.add(10 * KIB * KIB, 0.9)
    assert pace.until(monotonic()) > monotonic() + 50
    assert pace.response_end(300) > monotonic() + 300, "a registry may hash a large blob for minutes"
