"""Replace the dictionaries of kept columns by their values, in pieces of bounded size."""

# The stubs of pyarrow leave out type arguments, which mypy reads as Any.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Iterator, Sequence
from typing import Any, Final

from dreg_client.arrow_columns import dictionaries, is_list_view, members_of

# isort: split
# The import above names the extra if pyarrow is missing.
import pyarrow as pa
import pyarrow.compute as pc

from dreg_client.errors import FileError
from dreg_client.values.sizes import MAX_DOCUMENT
from dreg_client.values.source_url import shown_source

_MOST_OF_PIECE: Final = 16 * MAX_DOCUMENT
"""The maximum size in bytes of the values that replace dictionaries at a time."""


def in_pieces(batch: pa.RecordBatch, columns: Sequence[int], source: str) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a batch, so few at a time that the dictionaries of some columns can be replaced.

    Raises:
        FileError: One row has values that are too large, or values repeat that are larger than any document.
    """
    own = batch
    for at in columns:
        own = own.set_column(at, batch.schema.field(at), _without_others(batch.column(at)))
    sizes = [_plain_size(own.column(at)) for at in columns]
    if sum(size for size, _ in sizes) <= _MOST_OF_PIECE:
        yield own
        return
    if batch.num_rows == 1 or max(longest for _, longest in sizes) > MAX_DOCUMENT:
        raise _too_large(batch.schema.field(columns[sizes.index(max(sizes))]).name, max(sizes), source)
    half = batch.num_rows // 2
    yield from in_pieces(own.slice(0, half), columns, source)
    yield from in_pieces(own.slice(half), columns, source)


def _without_others(column: Any) -> Any:  # noqa: ANN401 (pyarrow's arrays are generic)
    """Return a column without the values of other rows, which a slice of lists has."""
    return pa.concat_arrays([column]) if any(True for _ in dictionaries(column)) else column


def _plain_size(column: Any) -> tuple[int, int]:  # noqa: ANN401 (as above)
    """Return the size in bytes of the values of dictionaries, each as often as it is repeated, and of the longest."""
    total = longest = 0
    for found in dictionaries(column):
        lengths = pc.binary_length(found.dictionary).take(found.indices)
        total += pc.sum(lengths).as_py() or 0
        longest = max(longest, pc.max(lengths).as_py() or 0)
    return total, longest


def _too_large(name: str, size: tuple[int, int], source: str) -> FileError:
    total, longest = size
    found = f"a value of {longest:,} bytes" if longest > MAX_DOCUMENT else f"values of {total:,} bytes in one row"
    reason = f"the column {name!r:.200} has {found}, which is too large to be kept; validate the file without --keep"
    return FileError(shown_source(source), reason)


def plain_type(kind: Any) -> Any:  # noqa: ANN401 (as above)
    """Return the type of a kept column in reports; views become plain strings and binary values.

    pyarrow cannot write all columns with views, nor convert dictionaries to views, nor what is in list views.
    """
    if pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_binary_view(kind):
        return pa.binary()
    if isinstance(kind, pa.BaseExtensionType) or is_list_view(kind) or not members_of(kind):
        return kind
    if pa.types.is_map(kind):
        return pa.map_(plain_type(kind.key_type), plain_type(kind.item_type))
    members = [kind.field(at).with_type(plain_type(kind.field(at).type)) for at in range(kind.num_fields)]
    if pa.types.is_struct(kind):
        return pa.struct(members)
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(members[0], kind.list_size)
    return pa.large_list(members[0]) if pa.types.is_large_list(kind) else pa.list_(members[0])


def plain_field(field: "pa.Field[Any]") -> "pa.Field[Any]":
    """Return a kept column with the type that it has in reports."""
    return field.with_type(plain_type(field.type))
