"""KeyboardInterrupt at any line of a request: no permit and no turn is lost (TRN-38)."""

import threading
from collections.abc import Iterator
from types import CodeType

import pytest

from dreg_client import Registry
from dreg_client.protocol.options import Timeouts
from tests.cancellation.guarded import Guarded
from tests.cancellation.lines import AtLine
from tests.raw_server import RawServer, speaking

_AT_ONCE = 7


def is_ours(code: CodeType) -> bool:
    """Whether it is code that waits or holds anything."""
    return any(part in code.co_filename for part in ("/dreg_client/_sync/", "/dreg_client/protocol/turns.py"))


@pytest.fixture
def server() -> Iterator[RawServer]:
    registry = Guarded()
    with speaking(registry) as running:
        registry.url = running.url
        yield running


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("first", range(1, _AT_ONCE + 1))
def test_trn_38_interrupted_at_any_line_the_next_request_works(server: RawServer, first: int) -> None:
    """Every seventh line in each test, so that they run side by side."""
    number, lost = first, list[str]()
    while interrupted(server, number, lost):
        number += _AT_ONCE
    assert lost == []
    assert number > 500, "two pages, two challenges, two tokens"


def interrupted(server: RawServer, number: int, lost: list[str]) -> bool:
    """Interrupt a request, and send another one from another thread. Return whether it had as many lines."""
    at = AtLine(number, is_ours)
    with Registry(server.url, connections=1, retries=0, timeout=Timeouts(pool=1, read=10)) as registry:
        if not at.interrupt(lambda: registry.repository("a/b").tags()):
            return False
        again = list[object]()
        thread = threading.Thread(
            target=lambda: again.append(registry.repository("a/b").get_manifest("1")), daemon=True
        )
        thread.start()
        thread.join(20)
        lost += [] if again else [at.where]
    return True
