"""Connections to many origins: what they share, and how many of them are kept."""

import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dreg_client import errors
from dreg_client._async._compat import maybe_await
from dreg_client.protocol.messages import Hop
from dreg_client.protocol.options import Options
from dreg_client.values.origin import Origin
from tests.faultserver import Network, answer
from tests.transport.pools import AnyPool, driven

BODY = b"this is the answer"
NAMES = [f"h{number}.test" for number in range(40)]


@pytest.fixture
def loading(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Call a function whenever the system's CA certificates are loaded."""
    load = ssl.create_default_context

    def changed(act: Callable[[], object]) -> None:
        def loaded(*given: Any) -> ssl.SSLContext:
            act()
            return load(*given)

        monkeypatch.setattr(ssl, "create_default_context", loaded)

    return changed


def test_trn_61_many_hosts_share_one_tls_context_and_few_connections_are_kept(
    tls: AnyPool, net: Network, loading: Callable[[Callable[[], object]], None]
) -> None:
    hosts = {name: net.host(name).on("/x", answer(BODY)) for name in NAMES}
    threads = list[bool]()
    loading(lambda: threads.append(threading.current_thread() is threading.main_thread()))

    async def get_all(pool: AnyPool) -> None:
        first = await pool.send(Hop("GET", f"https://{NAMES[0]}/x"))
        for name in NAMES[1:]:
            assert (await pool.get(f"https://{name}/x")).body == BODY
        assert [chunk async for chunk in first] == [BODY], "what is in use is not dropped"
        assert pool.idle == 32
        await pool.get(f"https://{NAMES[1]}/x")
        await pool.get(f"https://{NAMES[-1]}/x")
        await pool.get(f"https://{NAMES[0]}/x")

    tls.run(get_all)
    assert threads == [tls.kind == "threads"], "loaded once; in async code, by a thread"
    again = {name: hosts[name].connections for name in (NAMES[1], NAMES[-1], NAMES[0])}
    assert again == {NAMES[1]: 2, NAMES[-1]: 1, NAMES[0]: 1}, "the one that was not used for longest was dropped"


def test_trn_61_while_all_are_in_use_none_is_dropped(tls: AnyPool, net: Network) -> None:
    for name in NAMES:
        net.host(name).on("/x", answer(BODY))

    async def get_all(pool: AnyPool) -> None:
        opened = [await pool.send(Hop("GET", f"https://{name}/x")) for name in NAMES]
        for response in opened:
            assert [chunk async for chunk in response] == [BODY]
        assert pool.idle == len(NAMES)

    tls.run(get_all)


def test_trn_61_a_host_with_its_own_settings_shares_no_tls_context(
    net: Network, tmp_path: Path, loading: Callable[[Callable[[], object]], None]
) -> None:
    """A certificate that one registry accepts, or presents to us, changes nothing for other hosts."""
    origins = {name: Origin("https", f"{name}.test", 443) for name in ("own", "plain", "insecure")}
    for name in ("own", "plain", "insecure", "other"):
        net.host(f"{name}.test").on("/x", answer(BODY))
    folder = tmp_path / "own.test"
    folder.mkdir()
    (folder / "own.crt").write_bytes(net.ca_file.read_bytes())
    loaded = list[None]()
    loading(lambda: loaded.append(None))
    options = Options(trust_env=False, certs_dirs=(str(tmp_path),))
    with AnyPool("threads", options) as pool:
        pool.pool._named = dict.fromkeys(origins.values(), options) | {origins["insecure"]: Options(insecure=True)}
        for name in ("own", "insecure"):
            assert pool.run_get(f"https://{name}.test/x").body == BODY
        for name in ("plain", "other"):
            with pytest.raises(errors.TLSError):
                pool.run_get(f"https://{name}.test/x")
    assert len(loaded) == 3, "one of each, and one for both others"


def test_trn_62_a_pool_that_is_closed_while_it_prepares_a_connection_stays_closed(
    tls: AnyPool, net: Network, loading: Callable[[Callable[[], object]], None]
) -> None:
    host = net.host("registry.test").on("/x", answer(BODY))
    loading(lambda: driven(maybe_await(tls.pool.close() if tls.kind == "threads" else tls.pool.aclose())))

    for _ in range(2):
        with pytest.raises(errors.ClosedError):
            tls.run_get("https://registry.test/x")
    assert (tls.pool._pools, tls.pool._spellings) == ({}, {})
    assert host.connections == 0
