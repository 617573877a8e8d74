"""What an error says of a limit that was reached: which one, how much, and what to change. TRN-80 to TRN-83."""

import pytest

from dreg_client import Timeouts, errors
from dreg_client.protocol.retry import may_help
from tests.faultserver import END, STALL, Network, Piece, Trickle, answer, head
from tests.hostile.registry import BLOB, LAYER, LAYER_DIGEST, TAGS, registry_at
from tests.hostile.ways import Way, refused

JSON = "Content-Type: application/json"
HANGS = (STALL,)
STOPS = (head(200, JSON, "Content-Length: 9000") + b"{", STALL)
DRIPS = (head(200, JSON, "Content-Length: 9000"), Trickle(b" "))


def option(way: Way, name: str) -> str:
    """How an option is named in a message."""
    return f"--{name}" if way.name == "command line" else f"{name}="


@pytest.mark.parametrize(
    ("pieces", "what"),
    [(HANGS, "no response (status and headers)"), (STOPS, "no further bytes of the response")],
    ids=["silence", "part of a body"],
)
def test_trn_80_a_timeout_names_the_step_the_seconds_and_the_option(
    way: Way, net: Network, pieces: tuple[Piece, ...], what: str
) -> None:
    registry_at(net).on(TAGS, pieces)
    way.options["timeout"] = 0.5

    failed = refused(way.tags(), errors.TransferTimeoutError)
    assert f"timed out: {what} within 0.5 s; allow more with {option(way, 'timeout')}" in failed.text


def test_trn_80_so_does_a_document_that_is_too_slow(library_way: Way, net: Network) -> None:
    registry_at(net).on(TAGS, DRIPS)
    library_way.options["timeout"] = Timeouts(whole=0.5)

    failed = refused(library_way.tags(), errors.TransferTimeoutError)
    assert "the response was not complete within 0.5 s; allow more with timeout=Timeouts(whole=SECONDS)" in failed.text


def test_trn_80_so_does_a_connection_that_is_not_made(library_way: Way, net: Network) -> None:
    library_way.registry = "hole.test"
    net.black_hole("hole.test")
    library_way.options["timeout"] = 0.5

    failed = refused(library_way.tags(), errors.ConnectError)
    assert "the connection attempt timed out after 0.5 s; allow more with timeout=" in failed.text


def test_trn_80_so_does_a_blob_that_stops(library_way: Way, net: Network) -> None:
    registry_at(net).on(BLOB, (head(200, f"Content-Length: {len(LAYER)}") + LAYER[:9], STALL))
    library_way.options["timeout"] = 0.3

    failed = refused(library_way.ask(lambda repository: repository.get_blob(LAYER_DIGEST)), errors.TruncatedBodyError)
    assert "no further bytes of the response within 0.3 s; allow more with timeout=" in failed.text


def test_trn_80_a_warning_of_a_mirror_advises_options_of_the_command_line(way: Way, net: Network) -> None:
    registry_at(net)
    net.host("mirror.test").on("*", HANGS)
    way.options |= {"mirrors": ("https://mirror.test",), "deadline": 1.0, "timeout": 0.5}

    assert "timeout=" not in way.resolve("1.4").text.partition("Traceback")[0]
    assert "deadline=" not in way.said.partition("Traceback")[0]
    if way.name == "command line":
        assert "warning" in way.said
        assert "--timeout" in way.said


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_trn_81_a_failure_after_retries_states_the_attempts_and_what_to_do(way: Way, net: Network, status: int) -> None:
    registry = registry_at(net).on(TAGS, answer(b"", status, "Retry-After: 0" if status in {429, 503} else "X: y"))
    way.options["retries"] = 1

    failed = refused(way.tags(), errors.RegistryError)
    assert len(registry.requests) == 2
    assert "; gave up after 2 attempts; try again later" in failed.text
    if failed.error is not None:
        assert failed.error.retryable  # type: ignore[attr-defined]


@pytest.mark.parametrize(("seconds", "text"), [(1, "try again in 1 second"), (100, "try again in 100 seconds")])
def test_trn_81_a_single_attempt_states_when_to_try_again(way: Way, net: Network, seconds: int, text: str) -> None:
    registry_at(net).on(TAGS, answer(b"", 429, f"Retry-After: {seconds}"))

    lines = refused(way.tags(), errors.RateLimitedError).text.splitlines()
    assert any(line.endswith(text) for line in lines)
    assert not any("attempts" in line for line in lines)


@pytest.mark.parametrize("status", [501, 505])
def test_trn_81_a_status_that_is_not_temporary_has_no_such_advice(library_way: Way, net: Network, status: int) -> None:
    registry_at(net).on(TAGS, answer(b"", status))

    failed = refused(library_way.tags(), errors.ServerError)
    assert isinstance(failed.error, errors.ServerError)
    assert not failed.error.retryable
    assert "try again" not in failed.text


@pytest.mark.parametrize("signal", [END, STALL], ids=["closed", "silent"])
@pytest.mark.parametrize("retries", [0, 1])
def test_trn_82_what_is_temporary_is_retryable_however_often_it_was_tried(
    library_way: Way, net: Network, signal: Piece, retries: int
) -> None:
    registry = registry_at(net).on(TAGS, signal)
    library_way.options |= {"retries": retries, "timeout": 0.3}

    failed = refused(library_way.tags(), errors.TransportError)
    assert isinstance(failed.error, errors.TransportError)
    assert failed.error.retryable
    assert isinstance(failed.error, errors.RetryExhaustedError) is bool(retries)
    assert len(registry.requests) == retries + 1


def test_trn_82_so_is_a_deadline(library_way: Way, net: Network) -> None:
    registry = registry_at(net).on(TAGS, STALL)
    library_way.options |= {"retries": 4, "deadline": 0.5}

    failed = refused(library_way.tags(), errors.DeadlineError)
    assert isinstance(failed.error, errors.DeadlineError)
    assert failed.error.retryable
    assert len(registry.requests) == 1


@pytest.mark.parametrize("temporary", [True, False])
def test_trn_82_attempts_that_are_used_up_are_not_begun_again(temporary: bool) -> None:
    """An error that another layer has already retried ends the attempts of this one."""
    last = errors.TransferTimeoutError("timed out") if temporary else errors.ProtocolError("not HTTP")
    failure = errors.RetryExhaustedError(last, 5)

    assert failure.retryable is temporary
    assert not may_help(failure)
