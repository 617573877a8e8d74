"""Several sources at once: side by side, in the order they were given; what fails is told, and loses no other."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import click

from dreg_client.cli.text import put_error, visible

if TYPE_CHECKING:
    from dreg_client.values.store_name import StoreName

S = TypeVar("S")
T = TypeVar("T")
_SIDE_BY_SIDE: Final = 4


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What became of one source: its result, or the error."""

    source: "StoreName"
    result: T | None
    failure: Exception | None


def each(sources: tuple["StoreName", ...], look: Callable[["StoreName"], T]) -> Iterator[Outcome[T]]:
    """Look at all sources, four at a time."""
    ctx = click.get_current_context()

    def looked(source: "StoreName") -> Outcome[T]:
        with ctx.scope(cleanup=False):
            return _outcome(source, look)

    yield from side_by_side(sources, looked, _SIDE_BY_SIDE)


def side_by_side(things: Sequence[S], look: Callable[[S], T], at_once: int) -> Iterator[T]:
    """Look at things by several threads, and give what comes of it in their order.

    Nobody waits for the threads: whoever interrupts us does not wait for a registry either. `look` raises nothing.
    """
    waiting: SimpleQueue[int] = SimpleQueue()
    done: list[SimpleQueue[T]] = [SimpleQueue() for _ in things]
    for place in range(len(things)):
        waiting.put(place)

    def work() -> None:
        with suppress(Empty):
            while True:
                place = waiting.get_nowait()
                done[place].put(look(things[place]))

    for _ in range(min(at_once, len(things))):
        Thread(target=work, daemon=True).start()
    for came in done:
        yield came.get()


def _outcome(source: "StoreName", look: Callable[["StoreName"], T]) -> Outcome[T]:
    try:
        return Outcome(source, look(source), None)
    except Exception as failure:  # noqa: BLE001 (told in its turn, by whoever asked)
        return Outcome(source, None, failure)


def show(
    sources: tuple["StoreName", ...],
    output: str,
    look: Callable[["StoreName"], T],
    put_text: Callable[["StoreName", T], None],
    plain: Callable[[T], dict[str, Any]],
    *,
    called: Callable[["StoreName"], str] = str,
) -> int:
    """Look at several sources and print what each came to.

    Args:
        sources: The sources, at least two.
        output: `text`, or `json` for one document: a list of objects, each with its `source`.
        look: What is to be known of one.
        put_text: Prints it for people.
        plain: The same for programs.
        called: What a source is called.

    Returns:
        The exit code: that of the first error.
    """
    from dreg_client.cli.failures import tell

    listed: list[dict[str, Any]] = []
    failed: list[str] = []
    code = 0
    for outcome in each(sources, look):
        if outcome.failure is not None:
            failed.append(called(outcome.source))
            code = code or tell(outcome.failure, as_json=output == "json")
        elif output == "json":
            listed.append({"source": called(outcome.source), **plain(outcome.result)})  # type: ignore[arg-type]
        else:
            put_text(outcome.source, outcome.result)  # type: ignore[arg-type]
    if output == "json":
        from dreg_client.cli.text import put_json

        put_json(listed)
    if failed and output != "json":
        put_error(f"dreg: {len(failed)} of {len(sources)} failed: {', '.join(map(visible, failed))}")
    return code
