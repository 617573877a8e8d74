"""`dreg report`: what the reports of a validation add up to."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dreg_client.arrow import REPORT_SCHEMA
from tests.partitions.written import ERROR, PLACED, row, two_reports, write_report, write_table

Run = Callable[..., Any]


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    return two_reports(tmp_path / "reports")


def test_reports_add_up_as_text(reports: Path, said: Run) -> None:
    found = said("report", reports)

    assert found.code == 0
    assert found.err == ""
    assert found.lines == [
        "error MAN-07: 2 documents, 3 problems",
        "  first in  a.parquet:2",
        f"  digest    sha256:{2:064x}",
        "  at        $.layers",
        "  found     nothing",
        "  expected  a list",
        '  rule      MAN-07, image-spec manifest.md "Image Manifest Property Descriptions": layers',
        "  see       https://djmattyg007.github.io/dreg-client/rules/man/#man-07",
        "warning ANN-01: 1 document",
        "  first in  a.parquet:2",
        f"  digest    sha256:{2:064x}",
        "  at        $.annotations.a",
        "  found     null",
        "  expected  a string",
        '  rule      ANN-01, image-spec annotations.md "Rules"',
        "  see       https://djmattyg007.github.io/dreg-client/rules/ann/#ann-01",
        "not read: b.parquet: the file ends early",
        "kinds: 3 oci-manifest, 1 unknown",
        "4 checked (400 B): 2 valid, 2 invalid, 1 with warnings, 1 partition not read completely",
    ]


def test_reports_add_up_as_json(reports: Path, said: Run) -> None:
    found = json.loads(said("report", reports, "--format", "json").out)

    assert {name: found[name] for name in ("files", "documents", "valid", "invalid", "withWarnings", "size")} == {
        "files": 2,
        "documents": 4,
        "valid": 2,
        "invalid": 2,
        "withWarnings": 1,
        "size": 400,
    }
    assert found["sources"] == [str(reports)]
    assert found["kinds"] == [{"kind": "oci-manifest", "documents": 3}, {"kind": None, "documents": 1}]
    assert [(it["rule"], it["documents"], it["problems"]) for it in found["rules"]] == [
        ("MAN-07", 2, 3),
        ("ANN-01", 1, 1),
    ]
    assert found["failed"] == [{"partition": "b.parquet", "reason": "the file ends early"}]
    assert found["unread"] == []


def test_a_page_is_written_to_a_file(reports: Path, said: Run, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    found = said("report", reports, "--format", "html", "-o", page)

    assert found.err == ""
    assert (found.code, found.out) == (0, "")
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>\n")


def test_rows_are_summed_if_the_metadata_is_missing(reports: Path, said: Run, tmp_path: Path) -> None:
    rows = [row("a.parquet", 1), row("a.parquet", 2, ERROR)]
    write_table(tmp_path / "part-0.parquet", pa.Table.from_pylist(rows, PLACED))

    assert said("report", tmp_path / "part-0.parquet").lines[-1] == "2 checked (200 B): 1 valid, 1 invalid"


def test_rows_are_summed_if_another_program_changed_them_and_kept_the_metadata(said: Run, tmp_path: Path) -> None:
    """pyarrow, for example, writes the metadata of a table again, though some rows were filtered."""
    import pyarrow.parquet as pq

    written = write_report(tmp_path / "reports", "a.parquet", [row("a.parquet", 1), row("a.parquet", 2, ERROR)])
    table = pq.read_table(written)
    pq.write_table(table.filter(table["ok"]), written)

    assert said("report", written).lines[-1] == "1 checked (100 B): 1 valid"


def test_a_folder_as_spark_writes_it_is_read(said: Run, tmp_path: Path) -> None:
    """No places of documents, other markers, hidden checksums, and folders below."""
    folder = tmp_path / "reports.parquet" / "date=2026-11-01"
    folder.mkdir(parents=True)
    rows = [{name: value for name, value in row("", 1, ERROR).items() if name in REPORT_SCHEMA.names}]
    table = pa.Table.from_pylist(rows, REPORT_SCHEMA).append_column("name", pa.array(["acme/web"]))
    write_table(folder / "part-00000.snappy.parquet", table)
    (folder.parent / "_SUCCESS").touch()
    (folder / ".part-00000.snappy.parquet.crc").write_bytes(b"crc")
    found = said("report", tmp_path / "reports.parquet")

    assert found.code == 0
    assert "  first in  name=acme/web" in found.lines
    assert found.lines[-1] == "1 checked (100 B): 0 valid, 1 invalid"


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_what_validate_prints_as_lines_is_summed(dreg: Run, said: Run, tmp_path: Path, packed: bool) -> None:
    printed = dreg(
        "validate", "--format", "jsonl", "fixtures/dumps/registry.jsonl", "fixtures/valid", "missing.json"
    ).out
    path = tmp_path / ("report.jsonl.gz" if packed else "report.jsonl")
    path.write_bytes(gzip.compress(printed.encode()) if packed else printed.encode())
    end = json.loads(printed.splitlines()[-1])["summary"]
    found = json.loads(said("report", path, "--format", "json").out)

    assert (found["documents"], found["valid"], found["invalid"]) == (end["checked"], end["valid"], end["invalid"])
    assert sum(kind["documents"] for kind in found["kinds"]) == end["checked"]
    assert [it["partition"] for it in found["failed"]] == ["missing.json"]


def test_lines_without_an_end_are_named(said: Run, tmp_path: Path) -> None:
    path = tmp_path / "report.jsonl"
    path.write_text(json.dumps({**row("a", 1, {**ERROR, "clause": "", "url": ""}), "line": 1}) + "\n")
    found = said("report", path)

    assert found.code == 0
    assert f"not read: {path}: ends without a summary" in found.out


def test_a_url_is_read(reports: Path, said: Run) -> None:
    assert said("report", reports.as_uri()).lines == said("report", reports).lines


def test_a_pattern_is_read(reports: Path, said: Run) -> None:
    assert said("report", f"{reports}/a*.parquet").lines[-1].startswith("2 checked")


# --- what is not a report


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + bytes(100) + b"PAR1", b"\x00" * 64], ids=repr)
def test_a_damaged_report_is_named_and_the_others_are_summed(reports: Path, said: Run, content: bytes) -> None:
    (reports / "damaged.parquet").write_bytes(content)
    found = said("report", reports, "--format", "json")
    plain = json.loads(found.out)

    assert found.code == 5
    assert plain["documents"] == 4
    assert [(it["source"], it["exitCode"]) for it in plain["unread"]] == [(str(reports / "damaged.parquet"), 5)]
    assert json.loads(found.err)["error"] == "FileError"


def test_a_report_that_was_cut_is_named(reports: Path, said: Run) -> None:
    cut = next(reports.glob("a*.parquet"))
    cut.write_bytes(cut.read_bytes()[:-20])
    found = said("report", reports)

    assert found.code == 5
    assert found.err.startswith(f"dreg: {cut} is not a complete Parquet file of reports: ")
    assert found.lines[-1].startswith("2 checked")


def test_lines_that_were_cut_are_named(said: Run, tmp_path: Path) -> None:
    path = tmp_path / "report.jsonl"
    path.write_text('{"summary": {"checked": 0, "valid": 0, "withWarnings": 0, "unread": []}}\n{"source": "a", "li')
    found = said("report", path)

    assert found.code == 5
    assert found.err.startswith(f"dreg: {path}: line 2 is not a line that `dreg validate --format jsonl` writes")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("manifests.jsonl", b'{"schemaVersion": 2}\n', "its first line is not a line that"),
        ("list.jsonl", b"[1]\n", "it is neither a Parquet file nor JSON Lines"),
        ("notes.txt", b"notes\n", "it is neither a Parquet file nor JSON Lines"),
    ],
)
def test_another_file_is_a_usage_error(said: Run, tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    found = said("report", tmp_path / name)

    assert (found.code, found.out) == (2, "")
    assert found.err.startswith(f"dreg: {tmp_path / name} is not a report: {reason}")


def test_another_parquet_file_is_a_usage_error(said: Run) -> None:
    found = said("report", "fixtures/dumps/registry.parquet")

    assert (found.code, found.out) == (2, "")
    assert "is not a report: it has no column size" in found.err


def test_no_reports_are_not_found(said: Run, tmp_path: Path) -> None:
    (tmp_path / "_hidden.parquet").touch()

    assert said("report", tmp_path).code == 4
    assert said("report", tmp_path / "missing").code == 4
    assert said("report", (tmp_path / "missing").as_uri()).code == 4


def by_polars(table: pa.Table, path: Path) -> None:
    import polars as pl

    pl.DataFrame(table).write_parquet(path)


def by_duckdb(table: pa.Table, path: Path) -> None:
    import duckdb

    connection = duckdb.connect()
    connection.register("reports", table)
    connection.sql("SELECT * FROM reports").write_parquet(str(path))


@pytest.mark.parametrize("write", [by_polars, by_duckdb])
def test_reports_that_other_engines_wrote_add_up(write: Callable[..., None], said: Run, tmp_path: Path) -> None:
    rows = [row("a.parquet", 1), row("a.parquet", 2, ERROR, kind=None), row("a.parquet", None)]
    table = pa.Table.from_pylist(rows, PLACED)
    write_table(tmp_path / "ours.parquet", table)
    write(table, tmp_path / "theirs.parquet")
    ours, theirs = (said("report", tmp_path / name) for name in ("ours.parquet", "theirs.parquet"))

    assert theirs.code == 0
    assert theirs.lines == ours.lines
    assert "  first in  a.parquet:2" in ours.lines
