"""Dumps and folders that would take a validation hours, or end it: LAY-49."""

import json
import os
import sys
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import pytest

from dreg_client import LineRules, errors, validate_file, validate_lines
from dreg_client.validation import dumps
from tests.commands import ROOT, run_dreg, run_limited
from tests.hostile.downloads import MIB

LEVELS = 1200


@pytest.mark.parametrize("jobs", [1, 2])
def test_lay_49_a_line_of_many_stretches_is_read_once(tmp_path: Path, jobs: int) -> None:
    dump, small = tmp_path / "dump.jsonl", tmp_path / "small.jsonl"
    dump.write_bytes(b"{}\n" + b"x" * (4 * MIB) + b"\n{}\n")
    small.write_bytes(b"{}\n" * 20_000)
    command = [sys.executable, "-m", "tests.hostile.bytes_read", dump, small, str(jobs)]
    found = json.loads(run_limited(command, cwd=ROOT, check=True, capture_output=True).stdout)

    assert found["dump"] < found["start"] + 10 * 4 * MIB  # the start: processes that import modules read, too
    assert found["documents"] == 3
    assert found["lines"] == [1, 2, 3]


def test_lay_49_lines_that_begin_or_end_with_a_stretch_are_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump = tmp_path / "dump.jsonl"
    lines = [b"x" * (number % 7) + b"\n" for number in range(1, 60)]
    dump.write_bytes(b"".join(lines))
    expected = [found.line for found in validate_lines(lines)]
    for size in range(1, 30):
        monkeypatch.setattr(dumps, "PART", size)
        parts = list(validate_file(dump))
        starts = accumulate((part.lines for part in parts), initial=0)
        assert sum(part.lines for part in parts) == len(lines)
        assert [found.line for part in parts for found in part.reports] == expected
        assert len(list(starts)) == len(parts) + 1


@pytest.mark.parametrize("levels", [300, 900, 5000])
def test_lay_49_a_document_in_a_member_that_nests_too_deeply_is_reported(tmp_path: Path, levels: int) -> None:
    line = b'{"document":' + b"[" * levels + b"]" * levels + b"}\n"
    [found] = validate_lines([line], LineRules(field="document"))
    assert [problem.rule for problem in found.report.errors] == ["GEN-04" if levels < 1000 else "GEN-01"]

    dump = tmp_path / "dump.jsonl"
    dump.write_bytes(line)
    done = run_dreg(["validate", "--field", "document", str(dump)], environment={"PATH": os.environ["PATH"]})
    assert (done.returncode, b"GEN-0" in done.stdout) == (1, True)


def test_lay_49_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "dump.jsonl")
    with pytest.raises(errors.FileError, match="validate_lines"):
        list(validate_file(tmp_path / "dump.jsonl"))


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """A folder with very many levels, and a document in the last."""
    top = tmp_path / "deep"
    place = top
    for _ in range(LEVELS):
        place.mkdir()
        place /= "a"
    (place.parent / "x.json").write_text(json.dumps({"imageLayoutVersion": "1.0.0"}))
    (top / "y.json").write_text("{")
    yield top
    (place.parent / "x.json").unlink()
    (top / "y.json").unlink()
    for folder in [*place.parents][:LEVELS]:
        folder.rmdir()


def test_lay_49_a_folder_of_any_depth_is_validated(deep: Path) -> None:
    words = ["validate", "--format", "json", str(deep)]
    done = run_dreg(words, environment={"PATH": os.environ["PATH"]})

    assert (done.returncode, b"Traceback" in done.stderr) == (1, False)
    assert b"/x.json" in done.stdout
    assert b"/y.json" in done.stdout
