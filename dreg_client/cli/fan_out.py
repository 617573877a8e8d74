"""Read several sources in threads, and print the results in the order of the sources."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dreg_client.cli.output import put, put_error, put_json, put_result, visible

if TYPE_CHECKING:
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


def show(
    sources: tuple["StoreName", ...],
    output: str,
    read: Callable[["StoreName"], T],
    text: Callable[[T, str], Iterable[str]],
    *,
    key: str | None = None,
    name: Callable[["StoreName"], str] = str,
    code_of: Callable[[T], int] = lambda _: 0,
) -> int:
    """Read one or several sources and print the results; return the exit code.

    `code_of` returns the exit code of a result, and may write what is wrong with it to standard error.

    Of several, one that fails does not stop the others; the exit code is 1 then, unless all fail with the same code.
    As `json`, their results are a list of objects with their `source` and the result as the member `key`, or with its
    members. `text` returns the lines to print for a result; the name of the source is empty if it is the only one.
    """
    if len(sources) == 1:
        result = read(sources[0])
        put_result(output, result, () if output == "json" else text(result, ""))
        return code_of(result)
    from dreg_client.cli.error_messages import exit_code_of_several, put_failure

    listed: list[dict[str, Any]] = []
    failed: list[str] = []
    codes: set[int] = set()
    for source, found in zip(map(name, sources), _attempts(sources, read), strict=True):
        if isinstance(found, Exception):
            failed.append(source)
            codes.add(put_failure(found, as_json=output == "json"))
        else:
            if output == "json":
                members: Any = {key: found} if key else found
                listed.append({"source": source, **members})
            else:
                put(*text(found, source))
            codes.add(code_of(found))
    if output == "json":
        put_json(listed)
    elif failed:
        put_error(f"dreg: {len(failed)} of {len(sources)} failed: {', '.join(map(visible, failed))}")
    return exit_code_of_several(codes)


def _attempts(sources: tuple["StoreName", ...], read: Callable[["StoreName"], T]) -> Iterator[T | Exception]:
    """Read all sources, four at a time; yield the result or the error of each."""
    ctx = click.get_current_context()

    def attempt(source: "StoreName") -> T | Exception:
        with ctx.scope(cleanup=False):
            try:
                return read(source)
            except Exception as failure:  # noqa: BLE001 (reported in its turn)
                return failure

    return map_in_threads(attempt, sources, at_once=4)
