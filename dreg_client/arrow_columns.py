"""The columns of record batches: their types, and the bytes and texts in them."""

# The stubs of pyarrow leave out type arguments, which mypy reads as Any.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Callable, Iterable, Iterator
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, cast

from dreg_client.errors import ColumnError, MissingLibraryError
from dreg_client.values.sizes import MEBIBYTE

try:
    import pyarrow as pa
    import pyarrow.compute as pc
except ImportError:
    raise MissingLibraryError("pyarrow", "arrow") from None

if TYPE_CHECKING:
    Column: TypeAlias = pa.Array[pa.Scalar[Any]]
else:
    Column = pa.Array

T = TypeVar("T")
_Key: TypeAlias = tuple[int | None, str | None, str | None]
"""The index of a document in a dictionary, its media type and its kind."""
BYTES: Final = "binary or string"
TEXT: Final = "string"
_LONGEST_TEXT: Final = 1024
"""The number of bytes after which media types and kinds are cut; no valid one is as long."""
_PARSED: Final = (
    "if the document was parsed, its exact bytes and its digest are lost: "
    "store it as a string, or convert it with to_json (digests will differ)"
)
_MOST_KNOWN: Final = 4 * MEBIBYTE
"""The weight of the results that are kept for further rows with the same document, as in bytes."""
_SLICE: Final = 64
"""The number of values that are converted together, so that there are few copies at a time."""
_LARGE: Final = 4096


def index_of(schema: pa.Schema, name: str) -> int:
    """Return the index of a column; raise ColumnError unless there is exactly one of that name."""
    match schema.get_all_field_indices(name):
        case [index]:
            return index
        case []:
            raise ColumnError(name, f"there is no such column{_member_advice(schema, name)}", tuple(schema.names))
        case several:
            raise ColumnError(name, f"there are {len(several)} columns of this name", tuple(schema.names))


def _member_advice(schema: pa.Schema, name: str) -> str:
    outer, _, member = name.partition(".")
    index = schema.get_field_index(outer)
    stored = schema.field(index).type if index >= 0 else None
    if isinstance(stored, pa.StructType) and stored.get_field_index(member.partition(".")[0]) >= 0:
        return ", but a member of a struct; make that member a column of its own"
    return ""


def check_type(schema: pa.Schema, name: str, expected: str) -> None:
    """Raise ColumnError unless a column has the expected type: `BYTES` or `TEXT`."""
    declared = stored = schema.field(index_of(schema, name)).type
    if isinstance(stored, pa.BaseExtensionType):
        stored = stored.storage_type
    if isinstance(stored, pa.DictionaryType):
        stored = stored.value_type
    if not _is_text(stored) and not (expected == BYTES and _is_binary(stored)):
        raise ColumnError(
            name, f"its type is {declared!s:.200}, expected {expected}{_advice(stored)}", tuple(schema.names)
        )


def _is_text(stored: pa.DataType) -> bool:
    is_one = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
    return any(check(stored) for check in is_one)


def _is_binary(stored: pa.DataType) -> bool:
    is_one = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view)
    return any(check(stored) for check in is_one)


def _advice(stored: pa.DataType) -> str:
    if isinstance(stored, pa.StructType) and stored.get_field_index("schemaVersion") < 0:
        return f"; if one of its members is the document, make that a column of its own; {_PARSED}"
    return f"; {_PARSED}" if pa.types.is_struct(stored) or pa.types.is_map(stored) else ""


def check_dictionaries(batch: pa.RecordBatch, names: Iterable[str | None]) -> None:
    """Raise ColumnError if columns have a dictionary, and an index that is not in it. pyarrow does not check that."""
    for name in filter(None, names):
        for array in dictionaries(batch.column(index_of(batch.schema, name))):
            bounds: Any = pc.min_max(array.indices)
            first, last = bounds["min"].as_py(), bounds["max"].as_py()
            if first is not None and not 0 <= first <= last < len(array.dictionary):
                wrong, count = first if first < 0 else last, len(array.dictionary)
                raise ColumnError(name, f"is damaged: it refers to value {wrong} of a dictionary of {count}")


def dictionaries(column: Any) -> Iterator[Any]:  # noqa: ANN401 (pyarrow's arrays are generic)
    """Yield the dictionary arrays in a column."""
    kind = column.type
    if isinstance(column, pa.ExtensionArray):
        yield from dictionaries(column.storage)
    elif pa.types.is_dictionary(kind):
        yield column
    elif pa.types.is_struct(kind):
        for at in range(kind.num_fields):
            yield from dictionaries(column.field(at))
    elif pa.types.is_map(kind):
        yield from dictionaries(column.keys)
        yield from dictionaries(column.items)
    elif members_of(kind):  # lists of all kinds
        yield from dictionaries(column.values)


def members_of(kind: Any) -> list[pa.DataType]:  # noqa: ANN401 (as above)
    """Return the types of the columns in a column: those of structs, lists and maps."""
    if isinstance(kind, pa.BaseExtensionType):
        return members_of(kind.storage_type)
    if not pa.types.is_nested(kind):
        return []
    return [kind.field(at).type for at in range(kind.num_fields)]


def is_list_view(kind: pa.DataType) -> bool:
    """Return whether a column has list views, which may share values."""
    return isinstance(kind, (pa.ListViewType, pa.LargeListViewType))


def stored_column(batch: pa.RecordBatch, name: str) -> Column:
    """Return a column of a batch, as it is stored if it is of an extension type."""
    column = batch.column(index_of(batch.schema, name))
    return cast("Column", column.storage if isinstance(column, pa.ExtensionArray) else column)


def column_bytes(column: Column) -> Iterator[bytes | None]:
    """Yield the bytes of a binary or string column without a dictionary. A string need not be UTF-8."""
    if not (pa.types.is_binary(column.type) or pa.types.is_string(column.type)):
        yield from map(_of_scalar, column)
        return
    column = column.view(pa.binary())
    for start in range(0, len(column), _SLICE):
        piece = column.slice(start, _SLICE)
        if piece.nbytes > _SLICE * _LARGE:  # one at a time, as they may be large
            yield from map(_of_scalar, piece)
        else:
            yield from cast("list[bytes | None]", piece.to_pylist())


def map_documents(
    batch: pa.RecordBatch,
    names: tuple[str, str | None, str | None],
    result_of: Callable[..., T],
    *,
    weight: Callable[[T], int],
) -> Iterator[T]:
    """Yield what a function returns for each document of a batch. It is called once for a value of a dictionary.

    Args:
        batch: The record batch.
        names: The columns of the documents, of their media types and of their kinds; the latter may be None or empty.
        result_of: The function of a document (None for a null), its media type and its kind.
        weight: How much of the memory for repeated results a result takes, of `_MOST_KNOWN` in total.
    """
    document, media_type, kind = names
    column, known, total = stored_column(batch, document), dict[_Key, T](), 0
    media_types, kinds = texts_of(batch, media_type), texts_of(batch, kind)
    if not isinstance(column, pa.DictionaryArray):
        yield from map(result_of, column_bytes(column), media_types, kinds)
        return
    for key in zip(column.indices.to_pylist(), media_types, kinds, strict=False):  # texts may never end
        if key not in known:
            if total >= _MOST_KNOWN:
                known, total = {}, 0
            raw = None if key[0] is None else octets_at(column.dictionary, key[0])
            known[key] = result_of(raw, *key[1:])
            total += weight(known[key])
        yield known[key]


def octets_at(column: Column, at: int) -> bytes | None:
    """Return the bytes of a value of a column."""
    return _of_scalar(column[at])


def _of_scalar(scalar: object) -> bytes | None:
    cell = cast("pa.BinaryScalar", scalar)
    buffer = cell.as_buffer() if cell.is_valid else None
    return None if buffer is None else buffer.to_pybytes()


def texts_of(batch: pa.RecordBatch, name: str | None) -> Iterator[str | None]:
    """Yield the texts of a string column, which are cut if they are very long; without a name, None for ever."""
    if not name:
        return repeat(None)
    column = stored_column(batch, name)
    if not isinstance(column, pa.DictionaryArray):
        return map(_text, column)
    values, known = column.dictionary, dict[int | None, str | None]({None: None})
    indices = cast("list[int]", column.indices.to_pylist())
    return (known[at] if at in known else known.setdefault(at, _text(values[at])) for at in indices)


def _text(scalar: object) -> str | None:
    cell = cast("pa.BinaryScalar", scalar)
    buffer = cell.as_buffer() if cell.is_valid else None
    if buffer is None:
        return None
    return buffer.slice(0, min(buffer.size, _LONGEST_TEXT)).to_pybytes().decode(errors="replace")
