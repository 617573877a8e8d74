"""Work on the pieces of an input, in this process or in several others, with the results in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from dreg_client.errors import WorkerKilledError

if TYPE_CHECKING:
    from dreg_client.values.workers import Done, Ended, Raised, Workers

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
        WorkerKilledError: A worker process was killed, or none can be started.
        ConfigError: Processes cannot be started, because this one is daemonic.
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


@dataclass(eq=False, slots=True)
class _Entry(Generic[Piece, Result]):
    """A piece, and what became of it; None if the work is not over."""

    piece: Piece
    has_begun: bool = False
    answer: "Done[Result] | Raised | Ended | None" = None


def _side_by_side(
    work: Callable[[Piece], Result],
    pieces: Iterator[Piece],
    rest: Callable[[Piece, Result], Piece | None],
    jobs: int,
    name: str,
) -> Iterator[tuple[Piece, Result]]:
    # Imported here because it imports multiprocessing, which a single process does not need.
    from dreg_client.values.workers import Workers  # noqa: PLC0415

    entries: deque[_Entry[Piece, Result]] = deque()  # in the order of the pieces
    with closing(Workers[_Entry[Piece, Result], Piece, Result](work, jobs=jobs, forks=True)) as workers:
        # The processes start before the input is opened: that may start threads, and then they could not be forked.
        workers.start()
        while True:
            entries.extend(map(_Entry, islice(pieces, jobs * _WAITING - len(entries))))
            if not entries:
                return
            _begin(workers, entries)
            while (answer := entries[0].answer) is None:
                for each, of_each in workers.answers():
                    each.answer = of_each
                _begin(workers, entries)
            entry, result = entries.popleft(), _result(answer, name)
            if (left := rest(entry.piece, result)) is not None:
                entries.appendleft(_Entry(left))
                _begin(workers, entries)
            yield entry.piece, result


def _begin(workers: "Workers[_Entry[Piece, Result], Piece, Result]", entries: Iterable[_Entry[Piece, Result]]) -> None:
    """Begin the work on the first pieces, as far as there are processes."""
    for entry in entries:
        if not entry.has_begun and workers.have_room:
            entry.has_begun = workers.begin(entry, entry.piece)


def _result(answer: "Done[Result] | Raised | Ended", name: str) -> Result:
    from dreg_client.values.workers import Done, Raised  # noqa: PLC0415 (see above)

    match answer:
        case Done(result):
            return result
        case Raised(failure):
            raise failure
        case _:
            raise WorkerKilledError(name, f"{answer.reason()}; try again with fewer jobs")
