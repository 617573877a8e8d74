"""Print lists while they are read: what is in memory does not grow with the number of their pages."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple, cast

import click

from dreg_client.cli.fan_out import Shown, check_options, map_in_threads
from dreg_client.cli.output import decodable, flush_output, put, visible
from dreg_client.cli.shown_problems import put_failed_items, put_item_failure
from dreg_client.errors import DregError

if TYPE_CHECKING:
    from dreg_client.values.store_name import StoreName

_AT_ONCE: Final = 4
Parts = Iterator[Shown]
"""The parts of a list, in order; `plain` has the items of each."""


class _Begun(NamedTuple):
    """A list of which the first part was read: that part, None if the list has none, or the error."""

    first: Shown | Exception | None
    rest: Parts


def show_parts(
    sources: tuple["StoreName", ...],
    output: str,
    read: Callable[["StoreName", str], Parts],
    *,
    key: str,
    name: Callable[["StoreName"], str] = str,
) -> int:
    """Read a list from each source, and print each part as soon as it is read; return the exit code.

    `read`, the exit code and the output are as for `fan_out.show`. The first parts of four sources are read at a time.
    If a list fails later on, the items that were printed stay, and its JSON object gets `"complete": false`.
    """
    if len(sources) == 1 and output != "json":
        return _exit_code({_put(part, output, "") for part in read(sources[0], "")})
    check_options(sources)
    printed = JsonList() if output == "json" else None
    failed: list[str] = []
    codes: set[int] = set()
    for source, begun in _all_begun(sources, [*map(name, sources)], read):
        found, failure = _put_list(begun, source, printed, key)
        if failure is not None:
            failed.append(source)
            found = {put_item_failure(failure, as_json=printed is not None, source=source)}
        codes.add(_exit_code(found))
    if printed:
        printed.end()
    elif failed:
        put_failed_items(failed, len(sources))
    return _exit_code(codes)


def _exit_code(codes: set[int]) -> int:
    from dreg_client.cli.error_messages import exit_code_of_several

    return exit_code_of_several(codes)


def _all_begun(
    sources: Sequence["StoreName"], names: Sequence[str], read: Callable[["StoreName", str], Parts]
) -> Iterator[tuple[str, _Begun]]:
    """Yield each source with its list, of which the first part was read."""
    ctx = click.get_current_context()

    def begin(job: tuple["StoreName", str]) -> _Begun:
        parts = read(*job)
        with ctx.scope(cleanup=False):
            return _Begun(_next(parts), parts)

    jobs = zip(sources, names, strict=True)
    while some := [*islice(jobs, _AT_ONCE)]:
        begun = map_in_threads(begin, some, at_once=_AT_ONCE)
        yield from zip((name for _, name in some), begun, strict=True)


def _next(parts: Parts) -> Shown | Exception | None:
    """Return the next part, None after the last one, or why it cannot be read."""
    try:
        return next(parts, None)
    except Exception as failure:  # noqa: BLE001 (reported in its turn)
        return failure


def _put_list(begun: _Begun, source: str, printed: "JsonList | None", key: str) -> tuple[set[int], Exception | None]:
    """Print all parts of a list; return their exit codes, and the error that ended it."""
    if isinstance(begun.first, Exception):
        return set(), begun.first
    if printed:
        printed.begin_object(decodable(source), key)
    codes: set[int] = set()
    failure: Exception | None = None
    for part in _parts(begun):
        if isinstance(part, Exception):
            failure = part
        elif printed:
            printed.add(cast("Iterable[object]", part.plain))
            codes.add(part.put_problems("json", source))
        else:
            codes.add(_put(part, "text", source))
    if printed:
        printed.end_object(is_complete=failure is None)
    return codes, failure


def _parts(begun: _Begun) -> Iterator[Shown | Exception]:
    """Yield all parts of a list, also the one that was read already; last, the error that ended it."""
    part = begun.first
    while part is not None:
        yield part
        part = None if isinstance(part, Exception) else _next(begun.rest)


def _put(part: Shown, output: str, source: str) -> int:
    code = part.put(output, source)
    flush_output()
    return code


def put_names(output: str, pages: Iterable[Sequence[str]]) -> None:
    """Print a list of names, page by page; as JSON, one list."""
    if output != "json":
        for names in pages:
            put(*map(visible, names))
            flush_output()
        return
    printed = JsonList()
    try:
        for names in pages:
            printed.add(names)
    except DregError:
        printed.end_early()
        raise
    printed.end()


class JsonList:
    """A JSON list that is printed while it grows, as `put_json` prints it: of names, or of objects with such a list."""

    def __init__(self) -> None:
        self._line = "["  # the last one, which is printed once it is known whether a comma follows
        self._indent = "  "
        self._is_empty = True

    def begin_object(self, source: str, key: str) -> None:
        """Begin an object with the name of its source and an empty list."""
        self._next("  {", comma=not self._is_empty)
        self._next(f'    "source": {_json(source)}')
        self._next(f"    {_json(key)}: [", comma=True)
        self._indent, self._is_empty = " " * 6, True

    def add(self, items: Iterable[object]) -> None:
        """Add items to the innermost list, and print them."""
        for item in items:
            self._next(self._indent + _json(item).replace("\n", f"\n{self._indent}"), comma=not self._is_empty)
            self._is_empty = False
        flush_output()

    def end_object(self, *, is_complete: bool) -> None:
        """End an object and its list."""
        self._end_list("    ")
        if not is_complete:
            self._next('    "complete": false', comma=True)
        self._next("  }")
        self._indent, self._is_empty = "  ", False

    def end(self) -> None:
        """End the list."""
        self._end_list("")
        put(self._line)

    def end_early(self) -> None:
        """End the list after an error, so that it is valid JSON; print nothing if it has no items."""
        if not self._is_empty:
            self.end()

    def _end_list(self, margin: str) -> None:
        if self._is_empty:
            self._line += "]"
        else:
            self._next(f"{margin}]")

    def _next(self, line: str, *, comma: bool = False) -> None:
        put(f"{self._line}," if comma else self._line)
        self._line = line


def _json(value: object) -> str:
    import json

    return json.dumps(value, indent=2)
