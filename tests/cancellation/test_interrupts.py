"""KeyboardInterrupt in a thread: whenever it comes, no file and no connection is left, and the client goes on (4.9)."""

import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from dreg_client import Digest, Registry
from dreg_client.protocol.options import Timeouts
from tests.cancellation.guarded import BLOB, Guarded
from tests.raw_server import RawServer, speaking

WANTED = Digest.of(BLOB)


class Interrupting:
    """Ends what is done by a signal, at the k-th event; what `on_event` raises itself would stop nothing."""

    def __init__(self, number: int) -> None:
        self.number, self.seen = number, 0

    def __call__(self, event: object) -> None:
        self.seen += 1
        if self.seen == self.number:
            signal.raise_signal(signal.SIGINT)


@pytest.fixture
def server() -> Iterator[RawServer]:
    registry = Guarded()
    with speaking(registry) as running:
        registry.url = running.url
        yield running


@pytest.mark.parametrize("resume", [False, True])
def test_4_9_interrupted_at_any_event_all_is_given_back_and_the_client_goes_on(
    server: RawServer, tmp_path: Path, resume: bool
) -> None:
    number, seen = 0, 0
    while number <= seen:
        number += 1
        events = Interrupting(number)
        with Registry(server.url, connections=1, retries=0, timeout=Timeouts(pool=10), on_event=events) as registry:
            repository = registry.repository("a/b")
            with suppress(KeyboardInterrupt):
                repository.download_blob(WANTED, tmp_path / "blob", resume=resume)
            seen, events.number = events.seen, 0
            check(tmp_path, resumed=resume)
            repository.download_blob(WANTED, tmp_path / "blob", resume=resume)
        assert (tmp_path / "blob").read_bytes() == BLOB
        check(tmp_path, resumed=False)
        (tmp_path / "blob").unlink()
    assert number > 4, "a challenge, a token, an answer, pieces"


def check(folder: Path, *, resumed: bool) -> None:
    for path in folder.iterdir():
        is_whole = path.name == "blob" and path.read_bytes() == BLOB
        assert is_whole or (resumed and path.name.startswith(".sha256-")), path.name
