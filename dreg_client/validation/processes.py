"""Call a function in several processes."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

from dreg_client.errors import WorkerKilledError
from dreg_client.values.waiting import wait_in_steps

if TYPE_CHECKING:
    from concurrent.futures import Future

S = TypeVar("S")
T = TypeVar("T")
_WAITING: Final = 3
"""The number of calls queued per process: enough to keep it busy, few enough for constant memory."""


def map_in_processes(function: Callable[[S], T], given: Iterable[S], *, jobs: int, name: str) -> Iterator[T]:
    """Call a function in several processes; yield the results in order. With one job, it is called in this process.

    Args:
        function: The function. It, its arguments and its results can be pickled.
        given: The arguments of the calls.
        jobs: The number of processes.
        name: What is being worked on, for the error.

    Raises:
        WorkerKilledError: A worker process was killed.
    """
    if jobs <= 1:
        yield from map(function, given)
        return
    # Imported here because it imports multiprocessing, which a single process does not need.
    import multiprocessing  # noqa: PLC0415
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415

    # Libraries such as fsspec have threads, which a forked process would lack.
    pool = ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn") if "://" in name else None)
    calls, waiting = iter(given), deque["Future[T]"]()
    try:
        while True:
            waiting.extend(pool.submit(function, each) for each in islice(calls, jobs * _WAITING - len(waiting)))
            if not waiting:
                break
            future = waiting.popleft()
            wait_in_steps(partial(_is_done, future))
            yield future.result()
    except BrokenProcessPool:
        reason = "a worker process was killed, perhaps because memory ran out; try again with fewer jobs"
        raise WorkerKilledError(name, reason) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _is_done(future: "Future[T]", seconds: float) -> bool:
    """Wait for a call for a number of seconds; return whether it has ended."""
    from concurrent.futures import wait  # noqa: PLC0415 (see above)

    return bool(wait([future], seconds).done)
