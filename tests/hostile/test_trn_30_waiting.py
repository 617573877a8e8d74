"""Servers that send one byte at a time, or nothing: TRN-30 to TRN-36. No wait lasts forever."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from dreg_client import AsyncRegistry, Registry, Repository, Timeouts, acopy, copy, errors
from dreg_client.protocol.deadlines import CallDeadline, current_call, limited_by
from dreg_client.protocol.messages import Headers, Hop, Response
from dreg_client.values.reference import RepositoryName
from tests.faultserver import END, STALL, Network, Piece, Trickle, answer, challenge, head, redirect
from tests.hostile.registry import (
    BLOB,
    DIGEST,
    INDEX,
    LAYER_DIGEST,
    MANIFESTS,
    OCI_INDEX,
    TAGS,
    document,
    listed,
    registry_at,
)
from tests.hostile.ways import Way, refused
from tests.scripted import Scripted

CHUNKED = head(200, "Content-Type: application/json", "Transfer-Encoding: chunked")
TOO_SLOW = (errors.TransferTimeoutError, errors.RetryExhaustedError)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What is done takes less time."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


HEADS: dict[str, tuple[Piece, ...]] = {
    "status line": (b"HTTP/1.1 200 ", Trickle(b"O")),
    "header": (b"HTTP/1.1 200 OK\r\nX: ", Trickle(b"y")),
    "headers": (b"HTTP/1.1 200 OK\r\n", Trickle(b"X: y\r\n")),
    "interim responses": (Trickle(b"HTTP/1.1 102 Processing\r\n\r\n"),),
}


@pytest.mark.parametrize("pieces", HEADS.values(), ids=HEADS)
def test_trn_30_a_head_must_be_complete_in_time(library_way: Way, net: Network, pieces: tuple[Piece, ...]) -> None:
    registry_at(net).on(TAGS, pieces)
    library_way.options["timeout"] = Timeouts(read=0.5)

    with within(3):
        refused(library_way.tags(), errors.TransferTimeoutError)


BODIES: dict[str, tuple[Piece, ...]] = {
    "body": (head(200, "Content-Type: application/json", "Content-Length: 9000"), Trickle(b" ")),
    "chunks": (CHUNKED, Trickle(b"1\r\n \r\n")),
    "chunk size": (CHUNKED, Trickle(b"0")),
    "chunk extension": (CHUNKED, b"1;x=", Trickle(b"y")),
    "trailer": (CHUNKED, b"2\r\n{}\r\n0\r\nX: ", Trickle(b"y")),
}


@pytest.mark.parametrize("pieces", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("of", ["tags", "manifest", "token"])
def test_trn_31_a_document_must_be_complete_in_time(
    library_way: Way, net: Network, pieces: tuple[Piece, ...], of: str
) -> None:
    registry = registry_at(net).on(f"{MANIFESTS}/1.4", pieces)
    registry.on(TAGS, challenge('Bearer realm="https://registry.test/token"') if of == "token" else pieces)
    registry.on("/token", pieces)
    library_way.options["timeout"] = Timeouts(read=20, whole=0.5)

    with within(4):
        refused(library_way.manifest("1.4") if of == "manifest" else library_way.tags(), *TOO_SLOW, errors.TokenError)


def test_trn_31_so_must_an_error(library_way: Way, net: Network) -> None:
    registry_at(net).on(TAGS, (head(403, "Content-Length: 9000"), Trickle(b"x")))
    library_way.options["timeout"] = Timeouts(read=20, whole=0.5)

    with within(3):
        refused(library_way.tags(), errors.DeniedError)


WAITS: dict[str, tuple[Piece, ...]] = {
    "silent": (STALL,),
    "slow head": HEADS["header"],
    "slow interim responses": HEADS["interim responses"],
    "slow body": BODIES["body"],
    "slow chunks": BODIES["chunks"],
    "slow trailer": BODIES["trailer"],
}


@pytest.mark.parametrize("pieces", WAITS.values(), ids=WAITS)
def test_trn_33_a_call_ends_at_its_deadline(way: Way, net: Network, pieces: tuple[Piece, ...]) -> None:
    registry_at(net).on(TAGS, pieces)
    way.options |= {"deadline": 1.0, "retries": 4}

    with within(8 if way.name == "command line" else 3):
        failed = refused(way.tags(), errors.DeadlineError)
    assert "its deadline of 1 s" in failed.text


@pytest.mark.parametrize("name", ["slow body", "slow chunks", "slow trailer"])
def test_trn_33_so_does_a_blob(way: Way, net: Network, tmp_path: Path, name: str) -> None:
    registry_at(net).on(BLOB, WAITS[name])
    way.options |= {"deadline": 1.0, "retries": 4}
    folder = tmp_path / "layers"
    folder.mkdir()

    with within(8 if way.name == "command line" else 3):
        refused(way.blob(LAYER_DIGEST, folder / "layer"), errors.DeadlineError)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("method", ["tags", "iter_tags"])
def test_trn_33_a_deadline_includes_all_requests_of_a_call(library_way: Way, net: Network, method: str) -> None:
    """Pages without an end, each of them fast."""
    numbers = iter(range(10**9))

    def page(_: object) -> Iterator[Piece]:
        number = next(numbers)
        link = f'Link: </v2/acme/web/tags/list?last=t{number}>; rel="next"'
        yield answer(b'{"name":"acme/web","tags":["t%d"]}' % number, 200, "Content-Type: application/json", link)

    registry_at(net).on(TAGS, page)
    library_way.options["deadline"] = 0.1

    with within(3):
        refused(library_way.ask(lambda repository: getattr(repository, method)()), errors.DeadlineError)


def test_trn_33_redirects_and_tokens_are_included(library_way: Way, net: Network) -> None:
    registry_at(net).on(BLOB, redirect("https://cdn.test/layer"))
    net.host("cdn.test").on("/layer", HEADS["header"])
    library_way.options["deadline"] = 1.0

    with within(3):
        refused(library_way.all_of(blob), errors.DeadlineError)


def blob(registry: Any) -> Any:
    return registry.repository("acme/web").get_blob(LAYER_DIGEST)


@pytest.mark.parametrize("pieces", [(Trickle(b"\0"),), (STALL,), (b"HTTP/1.1 200 OK\r\nX: ", Trickle(b"y"))])
def test_trn_36_a_proxy_that_responds_slowly_is_left(library_way: Way, net: Network, pieces: tuple[Piece, ...]) -> None:
    registry_at(net)
    net.proxy().on("*", pieces)
    library_way.options |= {"proxy": "http://proxy.test:3128", "timeout": Timeouts(connect=0.5)}

    with within(3):
        refused(library_way.tags(), errors.ConnectError, errors.ProtocolError)


@pytest.mark.parametrize("deadline", [None, 10**6])
def test_trn_33_without_a_deadline_nothing_is_limited(monkeypatch: pytest.MonkeyPatch, deadline: float | None) -> None:
    """A list of 100 pages, each of which takes a minute."""
    calls, numbers = list[CallDeadline | None](), iter(range(100))

    def page(_: Hop) -> Response:
        calls.append(current_call.get())
        scripted.now += 60
        number = next(numbers)
        more = [("Link", f'</v2/acme/web/tags/list?last=t{number}>; rel="next"')] if number < 99 else []
        body = b'{"name":"acme/web","tags":["t%d"]}' % number
        return Response(200, Headers([("Content-Type", "application/json"), *more]), body)

    scripted = Scripted(page)
    repository = Repository(scripted.client(monkeypatch, deadline=deadline), RepositoryName("acme/web"))

    assert len(repository.tags()) == 100
    assert scripted.now == 6000
    assert {call is None for call in calls} == {deadline is None}


def test_trn_33_a_long_deadline_ends_nothing_early(library_way: Way, net: Network) -> None:
    registry_at(net).on(TAGS, (head(503), END), listed("1.4"))
    library_way.options |= {"deadline": 30, "retries": 1}

    assert library_way.tags().value == ("1.4",)
    assert library_way.resolve("1.4").value.digest == DIGEST


@pytest.mark.parametrize("name", ["silent", "slow body", "slow chunks"])
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # httpx leaves sockets to the garbage collector
def test_trn_33_so_does_a_call_by_a_transport_of_httpx(library_way: Way, net: Network, name: str) -> None:
    by_httpx(library_way, net, name)


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # as above
def test_trn_33_so_does_an_async_call_although_httpx_waits_for_each_byte_of_a_head(net: Network) -> None:
    by_httpx(Way("tasks", net), net, "slow head")


def by_httpx(way: Way, net: Network, name: str) -> None:
    registry_at(net).on(TAGS, WAITS[name])
    kind = httpx.HTTPTransport if way.name == "threads" else httpx.AsyncHTTPTransport
    context = httpx.create_ssl_context(verify=str(net.ca_file))
    way.options |= {"deadline": 1.0, "transport": kind(verify=context)}

    with within(4):
        refused(way.tags(), errors.DeadlineError)


def test_trn_33_nor_does_a_call_wait_longer_for_a_function_of_the_caller(net: Network) -> None:
    class Service:
        async def request_token(self, scope: str) -> str:
            return await asyncio.sleep(600, scope)

    async def tags() -> None:
        options: dict[str, Any] = {"ca_file": str(net.ca_file), "auth_service": Service(), "deadline": 0.5}
        async with AsyncRegistry("https://registry.test", **options) as registry:
            await registry.repository("acme/web").tags()

    registry_at(net).on(TAGS, challenge('Bearer realm="https://registry.test/token"'))
    with within(4), pytest.raises(errors.DeadlineError):
        asyncio.run(tags())


def test_trn_33_nothing_is_sent_after_the_deadline(library_way: Way, net: Network) -> None:
    host = registry_at(net)
    library_way.options["deadline"] = 1e-9

    refused(library_way.tag("1.4", "1.5"), errors.DeadlineError)
    assert host.requests == []


@pytest.mark.parametrize("wrong", ["3", True, -1, float("nan")])
def test_trn_33_a_deadline_is_a_number_of_seconds(library_way: Way, wrong: Any) -> None:
    library_way.options["deadline"] = wrong

    with pytest.raises((TypeError, ValueError), match="deadline= must be None, or a number of seconds"):
        library_way.tags()


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_trn_35_a_command_ends_if_requests_keep_failing() -> None:
    clock = Clock()
    call = CallDeadline(patience=110, clock=clock)
    assert call.until(990) == 1100, "a single request"
    failure = errors.TransferTimeoutError("timed out", "https://registry.test/v2/")

    call.failed(1000.0)
    clock.now = 1090.0
    call.check(failure)
    assert call.until(1090) == 1110
    call.failed(1089.0)
    assert call.until(1090) == 1110, "another failure, or a response that is an error, gives no more time"
    clock.now = 1110.0
    with pytest.raises(errors.DeadlineError, match=r"no request succeeded for 110 s \(timed out\)"):
        call.check(failure)
    call.succeeded()
    call.check(failure)
    call.allow(390)
    assert call.until(1110) == 1110 + 110 + 300, "longer timeouts"


def test_trn_35_a_response_that_is_an_error_gives_a_call_no_more_time(net: Network) -> None:
    """A server could otherwise respond to each of a million requests with an error, after some seconds."""
    host, call, later = registry_at(net), CallDeadline(patience=80), time.monotonic() + 1000
    host.on(TAGS, answer(b"", "404 Not Found"), listed("1.4"))
    with Registry("https://registry.test", ca_file=str(net.ca_file)) as registry, limited_by(call):
        repository = registry.repository("acme/web")
        with pytest.raises(errors.NotFoundError):
            repository.tags()
        assert call.until(later) < later

        assert repository.tags() == ("1.4",)
        assert call.until(later) > later


@pytest.mark.parametrize("is_async", [False, True], ids=["threads", "tasks"])
def test_trn_33_a_deadline_is_that_of_a_whole_copy(net: Network, tmp_path: Path, is_async: bool) -> None:
    """Tags without an end, each of them fast."""
    registry_at(net).on(f"{MANIFESTS}/*", document(INDEX, OCI_INDEX))
    tags = [f"t{number}" for number in range(100_000)]
    options: dict[str, Any] = {"ca_file": str(net.ca_file), "deadline": 1.0, "tags": tags}
    source, destination = "registry.test/acme/web", f"oci:{tmp_path}/web"

    with within(6), pytest.raises(errors.DeadlineError):
        asyncio.run(acopy(source, destination, **options)) if is_async else copy(source, destination, **options)
