"""Both clients against a server: one request, streams, attempts, redirects, mirrors."""

import threading
from socket import socket
from typing import Any

import pytest

from dreg_client import errors
from dreg_client.protocol.events import Answered, Counted, Event, Retrying, Warned
from dreg_client.protocol.messages import Request
from dreg_client.protocol.options import Timeouts
from tests.answering import ADA, GET, HELLO, Heard, in_turn, registry, sent, with_tokens
from tests.flavours import Flavour
from tests.raw_server import answer, speaking
from tests.scripted import Scripted

# --- one request


def test_a_response_is_read_whole(flavour: Flavour) -> None:
    with registry(in_turn(HELLO)) as at:
        (response,) = sent(flavour, at.url, GET)

    assert (response.status, response.body, response.registry) == (200, b"hello", at.url)
    assert response.url == f"{at.url}/v2/a/tags/list"
    assert at.heard[0].headers["accept-encoding"] == "identity"
    assert at.heard[0].headers["user-agent"].startswith("dreg-client/")


def test_one_connection_serves_requests_one_after_another(flavour: Flavour) -> None:
    with registry(in_turn(HELLO)) as at:
        sent(flavour, at.url, GET, GET, GET)

        assert (len(at.heard), at.server.connections) == (3, 1)


def test_a_response_over_the_limit_is_an_error(flavour: Flavour) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    with registry(in_turn(HELLO, chunked)) as at:
        for result in sent(flavour, at.url, *[Request("GET", "/v2/", limit=4)] * 2):
            assert isinstance(result, errors.ResponseTooLargeError)
            assert (result.size, result.limit) == (5, 4)


def test_the_beginning_of_an_error_response_is_enough(flavour: Flavour) -> None:
    cut_off = answer(b"x" * 10, "404 Not Found", "Connection: close", length=1000)
    with registry(in_turn(answer(b"x" * 100_000, "404 Not Found"), cut_off)) as at:
        large, cut = sent(flavour, at.url, GET, GET)

    assert (large.status, len(large.body)) == (404, 64 * 1024)
    assert (cut.status, cut.body) == (404, b"x" * 10)


def test_a_body_that_takes_too_long_as_a_whole_is_an_error(flavour: Flavour) -> None:
    def script(_: bytes, connection: socket) -> bool:
        connection.sendall(answer(b"", length=1000))
        for _ in range(100):
            connection.sendall(b"x")
            threading.Event().wait(0.02)
        return False

    with speaking(script) as server:
        (result,) = sent(flavour, server.url, GET, timeout=Timeouts(whole=0.1), retries=0)

    assert isinstance(result, errors.TransferTimeoutError)


def test_trn_28_a_body_with_a_length_and_in_chunks_is_an_error(flavour: Flavour) -> None:
    with registry(in_turn(answer(b"0\r\n\r\n", "200 OK", "Transfer-Encoding: chunked"))) as at:
        (result,) = sent(flavour, at.url, GET)

    assert isinstance(result, errors.ProtocolError)


def test_a_closed_client_sends_nothing(flavour: Flavour) -> None:
    async def job(url: str) -> None:
        async with flavour.client(url) as client:
            await client.send(GET)
            await client.aclose()
            with pytest.raises(errors.ClosedError):
                await client.send(GET)

    with registry(in_turn(HELLO)) as at:
        flavour.run(lambda: job(at.url))

        assert len(at.heard) == 1


# --- streams


def test_a_streamed_body_is_read_in_chunks_and_gives_its_connection_back(flavour: Flavour) -> None:
    async def job(url: str) -> tuple[Any, bytes]:
        async with flavour.client(url, connections=1) as client:
            octets = b""
            for _ in range(3):
                response, body = await client.stream(GET)
                while (chunk := await body.chunk()) is not None:
                    octets += chunk
                await body.aclose()
            return response, octets

    with registry(in_turn(HELLO)) as at:
        response, octets = flavour.run(lambda: job(at.url))

        assert (response.status, response.body, octets) == (200, b"", b"hello" * 3)
        assert at.server.connections == 1


def test_a_streamed_body_that_is_not_read_gives_its_place_back(flavour: Flavour) -> None:
    async def job(url: str) -> None:
        async with flavour.client(url, connections=1, timeout=Timeouts(pool=1)) as client:
            for _ in range(3):
                _, body = await client.stream(GET)
                await body.aclose()
                await body.aclose()

    with registry(in_turn(answer(b"x" * 10, length=1000))) as at:
        flavour.run(lambda: job(at.url))

        assert at.server.connections == 3


def test_the_stream_of_an_error_response_has_no_body_to_read(flavour: Flavour) -> None:
    async def job(url: str) -> tuple[Any, Any]:
        async with flavour.client(url) as client:
            return await client.stream(GET)  # type: ignore[no-any-return]

    with registry(in_turn(answer(b"none", "404 Not Found"))) as at:
        response, body = flavour.run(lambda: job(at.url))

    assert (response.status, response.body, body) == (404, b"none", None)


def test_a_streamed_body_that_breaks_off_is_an_error(flavour: Flavour) -> None:
    async def job(url: str) -> None:
        async with flavour.client(url) as client:
            _, body = await client.stream(GET)
            assert await body.chunk() == b"hell"
            with pytest.raises(errors.TransportError):
                await body.chunk()
            await body.aclose()

    with registry(in_turn(answer(b"hell", "200 OK", "Connection: close", length=5))) as at:
        flavour.run(lambda: job(at.url))


# --- attempts


def test_a_connection_that_is_closed_is_tried_again(flavour: Flavour) -> None:
    events: list[Event] = []
    with registry(in_turn(None, None, HELLO)) as at:
        (response,) = sent(flavour, at.url, GET, on_event=events.append)

    assert response.body == b"hello"
    assert [type(event) for event in events] == [Retrying, Retrying, Answered]


def test_all_attempts_may_fail(flavour: Flavour) -> None:
    with registry(in_turn(None)) as at:
        (result,) = sent(flavour, at.url, GET, retries=1)

    assert isinstance(result, errors.RetryExhaustedError)
    assert result.attempts == len(at.heard) == 2


def test_a_server_that_fails_is_asked_again(flavour: Flavour) -> None:
    with registry(in_turn(answer(b"", "500 Oops"), answer(b"", "502 Oops"), HELLO)) as at:
        (response,) = sent(flavour, at.url, GET)

    assert (response.status, len(at.heard)) == (200, 3)


def test_a_longer_wait_than_we_take_is_an_error_at_once(flavour: Flavour) -> None:
    with registry(in_turn(answer(b"", "503 Busy", "Retry-After: 61"))) as at:
        (result,) = sent(flavour, at.url, GET)

    assert isinstance(result, errors.RateLimitedError)
    assert (result.retry_after, len(at.heard)) == (61.0, 1)


def test_a_deletion_whose_response_was_lost_succeeded(flavour: Flavour) -> None:
    with registry(in_turn(None, answer(b"", "404 Not Found"))) as at:
        lost, absent = sent(flavour, at.url, *[Request("DELETE", "/v2/a/manifests/1", absent_is_done=True)] * 2)

    assert (lost.status, absent.status) == (202, 404)


def test_what_was_just_written_is_read_until_it_is_there(flavour: Flavour) -> None:
    absent = answer(b"", "404 Not Found")
    target = "/v2/a/manifests/1"
    with registry(in_turn(answer(b"", "201 Created"), absent, HELLO)) as at:
        _, read = sent(flavour, at.url, Request("PUT", target, body=b"x"), Request("GET", target))

    assert read.body == b"hello"


def test_without_tls_a_server_that_needs_it_says_so(flavour: Flavour) -> None:
    with registry(in_turn(answer(b"Client sent an HTTP request to an HTTPS server.", "400 Bad Request"))) as at:
        (result,) = sent(flavour, at.url, GET)

    assert isinstance(result, errors.TLSError)
    assert f"write https://{at.url.partition('://')[2]}" in str(result)


def test_while_one_request_waits_the_others_wait_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from dreg_client._sync.client import _Delay
    from dreg_client.protocol.messages import Headers, Response

    busy = Response(429, Headers([("Retry-After", "20")]))
    scripted = Scripted(lambda _: busy if len(scripted.hops) == 1 else Response(200))
    client = scripted.client(monkeypatch)
    client._delays[client.registry.origin] = _Delay(20.0, busy)

    assert client.send(GET).status == 200
    assert scripted.waited[0] == 20.0


# --- redirects


def test_a_redirect_is_followed_without_the_authorization(flavour: Flavour) -> None:
    with registry(in_turn(HELLO)) as storage:

        def answering(heard: Heard) -> bytes:
            found = with_tokens(heard)
            return answer(b"", "307 Elsewhere", f"Location: {storage.url}/x?sig=s") if found == HELLO else found

        with registry(answering) as at:
            (response,) = sent(flavour, at.url, GET, credentials=ADA)

    assert (response.body, response.url) == (b"hello", f"{storage.url}/x?sig=s")
    assert storage.targets == ["GET /x?sig=s"]
    assert storage.heard[0].authorization == ""


def test_a_refusal_of_the_redirect_s_target_gets_no_credential(flavour: Flavour) -> None:
    denied = answer(b"signature: secret-sig", "403 Forbidden", "WWW-Authenticate: Basic realm=x")
    with registry(in_turn(denied)) as storage:
        location = answer(b"", "307 Elsewhere", f"Location: {storage.url}/x?sig=secret-sig")
        with registry(in_turn(location)) as at:
            (response,) = sent(flavour, at.url, GET, credentials=ADA)

    assert (response.status, response.body) == (403, b"signature: ***")
    assert "; credentials are not sent there" in response.advice
    assert storage.heard[0].authorization == ""


def test_trn_09_redirects_end(flavour: Flavour) -> None:
    with registry(in_turn(answer(b"", "302 Round", "Location: /v2/a/tags/list"))) as at:
        (result,) = sent(flavour, at.url, GET)

    assert isinstance(result, errors.TooManyRedirectsError)
    assert len(at.heard) == 11


# --- mirrors, events


def test_a_mirror_is_asked_first_and_gets_no_credential(flavour: Flavour) -> None:
    mirrored = Request("GET", "/v2/a/manifests/1", "repository:a:pull", mirrored=True)
    wants_password = answer(b"", "401 Unauthorized", "WWW-Authenticate: Basic realm=x")
    with registry(in_turn(wants_password)) as mirror, registry(in_turn(HELLO)) as at:
        options: dict[str, Any] = {"mirrors": (mirror.url,), "credentials": ADA}
        first, second = sent(flavour, at.url, mirrored, GET, **options)

    assert first.body == second.body == b"hello"
    assert [heard.authorization for heard in mirror.heard] == [""]
    assert len(at.heard) == 2, "what is not mirrored goes to the registry at once"


def test_a_mirror_that_answers_is_enough(flavour: Flavour) -> None:
    mirrored = Request("GET", "/v2/a/manifests/1", mirrored=True)
    with registry(in_turn(HELLO)) as mirror, registry(in_turn(None)) as at:
        (response,) = sent(flavour, at.url, mirrored, mirrors=(mirror.url,))

    assert response.registry == mirror.url
    assert at.heard == []


def test_warnings_are_told_once_and_quotas_each_time(flavour: Flavour) -> None:
    warned = answer(
        b"",
        "200 OK",
        'Warning: 299 - "old"',
        "RateLimit-Limit: 100;w=21600",
        "RateLimit-Remaining: 76;w=21600",
    )
    events: list[Event] = []
    with registry(in_turn(warned)) as at:
        sent(flavour, at.url, GET, GET, on_event=events.append)
        name = at.url.partition("://")[2]

    told = [event for event in events if not isinstance(event, Answered)]
    assert told.count(Warned(name, "old")) == 1
    assert told.count(Counted(name, 100, 76, 21600)) == 2
