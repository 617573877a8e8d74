"""What several advisories have in common: who lures us where, and what became of it."""

import base64
import os
import pty
import sys
import tracemalloc
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dreg_client import DregError
from tests.commands import start_limited
from tests.faultserver import Host, Network, answer, challenge, redirect, sentence
from tests.hostile.registry import BLOB, LAYER, registry_at
from tests.hostile.secrets import PASSWORD, USER
from tests.hostile.ways import Outcome, Way

BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
OURS = {"host", "user-agent", "accept", "accept-encoding", "range", "cache-control"}
"""The headers that any host may see."""


def shown(way: Way) -> Way:
    """Somebody with a password."""
    way.credentials = (USER, PASSWORD)
    return way


def luring(net: Network, location: str, status: int = 307) -> Host:
    """A registry that wants a password, and then sends a blob's reader elsewhere."""
    return registry_at(net).on(BLOB, challenge('Basic realm="r"'), redirect(location, status))


def guarded(net: Network, realm: str, name: str = "registry.test", **how: Any) -> Host:
    """A registry that shows nothing, and names a token server."""
    return registry_at(net, name, **how).on("/v2/*", challenge(f'Bearer realm="{realm}",service="registry.test"'))


def listening(net: Network, name: str, **how: Any) -> Host:
    """A host that has a layer, gives a token, takes anything, and notes who came."""
    host = net.host(name, **how)
    host.on("*", answer(LAYER))
    return host.on("/token", answer(sentence({"token": "anything"}), "200 OK", "Content-Type: application/json"))


def asked(way: Way, action: Callable[[Any], Any]) -> Outcome:
    """What comes of asking a repository, by one of the library's ways."""
    return way._do(lambda registry: action(way._of(registry)), [])


@contextmanager
def memory(most: int) -> Generator[None]:
    """A block in which Python takes no more memory than this many bytes at once."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < most, f"{peak} bytes"


def files_below(folder: Path) -> set[str]:
    """The names of all that is in a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def fails(kind: type[DregError], action: Callable[[], Any]) -> str:
    """It fails by this error; what it says."""
    try:
        action()
    except kind as failure:
        return str(failure)
    raise AssertionError(f"no {kind.__name__}")


def on_a_terminal(*words: str) -> tuple[int, bytes]:
    """The exit code of a command, and all that is seen of it on the terminal that it runs on."""
    ours, its = pty.openpty()
    command = [sys.executable, "-m", "dreg_client.cli", *words]
    with start_limited(command, stdin=its, stdout=its, stderr=its, start_new_session=True) as process:
        os.close(its)
        seen = b""
        with os.fdopen(ours, "rb", buffering=0) as screen, suppress(OSError):  # Linux says EIO where others say end
            while piece := screen.read(65536):
                seen += piece
    return process.returncode, seen
