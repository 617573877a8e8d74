"""Which responses merit another attempt, and after how long: the retry matrix, by a clock that only waits move."""

import pytest

from dreg_client import errors
from dreg_client.protocol.messages import Headers, Request, Response
from dreg_client.protocol.retry import Attempts, RecentWrites, retry_after

Answer = Response | errors.TransportError


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def response(status: int, **headers: str) -> Response:
    return Response(status, Headers((name.replace("_", "-"), value) for name, value in headers.items()))


def attempts_of(
    answers: list[Answer], method: str = "GET", most: int = 5, longest: float = 60.0
) -> tuple[int, int | errors.DregError, float]:
    """How many attempts there are if they are answered so, what comes of them, and the seconds between them."""
    clock = Clock()
    attempts = Attempts(most, clock, longest)
    while True:
        answer = answers[min(attempts.made, len(answers) - 1)]
        if isinstance(answer, Response):
            delay = attempts.after_response(method, answer)
            if delay is None:
                return attempts.made, answer.status, clock.now
        else:
            try:
                delay = attempts.after_failure(answer)
            except errors.DregError as failure:
                return attempts.made, failure, clock.now
        clock.now += delay


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_what_may_pass_has_five_attempts(status: int, method: str) -> None:
    assert attempts_of([response(status)], method)[:2] == (5, status)
    assert attempts_of([response(status), response(200)], method)[:2] == (2, 200)


def test_500_has_three_attempts() -> None:
    assert attempts_of([response(500)])[:2] == (3, 500)


@pytest.mark.parametrize("status", [499, 520, 521, 522, 523, 524, 527])
def test_what_stands_before_a_registry_may_fail_twice_when_reading(status: int) -> None:
    assert attempts_of([response(status)], "GET")[:2] == (3, status)
    assert attempts_of([response(status)], "PUT")[:2] == (1, status)


@pytest.mark.parametrize("status", [200, 202, 304, 400, 403, 404, 405, 409, 412, 413, 416, 422, 501, 505, 507, 599])
def test_what_will_not_change_has_one_attempt(status: int) -> None:
    assert attempts_of([response(status)])[:2] == (1, status)


@pytest.mark.parametrize(
    "failure", [errors.ConnectError("x"), errors.TransferTimeoutError("x"), errors.TransportError("x")], ids=repr
)
def test_a_connection_that_fails_has_five_attempts_and_the_last_error_is_kept(failure: errors.TransportError) -> None:
    made, ended, waited = attempts_of([failure])

    assert made == 5
    assert isinstance(ended, errors.RetryExhaustedError)
    assert (ended.last, ended.attempts) == (failure, 5)
    assert 0.4 <= waited <= 0.5 + 1 + 2 + 4 + 0.1
    assert attempts_of([failure, response(200)])[:2] == (2, 200)


def test_a_refused_connection_has_two_attempts_and_the_wait_is_short() -> None:
    refused = errors.ConnectError("cannot connect: connection refused", refused=True)
    made, ended, waited = attempts_of([refused])

    assert made == 2
    assert isinstance(ended, errors.RetryExhaustedError)
    assert ended.last is refused
    assert waited <= 0.5
    assert attempts_of([refused, response(200)])[:2] == (2, 200)
    assert attempts_of([response(503), response(503), refused, response(503), refused])[0] == 5
    assert attempts_of([refused, errors.ConnectError("in time"), response(200)])[:2] == (3, 200)


@pytest.mark.parametrize("failure", [errors.TLSError("x"), errors.ProtocolError("x")], ids=repr)
def test_what_is_wrong_stays_wrong(failure: errors.TransportError) -> None:
    assert attempts_of([failure])[:2] == (1, failure)


def test_without_retries_an_error_is_itself() -> None:
    failure = errors.ConnectError("x")

    assert attempts_of([failure], most=1)[:2] == (1, failure)
    assert attempts_of([response(503)], most=1)[:2] == (1, 503)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("0", 0.0), ("7", 7.0), ("060", 60.0), ("", None), ("-5", None), ("abc", None), ("1e9", None), ("1.5", None)],
)
def test_trn_19_retry_after_is_whole_seconds(value: str, seconds: float | None) -> None:
    assert retry_after(response(429, retry_after=value)) == seconds


def test_trn_19_retry_after_may_be_a_date_by_the_clock_of_the_server() -> None:
    date = "Mon, 23 Nov 2026 10:00:00 GMT"
    due = "Mon, 23 Nov 2026 10:00:30 GMT"

    assert retry_after(response(503, retry_after=due, date=date)) == 30
    assert retry_after(response(503, retry_after=date, date=due)) == 0
    assert retry_after(response(200, retry_after="7")) is None


def test_trn_19_a_wait_is_never_shorter_than_asked_for() -> None:
    made, status, waited = attempts_of([response(429, retry_after="20"), response(200)])

    assert (made, status) == (2, 200)
    assert 20 <= waited <= 22


@pytest.mark.parametrize("value", ["61", "999999"])
def test_trn_19_a_wait_that_is_too_long_is_final_at_once(value: str) -> None:
    assert attempts_of([response(429, retry_after=value)]) == (1, 429, 0.0)
    assert attempts_of([response(429, retry_after="61"), response(200)], longest=100)[:2] == (2, 200)


def test_all_attempts_end_after_five_minutes() -> None:
    assert attempts_of([response(503, retry_after="60")], most=101)[0] <= 6


def test_the_budget_counts_from_the_first_attempt() -> None:
    clock = Clock()
    attempts = Attempts(5, clock)
    clock.now = 301

    with pytest.raises(errors.ConnectError):
        attempts.after_failure(errors.ConnectError("x"))


def test_what_was_just_written_may_be_absent_for_a_moment() -> None:
    clock = Clock()
    attempts = Attempts(5, clock)

    assert [attempts.after_response("GET", response(404), is_written=True) for _ in range(3)] == [0.5, 0.5, None]


def test_a_write_is_remembered_for_ten_seconds_until_something_is_deleted() -> None:
    clock = Clock()
    writes = RecentWrites(clock)
    get, put, delete = (Request(method, "/v2/a/manifests/1") for method in ("GET", "PUT", "DELETE"))

    writes.note(put, response(413))
    assert not writes.are_read_by(get), "a failed PUT wrote nothing"
    writes.note(put, response(201))
    assert writes.are_read_by(get)
    assert not writes.are_read_by(put)
    assert not writes.are_read_by(Request("GET", "/v2/a/manifests/2"))
    writes.note(delete, response(202))
    assert not writes.are_read_by(get)
    writes.note(put, response(201))
    clock.now = 10.0
    assert not writes.are_read_by(get)
