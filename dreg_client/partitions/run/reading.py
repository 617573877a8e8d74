"""Read files in a process of their own, so that the death of the process loses nothing but a file.

pyarrow ends the process on some damaged files.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Generic, TypeVar, cast

from dreg_client.errors import FileError
from dreg_client.values.processes import ChildProcess, start_process
from dreg_client.values.source_url import shown_source
from dreg_client.values.waiting import wait_in_steps

Given = TypeVar("Given")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _End:
    """The end of the results, and what ended them; None if they are complete."""

    failure: Exception | None = None


class ProcessKilledError(Exception):
    """The process ended before it had read what it was given."""


def killed(source: str) -> FileError:
    """Return the error for a file that ended the process that read it."""
    return FileError(shown_source(source), "ended the process that read it: the file is damaged, or memory ran out")


class ReadingProcess(Generic[Given, Result]):
    """A process that reads one thing after another. It starts when it is needed, and again after its death.

    Args:
        read: Yields what is in a partition, or in whatever else is to be read. It can be pickled, and so can its
            argument and its results.
    """

    def __init__(self, read: Callable[[Given], Iterator[Result]]) -> None:
        self._read = read
        self._child: ChildProcess | None = None

    def results(self, given: Given) -> Iterator[Result]:
        """Yield what is in a partition, or in whatever else. The process waits if the results are not taken.

        It is ended if they are not taken to the end, so that the rest is not among the results of what comes next.

        Raises:
            ProcessKilledError: The process has ended before.
            Exception: What `read` raised.
        """
        if self._child is None:
            start_process(_serve, self._read, self._started)
        connection, is_at_end = cast("ChildProcess", self._child).connection, False
        try:
            connection.send(given)
            while not isinstance(found := _received(connection), _End):
                yield cast("Result", found)
            is_at_end = True
        except (EOFError, ConnectionError):
            raise ProcessKilledError from None
        finally:
            if not is_at_end:
                self.close()
        if found.failure is not None:
            raise found.failure

    def _started(self, child: ChildProcess) -> None:
        self._child = child

    def close(self) -> None:
        """End the process."""
        if self._child is not None:
            self._child.kill()
        self._child = None


def _received(connection: Connection) -> object:
    wait_in_steps(connection.poll)
    return connection.recv()


def _serve(connection: Connection, read: Callable[[Given], Iterator[object]]) -> None:
    with suppress(EOFError, OSError):  # the parent has ended
        while True:
            given = connection.recv()
            try:
                for found in read(given):
                    connection.send(found)
                end = _End()
            except Exception as failure:  # noqa: BLE001 (raised in the parent)
                end = _End(failure)
            connection.send(end)
