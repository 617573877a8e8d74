"""The columns of report files, which are the same in all reports of a run."""

# The stubs of pyarrow leave out type arguments, which mypy reads as Any.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from base64 import b64decode, b64encode
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final, cast

from dreg_client.arrow import REPORT_SCHEMA

# isort: split
# The import above names the extra if pyarrow is missing.
import pyarrow as pa

from dreg_client.errors import ColumnError
from dreg_client.partitions.partition import PartitionRules

_pa: Final[Any] = pa  # some functions of pyarrow have no complete types
PLACE: Final = (
    pa.field("source", pa.string(), nullable=False),
    pa.field("line", pa.int64()),
    pa.field("offset", pa.int64()),
)
"""The first columns, of the same names as the attributes of `Row`. `line` is null where it is 0 there."""
PLACE_NAMES: Final = tuple(field.name for field in PLACE)
_ADVICE: Final = "start a new run that names this file first, or convert the column"


def report_columns(rules: PartitionRules) -> pa.Schema:
    """Return the schema of report files: the place of the document, the kept columns, then `REPORT_SCHEMA`.

    Raises:
        ValueError: `rules.kept_schema` is not valid.
    """
    return pa.schema([*PLACE, *kept_fields(rules), *REPORT_SCHEMA])


def kept_fields(rules: PartitionRules) -> "tuple[pa.Field[Any], ...]":
    """Return the kept columns that all reports of a run have; nothing if the rules do not state their types.

    Raises:
        ValueError: `rules.kept_schema` is not valid.
    """
    if not rules.kept_schema:
        return ()
    fields = _fields(rules.kept_schema)
    if tuple(field.name for field in fields) != rules.keep:
        raise ValueError("kept_schema must have the columns that are kept, in their order")
    return fields


@lru_cache(maxsize=16)
def _fields(kept_schema: str) -> "tuple[pa.Field[Any], ...]":
    try:
        return tuple(_pa.ipc.read_schema(pa.py_buffer(b64decode(kept_schema, validate=True))))
    except (pa.ArrowException, OSError, ValueError) as failure:
        raise ValueError(f"kept_schema must be a schema as Arrow writes it, in base64: {failure}") from None


def stated_fields(fields: "Iterable[pa.Field[Any]]") -> str:
    """Return kept columns as `PartitionRules.kept_schema` states them. All may be null, without further metadata."""
    schema = pa.schema([pa.field(field.name, field.type) for field in fields])
    return b64encode(schema.serialize().to_pybytes()).decode()


def is_without_type(field: "pa.Field[Any]") -> bool:
    """Return whether a column has only nulls, so that the file does not state its type."""
    return pa.types.is_null(field.type)


def check_convertible(stored: pa.DataType, wanted: "pa.Field[Any]") -> None:
    """Check that a kept column of a file can have its type in the reports of the run, as far as its values allow.

    Raises:
        ColumnError: It cannot.
    """
    if stored == wanted.type or pa.types.is_null(stored):
        return
    common, target = _common(_values(stored), _values(wanted.type)), _values(wanted.type)
    is_lossy = pa.types.is_null(target) or (pa.types.is_floating(target) and common != target)
    if common is None or is_lossy or pa.types.is_nested(stored):
        reason = f"its type is {stored!s:.200}, but {wanted.type!s:.200} in the reports of this run; {_ADVICE}"
        raise ColumnError(wanted.name, reason)


def _values(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if isinstance(kind, pa.DictionaryType) else kind


def _common(first: pa.DataType, second: pa.DataType) -> pa.DataType | None:
    """Return the type that has all values of two types; None if there is none."""
    schemas = [pa.schema([pa.field("", kind)]) for kind in (first, second)]
    try:
        return cast("pa.DataType", pa.unify_schemas(schemas, promote_options="permissive").field(0).type)
    except pa.ArrowException:
        return None


def converted(column: Any, field: "pa.Field[Any]") -> Any:  # noqa: ANN401 (pyarrow's arrays are generic)
    """Return a kept column with its type in the reports of the run.

    Raises:
        ColumnError: The type lacks one of its values.
    """
    if column.type == field.type:
        return column
    try:
        return column.cast(field.type)
    except pa.ArrowException as failure:
        known = f"{field.type!s:.200}, its type in the reports of this run"
        raise ColumnError(field.name, f"has a value that is not one of {known}: {failure!s:.200}; {_ADVICE}") from None
