"""The time that mirrors, requests for one token, callers' functions and readers have: TRN-70 to TRN-74."""

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from dreg_client import AsyncRegistry, Credential, Registry, errors
from dreg_client._async import _compat as async_compat
from dreg_client._async.client import AsyncClient
from dreg_client._async.referrers_tag import AsyncReferrersTag
from dreg_client._sync import _compat as sync_compat
from dreg_client._sync import blob_body
from dreg_client._sync.blob_body import BlobBody
from dreg_client._sync.client import Client
from dreg_client._sync.referrers_tag import ReferrersTag
from dreg_client.models.descriptor import Descriptor
from dreg_client.protocol.blob_reader import BlobTransfer
from dreg_client.protocol.content import BlobRequest
from dreg_client.protocol.deadlines import CallDeadline, current_call, limited_by
from dreg_client.protocol.messages import Headers, Hop, Request, Response
from dreg_client.protocol.options import Options, Timeouts
from dreg_client.protocol.referrers import fallback_tag
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.protocol.turns import Turn
from dreg_client.values.digest import Digest
from dreg_client.values.reference import RepositoryName
from tests.faultserver import STALL, Network, answer, challenge
from tests.hostile.registry import BLOB, LAYER, LAYER_DIGEST, TAGS, listed, registry_at
from tests.hostile.ways import Way
from tests.scripted import Scripted

MIRRORS = ("https://one.test", "https://two.test", "https://three.test")
GET = Request("GET", "/v2/acme/web/manifests/1.4", mirrored=True)
CHALLENGE = 'Bearer realm="https://registry.test/token",service="registry.test"'


# --- TRN-70: the response of a mirror that is not used


def test_trn_70_a_response_of_a_mirror_that_is_not_used_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without that, its connection would be free again only once the garbage collector closes it."""
    scripted = Scripted(lambda hop: Response(203 if "one.test" in hop.url else 200))
    client = scripted.client(monkeypatch, mirrors=MIRRORS[:1])

    response, body = client.stream(GET)
    assert (response.status, body) == (200, scripted.opened[1])
    assert [opened.closed for opened in scripted.opened] == [1, 0]


def test_trn_70_so_is_an_async_one() -> None:
    closed = list[int]()

    class Opened:
        headers: ClassVar[list[tuple[bytes, bytes]]] = []
        peer = ""

        def __init__(self, status: int) -> None:
            self.status = status

        async def chunk(self, until: float = 0) -> bytes | None:
            return None

        async def aclose(self) -> None:
            closed.append(self.status)

    class Transport:
        async def send(self, hop: Hop, timeouts: Timeouts, until: float = 0) -> Opened:
            return Opened(203 if "one.test" in hop.url else 200)

        async def aclose(self) -> None:
            """There is nothing to close."""

    client = AsyncClient(RegistryURL.parse("https://registry.test"), Options(mirrors=MIRRORS[:1]), Transport())
    response, _ = asyncio.run(client.stream(GET))
    assert (response.status, closed) == (200, [203])


def test_trn_70_the_registry_itself_is_asked(way: Way, net: Network, tmp_path: Path) -> None:
    registry_at(net)
    mirror = net.host("one.test").on(BLOB, answer(LAYER, 203))
    way.options["mirrors"] = MIRRORS[:1]

    assert way.blob(LAYER_DIGEST, tmp_path / "layer").error is None
    assert (tmp_path / "layer").read_bytes() == LAYER
    assert [heard.target for heard in mirror.requests] == [BLOB]


# --- TRN-71: mirrors share the time of a request


def silent_mirrors(scripted: Scripted) -> Callable[[Hop], Response | Exception]:
    def answering(hop: Hop) -> Response | Exception:
        if "registry.example" in hop.url:
            return Response(200)
        scripted.now = hop.until
        return errors.TransferTimeoutError("timed out", hop.where)

    return answering


@pytest.mark.parametrize("method", ["send", "stream"])
def test_trn_71_silent_mirrors_leave_time_for_the_registry(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    scripted = Scripted(Response)
    scripted.answering = silent_mirrors(scripted)
    client = scripted.client(monkeypatch, mirrors=MIRRORS, retries=0)

    getattr(client, method)(GET)
    assert [hop.until for hop in scripted.hops] == [45, 67.5, 78.75, 90]
    assert scripted.now == 78.75


def test_trn_71_so_do_they_within_a_shorter_time(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted = Scripted(Response)
    scripted.answering = silent_mirrors(scripted)

    scripted.client(monkeypatch, mirrors=MIRRORS, retries=0).stream(GET, within=8)
    assert [hop.until for hop in scripted.hops] == [4, 6, 7, 8]


def test_trn_71_so_do_they_within_a_deadline(way: Way, net: Network) -> None:
    registry_at(net)
    net.host("one.test").on("*", (STALL,))
    way.options |= {"mirrors": MIRRORS[:1], "deadline": 6 if way.name == "command line" else 2}

    assert way.manifest("1.4").error is None


@pytest.mark.parametrize("failure", [errors.ClosedError("the client"), errors.DeadlineError("too late", "x")])
def test_trn_71_what_ends_the_call_ends_it_at_a_mirror(
    monkeypatch: pytest.MonkeyPatch, failure: errors.DregError
) -> None:
    scripted = Scripted(lambda _: failure)

    with pytest.raises(type(failure)):
        scripted.client(monkeypatch, mirrors=MIRRORS, retries=0).send(GET)
    assert len(scripted.hops) == 1


# --- TRN-72: one request waits for the token of another


def silent_token_server(net: Network) -> threading.Event:
    """A registry whose token server does not respond; the event is set once it was asked."""
    asked = threading.Event()

    def silence(_: object) -> Any:
        asked.set()
        yield STALL

    registry_at(net).on(TAGS, challenge(CHALLENGE)).on("/token", silence)
    return asked


def test_trn_72_a_request_waits_for_the_token_of_another_only_until_its_own_end(net: Network) -> None:
    asked = silent_token_server(net)
    with Registry("https://registry.test", ca_file=str(net.ca_file), timeout=6, retries=0) as registry:
        first = threading.Thread(target=pytest.raises, args=(errors.DregError, registry.repository("acme/web").tags))
        first.start()
        assert asked.wait(20)
        began = time.monotonic()
        with pytest.raises(errors.DeadlineError) as raised:
            sync_compat.in_call(CallDeadline(0.5), registry.repository("acme/web").tags)
        assert time.monotonic() - began < 4
        assert "another request for its token was not complete in time" in str(raised.value.__cause__)
        assert first.is_alive()
        first.join()


def test_trn_72_so_does_an_async_one(net: Network) -> None:
    asked = silent_token_server(net)

    async def main() -> None:
        async with AsyncRegistry("https://registry.test", ca_file=str(net.ca_file), timeout=30, retries=0) as registry:
            first = asyncio.create_task(registry.repository("acme/web").tags())
            await asyncio.to_thread(asked.wait, 20)
            with pytest.raises(errors.DeadlineError) as raised:
                await async_compat.in_call(CallDeadline(0.5), registry.repository("acme/web").tags)
            assert "another request for its token" in str(raised.value.__cause__)
            assert not first.done()
            first.cancel()

    asyncio.run(main())


def test_trn_72_so_does_a_change_of_the_referrers_tag() -> None:
    client = Client(RegistryURL.parse("https://registry.test"), Options())
    subject, entry = Digest.of(LAYER), Descriptor(mediaType="a/b", digest=Digest.of(b""), size=0)
    listing = ReferrersTag(client, RepositoryName("acme/web"), subject)

    with Turn((client.registry.url, "acme/web", fallback_tag(subject))), pytest.raises(errors.DeadlineError) as raised:
        sync_compat.in_call(CallDeadline(0.2), lambda: listing.add(entry))
    assert "another change of the list of referrers" in str(raised.value.__cause__)


def test_trn_72_so_does_an_async_change() -> None:
    client = AsyncClient(RegistryURL.parse("https://registry.test"), Options())
    subject, entry = Digest.of(LAYER), Descriptor(mediaType="a/b", digest=Digest.of(b""), size=0)
    listing = AsyncReferrersTag(client, RepositoryName("acme/web"), subject)

    with Turn((client.registry.url, "acme/web", fallback_tag(subject))), pytest.raises(errors.DeadlineError) as raised:
        asyncio.run(async_compat.in_call(CallDeadline(0.2), lambda: listing.add(entry)))
    assert "another change of the list of referrers" in str(raised.value.__cause__)


# --- TRN-73: functions of the caller, and calls that they make


class Service:
    """Returns a token, after it has asked another registry, with a deadline of its own."""

    def __init__(self, net: Network, *, is_async: bool, deadline: float | None) -> None:
        self._options: dict[str, Any] = {"ca_file": str(net.ca_file), "deadline": deadline}
        self._is_async, self.calls = is_async, list[CallDeadline | None]()

    def request_token(self, scope: str) -> Any:
        return self._later(scope) if self._is_async else self._now(scope)

    def _now(self, scope: str) -> str:
        self.calls.append(current_call.get())
        with Registry("https://other.test", **self._options) as other:
            other.ping()
        return scope[:1]

    async def _later(self, scope: str) -> str:
        self.calls.append(current_call.get())
        async with AsyncRegistry("https://other.test", **self._options) as other:
            await other.ping()
        return scope[:1]


def with_token(raw: Any) -> Any:
    return lambda heard: raw if heard.header("authorization") else challenge(CHALLENGE)


@pytest.mark.parametrize("deadline", [None, 20.0])
def test_trn_73_a_call_in_a_function_of_the_caller_has_its_own_time(
    library_way: Way, net: Network, deadline: float | None
) -> None:
    registry_at(net).on(TAGS, with_token(listed("1.4")))
    registry_at(net, "other.test")
    service = Service(net, is_async=library_way.name == "tasks", deadline=1e-9 if deadline is None else None)
    library_way.options |= {"auth_service": service, "deadline": deadline}

    failed = library_way.tags()
    if deadline is None:
        assert isinstance(failed.error, errors.DeadlineError), "that of the other registry"
    else:
        assert failed.value == ("1.4",)
    assert service.calls == [None]


def test_trn_73_it_does_not_change_the_end_of_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    def answering(hop: Hop) -> Response:
        if dict(hop.headers).get("Authorization"):
            return Response(200)
        return Response(401, Headers([("WWW-Authenticate", 'Bearer realm="https://registry.example/token"')]))

    class Asking:
        def request_token(self, scope: str) -> str:
            scripted.now += 10
            Scripted(lambda _: Response(200), scripted.now).client(monkeypatch, timeout=1).send(Request("GET", "/v2/"))
            for module in ("client", "sender", "anonymous", "authenticator"):
                monkeypatch.setattr(f"dreg_client._sync.{module}.monotonic", lambda: scripted.now)
            return scope[:1]

    scripted = Scripted(answering)
    client = scripted.client(monkeypatch, auth_service=Asking())

    assert client.send(Request("GET", "/v2/acme/web/tags/list", "repository:acme/web:pull")).status == 200
    assert [hop.until for hop in scripted.hops] == [90, 90]


def test_trn_73_nor_are_events_and_credentials_part_of_the_call(library_way: Way, net: Network) -> None:
    """A task that `on_event` starts would otherwise have the deadline of the call for ever."""
    registry_at(net).on(TAGS, with_token(listed("1.4"))).on("/token", answer(b'{"token":"t"}'))
    calls = list[CallDeadline | None]()

    class Source:
        def find(self, registry: str, repository: str = "") -> Credential:
            calls.append(current_call.get())
            return Credential("ada", "pass-word")

    library_way.options |= {
        "credentials": Source(),
        "deadline": 20,
        "on_event": lambda _: calls.append(current_call.get()),
    }

    assert library_way.tags().error is None
    assert len(calls) > 2
    assert set(calls) == {None}


def test_trn_73_the_deadline_of_a_call_ends_with_it() -> None:
    outer, inner = CallDeadline(1), CallDeadline(2)
    with limited_by(outer):
        with limited_by(inner):
            assert current_call.get() is inner
        assert current_call.get() is outer
    assert current_call.get() is None


def test_trn_73_a_coroutine_that_is_abandoned_changes_no_other_call() -> None:
    async def wait() -> None:
        await asyncio.sleep(0)

    abandoned = async_compat.in_call(CallDeadline(1), wait)
    asyncio.run(asyncio.sleep(0))
    begin = threading.Thread(target=abandoned.send, args=(None,))  # in a context of its own
    begin.start()
    begin.join()

    call = CallDeadline(2)
    with limited_by(call):
        abandoned.close()
        assert current_call.get() is call


# --- TRN-74: a reader that pauses


def test_trn_74_the_pauses_of_a_reader_do_not_count_as_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = bytes(200_000)

    def answering(hop: Hop) -> Response:
        if len(scripted.hops) == 1:
            return Response(200, Headers([("Content-Length", str(len(raw)))]), raw[:100_000])
        found = Headers([("Content-Range", f"bytes 100000-{len(raw) - 1}/{len(raw)}"), ("Content-Length", "100000")])
        return Response(206, found, raw[100_000:])

    scripted = Scripted(answering)
    client = scripted.client(monkeypatch)
    monkeypatch.setattr(blob_body, "monotonic", lambda: scripted.now)
    name, digest = RepositoryName("acme/web"), Digest.of(raw)
    with limited_by(CallDeadline(patience=80, clock=lambda: scripted.now)):
        body = BlobBody(client, digest, BlobTransfer(name, BlobRequest(digest)))
    read = b""
    with body:
        for chunk in body:
            read += chunk
            scripted.now += 100  # the reader pauses
    assert read == raw
    assert len(scripted.hops) == 2


def test_trn_74_slow_bytes_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each chunk takes 20 seconds, and is not enough for a minute."""

    def answering(_: Hop) -> Response:
        return Response(200, Headers([("Content-Length", "200000")]), bytes(100))

    scripted = Scripted(answering)
    client = scripted.client(monkeypatch)
    monkeypatch.setattr(blob_body, "monotonic", lambda: scripted.now)
    digest = Digest.of(bytes(200_000))
    with limited_by(CallDeadline(patience=15, clock=lambda: scripted.now)):
        body = BlobBody(client, digest, BlobTransfer(RepositoryName("acme/web"), BlobRequest(digest)))
    with body:
        opened = scripted.opened[0]
        chunk_of = opened.chunk

        def slow(until: float) -> bytes | None:
            scripted.now += 20
            return chunk_of(until)

        monkeypatch.setattr(opened, "chunk", slow)
        with pytest.raises(errors.DeadlineError):
            list(body)
