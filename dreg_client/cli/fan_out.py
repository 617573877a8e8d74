"""Read several sources in threads and print the results in the order of the sources."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dreg_client.cli.output import decodable, put_json, put_result
from dreg_client.cli.registry_options import given_options
from dreg_client.cli.shown_problems import put_failed_items, put_failures, put_item_failure, put_warning, put_warnings
from dreg_client.values.waiting import wait_in_steps

if TYPE_CHECKING:
    from dreg_client.errors import DregError
    from dreg_client.models.stored import StoredDocument
    from dreg_client.values.store_name import StoreName

S = TypeVar("S")
T = TypeVar("T")


def map_in_threads(function: Callable[[S], T], items: Sequence[S], at_once: int) -> Iterator[T]:
    """Call a function for all items in several threads; yield the results in order. The function must not raise."""
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
        Thread(
            target=copy_context().run, args=(work,), daemon=True
        ).start()  # an interrupted program does not wait for a registry
    for result in results:
        yield _awaited(result)


def _awaited(result: "SimpleQueue[T]") -> T:
    """Wait for a result."""
    found: list[T] = []

    def wait(seconds: float) -> bool:
        with suppress(Empty):
            found.append(result.get(timeout=seconds))
        return bool(found)

    wait_in_steps(wait)
    return found[0]


@dataclass(frozen=True, slots=True)
class Shown:
    """A result to print.

    Attributes:
        plain: The result for JSON output.
        lines: The lines of the text output.
        documents: The documents that were read. Their readable errors become warnings on standard error.
        failures: Why parts are not shown. They become errors on standard error, and the exit code is 1.
        failed: The parts that could not be read, by name, and why.
        parts: The documents that were read for each part, by its name. Their readable errors name it.
        warnings: Further warnings: the name of a part, and the text.
        code: The exit code if there are no failures; with `failed` it must be given.
    """

    plain: object
    lines: Iterable[str]
    documents: "tuple[StoredDocument, ...]" = ()
    failures: "tuple[DregError, ...]" = ()
    failed: "Mapping[str, Exception]" = field(default_factory=dict[str, Exception])
    code: int = 0
    parts: "Mapping[str, Sequence[StoredDocument]]" = field(default_factory=dict[str, "Sequence[StoredDocument]"])
    warnings: Sequence[tuple[str, str]] = ()

    def put(self, output: str, source: str = "") -> int:
        """Print the result, then its problems; return the exit code. `source` is the source, if there are several."""
        put_result(output, self.plain, self.lines)
        return self.put_problems(output, source)

    def put_problems(self, output: str, source: str = "") -> int:
        """Write the problems to standard error, each with the source, if it is given; return the exit code."""
        put_warnings(*self.documents, source="" if output == "json" else source)
        for name, read in self.parts.items():
            put_warnings(*read, source=name)
        for name, text in self.warnings:
            put_warning(text, name)
        code = put_failures(self.failures, output, source) or self.code
        for name, failure in self.failed.items():
            put_item_failure(failure, as_json=output == "json", source=name)
        return code


def show(
    sources: tuple["StoreName", ...],
    output: str,
    read: Callable[["StoreName", str], Shown],
    *,
    key: str | None = None,
    name: Callable[["StoreName"], str] = str,
) -> int:
    """Read one or more sources and print the results; return the exit code.

    `read` takes a source and the name to print on each line, which is empty if the text output has one source only.

    A source that fails does not stop the others. The exit code is then 1, unless all fail with the same code.
    JSON output is always a list with an object for each source, whatever their number: its `source`, and the result as
    the member `key`, or the members of the result.
    """
    as_json = output == "json"
    if len(sources) == 1 and not as_json:
        return read(sources[0], "").put(output)
    from dreg_client.cli.error_messages import exit_code_of_several

    check_options(sources)
    listed: list[dict[str, Any]] = []
    failed: list[str] = []
    codes: set[int] = set()
    names = [*map(name, sources)]
    for source, found in zip(names, _attempts(sources, names, read), strict=True):
        if isinstance(found, Exception):
            failed.append(source)
            codes.add(put_item_failure(found, as_json=as_json, source=source))
        elif as_json:
            members: Any = {key: found.plain} if key else found.plain
            listed.append({"source": decodable(source), **members})
            codes.add(found.put_problems(output, source))
        else:
            codes.add(found.put(output, source))
    if as_json:
        put_json(listed)
    elif failed:
        put_failed_items(failed, len(sources))
    return exit_code_of_several(codes)


def check_options(sources: Iterable["StoreName"]) -> None:
    """Raise the error of options that are not valid, once, before any source is read."""
    if any(source.kind == "registry" for source in sources):
        given_options()


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
