"""What an error says of a limit that was reached: which one, how much, and what to change. TRN-80 to TRN-85."""

from dataclasses import replace
from pathlib import Path

import pytest

from dreg_client import Timeouts, errors, parse_manifest
from dreg_client.protocol.messages import Request, Response
from dreg_client.protocol.retry import may_help
from dreg_client.protocol.tags_and_catalog import MAX_PAGES, Pages
from tests.faultserver import END, STALL, Network, Piece, Trickle, answer, head
from tests.hostile.registry import BLOB, LAYER, LAYER_DIGEST, MANIFEST, MANIFESTS, OCI_MANIFEST, TAGS, registry_at
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


def test_trn_83_a_size_limit_states_its_unit_and_whether_it_can_be_changed(way: Way, net: Network) -> None:
    registry_at(net).on(f"{MANIFESTS}/1.4", head(200, f"Content-Type: {OCI_MANIFEST}", "Content-Length: 9000026"))

    failed = refused(way.manifest("1.4"), errors.ResponseTooLargeError)
    assert "9,000,026 bytes exceed the limit of 4 MiB; this limit cannot be changed" in failed.text


def test_trn_83_a_blob_states_the_parameter(library_way: Way, net: Network) -> None:
    registry_at(net)

    failed = refused(
        library_way.ask(lambda repository: repository.get_blob(LAYER_DIGEST, limit=9)), errors.ResponseTooLargeError
    )
    assert failed.text.endswith("bytes exceed the limit of 9 bytes; allow more with limit=, or use download_blob")


def test_trn_83_so_does_a_document() -> None:
    with pytest.raises(errors.ResponseTooLargeError, match=r"the limit of 9 bytes; allow more with limit=$"):
        parse_manifest(MANIFEST, limit=9)


@pytest.mark.parametrize(
    ("what", "advice"), [("repository acme/web", "with iter_tags()"), ("catalog", "with catalog()")]
)
def test_trn_83_a_list_without_an_end_states_the_method_that_reads_more(what: str, advice: str) -> None:
    request = Request("GET", "/0", what=what)
    pages = Pages(request)
    for number in range(1, MAX_PAGES):
        pages.go_to(replace(request, target=f"/{number}"), Response(200))

    with pytest.raises(errors.TooManyPagesError) as raised:
        pages.go_to(replace(request, target="/last"), Response(200))
    assert "the list does not end after 1,000 pages; read " in str(raised.value)
    assert str(raised.value).endswith(advice)


def test_trn_83_a_list_that_links_back_is_told_apart(way: Way, net: Network) -> None:
    page = answer(b'{"tags":["1"]}', 200, JSON, f'Link: <{TAGS}>; rel="next"')
    registry_at(net).on(TAGS, page)

    failed = refused(way.tags(), errors.TooManyPagesError)
    assert "the list does not end after 1 page; it links back to an earlier page" in failed.text


def test_trn_84_is_up_reports_a_configuration_that_cannot_be_used(library_way: Way, net: Network) -> None:
    registry = registry_at(net)
    library_way.options["proxy"] = "ftp://proxy.test"

    failed = refused(library_way.do(lambda registry: registry.is_up()), errors.ConfigError)
    assert "http://, https://, socks5:// or socks5h://" in failed.text
    assert not registry.requests


def test_trn_84_is_up_is_false_for_a_registry_that_cannot_be_reached(library_way: Way, net: Network) -> None:
    registry_at(net).on("/v2/", END)

    assert library_way.do(lambda registry: registry.is_up()).value is False


@pytest.mark.parametrize("pieces", [(STALL,), (b"SSH-2.0-server\r\n\r\n", END)], ids=["silent", "another protocol"])
def test_trn_85_a_proxy_that_is_none_is_named(library_way: Way, net: Network, pieces: tuple[Piece, ...]) -> None:
    registry_at(net)
    net.proxy().on("*", pieces)
    library_way.options |= {"proxy": "http://proxy.test:3128", "timeout": Timeouts(connect=0.5)}

    failed = refused(library_way.tags(), errors.TransportError)
    assert "the proxy proxy.test:3128 (proxy=): " in failed.text


def test_cli_70_a_download_that_fails_states_what_it_has_kept(way: Way, net: Network, tmp_path: Path) -> None:
    registry_at(net).on(BLOB, (head(200, f"Content-Length: {len(LAYER)}") + LAYER[:9], STALL))
    way.options |= {"deadline": 2.0, "timeout": 0.3}

    failed = refused(way.blob(LAYER_DIGEST, tmp_path / "layer", resume=True), errors.TransportError)
    if way.name == "command line":
        kept = failed.text.rpartition(" kept in ")[2].partition(";")[0]
        assert Path(kept).read_bytes() == LAYER[:9]
        assert failed.text.endswith("; the same command continues the download\n")
