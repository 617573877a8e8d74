"""Columns that Parquet files do not have, and other errors that end a run before its first report."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import Run


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Return a folder with a file of JSON Lines, and two of Parquet."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(b"{}\n")
    for name in ("b", "c"):
        pq.write_table(pa.table({"id": [1], "manifest": [b"{}"]}), folder / f"{name}.parquet")
    return folder


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--column", "nope"], "column 'nope': there is no such column; the columns are: id, manifest"),
        (["--column", "id"], "column 'id': its type is int64, expected binary or string"),
        (["--media-type-column", "nope"], "column 'nope': there is no such column"),
        (["--kind-column", "nope"], "column 'nope': there is no such column"),
        (["--keep", "nope"], "column 'nope': there is no such column"),
        (["--keep", "line"], "column 'line': a report has a column of this name"),
    ],
    ids=lambda it: " ".join(it) if isinstance(it, list) else "",
)
def test_val_161_a_wrong_column_is_one_error_before_anything_is_written(
    dreg: Run, files: Path, tmp_path: Path, options: list[str], reason: str
) -> None:
    out = tmp_path / "out"
    done = dreg("validate", str(files), "--format", "parquet", "-o", str(out), *options)

    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith(f"dreg: {files}/b.parquet: {reason}")
    assert done.err.count("\n") == 1
    assert not out.exists()


def test_val_161_files_with_other_columns_that_come_later_are_failures(dreg: Run, files: Path, tmp_path: Path) -> None:
    pq.write_table(pa.table({"other": [1]}), files / "c.parquet")
    done = dreg("validate", str(files), "--format", "parquet", "-o", str(tmp_path / "out"))

    assert done.code == 5
    assert done.err.count("\n") == 1
    assert "c.parquet: column 'manifest': there is no such column" in done.err
    assert len([*(tmp_path / "out").glob("*.parquet")]) == 3


def test_val_161_a_parquet_file_that_is_damaged_is_a_failure_of_its_partition(
    dreg: Run, files: Path, tmp_path: Path
) -> None:
    (files / "b.parquet").write_bytes(b"PAR1")
    done = dreg("validate", str(files), "--format", "parquet", "-o", str(tmp_path / "out"))

    assert done.code == 5
    assert "b.parquet" in done.err


def test_val_161_a_run_that_ends_before_its_first_report_does_not_block_the_folder(
    dreg: Run, files: Path, tmp_path: Path
) -> None:
    run = ["validate", str(files), "--format", "parquet", "-o", str(tmp_path / "out")]

    assert dreg(*run, "--scheduler", "nowhere://").code in {2, 6}
    assert dreg("validate", str(tmp_path / "none"), *run[2:]).code == 4
    assert dreg(*run).code == 1


def test_val_162_a_run_is_not_continued_with_other_options(dreg: Run, files: Path, tmp_path: Path) -> None:
    run = ["validate", str(files), "--format", "parquet", "-o", str(tmp_path / "out")]
    first = dreg(*run)
    before = {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()}
    other = dreg(*run, "--pedantic", "--kind", "oci-index", "--resume")

    assert other.code == 5
    assert 'kind was null, but is "oci-index", pedantic was false, but is true' in other.err
    assert {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()} == before
    assert dreg(*run, "--resume").code == first.code


def test_val_163_columns_cannot_be_kept_without_a_parquet_file(dreg: Run, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("{}\n")
    done = dreg(
        "validate", str(tmp_path / "a.jsonl"), "--keep", "id", "--format", "parquet", "-o", str(tmp_path / "out")
    )

    assert done.code == 2
    assert done.err.startswith("dreg: column 'id': cannot be kept: no source is a Parquet file that can be read")
    assert not (tmp_path / "out").exists()


def test_val_163_other_files_may_come_first(dreg: Run, files: Path, tmp_path: Path) -> None:
    run = ["validate", str(files), "--format", "parquet", "-o", str(tmp_path / "out")]
    wrong = dreg(*run, "--keep", "nope")

    assert wrong.code == 2
    assert wrong.err.startswith(f"dreg: {files}/b.parquet: column 'nope': there is no such column")
    assert not (tmp_path / "out").exists()
    assert dreg(*run, "--keep", "id").code == 1
    assert len([*(tmp_path / "out").glob("*.parquet")]) == 3
