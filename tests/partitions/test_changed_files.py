"""Files that change while they are read."""

import gzip
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFile, MemoryFileSystem

from dreg_client import find_partitions, validate_partition
from dreg_client.cli.app import run
from dreg_client.errors import FileError
from dreg_client.partitions.input.lines import rows_of_stream
from dreg_client.partitions.input.read import reports_in
from dreg_client.partitions.row import RowReport
from dreg_client.validation.dumps import validate_file
from tests.commands import MEBIBYTE
from tests.partitions.stored import VALID, lines, parquet_of, tar_of

CHANGED = "has changed while it was read: it "


class Growing(MemoryFileSystem):
    """A file system whose files grow as soon as they are opened."""

    protocol = "growing"

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return "/" + path.removeprefix("growing://").strip("/")

    def _open(self, path: str, *words: Any, **options: Any) -> Any:
        found = super()._open(path, *words, **options)
        self.store[path] = MemoryFile(self, path, found.getvalue() + VALID + b"\n")
        return found


@pytest.fixture
def growing() -> Iterator[str]:
    """The URL of a file that grows."""
    fsspec.register_implementation("growing", Growing, clobber=True)
    Growing.store["/g/dump.jsonl"] = MemoryFile(Growing(), "/g/dump.jsonl", lines(3))
    yield "growing://g/dump.jsonl"
    del Growing.store["/g/dump.jsonl"]


def reports_of(source: str, *, size: int = 1 << 30) -> Iterator[RowReport]:
    for partition in find_partitions([source], size=size):
        yield from reports_in(partition)


def grown(path: Path) -> None:
    with path.open("ab") as file:
        file.write(VALID + b"\n")


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def written(path: Path) -> None:
    at = path.stat()
    with path.open("r+b") as file:
        file.write(b" ")
    os.utime(path, ns=(at.st_atime_ns, at.st_mtime_ns + 1))  # clocks of file systems may be coarse


def replaced(path: Path) -> None:
    at, copy = path.stat(), path.with_name("copy")
    copy.write_bytes(path.read_bytes())
    os.utime(copy, ns=(at.st_atime_ns, at.st_mtime_ns))
    copy.replace(path)


CHANGES = (grown, cut, written, replaced, Path.unlink)
FILES = ("dump.jsonl", "dump.jsonl.gz", "web.tar", "web.parquet")


def store(path: Path) -> Path:
    many = lines(8_000)
    match path.suffix:
        case ".gz":
            path.write_bytes(gzip.compress(os.urandom(MEBIBYTE).hex().encode() + b"\n" + many))
        case ".tar":
            path.write_bytes(tar_of({"a.jsonl": many, "b.jsonl": many}))
        case ".parquet":
            parquet_of(path, 3000)
        case _:
            path.write_bytes(many)
    return path


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("change", CHANGES)
def test_val_192_a_file_that_changes_while_it_is_read_is_a_failure(
    tmp_path: Path, name: str, change: Callable[[Path], None]
) -> None:
    path = store(tmp_path / name)
    reports = reports_of(str(path))
    next(reports)
    change(path)

    with pytest.raises(FileError, match=CHANGED):
        list(reports)


@pytest.mark.parametrize("change", CHANGES[:3])
@pytest.mark.parametrize("name", ["dump.jsonl", "web.parquet"])
def test_val_192_a_file_that_changes_after_it_was_divided_is_a_failure(
    tmp_path: Path, name: str, change: Callable[[Path], None]
) -> None:
    path = store(tmp_path / name)
    partitions = [*find_partitions([str(path)], size=MEBIBYTE // 4)]
    change(path)

    assert len(partitions) > 1
    for partition in partitions:
        with pytest.raises(FileError, match=CHANGED):
            next(reports_in(partition))


@pytest.mark.parametrize("change", CHANGES)
def test_val_192_a_dump_that_changes_is_a_failure_in_text_too(tmp_path: Path, change: Callable[[Path], None]) -> None:
    path = tmp_path / "dump.jsonl"
    path.write_bytes(lines(60_000))
    parts = validate_file(path)
    next(parts)
    change(path)

    with pytest.raises(FileError, match=CHANGED):
        list(parts)


def test_val_192_standard_input_that_grows_is_a_failure(tmp_path: Path) -> None:
    path = store(tmp_path / "dump.jsonl")
    with path.open("rb") as file:
        rows = rows_of_stream(file, "-")
        next(rows)
        grown(path)

        with pytest.raises(FileError, match=f"^- {CHANGED}had [0-9,]+ bytes, and now has [0-9,]+;"):
            list(rows)


def test_val_192_what_is_read_from_a_pipe_is_not_checked() -> None:
    ours, theirs = os.pipe()
    os.write(theirs, lines(2))
    os.close(theirs)
    with os.fdopen(ours, "rb") as file:
        assert len([*rows_of_stream(file, "-")]) == 2


def test_val_192_a_file_at_a_url_that_grows_is_a_failure(growing: str, tmp_path: Path) -> None:
    [partition] = find_partitions([growing])
    found = validate_partition(partition, str(tmp_path))

    assert found.summary.documents == 3
    assert found.failure is not None
    assert CHANGED in found.failure


def test_val_192_so_it_is_on_the_command_line(growing: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["validate", growing])
    out, err = capsys.readouterr()

    assert ended.value.code == 5
    assert out == "3 checked: 3 valid, 1 not read (growing://g/dump.jsonl)\n"
    assert err.startswith(f"dreg: growing://g/dump.jsonl {CHANGED}")


def test_val_192_a_file_that_does_not_change_is_read(tmp_path: Path) -> None:
    for name in FILES:
        assert list(reports_of(str(store(tmp_path / name)), size=MEBIBYTE // 4))
