"""Stored files that are huge, and dumps with lines without an end: CLI-45. Archives with huge names: CLI-46."""

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.commands import run_limited
from tests.hostile.downloads import MIB
from tests.hostile.measured import COMMAND, MEASURING, UNIT

MOST = 200 * MIB
LONG = 96 * MIB
"""Longer than any line of a dump is read, and small enough for a test."""


def validated(*words: str | Path, stdin: Path | None = None) -> tuple[int, str, int]:
    """Validate something; return the exit code, the output and the errors, and the peak of the memory."""
    ours, its = os.pipe()
    command = [sys.executable, "-IS", "-c", MEASURING, str(its), *COMMAND, "validate", *words]
    with (stdin or Path(os.devnull)).open("rb") as given:
        done = run_limited(
            command, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, pass_fds=[its], check=False
        )
    os.close(its)
    with os.fdopen(ours, "rb") as report:
        peak, code = map(int, report.read().split())
    return code, done.stdout.decode(), peak * UNIT


def written(path: Path, pieces: Iterable[bytes]) -> Path:
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
    return path


LINES: dict[str, Callable[[], Iterable[bytes]]] = {
    "one endless line": lambda: [b"x" * MIB] * (LONG // MIB),
    "lines of spaces": lambda: [b" " * MIB * 30 + b"\n"] * 12,
    "long lines": lambda: [b'{"m": "' + b"x" * MIB * 31 + b'"}\n'] * 3,
    "a line of many values": lambda: [b'{"m": {"a": [', *[b"[]," * 300_000] * 20, b"0]}}\n"],
}


@pytest.mark.parametrize("options", [(), ("--field", "m"), ("--jobs", "1")], ids=["plain", "field", "one job"])
@pytest.mark.parametrize("lines", LINES.values(), ids=LINES)
def test_cli_45_a_dump_with_huge_lines_takes_little_memory(
    tmp_path: Path, lines: Callable[[], Iterable[bytes]], options: tuple[str, ...]
) -> None:
    code, told, peak = validated(written(tmp_path / "dump.jsonl", lines()), *options)

    assert peak < MOST
    assert code == (0 if told.startswith("0 checked") else 1)
    assert "Traceback" not in told


def test_cli_45_a_part_of_a_dump_reads_no_line_that_starts_before_it(tmp_path: Path) -> None:
    good = b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}\n'
    dump = written(tmp_path / "dump.jsonl", [good, *[b"x" * MIB] * (LONG // MIB), b"\n", good, b"{}\n"])

    code, told, _ = validated(dump, "--format", "json", "--jobs", "2")
    found = json.loads(told)
    assert code == 1
    assert [entry["line"] for entry in found["documents"]] == [2, 4]
    assert found["summary"]["checked"] == 4


@pytest.mark.parametrize("name", ["file.json", "dump.jsonl", "-"])
def test_cli_45_a_sparse_file_takes_little_memory(tmp_path: Path, name: str) -> None:
    path = tmp_path / "sparse.json" if name == "-" else tmp_path / name
    path.touch()
    os.truncate(path, LONG if name.endswith("l") else 2 << 30)

    code, told, peak = validated("-" if name == "-" else path, stdin=path if name == "-" else None)
    assert (code, told.count("error at $")) == (1, 1)
    assert peak < MOST


# --- CLI-46


def _link(target: str, number: int) -> tarfile.TarInfo:
    found = tarfile.TarInfo(f"{number}")
    found.type, found.linkname = tarfile.SYMTYPE, target
    return found


MEMBERS: dict[str, Callable[[int], tarfile.TarInfo]] = {
    "names": lambda number: tarfile.TarInfo(f"{number}-" + "n" * 1_000_000),
    "links": lambda number: _link("n" * 1_000_000, number),
}


@pytest.mark.parametrize("kind", ["oci-archive", "docker-archive"])
@pytest.mark.parametrize("member", MEMBERS.values(), ids=MEMBERS)
def test_cli_46_an_archive_with_huge_names_is_rejected(
    tmp_path: Path, member: Callable[[int], tarfile.TarInfo], kind: str
) -> None:
    headers = (member(number).tobuf(tarfile.GNU_FORMAT) for number in range(40))
    path = written(tmp_path / "archive", [*headers, bytes(1024)])

    code, told, peak = validated(f"{kind}:{path}")
    assert code in {5, 8}
    if kind == "oci-archive":
        assert "names of more than 33,554,432 bytes" in told
    assert peak < MOST


def test_cli_46_an_archive_with_very_many_members_is_rejected(tmp_path: Path) -> None:
    header = tarfile.TarInfo("blobs/sha256/x")
    path = tmp_path / "many.tar"
    with path.open("wb") as file:
        for number in range(200_001):
            header.name = f"blobs/sha256/{number:064x}"
            file.write(header.tobuf(tarfile.USTAR_FORMAT))
        file.write(bytes(1024))

    code, told, peak = validated(f"oci-archive:{path}")
    assert code == 5
    assert "more than 200000 members" in told
    assert peak < MOST
