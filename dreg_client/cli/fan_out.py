"""Read several sources in threads, and print the results in the order of the sources."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dreg_client.cli.output import put_error, put_json, put_result, visible
from dreg_client.cli.shown_problems import put_failures, put_warnings

if TYPE_CHECKING:
    from dreg_client.errors import DregError
    from dreg_client.models.stored import StoredDocument
    from dreg_client.values.store_name import StoreName

S = TypeVar("S")
T = TypeVar("T")


def map_in_threads(function: Callable[[S], T], items: Sequence[S], at_once: int) -> Iterator[T]:
    """Call a function that raises nothing for all items, in several threads; yield the results in order."""
    results: list[SimpleQueue[T]] = [SimpleQueue() for _ in items]
    waiting: SimpleQueue[tuple[S, SimpleQueue[T]]] = SimpleQueue()
    for job in zip(items, results, strict=True):
        waiting.put(job)

    def work() -> None:
        with suppress(Empty):
            while True:
                item, result = waiting.get_nowait()
                result.put(function(item))

    for _ in range(min(at_once, len(items))):
        Thread(target=work, daemon=True).start()  # an interrupted program does not wait for a registry
    for result in results:
        yield result.get()


@dataclass(frozen=True, slots=True)
class Shown:
    """A result to print.

    Attributes:
        plain: The result as JSON has it.
        lines: Its lines for people.
        documents: The documents that were read, whose readable errors are warnings on standard error.
        failures: Why something is not shown: errors on standard error, and the exit code 1.
        code: The exit code if there are no failures.
    """

    plain: object
    lines: Iterable[str]
    documents: "tuple[StoredDocument, ...]" = ()
    failures: "tuple[DregError, ...]" = ()
    code: int = 0

    def put(self, output: str) -> int:
        """Print the result, then what is wrong; return the exit code."""
        put_result(output, self.plain, self.lines)
        return self.put_problems(output)

    def put_problems(self, output: str) -> int:
        """Write what is wrong to standard error; return the exit code."""
        put_warnings(*self.documents)
        return put_failures(self.failures, output) or self.code


def show(
    sources: tuple["StoreName", ...],
    output: str,
    read: Callable[["StoreName", str], Shown],
    *,
    key: str | None = None,
    name: Callable[["StoreName"], str] = str,
) -> int:
    """Read one or several sources and print the results; return the exit code.

    `read` takes a source, and the name to print with each line, which is empty for the only source.

    Of several, one that fails does not stop the others; the exit code is 1 then, unless all fail with the same code.
    As `json`, their results are a list of objects with their `source` and the result as the member `key`, or with its
    members.
    """
    if len(sources) == 1:
        return read(sources[0], "").put(output)
    from dreg_client.cli.error_messages import exit_code_of_several, put_failure

    listed: list[dict[str, Any]] = []
    failed: list[str] = []
    codes: set[int] = set()
    names = [*map(name, sources)]
    for source, found in zip(names, _attempts(sources, names, read), strict=True):
        if isinstance(found, Exception):
            failed.append(source)
            codes.add(put_failure(found, as_json=output == "json"))
        elif output == "json":
            members: Any = {key: found.plain} if key else found.plain
            listed.append({"source": source, **members})
            codes.add(found.put_problems(output))
        else:
            codes.add(found.put(output))
    if output == "json":
        put_json(listed)
    elif failed:
        put_error(f"dreg: {len(failed)} of {len(sources)} failed: {', '.join(map(visible, failed))}")
    return exit_code_of_several(codes)


def _attempts(
    sources: tuple["StoreName", ...], names: Sequence[str], read: Callable[["StoreName", str], Shown]
) -> Iterator[Shown | Exception]:
    """Read all sources, four at a time; yield the result or the error of each."""
    ctx = click.get_current_context()

    def attempt(job: tuple["StoreName", str]) -> Shown | Exception:
        with ctx.scope(cleanup=False):
            try:
                return read(*job)
            except Exception as failure:  # noqa: BLE001 (reported in its turn)
                return failure

    return map_in_threads(attempt, [*zip(sources, names, strict=True)], at_once=4)
