"""Work on the pieces of an input, in this process or in several others, with the results in order."""

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

from dreg_client.errors import WorkerKilledError
from dreg_client.values.waiting import wait_in_steps

if TYPE_CHECKING:
    from concurrent.futures import Future

Piece = TypeVar("Piece")
Result = TypeVar("Result")
_WAITING: Final = 3
"""The number of pieces queued per process: enough to keep it busy, few enough for constant memory."""


def results_in_order(
    work: Callable[[Piece], Result],
    pieces: Iterator[Piece],
    rest: Callable[[Piece, Result], Piece | None],
    *,
    jobs: int,
    name: str,
) -> Iterator[tuple[Piece, Result]]:
    """Yield each piece with the result of the work on it, in the order of the pieces.

    Args:
        work: The work on one piece, such as a `functools.partial`. It and its arguments can be pickled.
        pieces: The pieces. Only a few are taken before the first result is.
        rest: Returns what is left of a piece if the work on it ended early, so that no result is too large. It comes
            next, before all other pieces.
        jobs: The number of processes; if 1, there is none besides this one.
        name: The name of the input, for messages.

    Raises:
        WorkerKilledError: A worker process was killed.
    """
    if jobs > 1:
        yield from _side_by_side(work, pieces, rest, jobs, name)
        return
    for given in pieces:
        piece: Piece | None = given
        while piece is not None:
            result = work(piece)
            yield piece, result
            piece = rest(piece, result)


def _side_by_side(
    work: Callable[[Piece], Result],
    pieces: Iterator[Piece],
    rest: Callable[[Piece, Result], Piece | None],
    jobs: int,
    name: str,
) -> Iterator[tuple[Piece, Result]]:
    # Imported here because it imports multiprocessing, which a single process does not need.
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415

    from dreg_client.values.processes import WorkerPool  # noqa: PLC0415

    pool = WorkerPool(jobs)
    waiting: deque[tuple[Piece, Future[Result]]] = deque()
    try:
        # The processes start before the input is opened: that may start threads, and then they could not be forked.
        pool.submit(_nothing)
        while True:
            for piece in islice(pieces, jobs * _WAITING - len(waiting)):
                waiting.append((piece, pool.submit(work, piece)))
            if not waiting:
                break
            piece, future = waiting.popleft()
            wait_in_steps(partial(_is_done, future))
            result = future.result()
            if (left := rest(piece, result)) is not None:
                waiting.appendleft((left, pool.submit(work, left)))
            yield piece, result
    except BrokenProcessPool:
        reason = "a worker process was killed, perhaps because memory ran out; try again with fewer jobs"
        raise WorkerKilledError(name, reason) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _nothing() -> None:
    """Do nothing, in a worker process."""


def _is_done(future: "Future[Result]", seconds: float) -> bool:
    """Wait for a result for a number of seconds; return whether it has ended."""
    from concurrent.futures import wait  # noqa: PLC0415 (see above)

    return bool(wait([future], seconds).done)
