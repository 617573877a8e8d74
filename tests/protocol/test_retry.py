"""Which answers merit another attempt, and after how long: the retry matrix, without a clock that runs."""

from typing import Any

import pytest
from dreg_client.conversation.acts import Pause, Send, Tell
from dreg_client.conversation.conversation import Conversation

from dreg_client import errors
from dreg_client.protocol.messages import Headers, Request, Response
from dreg_client.protocol.options import Options
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.protocol.retry import Attempts, retry_after


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def response(status: int, **headers: str) -> Response:
    return Response(status, Headers((name.replace("_", "-"), value) for name, value in headers.items()))


def attempts_of(answers: list[Any], method: str = "GET", **options: Any) -> tuple[int, Any, float]:
    """How often a request is sent that is answered so, what comes of it, and how long one waited."""
    clock, sent, waited = Clock(), 0, 0.0
    conversation = Conversation(Options(**options), RegistryURL.parse("https://registry.example"), clock=clock)
    talk = conversation.ask(Request(method, "/v2/"))
    given: Any = None
    try:
        while True:
            act = talk.throw(given) if isinstance(given, Exception) else talk.send(given)
            given = None
            match act:
                case Send():
                    given = answers[min(sent, len(answers) - 1)]
                    sent += 1
                case Pause(seconds):
                    clock.now += seconds
                    waited += seconds
                case Tell():
                    pass
                case _:
                    raise AssertionError(act)
    except StopIteration as done:
        return sent, done.value.status, waited
    except errors.DregError as failure:
        return sent, failure, waited


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_what_may_pass_is_asked_for_five_times(status: int, method: str) -> None:
    assert attempts_of([response(status)], method)[:2] == (5, status)
    assert attempts_of([response(status), response(200)], method)[:2] == (2, 200)


def test_500_is_asked_for_three_times() -> None:
    assert attempts_of([response(500)])[:2] == (3, 500)


@pytest.mark.parametrize("status", [499, 520, 521, 522, 523, 524, 527])
def test_what_stands_before_a_registry_may_fail_twice_when_reading(status: int) -> None:
    assert attempts_of([response(status)], "GET")[:2] == (3, status)
    assert attempts_of([response(status)], "PUT")[:2] == (1, status)


@pytest.mark.parametrize("status", [200, 202, 304, 400, 403, 404, 405, 409, 412, 413, 416, 422, 501, 505, 507, 599])
def test_what_will_not_change_is_asked_for_once(status: int) -> None:
    assert attempts_of([response(status)])[:2] == (1, status)


@pytest.mark.parametrize(
    "failure", [errors.ConnectError("x"), errors.TransferTimeoutError("x"), errors.TransportError("x")], ids=repr
)
def test_a_way_that_fails_is_tried_five_times_and_the_last_error_is_kept(failure: errors.TransportError) -> None:
    sent, ended, waited = attempts_of([failure])

    assert sent == 5
    assert isinstance(ended, errors.RetryExhaustedError)
    assert (ended.last, ended.attempts) == (failure, 5)
    assert 0.4 <= waited <= 0.5 + 1 + 2 + 4 + 0.1
    assert attempts_of([failure, response(200)])[:2] == (2, 200)


@pytest.mark.parametrize("failure", [errors.TLSError("x"), errors.ProtocolError("x")], ids=repr)
def test_what_is_wrong_stays_wrong(failure: errors.TransportError) -> None:
    assert attempts_of([failure])[:2] == (1, failure)


def test_without_retries_an_error_is_itself() -> None:
    failure = errors.ConnectError("x")

    assert attempts_of([failure], retries=0)[:2] == (1, failure)
    assert attempts_of([response(503)], retries=0)[:2] == (1, 503)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("0", 0.0), ("7", 7.0), ("060", 60.0), ("", None), ("-5", None), ("abc", None), ("1e9", None), ("1.5", None)],
)
def test_trn_19_retry_after_is_whole_seconds(value: str, seconds: float | None) -> None:
    assert retry_after(response(429, retry_after=value)) == seconds


def test_trn_19_retry_after_may_be_a_date_by_the_clock_of_the_answer() -> None:
    date = "Mon, 23 Nov 2026 10:00:00 GMT"
    due = "Mon, 23 Nov 2026 10:00:30 GMT"

    assert retry_after(response(503, retry_after=due, date=date)) == 30
    assert retry_after(response(503, retry_after=date, date=due)) == 0
    assert retry_after(response(200, retry_after="7")) is None


def test_trn_19_a_wait_is_never_shorter_than_asked_for() -> None:
    sent, status, waited = attempts_of([response(429, retry_after="20"), response(200)])

    assert (sent, status) == (2, 200)
    assert 20 <= waited <= 22


@pytest.mark.parametrize("value", ["61", "999999"])
def test_trn_19_a_wait_that_is_too_long_is_an_answer_at_once(value: str) -> None:
    assert attempts_of([response(429, retry_after=value)]) == (1, 429, 0.0)
    assert attempts_of([response(429, retry_after="61"), response(200)], max_retry_after=100)[:2] == (2, 200)


def test_all_attempts_end_after_five_minutes() -> None:
    assert attempts_of([response(503, retry_after="60")], retries=100)[0] <= 6


def test_while_one_waits_the_others_wait_too() -> None:
    clock = Clock()
    conversation = Conversation(Options(), RegistryURL.parse("https://registry.example"), clock=clock)
    first, second = (conversation.ask(Request("GET", "/v2/")) for _ in range(2))
    assert isinstance(next(first), Send)
    assert isinstance(first.send(response(429, retry_after="20")), Tell)

    waiting = next(second)
    assert isinstance(waiting, Pause)
    assert waiting.seconds >= 20


def test_the_budget_counts_from_the_first_attempt() -> None:
    clock = Clock()
    attempts = Attempts(5, clock)
    clock.now = 301

    with pytest.raises(errors.ConnectError):
        attempts.after_failure(errors.ConnectError("x"))
