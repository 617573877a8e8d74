"""What is asked again: the retry matrix (hostile cases, 4.1) and `Retry-After` (4.2), by signal and method."""

import socket
from collections.abc import Callable
from typing import Any

import pytest
from dreg_client.conversation.acts import Hold, LookUp, Pause, Send, Tell
from dreg_client.conversation.conversation import Conversation

from dreg_client import Timeouts, errors
from dreg_client.protocol.messages import Headers, Hop, Request, Response
from dreg_client.protocol.options import FoundCredential, Options
from dreg_client.protocol.registry_url import RegistryURL
from tests.faultserver import END, RESET, STALL, Heard, Network, Piece, answer, challenge, head, redirect, sentence
from tests.hostile.registry import DIGEST, MANIFEST, MANIFESTS, TAGS, document, listed, registry_at
from tests.hostile.ways import Outcome, Way, refused

CHALLENGE = 'Bearer realm="https://registry.example/token"'
Signal = int | type[errors.TransportError]


class Held:
    def release(self) -> None:
        """Nobody else waits here."""


class Talked:
    """A conversation with a clock of its own: requests by these methods, or that of a token, are answered by signals.

    Attributes:
        sent: The hops that the signal answered.
        waited: The seconds between them.
        status: What the conversation came to; 0 where it raised.
        raised: What it raised.
    """

    def __init__(
        self, method: str, *signals: Signal, headers: tuple[tuple[str, str], ...] = (), **options: Any
    ) -> None:
        self.sent: list[Hop] = []
        self.waited: list[float] = []
        self.status, self.raised = 0, None
        self._signals, self._headers, self._now, self._method = signals, headers, 0.0, method
        conversation = Conversation(
            Options(**options), RegistryURL.parse("https://registry.example"), clock=lambda: self._now
        )
        for each in method.split():
            self._talk(conversation.ask(Request("GET" if each == "token" else each, "/v2/x", body=b"")))

    def _talk(self, talk: Any) -> None:
        given: Any = None
        try:
            while True:
                given = self._carried_out(talk.throw(given) if isinstance(given, Exception) else talk.send(given))
        except StopIteration as done:
            self.status = done.value.status
        except errors.DregError as failure:
            self.raised = failure

    def _carried_out(self, act: Any) -> Any:
        match act:
            case Send(hop) if self._method == "token" and hop.url.endswith("/v2/x"):
                proven = any(name == "Authorization" for name, _ in hop.headers)
                return Response(200) if proven else Response(401, Headers([("WWW-Authenticate", CHALLENGE)]))
            case Send(hop):
                self.sent.append(hop)
                return self._signal(self._signals[min(len(self.sent), len(self._signals)) - 1])
            case Pause(seconds):
                self._now += seconds
                self.waited.append(seconds)
            case Hold():
                return Held()
            case LookUp():
                return FoundCredential()
            case Tell():
                pass
            case _:
                raise AssertionError(act)
        return None

    def _signal(self, signal: Signal) -> Any:
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
def test_a_cell_of_the_matrix(signal: Signal, method: str, sent: int) -> None:
    talked = Talked(method, signal)

    assert len(talked.sent) == sent
    if sent > 1:
        assert sum(talked.waited) <= 0.5 + 1 + 2 + 4 + 0.4
        assert len(talked.waited) == sent - 1
        assert all(wait >= (1 if signal in {429, 503} else 0.1) for wait in talked.waited)
        assert Talked(method, signal, 200).status == 200, "and what comes then is taken"


@pytest.mark.parametrize("method", METHODS)
def test_401_of_a_token_that_was_just_given_is_the_end(method: str) -> None:
    assert len(Talked(method, 401).sent) == 1


def test_what_we_wrote_just_now_is_asked_for_twice_more() -> None:
    talked = Talked("PUT GET", 201, 404, 404, 200)
    assert (talked.status, talked.waited) == (200, [0.5, 0.5])
    assert (Talked("PUT HEAD", 201, 404).status, len(Talked("PUT HEAD", 201, 404).sent)) == (404, 4)
    assert len(Talked("PUT GET", 413, 404).sent) == 2, "what was not written is not there"
    assert len(Talked("PUT DELETE GET", 201, 202, 404).sent) == 3, "what was deleted is gone"


@pytest.mark.parametrize("lost", LOST)
def test_a_deletion_whose_answer_was_lost_may_find_nothing_left(lost: type[errors.TransportError]) -> None:
    assert Talked("DELETE", lost, 404).status == 202
    assert Talked("DELETE", 404).status == 404
    assert Talked("DELETE", 503, 404).status == 404, "503 says that nothing was done"
    assert Talked("GET", lost, 404).status == 404


@pytest.mark.parametrize("method", METHODS[:2])
@pytest.mark.parametrize("status", [408, 429, 503])
def test_retry_after_is_obeyed(method: str, status: int) -> None:
    talked = Talked(method, status, 200, headers=(("Retry-After", "7"),))

    assert (talked.status, len(talked.waited)) == (200, 1)
    assert 7 <= talked.waited[0] <= 7.7


@pytest.mark.parametrize("status", [413, 500, 502, 504])
def test_retry_after_of_another_status_says_nothing(status: int) -> None:
    assert all(wait < 31 for wait in Talked("GET", status, headers=(("Retry-After", "50"),)).waited)


@pytest.mark.parametrize("value", ["60", "Mon, 23 Nov 2026 10:01:00 GMT"])
def test_60_seconds_are_waited_for(value: str) -> None:
    headers = (("Retry-After", value), ("Date", "Mon, 23 Nov 2026 10:00:00 GMT"))

    assert 60 <= Talked("GET", 429, 200, headers=headers).waited[0] <= 66


@pytest.mark.parametrize("value", ["61", "999999", "Mon, 23 Nov 2026 10:01:01 GMT", "Mon, 23 Nov 2099 10:00:00 GMT"])
@pytest.mark.parametrize("status", [408, 429, 503])
def test_trn_19_61_seconds_are_an_answer_at_once(value: str, status: int) -> None:
    headers = (("Retry-After", value), ("Date", "Mon, 23 Nov 2026 10:00:00 GMT"))
    talked = Talked("GET", status, 200, headers=headers)

    assert (len(talked.sent), talked.waited) == (1, [])
    if status != 429:  # what 429 means is said by who reads the answer
        assert isinstance(talked.raised, errors.RateLimitedError)
        assert talked.raised.retry_after is not None
        assert talked.raised.retry_after >= 61


@pytest.mark.parametrize("value", ["-5", "abc", "1e9", "", "9" * 19, "0x10", "1.5", "٣", "Mon, 99 Nov 2026 10:00:00"])
def test_trn_19_what_cannot_be_read_says_nothing(value: str) -> None:
    talked = Talked("GET", 429, 200, headers=(("Retry-After", value),))

    assert talked.status == 200
    assert 1 <= talked.waited[0] < 2


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("value", ["61", "999999999", "Fri, 31 Dec 2099 23:59:59 GMT"])
def test_trn_19_a_wait_that_is_too_long_is_told_at_once(way: Way, net: Network, status: int, value: str) -> None:
    registry = registry_at(net).on(TAGS, answer(b"", status, f"Retry-After: {value}"))
    way.options["retries"] = 4

    failed = refused(way.tags(), errors.RateLimitedError)
    assert len(registry.requests) == 1
    if isinstance(failed.error, errors.RateLimitedError):
        assert (failed.error.retry_after or 0) > 60


# --- the same on sockets: each signal once, then an answer

SIGNALS: dict[str, tuple[Piece, ...]] = {
    "reset": (RESET,),
    "end": (END,),
    "reset in the head": (b"HTTP/1.1 200 OK\r\nContent-", RESET),
    "end in the body": (head(200, "Content-Length: 100") + b"{", END),
    "503": (answer(b"", 503, "Retry-After: 0"),),
    "silence": (STALL,),
}
TOKEN = answer(sentence({"token": "anybody"}))


def read(way: Way) -> Outcome:
    return way.tags()


def asked(way: Way) -> Outcome:
    return way.resolve("1.4")


def written(way: Way) -> Outcome:
    return way.tag("1.4", "new")


def deleted(way: Way) -> Outcome:
    return way.delete(DIGEST)


KINDS: dict[str, tuple[str, str, bytes, Callable[[Way], Outcome]]] = {
    "GET": (TAGS, "GET", bytes(listed("1")), read),  # type: ignore[arg-type]
    "HEAD": (f"{MANIFESTS}/1.4", "HEAD", document(MANIFEST), asked),
    "PUT": (f"{MANIFESTS}/new", "PUT", answer(b"", 201), written),
    "DELETE": (f"{MANIFESTS}/{DIGEST}", "DELETE", answer(b"", 202), deleted),
    "token": ("/token", "GET", TOKEN, read),
}


NOT = {"HEAD end in the body", "HEAD silence", "PUT silence", "DELETE silence"}
"""An answer to HEAD has no body; silence is waited for, so that two kinds of it will do."""
BOTH = [(kind, signal) for kind in KINDS for signal in SIGNALS if f"{kind} {signal}" not in NOT]


@pytest.mark.parametrize(("kind", "signal"), BOTH)
def test_a_signal_is_outlived(library_way: Way, net: Network, kind: str, signal: str) -> None:
    path, method, good, act = KINDS[kind]
    registry = registry_at(net).on(path, SIGNALS[signal], good, method=method)
    if kind == "token":
        registry.on(TAGS, challenge('Bearer realm="https://registry.test/token"'), listed("1"))
    library_way.options |= {"retries": 1, "timeout": Timeouts(read=2 if signal == "silence" else 30)}

    assert act(library_way).error is None
    heard = [heard for heard in registry.requests if (heard.path, heard.method) == (path, method)]
    assert len(heard) == 2
    assert heard[0].body == heard[1].body
    assert [name for name, _ in heard[0].headers] == [name for name, _ in heard[1].headers]


@pytest.mark.parametrize("signal", ["reset", "end in the body"])
def test_a_signal_is_outlived_by_the_command_line(way: Way, net: Network, signal: str) -> None:
    registry = registry_at(net).on(TAGS, SIGNALS[signal], listed("1"))
    way.options["retries"] = 1

    assert way.tags().error is None
    assert len(registry.requests) == 2


def test_what_always_fails_says_how_often_and_why(way: Way, net: Network) -> None:
    registry = registry_at(net).on(TAGS, END)
    way.options["retries"] = 1

    failed = refused(way.tags(), errors.RetryExhaustedError)
    assert "given up after 2 attempts" in failed.text
    assert len(registry.requests) == 2
    if isinstance(failed.error, errors.RetryExhaustedError):
        assert isinstance(failed.error.last, errors.TransportError)


def test_a_name_that_no_host_has_is_looked_up_once(library_way: Way, net: Network) -> None:
    library_way.registry, library_way.options["retries"] = "nowhere.test", 3

    failed = refused(library_way.tags(), errors.UnknownHostError)
    assert failed.text.endswith("no connection: name or service not known")


def test_a_name_that_nobody_could_be_asked_for_is_looked_up_again(
    library_way: Way, net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def away(host: object, *_: object, **__: object) -> None:
        asked.append(host)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    library_way.registry, library_way.options["retries"] = "nowhere.test", 1
    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", away)
        failed = refused(library_way.tags(), errors.RetryExhaustedError)
    assert isinstance(failed.error, errors.RetryExhaustedError)
    assert isinstance(failed.error.last, errors.ConnectError)
    assert len(asked) == 2


def test_a_redirect_s_target_that_fails_is_asked_for_anew_from_the_registry(library_way: Way, net: Network) -> None:
    """A signed URL is used up by then: the registry gives another."""
    given: list[int] = []

    def signed(_: Heard) -> bytes:
        given.append(1)
        return redirect(f"https://cdn.test/tags?n={len(given)}")

    registry_at(net).on(TAGS, signed)
    cdn = net.host("cdn.test").on("/tags", END, listed("1"))
    library_way.options["retries"] = 1

    assert library_way.tags().value == ("1",)
    assert cdn.asked == ["GET /tags?n=1", "GET /tags?n=2"]


def test_a_deletion_whose_answer_was_lost_is_done(way: Way, net: Network) -> None:
    registry = registry_at(net).on(f"{MANIFESTS}/{DIGEST}", END, answer(b"", 404), method="DELETE")
    way.options["retries"] = 1

    assert way.delete(DIGEST).error is None
    assert [heard.method for heard in registry.requests if heard.method == "DELETE"] == ["DELETE"] * 2
