"""What is sent again over sockets (hostile cases, 4.1 and 4.2); `test_retry_matrix.py` has the whole matrix."""

import socket
from collections.abc import Callable

import pytest

from dreg_client import Timeouts, errors
from tests.faultserver import END, RESET, STALL, Heard, Network, Piece, answer, challenge, head, redirect, sentence
from tests.hostile.registry import DIGEST, MANIFEST, MANIFESTS, TAGS, document, listed, registry_at
from tests.hostile.ways import Outcome, Way, refused


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
    assert "gave up after 2 attempts" in failed.text
    assert len(registry.requests) == 2
    if isinstance(failed.error, errors.RetryExhaustedError):
        assert isinstance(failed.error.last, errors.TransportError)


def test_a_name_that_no_host_has_is_looked_up_once(library_way: Way, net: Network) -> None:
    library_way.registry, library_way.options["retries"] = "nowhere.test", 3

    failed = refused(library_way.tags(), errors.UnknownHostError)
    assert failed.text.endswith("cannot connect: name or service not known")


def test_a_name_that_nobody_could_be_asked_for_is_looked_up_again(
    library_way: Way, net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def away(host: object, *_: object, flags: int = 0, **__: object) -> None:
        if not flags & socket.AI_NUMERICHOST:  # which asks no server
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
