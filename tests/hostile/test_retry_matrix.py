"""What is requested again: the retry matrix (hostile cases, 4.1) and `Retry-After` (4.2), by signal and method.

The client is the real one; its transport answers from a list, and its clock moves only by waits.
"""

from typing import Any

import pytest

from dreg_client import errors
from dreg_client.protocol.messages import Headers, Hop, Request, Response
from tests.faultserver import sentence
from tests.scripted import Scripted

CHALLENGE = 'Bearer realm="https://registry.example/token"'
Signal = int | type[errors.TransportError]


class Sent:
    """Requests by these methods, or that of a token, are answered by signals, one after another.

    Attributes:
        hops: The HTTP requests that the signals answered.
        waited: The seconds between them.
        status: The status of the last response; 0 if it was an error.
        raised: The error.
    """

    def __init__(
        self,
        patch: pytest.MonkeyPatch,
        method: str,
        *signals: Signal,
        headers: tuple[tuple[str, str], ...] = (),
        **options: Any,
    ) -> None:
        self.hops: list[Hop] = []
        self.status = 0
        self.raised: errors.DregError | None = None
        self._signals, self._headers, self._method = signals, headers, method
        scripted = Scripted(self._answer)
        client = scripted.client(patch, **options)
        for each in method.split():
            try:
                method = "GET" if each == "token" else each
                request = Request(method, "/v2/x", body=b"", absent_is_done=method == "DELETE")
                self.status = client.send(request).status
            except errors.DregError as failure:
                self.raised = failure
        self.waited = scripted.waited

    def _answer(self, hop: Hop) -> Response | Exception:
        if self._method == "token" and hop.url.endswith("/v2/x"):
            proven = any(name == "Authorization" for name, _ in hop.headers)
            return Response(200) if proven else Response(401, Headers([("WWW-Authenticate", CHALLENGE)]))
        self.hops.append(hop)
        signal = self._signals[min(len(self.hops), len(self._signals)) - 1]
        if not isinstance(signal, int):
            return signal("it failed")
        body = sentence({"token": "anybody"}) if self._method == "token" and signal == 200 else b""
        return Response(signal, Headers(self._headers), body)


METHODS = ("GET", "HEAD", "token", "PUT", "DELETE")
LOST = (errors.ConnectError, errors.TransportError, errors.TransferTimeoutError)
WRONG = (errors.TLSError, errors.ProtocolError, errors.ProxyRefusedError, errors.UnknownHostError)
ALL, TWICE, ONCE, NEVER = 5, 3, 2, 1
MATRIX: list[tuple[tuple[Signal, ...], dict[str, int]]] = [
    (LOST[:2], dict.fromkeys(METHODS, ALL)),
    (LOST[2:], {**dict.fromkeys(METHODS, ALL), "token": ONCE}),
    ((408, 429, 502, 503, 504), dict.fromkeys(METHODS, ALL)),
    ((500,), dict.fromkeys(METHODS, TWICE)),
    ((499, 520, 521, 522, 523, 524, 527), {**dict.fromkeys(METHODS, NEVER), "GET": TWICE, "HEAD": TWICE}),
    ((413, 501, 505, 507, 511, 525, 599), dict.fromkeys(METHODS, NEVER)),
    ((400, 403, 404, 405, 409, 412, 416, 422), dict.fromkeys(METHODS, NEVER)),
    (WRONG, dict.fromkeys(METHODS, NEVER)),
]
CELLS = [(signal, method, sent) for signals, row in MATRIX for signal in signals for method, sent in row.items()]


@pytest.mark.parametrize(("signal", "method", "sent"), CELLS)
def test_a_cell_of_the_matrix(monkeypatch: pytest.MonkeyPatch, signal: Signal, method: str, sent: int) -> None:
    result = Sent(monkeypatch, method, signal)

    assert len(result.hops) == sent
    if sent > 1:
        assert sum(result.waited) <= 0.5 + 1 + 2 + 4 + 0.4
        assert len(result.waited) == sent - 1
        assert all(wait >= (1 if signal in {429, 503} else 0.1) for wait in result.waited)
        assert Sent(monkeypatch, method, signal, 200).status == 200, "and what comes then is taken"


@pytest.mark.parametrize("method", METHODS)
def test_401_for_a_token_that_was_just_given_is_final(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    assert len(Sent(monkeypatch, method, 401).hops) == 1


def test_what_was_just_written_is_requested_twice_more(monkeypatch: pytest.MonkeyPatch) -> None:
    written = Sent(monkeypatch, "PUT GET", 201, 404, 404, 200)
    assert (written.status, written.waited) == (200, [0.5, 0.5])
    absent = Sent(monkeypatch, "PUT HEAD", 201, 404)
    assert (absent.status, len(absent.hops)) == (404, 4)
    assert len(Sent(monkeypatch, "PUT GET", 413, 404).hops) == 2, "what was not written is not there"
    assert len(Sent(monkeypatch, "PUT DELETE GET", 201, 202, 404).hops) == 3, "what was deleted is gone"


@pytest.mark.parametrize("lost", LOST[1:])
def test_a_deletion_whose_response_was_lost_may_find_nothing_left(
    monkeypatch: pytest.MonkeyPatch, lost: type[errors.TransportError]
) -> None:
    assert Sent(monkeypatch, "DELETE", lost, 404).status == 202
    assert Sent(monkeypatch, "DELETE", 404).status == 404
    assert Sent(monkeypatch, "DELETE", 503, 404).status == 404, "503 says that nothing was done"
    assert Sent(monkeypatch, "DELETE", errors.ConnectError, 404).status == 404, "nothing was sent"
    assert Sent(monkeypatch, "GET", lost, 404).status == 404


@pytest.mark.parametrize("method", METHODS[:2])
@pytest.mark.parametrize("status", [408, 429, 503])
def test_retry_after_is_obeyed(monkeypatch: pytest.MonkeyPatch, method: str, status: int) -> None:
    result = Sent(monkeypatch, method, status, 200, headers=(("Retry-After", "7"),))

    assert (result.status, len(result.waited)) == (200, 1)
    assert 7 <= result.waited[0] <= 7.7


@pytest.mark.parametrize("status", [413, 500, 502, 504])
def test_retry_after_of_another_status_says_nothing(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    assert all(wait < 31 for wait in Sent(monkeypatch, "GET", status, headers=(("Retry-After", "50"),)).waited)


@pytest.mark.parametrize("value", ["60", "Mon, 23 Nov 2026 10:01:00 GMT"])
def test_60_seconds_are_waited_for(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    headers = (("Retry-After", value), ("Date", "Mon, 23 Nov 2026 10:00:00 GMT"))

    assert 60 <= Sent(monkeypatch, "GET", 429, 200, headers=headers).waited[0] <= 66


@pytest.mark.parametrize("value", ["61", "999999", "Mon, 23 Nov 2026 10:01:01 GMT", "Mon, 23 Nov 2099 10:00:00 GMT"])
@pytest.mark.parametrize("status", [408, 429, 503])
def test_trn_19_61_seconds_are_final_at_once(monkeypatch: pytest.MonkeyPatch, value: str, status: int) -> None:
    headers = (("Retry-After", value), ("Date", "Mon, 23 Nov 2026 10:00:00 GMT"))
    result = Sent(monkeypatch, "GET", status, 200, headers=headers)

    assert (len(result.hops), result.waited) == (1, [])
    if status != 429:  # the meaning of 429 is told by the code that reads the response
        assert isinstance(result.raised, errors.RateLimitedError)
        assert result.raised.retry_after is not None
        assert result.raised.retry_after >= 61


@pytest.mark.parametrize("value", ["-5", "abc", "1e9", "", "9" * 19, "0x10", "1.5", "٣", "Mon, 99 Nov 2026 10:00:00"])
def test_trn_19_what_cannot_be_parsed_says_nothing(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    result = Sent(monkeypatch, "GET", 429, 200, headers=(("Retry-After", value.encode().decode("latin-1")),))

    assert result.status == 200
    assert 1 <= result.waited[0] < 2


def test_all_waits_of_one_client_are_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    result = Sent(monkeypatch, "GET GET", 429, headers=(("Retry-After", "20"),), retries=1)

    assert len(result.hops) == 4
    assert all(20 <= wait <= 22 for wait in result.waited)
