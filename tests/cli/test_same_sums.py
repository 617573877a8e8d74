"""The sums of a source are the same in each output of `dreg validate`, and in `dreg report` of what it wrote."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
LAYER = "d29e74c6abb36e3b37a98807a5bb4540dc7e7310a652062746c496794d51162b"


@pytest.fixture
def incomplete(tmp_path: Path, fixtures: Path) -> str:
    """A layout without one of its layers."""
    layout = tmp_path / "layout"
    shutil.copytree(fixtures / "layouts/multi", layout)
    (layout / "blobs/sha256" / LAYER).unlink()
    return f"oci:{layout}"


@pytest.mark.parametrize("options", [[], ["--complete"]], ids=["warning", "error"])
def test_a_missing_blob_is_counted_but_not_as_a_document(
    said: Run, incomplete: str, tmp_path: Path, options: list[str]
) -> None:
    text = said("validate", incomplete, *options)
    lines = said("validate", incomplete, *options, "--format", "jsonl")
    (tmp_path / "report.jsonl").write_text(lines.out)
    files = said("validate", incomplete, *options, "--format", "parquet", "-o", tmp_path / "reports")
    of_lines = json.loads(said("report", tmp_path / "report.jsonl", "--format", "json").out)
    of_files = json.loads(said("report", tmp_path / "reports", "--format", "json").out)

    assert text.lines[-1] == "22 checked: 22 valid; 1 blob missing"
    assert files.lines[-2].endswith(": 22 valid; 1 blob missing")
    assert text.code == files.code == bool(options)
    assert [(it["documents"], it["invalid"], it["missing"]) for it in (of_lines, of_files)] == [(22, 0, 1)] * 2
    assert [of_lines[name] for name in ("size", "kinds")] == [of_files[name] for name in ("size", "kinds")]


def test_a_missing_blob_is_on_the_page(said: Run, incomplete: str, tmp_path: Path) -> None:
    said("validate", incomplete, "--format", "parquet", "-o", tmp_path / "reports")
    page = said("report", tmp_path / "reports", "--format", "html").out

    assert "1 blob that documents name" in page
    assert "<strong>22</strong> <span>documents</span>" in page
