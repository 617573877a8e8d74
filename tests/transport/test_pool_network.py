"""Connecting: addresses, deadlines, TLS, and where a connection may lead; and cancellation, which leaves nothing."""

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
import trio

from dreg_client import errors
from dreg_client._async._compat import TaskGroup as AsyncTaskGroup
from dreg_client._sync._compat import TaskGroup
from dreg_client.protocol.messages import Hop
from dreg_client.protocol.options import Options
from dreg_client.values.origin import Origin, Reach
from tests.faultserver import Network, answer
from tests.faultserver.network import shown
from tests.raw_server import RawServer, speaking
from tests.transport.pools import AnyPool

BODY = b"this is the answer"
LARGE = bytes(range(256)) * 16_384
NewPool = Callable[..., AnyPool]


def test_an_address_that_is_too_near_is_sent_nothing(tls: AnyPool, net: Network) -> None:
    """TRN-05: not even the beginning of TLS."""
    near = net.host("near.test", address="10.1.2.3").on("/x", answer(BODY))

    with pytest.raises(errors.BlockedAddressError, match=r"10\.1\.2\.3"):
        tls.run_get("https://near.test/x", nearest=Reach.PUBLIC)
    while not near.failed:  # it has waited for the beginning of TLS
        time.sleep(0.01)
    assert (near.connections, bytes(near.octets), near.requests) == (1, b"", [])


def test_a_kept_connection_that_is_too_near_is_sent_nothing(tls: AnyPool, net: Network) -> None:
    near = net.host("near.test", address="10.1.2.3").on("/x", answer(BODY))

    assert tls.run_get("https://near.test/x", nearest=Reach.PRIVATE).peer == "10.1.2.3"
    with pytest.raises(errors.BlockedAddressError):
        tls.run_get("https://near.test/x", nearest=Reach.PUBLIC)
    assert len(near.requests) == 1


# --- TLS


def test_connections_are_kept_over_tls(tls: AnyPool, net: Network) -> None:
    host = net.host("registry.test").on("/small", answer(BODY)).on("/large", answer(LARGE))

    for _ in range(2):
        assert tls.run_get("https://registry.test/small").body == BODY
        assert tls.run_get("https://registry.test/large").body == LARGE
    assert host.connections == 1


def test_a_large_request_goes_out_whole_over_tls(tls: AnyPool, net: Network) -> None:
    host = net.host("registry.test").on("/x", answer(BODY))

    tls.run_get("https://registry.test/x", "PUT", body=LARGE)
    assert host.requests[0].body == LARGE


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize(
    ("certificate", "error", "said"),
    [
        (lambda: shown("other.test"), errors.TLSError, "the certificate is not trusted: Hostname mismatch"),
        (lambda: shown("registry.test", expired=True), errors.TLSError, "certificate has expired"),
        (lambda: shown("registry.test", oldest=True), errors.TLSError, "the TLS connection failed: "),
    ],
)
def test_a_certificate_that_is_not_trusted_is_sent_nothing(
    tls: AnyPool, net: Network, certificate: Callable[[], ssl.SSLContext], error: Any, said: str
) -> None:
    host = net.host("registry.test", certificate=certificate()).on("/x", answer(BODY))

    with pytest.raises(error, match=said) as raised:
        tls.run_get("https://registry.test/x")
    assert not raised.value.retryable
    while not host.failed:
        time.sleep(0.01)
    assert host.requests == []


def test_a_server_without_tls_is_recognised(tls: AnyPool, net: Network) -> None:
    net.host("registry.test", scheme="http", port=443).to_tls = answer(b"no", "400 Bad Request")

    with pytest.raises(errors.NotTLSError, match="the server does not use TLS"):
        tls.run_get("https://registry.test/x")


class Untouched(ssl.SSLContext):
    """A caller's context that must stay as it is."""

    sealed = False

    def set_alpn_protocols(self, *_: Any) -> None:
        raise AssertionError("ALPN is set on a caller's context")

    def load_verify_locations(self, *given: Any, **named: Any) -> None:
        assert not self.sealed
        super().load_verify_locations(*given, **named)

    def __setattr__(self, name: str, value: object) -> None:
        assert not self.sealed
        super().__setattr__(name, value)


def test_a_caller_s_context_is_not_modified(new_pool: NewPool, net: Network) -> None:
    context = Untouched(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(str(net.ca_file))
    context.sealed = True
    net.host("registry.test").on("/x", answer(BODY))
    pool = new_pool(ssl_context=context, trust_env=False)

    assert pool.run_get("https://registry.test/x").body == BODY
    with pytest.raises(errors.DregError):
        pool.run_get("http://nothing.test/x")


def test_a_server_that_chooses_http_2_says_what_to_do(new_pool: NewPool, net: Network) -> None:
    certificate = shown("registry.test")
    certificate.set_alpn_protocols(["h2", "http/1.1"])
    host = net.host("registry.test", certificate=certificate).on("/x", answer(BODY))
    context = ssl.create_default_context(cafile=str(net.ca_file))
    pool = new_pool(ssl_context=context, trust_env=False)
    context.set_alpn_protocols(["http/1.1", "h2"])  # as httpx does to it

    with pytest.raises(errors.TLSError, match=r"HTTP/2, because ssl_context= offers .*transport=") as raised:
        pool.run_get("https://registry.test/x")
    assert not raised.value.retryable
    assert host.requests == []
    context.set_alpn_protocols(["http/1.1"])
    assert pool.run_get("https://registry.test/x").body == BODY


def test_insecure_is_for_registries_alone(net: Network) -> None:
    for name in ("registry.test", "cdn.test"):
        net.host(name, certificate=shown("other.test")).on("/x", answer(BODY))
    with AnyPool("threads", Options(insecure=True), [Origin.of("https://registry.test")]) as pool:
        assert pool.run_get("https://registry.test/x").body == BODY
        with pytest.raises(errors.TLSError):
            pool.run_get("https://cdn.test/x")


# --- cancellation


def uneven(head: bytes, connection: socket.socket) -> bool:
    """A server that answers well, badly, and not at all."""
    if b"/good" in head:
        connection.sendall(answer(BODY))
        return True
    connection.sendall(answer(LARGE[:70_000], length=len(LARGE)))
    if b"/silent" in head:
        with suppress(OSError):
            connection.settimeout(20)
            connection.recv(1)
    return False


PATHS = ("/good", "/bad", "/silent")


def left_nothing(server: RawServer) -> bool:
    end = time.monotonic() + 20
    while server.opened:
        assert time.monotonic() < end, "connections are left open"
        time.sleep(0.01)
    return True


async def use(pool: AnyPool, url: str) -> None:
    with suppress(errors.DregError):
        await pool.get(url)


def test_tasks_that_are_cancelled_give_back_all_places() -> None:
    async def main(pool: AnyPool, url: str) -> None:
        for pause in (0.0, 0.001, 0.01, 0.05):
            working = [asyncio.create_task(use(pool, url + PATHS[number % 3])) for number in range(200)]
            await asyncio.sleep(pause)
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)
            assert pool.free == {8}
        assert (await pool.get(f"{url}/good")).body == BODY
        assert pool.idle <= 8
        await pool.aclose()

    with speaking(uneven) as server:
        asyncio.run(main(AnyPool("asyncio", Options()), server.url))
        assert left_nothing(server)


def test_trio_tasks_that_are_cancelled_give_back_all_places() -> None:
    async def main(pool: AnyPool, url: str) -> None:
        for pause in (0.0, 0.001, 0.01, 0.05):
            async with AsyncTaskGroup() as group:
                for number in range(200):
                    group.start_soon(use, pool, url + PATHS[number % 3])
                await trio.sleep(pause)
                group.cancel()
            assert pool.free == {8}
        assert (await pool.get(f"{url}/good")).body == BODY
        await pool.aclose()

    with speaking(uneven) as server:
        trio.run(main, AnyPool("trio", Options()), server.url)
        assert left_nothing(server)


def test_threads_that_are_cancelled_give_back_all_places() -> None:
    pool = AnyPool("threads", Options())

    def use_it(url: str) -> None:
        with suppress(errors.DregError):
            pool.run_get(url)

    with speaking(uneven) as server:
        for pause in (0.0, 0.01, 0.1):
            with TaskGroup() as group:
                for number in range(40):
                    group.start_soon(use_it, server.url + PATHS[number % 3])
                time.sleep(pause)
                group.cancel()
            assert pool.free == {8}
        assert pool.run_get(f"{server.url}/good").body == BODY
        pool.run(AnyPool.aclose)
        assert left_nothing(server)


def test_32_threads_share_a_pool() -> None:
    with (
        speaking(uneven) as server,
        AnyPool("threads", Options()) as pool,
        ThreadPoolExecutor(32) as threads,
    ):

        def use_it(number: int) -> None:
            if number % 3:
                assert pool.run_get(f"{server.url}/good").body == BODY
            else:
                with pytest.raises(errors.TransportError):
                    pool.run_get(f"{server.url}/bad")

        list(threads.map(lambda _: use_it(1), range(320)))
        assert server.connections <= 8
        list(threads.map(use_it, range(320)))
        assert pool.free == {8}
        assert pool.idle <= 8


async def cancelled_after(steps: int, act: Callable[[], Awaitable[object]]) -> bool:
    """Cancel something after so many rounds of the event loop; whether it had not ended by then."""
    task = asyncio.ensure_future(act())
    for _ in range(steps):
        await asyncio.sleep(0)
    is_running = not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return is_running


@pytest.mark.parametrize("is_kept", [False, True])
def test_cancellation_at_any_step_leaves_nothing(net: Network, is_kept: bool) -> None:
    host = net.host("registry.test").on("/x", answer(LARGE))
    net.proxy()

    async def main() -> None:
        pool = AnyPool("asyncio", Options(ca_file=str(net.ca_file), proxy="http://proxy.test:3128"))

        async def get() -> None:
            assert (await pool.get("https://registry.test/x")).body == LARGE

        for steps in range(150):
            if is_kept:
                await get()
            await cancelled_after(steps, get)
            assert pool.free <= {8}
        await get()
        await pool.aclose()

    asyncio.run(main())
    host.wait_until_idle()
    net.hosts["proxy.test:3128"].wait_until_idle()


def test_a_response_that_is_cancelled_while_its_body_is_read_is_closed() -> None:
    async def main(pool: AnyPool, url: str) -> None:
        response = await pool.send(Hop("GET", f"{url}/silent"))
        with suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                async for _ in response:
                    pass
        assert pool.free == {8}
        await response.aclose()
        assert pool.free == {8}
        await pool.aclose()

    with speaking(uneven) as server:
        asyncio.run(main(AnyPool("asyncio", Options()), server.url))
        assert left_nothing(server)
