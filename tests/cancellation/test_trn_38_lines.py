"""KeyboardInterrupt at any line of a request: no connection, no permit and no turn is lost (TRN-38)."""

import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

from dreg_client import Registry
from dreg_client.protocol.options import Timeouts
from tests.cancellation.guarded import Guarded
from tests.raw_server import RawServer, speaking

_OURS = ("/dreg_client/_sync/", "/dreg_client/protocol/turns.py")


class AtLine:
    """A trace function that raises KeyboardInterrupt at the n-th line of our code that waits or holds anything."""

    def __init__(self, number: int) -> None:
        self.number, self.seen, self.where = number, 0, ""

    def __call__(self, frame: FrameType, event: str, argument: object) -> Any:
        return self._line if any(part in frame.f_code.co_filename for part in _OURS) else None

    def _line(self, frame: FrameType, event: str, argument: object) -> Any:
        if event == "line":
            self.seen += 1
            if self.seen == self.number:
                self.where = f"{frame.f_code.co_filename}:{frame.f_lineno}"
                sys.settrace(None)
                raise KeyboardInterrupt
        return self._line


@pytest.fixture
def server() -> Iterator[RawServer]:
    registry = Guarded()
    with speaking(registry) as running:
        registry.url = running.url
        yield running


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("first", range(1, 8))
def test_trn_38_interrupted_at_any_line_the_next_request_works(server: RawServer, first: int) -> None:
    """Every seventh line in each test, so that they run side by side."""
    number, lost = first, list[str]()
    while where := interrupted(server, number, lost):
        number += 7
    assert lost == []
    assert where == ""
    assert number > 500, "two pages, two challenges, two tokens"


def interrupted(server: RawServer, number: int, lost: list[str]) -> str:
    """Interrupt a request, and send another one from another thread. Return the line."""
    at, before = AtLine(number), sys.gettrace()
    with Registry(server.url, connections=1, retries=0, timeout=Timeouts(pool=1, read=10)) as registry:
        sys.settrace(at)
        try:
            registry.repository("a/b").tags()
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
        if at.where:
            again = list[object]()
            thread = threading.Thread(
                target=lambda: again.append(registry.repository("a/b").get_manifest("1")), daemon=True
            )
            thread.start()
            thread.join(20)
            if not again:
                lost.append(at.where)
    return at.where
