"""After a fork, parent and child share no kept connection, and no lock that another thread held (TRN-45).

Each test forks in a process of its own, which runs one of the scripts of `forking`.
"""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dreg_client import Digest
from tests.commands import run_limited
from tests.faultserver import Heard, Network, Piece, answer, challenge
from tests.hostile import forking
from tests.hostile.proof import BASIC, bearer, entry, given, kept, program
from tests.hostile.registry import MANIFESTS, TAGS, document, listed, registry_at
from tests.hostile.secrets import PASSWORD, TOKEN
from tests.http.documents import MANIFEST

LARGE = bytes(range(256)) * 32_768
KINDS = ("threads", "tasks")


def forked(
    net: Network, name: str, kind: str, *more: str, scheme: str = "https"
) -> "subprocess.CompletedProcess[bytes]":
    """Run a script that forks."""
    words = [kind, f"{scheme}://registry.test", str(net.ca_file), *more]
    done = run_limited(
        [sys.executable, forking.__file__, name, *words], env=net.environment(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done


def many(net: Network, count: int, scheme: str) -> Iterator[str]:
    """Tags of different manifests, as `TAG=DIGEST`."""
    host = registry_at(net, scheme=scheme)
    for number in range(count):
        raw = MANIFEST + b" " * number
        host.on(f"{MANIFESTS}/t{number}", document(raw))
        yield f"t{number}={Digest.of(raw)}"


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("kind", KINDS)
def test_trn_45_fifty_children_and_their_parent_get_their_own_answers(net: Network, kind: str, scheme: str) -> None:
    forked(net, "fifty", kind, *many(net, 50, scheme), scheme=scheme)

    parent = {heard.connection for heard in net.hosts["registry.test"].requests[:1]}
    assert parent == {1}
    assert net.hosts["registry.test"].connections == 51


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("kind", KINDS)
def test_trn_45_at_the_same_time(net: Network, kind: str, scheme: str) -> None:
    forked(net, "alternately", kind, *many(net, 50, scheme), scheme=scheme)

    assert net.hosts["registry.test"].connections == 2


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_trn_45_a_response_that_was_open_is_read_whole_by_both(net: Network, scheme: str) -> None:
    digest = Digest.of(LARGE)
    blob = answer(LARGE, "200 OK", "Content-Type: application/octet-stream")
    registry_at(net, scheme=scheme).on(f"/v2/acme/web/blobs/{digest}", lambda heard: _part(heard) or blob)

    forked(net, "reading", "threads", str(digest), scheme=scheme)


def _part(heard: Heard) -> Piece | None:
    found = heard.header("range")
    if found is None:
        return None
    first = int(found.removeprefix("bytes=").partition("-")[0])
    last = int(found.partition("-")[2] or len(LARGE) - 1)
    said = f"Content-Range: bytes {first}-{last}/{len(LARGE)}"
    return answer(LARGE[first : last + 1], "206 Partial Content", said)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", ["token", "ping"])
def test_trn_45_a_lock_of_another_thread_does_not_stop_a_child(net: Network, kind: str, what: str) -> None:
    """The parent's thread waits for a token, or for `/v2/`, which come only once the child has its own."""
    held = threading.Event()

    def waited(said: Piece) -> Piece:
        if not held.is_set():
            held.set()
            assert done.wait(50)
        return said

    done = threading.Event()
    registry = registry_at(net)
    asks = bearer("https://registry.test/token")
    registry.on("/token", lambda _: waited(given()) if what == "token" else given())
    registry.on("/v2/", lambda _: waited(challenge(asks)) if what == "ping" else challenge(asks))
    hidden = answer(b"{}", "404 Not Found") if what == "ping" else challenge(asks)

    def tags(heard: Heard) -> Piece:
        return listed("1.4") if heard.header("authorization") == f"Bearer {TOKEN}" else hidden

    registry.on(TAGS, tags)
    try:
        forked(net, "waiting", kind, PASSWORD)
    finally:
        done.set()
    assert BASIC in registry.secrets


def test_trn_45_a_helper_that_is_running_does_not_stop_a_child(net: Network, tmp_path: Path) -> None:
    auth = kept(net, {"auths": {"quick.test": entry()}, "credHelpers": {"slow.test": "slow", "own.test": "own"}})
    program(net, "slow", f"touch {tmp_path / 'begun'}\nsleep 50")
    program(net, "own", 'echo \'{"ServerURL": "own.test", "Username": "ada", "Secret": "s"}\'')

    forked(net, "helped", "threads", str(auth), str(tmp_path / "begun"), str(net.folder / "bin"))
