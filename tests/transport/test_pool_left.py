"""What interrupts and forks leave of a pool: all its places, and no connection that two processes read."""

import sys
from collections.abc import Callable

import pytest

from dreg_client.protocol.messages import Hop
from dreg_client.protocol.options import Options, Timeouts
from tests.commands import run_limited
from tests.raw_server import answer, speaking
from tests.transport.pools import KINDS, AnyPool
from tests.transport.test_pool import LARGE, SMALL, saying


def is_interrupted(act: Callable[[], None], events: int) -> bool:
    """Do something that is interrupted where Python may do it: as a function is entered, or as one of C has returned.

    Args:
        act: What is done.
        events: How many such moments pass before.
    """
    left = [events]

    def profile(frame: object, event: str, _: object) -> None:
        left[0] -= event in ("call", "c_return")
        if left[0] < 0:
            sys.setprofile(None)
            raise KeyboardInterrupt

    sys.setprofile(profile)
    try:
        act()
    except KeyboardInterrupt:
        return True
    finally:
        sys.setprofile(None)
    return False


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a socket may be closed by its end only
@pytest.mark.parametrize("is_kept", [False, True])
def test_an_interrupt_at_any_moment_gives_back_the_place(is_kept: bool) -> None:
    with speaking(saying(SMALL)) as server, AnyPool("threads", Options(trust_env=False)) as pool:
        sent, hop, timeouts = pool.pool, Hop("GET", server.url), Timeouts()

        def get() -> None:
            response = sent.send(hop, timeouts)
            try:
                while response.chunk() is not None:
                    pass
            finally:
                response.close()

        get()
        events = 0
        while is_interrupted(get, events):
            assert pool.free == {8}, f"after {events}"
            events += 1
            if is_kept:
                get()
            else:
                for origin in sent._pools.values():
                    while origin._idle:
                        origin._idle.pop().close()
        assert events > 100


FORKED = """
import os, sys
from dreg_client.protocol.messages import Hop
from dreg_client.protocol.options import Options
from tests.transport.pools import AnyPool

kind, url = sys.argv[1:]
send = lambda pool: pool.send(Hop("GET", url))
pool = AnyPool(kind, Options(connections=2))
held, kept = pool.run(send), pool.run(send)
pool.run(lambda _: anext(aiter(held)))
pool.run(lambda _: kept.aclose())  # it had no body
pid = os.fork()
if pid == 0:
    statuses = [pool.run(send).status for _ in range(2)]  # neither place is taken in this process
    os._exit(statuses != [200, 200])
assert os.waitpid(pid, 0)[1] == 0
assert pool.run_get(url).status == 200
"""


@pytest.mark.parametrize("kind", KINDS)
def test_a_forked_child_makes_connections_of_its_own(kind: str) -> None:
    with speaking(saying(answer(LARGE), b"HTTP/1.1 204 No Content\r\n\r\n", SMALL)) as server:
        run_limited([sys.executable, "-c", FORKED, kind, server.url], check=True)
        assert server.connections == 4
        assert len(server.heads) == 5
