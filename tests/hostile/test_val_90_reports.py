"""Report files of strangers. What their texts become on a page is tested in `layout/test_report_page.py`."""

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dreg_client.errors import FileError
from dreg_client.partitions.report.read import read_report
from dreg_client.partitions.report.sums import FileSums, NotAReportError
from tests.commands import run_dreg
from tests.faultserver import Network
from tests.hostile.downloads import MIB
from tests.hostile.measured import run_measured
from tests.partitions.written import ERROR, PLACED, row, write_report, write_table

Json = dict[str, Any]
MOST = 200 * MIB
ODD = "\x1b[31m\u202e\n::add-mask::x ##[error]"
ROWS = [row("a.parquet", 1), row("a.parquet", 2, ERROR)]


def stated(**members: object) -> str:
    """The metadata of a report, with other members."""
    partition: Json = {"source": "a.parquet", "format": "parquet", "names": []}
    return json.dumps({"partition": partition, "summary": {}, "failure": None, **members})


METADATA: dict[str, Callable[[], str]] = {
    "nothing": lambda: "",
    "a number": lambda: "1",
    "deep lists": lambda: "[" * 1_000_000,
    "no summary": stated,
    "a partition with other members": lambda: stated(partition={"source": "a", "format": "tar", "names": [], "x": 1}),
    "a partition that is a list": lambda: stated(partition=[1]),
    "negative sums": lambda: stated(summary={"documents": -1}),
    "a start that is not a number": lambda: stated(
        partition={"source": "a", "format": "tar", "names": [], "start": []}
    ),
    "very long": lambda: stated(failure="x" * 20 * MIB),
}


@pytest.mark.parametrize("metadata", METADATA.values(), ids=METADATA)
def test_val_90_wrong_metadata_of_a_report_is_ignored(tmp_path: Path, metadata: Callable[[], str]) -> None:
    path = write_table(tmp_path / "a.parquet", pa.Table.from_pylist(ROWS, PLACED), {"dreg.partition": metadata()})
    sums = read_report(str(path))

    assert (sums.summary.documents, sums.summary.valid, sums.failed) == (2, 1, ())


@pytest.mark.parametrize("output", ["text", "json"])
def test_val_93_a_strangers_text_controls_neither_a_terminal_nor_a_workflow(tmp_path: Path, output: str) -> None:
    problem = {**ERROR, "path": ODD, "found": ODD, "expected": ODD, "rule": ODD}
    write_report(tmp_path / "reports", ODD, [row(ODD, 1, problem, kind=ODD)], failure=ODD)
    words = ["report", "reports", "--format", output]
    done = run_dreg(words, folder=tmp_path, environment={**os.environ, "GITHUB_ACTIONS": "true"})

    assert done.returncode == 0
    assert done.stdout.replace(b"\n", b"").decode().isprintable()
    assert b"##[" not in done.stdout
    assert not any(line.lstrip().startswith(b"::") for line in done.stdout.splitlines())


def test_val_93_text_that_is_not_unicode_is_escaped(tmp_path: Path) -> None:
    line = {**row("caf\udce9", 1, {**ERROR, "found": "\ud800"}), "line": 1}
    end = {"summary": {"checked": 1, "valid": 0, "withWarnings": 0, "unread": []}}
    (tmp_path / "report.jsonl").write_text("".join(f"{json.dumps(it)}\n" for it in (line, end)))

    for output in ("text", "json", "html"):
        done = run_dreg(["report", "report.jsonl", "--format", output], folder=tmp_path, environment={**os.environ})
        assert done.returncode == 0
        assert done.stdout.decode()
    assert json.loads(
        run_dreg(["report", "report.jsonl", "--format", "json"], folder=tmp_path, environment={**os.environ}).stdout
    )


def test_val_94_sums_that_are_not_those_of_the_rows_are_not_used(tmp_path: Path) -> None:
    """Anything that copies a table, such as a filter, keeps the metadata of the file that it read."""
    table = pa.Table.from_pylist(ROWS, PLACED)
    sums: Json = {"documents": 9, "valid": 9, "withWarnings": 0, "size": 1, "rules": []}
    metadata = stated(summary={**sums, "kinds": [{"kind": None, "documents": 9}]})
    path = write_table(tmp_path / "a.parquet", table, {"dreg.partition": metadata})

    assert read_report(str(path)).summary.documents == 2


LINES: dict[str, Callable[[], bytes]] = {
    "one endless line": lambda: b"{" + b" " * 96 * MIB,
    "deep lists": lambda: b'{"problems": ' + b"[" * MIB,
    "very many values": lambda: b'{"problems": [' + b"[]," * 8 * MIB,
    "numbers without an end": lambda: b'{"source": "a", "line": ' + b"9" * MIB + b"}",
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_val_95_hostile_lines_take_little_memory(tmp_path: Path, net: Network, line: Callable[[], bytes]) -> None:
    end = b'{"summary": {"checked": 0, "valid": 0, "withWarnings": 0, "unread": []}}\n'
    path = tmp_path / "report.jsonl"
    path.write_bytes(end + line() + b"\n")
    done = run_measured(net, "report", path)

    assert done.code == 5
    assert "line 2 is not a line that" in done.err
    assert done.peak < MOST


@pytest.mark.parametrize("has_metadata", [True, False], ids=["metadata", "rows"])
def test_val_96_a_report_with_random_faults_is_one_error_or_a_report(tmp_path: Path, has_metadata: bool) -> None:
    whole = write_report(tmp_path / "reports", "a.parquet", ROWS)
    if not has_metadata:
        write_table(whole, pa.Table.from_pylist(ROWS * 100, PLACED))
    content = whole.read_bytes()
    chance = random.Random(96)  # noqa: S311 (not a secret)
    ends = set()
    for _ in range(400):
        changed = bytearray(content)
        for _ in range(chance.choice([1, 1, 2, 8])):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        whole.write_bytes(changed if chance.random() < 0.8 else changed[: chance.randrange(len(changed))])
        ends.add(type(attempted(whole)))

    assert FileSums in ends
    assert FileError in ends


def attempted(path: Path) -> object:
    try:
        return read_report(str(path))
    except (FileError, NotAReportError) as failure:
        return failure


def test_val_97_only_regular_files_are_read(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    write_report(reports, "a.parquet", ROWS)
    os.mkfifo(reports / "pipe.parquet")
    (reports / "loop").symlink_to(reports, target_is_directory=True)
    (reports / "device.parquet").symlink_to("/dev/zero")
    environment = {**os.environ}
    found = run_dreg(["report", str(reports)], folder=tmp_path, environment=environment)
    pipe = run_dreg(["report", str(reports / "pipe.parquet")], folder=tmp_path, environment=environment)

    assert found.returncode == 0
    assert found.stdout.decode().splitlines()[-1].startswith("2 checked")
    assert pipe.returncode == 5
    assert b"is not a regular file" in pipe.stderr
