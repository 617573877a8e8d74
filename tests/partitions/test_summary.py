"""Sums of reports: added one by one or by batch, merged in any order, saved and read back."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreg_client.arrow import REPORT_SCHEMA
from dreg_client.errors.problems import Problem, Severity
from dreg_client.models import rules
from dreg_client.partitions.row import RowReport
from dreg_client.partitions.summary import OTHER, Summary
from dreg_client.partitions.summary_batches import add_batch, columns_to_read
from dreg_client.validation.report import BLOB_RULES, Report
from dreg_client.values.digest import Digest

Json = dict[str, Any]
DIGEST = Digest.of(b"{}")

severities = st.sampled_from(Severity)
problems = st.builds(
    lambda rule, severity, path: Problem(rule, severity, path, "1", "2", rules.CLAUSES[rule]),
    st.sampled_from(["MAN-07", "DSC-03", "ANN-01", *BLOB_RULES]),
    severities,
    st.sampled_from(["$", "$.layers", "$.config"]),
)
reports = st.builds(
    lambda kind, size, found: Report(kind, DIGEST, size, tuple(found)),
    st.sampled_from([None, "oci-manifest", "oci-index"]),
    st.integers(0, 5_000),
    st.lists(problems, max_size=4),
)


def rows_of(found: list[Report], source: str = "a.parquet") -> list[RowReport]:
    return [RowReport(source, number, report) for number, report in enumerate(found, 1)]


def summed(rows: list[RowReport]) -> Summary:
    summary = Summary()
    for row in rows:
        summary.add(row)
    return summary


def batch_of(rows: list[RowReport]) -> pa.RecordBatch:
    place = [pa.field("source", pa.string()), pa.field("line", pa.int64())]
    return pa.RecordBatch.from_pylist([*map(plain_row, rows)], pa.schema([*place, *REPORT_SCHEMA]))


def plain_row(row: RowReport) -> Json:
    report = row.report
    found = [
        {name: str(getattr(it, name)) for name in ("rule", "severity", "path", "found", "expected")}
        for it in report.problems
    ]
    return {
        "source": row.source,
        "line": row.line,
        "digest": str(report.digest),
        "size": report.size,
        "kind": report.kind,
        "ok": report.ok,
        "errors": len(report.errors),
        "warnings": len(report.warnings),
        "problems": found,
    }


@given(st.lists(reports, max_size=12))
def test_a_batch_adds_what_its_rows_add(found: list[Report]) -> None:
    rows = rows_of(found)
    by_batch = Summary()
    add_batch(by_batch, batch_of(rows))

    assert by_batch.plain() == summed(rows).plain()


@given(st.lists(reports, min_size=4, max_size=12), st.integers(1, 3))
def test_a_slice_of_a_batch_adds_its_own_rows(found: list[Report], start: int) -> None:
    rows = rows_of(found)
    by_batch = Summary()
    add_batch(by_batch, batch_of(rows).slice(start, 2))

    assert by_batch.plain() == summed(rows[start : start + 2]).plain()


@given(st.lists(st.lists(reports, max_size=4), max_size=5), st.randoms())
def test_partitions_may_be_merged_in_any_order(parts: list[list[Report]], chance: Any) -> None:
    placed = [(summed(rows_of(found, f"{place}")), ("", place)) for place, found in enumerate(parts)]
    before = copy.deepcopy(placed)
    in_order, shuffled = Summary(), Summary()
    for summary, position in placed:
        in_order.merge(summary, position)
    for summary, position in chance.sample(placed, len(placed)):
        shuffled.merge(summary, position)

    assert shuffled.plain() == in_order.plain()
    assert placed == before, "merging changed a partition"


@given(st.lists(reports, max_size=8))
def test_a_saved_summary_is_read_back_as_it_was(found: list[Report]) -> None:
    summary = summed(rows_of(found))

    assert Summary.of_plain(json.loads(json.dumps(summary.plain()))) == summary


def test_the_sums_are_those_of_the_documents() -> None:
    error = rules.error("MAN-07", "$.layers", "nothing", "a list")
    warning = rules.warning("ANN-01", "$.annotations", "null", "a string")
    found = [
        Report("oci-manifest", DIGEST, 10, ()),
        Report("oci-manifest", DIGEST, 20, (error, error, warning)),
        Report(None, DIGEST, 30, (warning,)),
    ]
    summary = summed(rows_of(found))

    assert (summary.documents, summary.valid, summary.invalid, summary.warned, summary.size) == (3, 2, 1, 2, 60)
    assert summary.kinds == {"oci-manifest": 2, "": 1}
    counts = [(rule, severity, it.documents, it.problems) for rule, severity, it in summary.sorted_rules()]
    assert counts == [("MAN-07", "error", 1, 2), ("ANN-01", "warning", 2, 2)]
    assert summary.rules["ANN-01", "warning"].example.line == 2


# --- batches of engines


def test_types_that_engines_write_are_read() -> None:
    rows = rows_of([Report("oci-manifest", DIGEST, 10, (rules.error("MAN-07", "$.layers", "1", "2"),))])
    member = pa.struct(
        [pa.field(name, pa.large_string()) for name in ("severity", "rule", "path", "found", "expected")]
    )
    schema = pa.schema(
        {
            "problems": pa.large_list(pa.field("element", member)),
            "kind": pa.dictionary(pa.int32(), pa.string()),
            "digest": pa.large_string(),
            "size": pa.int32(),
            "warnings": pa.int64(),
            "errors": pa.int64(),
            "ok": pa.bool_(),
            "line": pa.int32(),
            "source": pa.string_view(),
        }
    )
    summary = Summary()
    add_batch(summary, pa.RecordBatch.from_pylist([*map(plain_row, rows)], schema))

    assert summary.plain() == summed(rows).plain()


def test_without_a_source_the_kept_columns_name_a_document() -> None:
    rows = rows_of([Report(None, DIGEST, 10, (rules.error("GEN-12", "$", "1", "2"),))])
    plain = {**plain_row(rows[0]), "name": "acme/web", "id": 7, "manifest": b"{}", "long": "x" * 1000}
    table = pa.Table.from_pylist([plain]).drop_columns(["source", "line"])
    summary = Summary()
    add_batch(summary, table.select(columns_to_read(table.schema)).to_batches()[0], "reports/1.parquet")

    source = summary.rules["GEN-12", "error"].example.source
    assert source.startswith("name=acme/web, id=7, long=xxx")
    assert len(source) < 300


def test_without_any_name_the_report_file_is_named() -> None:
    rows = rows_of([Report(None, DIGEST, 10, (rules.error("GEN-12", "$", "1", "2"),))])
    summary = Summary()
    add_batch(summary, batch_of(rows).select(REPORT_SCHEMA.names), "reports/1.parquet")

    assert summary.rules["GEN-12", "error"].example.source == "reports/1.parquet"


def broken_batches() -> Iterator[Any]:
    row = plain_row(rows_of([Report(None, DIGEST, 1, (rules.error("GEN-12", "$", "1", "2"),))])[0])
    problem = row["problems"][0]
    yield pytest.param({**row, "problems": [{**problem, "severity": "fatal"}]}, id="an unknown severity")
    yield pytest.param({**row, "problems": [{**problem, "rule": None}]}, id="a rule that is null")
    yield pytest.param({**row, "problems": [{"rule": "GEN-12"}]}, id="problems without members")
    yield pytest.param({**row, "problems": ["GEN-12"]}, id="problems that are strings")
    yield pytest.param({**row, "problems": 1}, id="problems that are a number")
    yield pytest.param({**row, "size": "large"}, id="a size that is a string")
    yield pytest.param({name: row[name] for name in row if name != "ok"}, id="no column ok")


@pytest.mark.parametrize("row", [*broken_batches()])
def test_a_batch_that_is_no_report_is_one_error(row: Json) -> None:
    with pytest.raises(ValueError, match=r"column|member|Severity"):
        add_batch(Summary(), pa.RecordBatch.from_pylist([row]))


# --- hostile sums


def saved() -> Json:
    error = rules.error("MAN-07", "$.layers", "nothing", "a list")
    return summed(rows_of([Report("oci-manifest", DIGEST, 20, (error,))])).plain()


def replaced(value: Any, path: tuple[Any, ...], new: object) -> Any:
    """The same with another value at a path; `KeyError` there removes it."""
    if not path:
        return new
    changed = copy.copy(value)
    if new is KeyError and len(path) == 1:
        del changed[path[0]]
    else:
        changed[path[0]] = replaced(value[path[0]], path[1:], new)
    return changed


PLACES: tuple[tuple[Any, ...], ...] = (
    ("documents",),
    ("valid",),
    ("withWarnings",),
    ("size",),
    ("kinds",),
    ("kinds", 0),
    ("kinds", 0, "documents"),
    ("rules",),
    ("rules", 0, "rule"),
    ("rules", 0, "severity"),
    ("rules", 0, "problems"),
    ("rules", 0, "example"),
    ("rules", 0, "example", "source"),
    ("rules", 0, "example", "problem"),
    ("rules", 0, "example", "problem", "path"),
)


@pytest.mark.parametrize("value", [KeyError, -1, 2**63, 1.5, True, [1], {"a": 1}], ids=repr)
@pytest.mark.parametrize("place", PLACES, ids=lambda place: "-".join(map(str, place)))
def test_val_90_sums_of_a_stranger_are_read_strictly(place: tuple[Any, ...], value: object) -> None:
    with pytest.raises(ValueError, match=r"summary|Severity"):
        Summary.of_plain(replaced(saved(), place, value))


def test_val_90_more_valid_documents_than_documents_are_rejected() -> None:
    with pytest.raises(ValueError, match="more valid documents"):
        Summary.of_plain({**saved(), "valid": 2})


def test_val_91_unknown_rules_and_kinds_are_bounded() -> None:
    summary = Summary()
    for number in range(10_000):
        found = Problem(f"X{number // 100:02}-{number % 100:02}", Severity.ERROR, "$", "", "", "")
        odd = Problem(f"javascript:{number}", Severity.NOTE, "$", "", "", "")
        summary.add(RowReport("a", number, Report(f"kind-{number}", DIGEST, 1, (found, odd))))

    assert len(summary.rules) == 202
    assert summary.rules[OTHER, "error"].documents == 9_800
    assert summary.rules[OTHER, "note"].documents == 10_000
    assert len(summary.kinds) == 201
    assert Summary.of_plain(summary.plain()) == summary


def test_val_91_texts_of_examples_are_bounded() -> None:
    long = Problem("GEN-12", Severity.ERROR, *["x" * 10_000_000] * 4)
    summary = summed([RowReport("y" * 10_000_000, 1, Report(None, DIGEST, 1, (long,)))])

    assert len(json.dumps(summary.plain())) < 30_000
