"""Worker processes that do one piece of work after another."""

import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from typing import Final, Generic, TypeVar

from dreg_client._logging import log
from dreg_client.errors import WorkerKilledError
from dreg_client.values.processes import ChildProcess, program_path, start_process
from dreg_client.values.waiting import wait_in_steps

Name = TypeVar("Name")
Piece = TypeVar("Piece")
Result = TypeVar("Result")

_PATIENCE: Final = 5.0
"""Seconds until a process that has closed its connection has ended."""
_UNGUARDED: Final = (
    "a worker process ended while it imported the program; "
    'a script must start the work under `if __name__ == "__main__":`'
)


@dataclass(frozen=True, slots=True)
class Done(Generic[Result]):
    """The result of a piece of work."""

    result: Result


@dataclass(frozen=True, slots=True)
class Raised:
    """The exception that a piece of work raised."""

    failure: Exception


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a worker process without a result, with its exit code; negative if a signal ended it."""

    exit_code: int | None

    def reason(self, times: int = 1) -> str:
        """Return how a worker process ended, once or several times alike.

        Examples:
            >>> Ended(-9).reason()
            'the worker process was killed, perhaps because memory ran out'
            >>> Ended(-11).reason(4)
            'the worker process was ended 4 times by SIGSEGV'
            >>> Ended(3).reason(4)
            'the worker process ended 4 times with exit code 3'
        """
        often = "" if times == 1 else f" {times} times"
        if self.exit_code is None or self.exit_code >= 0:
            return f"the worker process ended{often} with exit code {self.exit_code}"
        if -self.exit_code == signal.SIGKILL:
            return f"the worker process was killed{often}, perhaps because memory ran out"
        name = f"signal {-self.exit_code}"
        with suppress(ValueError):
            name = signal.Signals(-self.exit_code).name
        return f"the worker process was ended{often} by {name}"


class Workers(Generic[Name, Piece, Result]):
    """Processes that do one piece of work at a time each, so that it is known what one was doing when it ended.

    Args:
        work: Does a piece of work. It can be pickled, and so can pieces and results.
        jobs: The maximum number of processes.
        forks: Whether processes may be forked; see `start_process`.
    """

    def __init__(self, work: Callable[[Piece], Result], *, jobs: int, forks: bool = False) -> None:
        self._work, self._jobs, self._forks = work, jobs, forks
        self._all: list[ChildProcess] = []
        self._begun = set[ChildProcess]()  # those that have begun to serve
        self._idle: list[ChildProcess] = []
        self._busy: dict[ChildProcess, Name] = {}

    @property
    def are_busy(self) -> bool:
        """Whether any work is being done."""
        return bool(self._busy)

    @property
    def have_room(self) -> bool:
        """Whether another piece of work can begin."""
        return len(self._busy) < self._jobs

    def start(self) -> None:
        """Start all processes, or as many as the system can start.

        Raises:
            ConfigError: This process cannot start others.
            WorkerKilledError: The system cannot start a process now.
        """
        while len(self._all) < self._jobs and self._start_one():
            pass

    def begin(self, name: Name, piece: Piece) -> bool:
        """Begin a piece of work; return False if that has to wait for a process, because no other can be started.

        Raises:
            ConfigError: This process cannot start others.
            WorkerKilledError: The system cannot start a process now, and there is none.
        """
        if not self._idle and not self._start_one():
            return False
        worker = self._idle.pop()
        self._busy[worker] = name
        with suppress(ConnectionError):  # killed while it was idle; `answers` finds it
            worker.connection.send(piece)
        return True

    def _start_one(self) -> bool:
        try:
            start_process(_serve, self._work, self._add, forks=self._forks)
        except WorkerKilledError as failure:
            self._jobs = len(self._all)
            if not self._jobs:
                raise
            log.warning("%s; going on with %d", failure, self._jobs)
            return False
        return True

    def _add(self, worker: ChildProcess) -> None:
        self._all.append(worker)
        self._idle.append(worker)

    def answers(self) -> Iterator[tuple[Name, Done[Result] | Raised | Ended]]:
        """Wait for processes; yield the names of their work with what became of it.

        Raises:
            WorkerKilledError: A process ended before it could begin, as it does in a script that starts processes when
                it is imported.
        """
        waiting = {worker.connection: worker for worker in self._busy}
        wait_in_steps(lambda seconds: bool(wait(waiting, 0)) or bool(wait(waiting, seconds)))
        for connection in wait(waiting, 0):
            worker = waiting[connection]  # type: ignore[index]
            answer = self._answer(worker)
            if answer is not None:
                yield self._busy.pop(worker), answer

    def _answer(self, worker: ChildProcess) -> Done[Result] | Raised | Ended | None:
        """Return what became of the work of a process; None if it has only said that it began."""
        try:
            answer: Done[Result] | Raised | None = worker.connection.recv()
        except (EOFError, ConnectionError):
            return self._end(worker)
        self._begun.add(worker)
        if answer is not None:
            self._idle.append(worker)
        return answer

    def _end(self, worker: ChildProcess) -> Ended:
        worker.process.join(_PATIENCE)  # it ends with its connection; `kill` would replace its exit code
        end = Ended(worker.process.exitcode)
        worker.kill()
        self._all.remove(worker)
        had_begun = worker in self._begun
        self._begun.discard(worker)
        if not had_begun and end.exit_code is not None and end.exit_code > 0:
            raise WorkerKilledError(program_path(), _UNGUARDED)
        return end

    def close(self) -> None:
        """End all processes at once."""
        for worker in self._all:
            worker.kill()


def _serve(connection: Connection, work: Callable[[Piece], Result]) -> None:
    """Do the work that comes, until the connection ends."""
    with suppress(EOFError, OSError):  # the parent has ended
        connection.send(None)
        while True:
            connection.send(_answer(partial(work, connection.recv())))


def _answer(work: Callable[[], Result]) -> Done[Result] | Raised:
    try:
        return Done(work())
    except Exception as failure:  # noqa: BLE001 (raised in the parent)
        return Raised(failure)
