"""File systems at URLs: what they find, the errors that they raise, and the secrets that their URLs contain."""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from dreg_client.errors import DregError, FileError, MissingLibraryError, NotFoundError
from dreg_client.files.remote import read_starts
from dreg_client.partitions.input.discover import find_partitions
from dreg_client.partitions.input.read import rows_in
from dreg_client.partitions.part import Files
from dreg_client.partitions.partition import Partition
from dreg_client.partitions.run.run_partitions import run_partitions
from dreg_client.values.source_url import is_source_url, shown_source
from tests.partitions.stored import PACK, VALID, lines, numbers

SECRET = "s3cr%2Fet"
FAILURES = [
    RuntimeError(f"no answer for brittle://me:{SECRET}@host/x"),
    ValueError("signature=s3cr/et is wrong"),
    PermissionError(13, "Forbidden"),
    TimeoutError(),
    KeyError("bucket"),
    ImportError("Install brittlefs to access this"),
    FileNotFoundError("gone"),
    OSError("[Errno 5] bad disk"),
]


class Brittle(MemoryFileSystem):
    """Files in memory; a method raises the next failure."""

    protocol = "brittle"
    failing: tuple[str, Exception] | None = None

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        if "://" not in path:
            return "/" + path.strip("/")
        return "/" + path.partition("://")[2].partition("@")[2].partition("?")[0].partition("/")[2].rstrip("/")

    def _fail(self, name: str) -> None:
        if Brittle.failing and Brittle.failing[0] == name:
            raise Brittle.failing[1]

    def info(self, path: str, **options: Any) -> Any:
        self._fail("info")
        return super().info(path, **options)

    def ls(self, path: str, **options: Any) -> Any:
        self._fail("ls")
        return super().ls(path, **options)

    def _open(self, path: str, *words: Any, **options: Any) -> Any:
        self._fail("open")
        file = super()._open(path, *words, **options)
        if Brittle.failing and Brittle.failing[0] == "read":
            file = type(
                "Failing",
                (),
                {
                    "read": lambda *_: self._fail("read"),
                    "seek": lambda *_: 0,
                    "tell": lambda _: 0,
                    "close": lambda _: None,
                },
            )()
        return file


@pytest.fixture
def memory() -> Iterator[MemoryFileSystem]:
    system = MemoryFileSystem()
    yield system
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


@pytest.fixture
def brittle(memory: MemoryFileSystem) -> Iterator[type[Brittle]]:
    fsspec.register_implementation("brittle", Brittle, clobber=True)
    memory.pipe("/bucket/web.jsonl", lines(3))
    yield Brittle
    Brittle.failing = None


def files_of(partition: Partition) -> list[str]:
    """The files of a partition."""
    if isinstance(partition.part, Files):
        return [f"{partition.source}/{name}" for name in partition.part.names]
    return [partition.source]


def test_folders_and_patterns_at_urls_are_searched_like_those_of_paths(memory: MemoryFileSystem) -> None:
    for name in ("a.jsonl", "s/b.jsonl.gz", "s/t/c.json", ".h/d.jsonl", "_t/e.jsonl", "f.txt"):
        memory.pipe(f"/x/{name}", lines(1))

    def names(url: str) -> list[str]:
        parts = find_partitions([url])
        return sorted(chain.from_iterable(map(files_of, parts)))

    assert names("memory://x") == ["memory://x/a.jsonl", "memory://x/s/b.jsonl.gz", "memory://x/s/t/c.json"]
    assert names("memory://x/") == names("memory://x")
    assert names("memory://x/**/*.jsonl*") == ["memory://x/a.jsonl", "memory://x/s/b.jsonl.gz"]
    assert names("memory://x/s") == ["memory://x/s/b.jsonl.gz", "memory://x/s/t/c.json"]


@pytest.mark.parametrize("size", [100, 1 << 27])
def test_lines_at_a_url_are_divided(memory: MemoryFileSystem, size: int) -> None:
    memory.pipe("/x/web.jsonl", lines(50))
    memory.pipe("/y/web.jsonl", PACK[".gz"](lines(50)))

    for url in ("memory://x", "memory://y/web.jsonl"):
        parts = [*find_partitions([url], size=size)]
        assert numbers([row.raw for part in parts for row in rows_in(part)]) == list(range(50))
        assert len(parts) == (1 if "/y/" in url or size > 100 else -(-len(lines(50)) // 100))


@pytest.mark.parametrize("method", ["info", "ls", "open", "read"])
@pytest.mark.parametrize("failure", FAILURES, ids=lambda it: type(it).__name__)
def test_val_27_errors_of_a_file_system_are_errors_of_this_library_without_secrets(
    brittle: type[Brittle], method: str, failure: Exception
) -> None:
    brittle.failing = method, failure
    parts = find_partitions([f"brittle://me:{SECRET}@host/bucket?signature={SECRET}"])
    with pytest.raises(DregError) as failed:
        list(chain.from_iterable(map(rows_in, parts)))

    expected = {ImportError: MissingLibraryError, FileNotFoundError: NotFoundError}.get(type(failure), FileError)
    assert type(failed.value) is expected
    assert not re.search("s3cr", f"{failed.value} {failed.value!r} {failed.value.args}")
    assert failed.value.__suppress_context__


def test_val_26_secrets_of_a_url_are_in_no_name_of_a_partition_or_document(brittle: type[Brittle]) -> None:
    [part] = find_partitions([f"brittle://me:{SECRET}@host/bucket?signature={SECRET}"])
    rows = list(rows_in(part))

    assert len(rows) == 3
    for text in (part.name, part.report_name, repr(part), rows[0].source):
        assert "s3cr" not in text
    assert Partition("s3://a:old@b/x", "json").report_name == Partition("s3://a:new@b/x", "json").report_name


def test_val_135_errors_of_a_report_folder_are_those_of_this_library(brittle: type[Brittle], tmp_path: Path) -> None:
    (tmp_path / "web.jsonl").write_bytes(lines(1))
    partitions, folder = [*find_partitions([str(tmp_path)])], f"brittle://me:{SECRET}@host/out"
    list(run_partitions(partitions, folder))
    brittle.failing = "read", RuntimeError("SlowDown key=s3cret")

    with pytest.raises(FileError, match=r"SlowDown key=\*\*\*") as failed:
        list(run_partitions(partitions, folder, resume=True))

    assert "s3cr" not in str(failed.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://bucket/x.json", "s3://bucket/x.json"),
        ("sftp://me:pa@ss/w@host/x", "sftp://***@ss/w@host/x"),
        ("sftp://me:pa@ss@host/x", "sftp://***@host/x"),
        ("abfs://files@account/x?sv=1&sig=abc%3D", "abfs://files@account/x?sv=***&sig=***"),
        ("s3://bucket/what?.json", "s3://bucket/what?.json"),
        ("zip://x.json::sftp://me:secret@host/x.zip", "zip://x.json::sftp://***@host/x.zip"),
        ("plain/a:b@c", "plain/a:b@c"),
    ],
)
def test_val_26_a_url_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert shown_source(url) == shown


@pytest.mark.parametrize(
    "source", ["docker://x/y", "https://ghcr.io/x", "http://localhost", "web.jsonl", "oci:x", "a/b://c"]
)
def test_a_registry_or_path_is_not_a_url_of_files(source: str) -> None:
    assert not is_source_url(source)


def test_val_27_a_document_at_a_url_may_be_of_any_size(memory: MemoryFileSystem) -> None:
    memory.pipe("/x/a.json", b" " * (10 << 20))
    memory.pipe("/x/b.json", VALID)
    [part] = find_partitions(["memory://x"])

    assert [len(row.raw or b"") for row in rows_in(part)] == [(4 << 20) + 1, len(VALID)]


def test_val_28_documents_at_urls_that_are_gone_lose_no_other(memory: MemoryFileSystem) -> None:
    for number in range(40):
        memory.pipe(f"/x/{number}.json", b"" if number == 7 else PACK[".gz"](VALID) if number == 8 else VALID)
    [part] = find_partitions(["memory://x"])
    memory.rm("/x/3.json")
    memory.rm("/x/35.json")
    rows = []

    with pytest.raises(NotFoundError, match="1 other file") as failed:
        rows.extend(rows_in(part))

    assert "memory://x/3.json" in str(failed.value)
    assert [row.raw for row in rows if row.source.endswith(("/7.json", "/8.json"))] == [b"", VALID]
    assert len(rows) == 38


def test_the_first_bytes_of_several_files_are_read_at_a_time(memory: MemoryFileSystem) -> None:
    memory.pipe("/x/a.json", b"abcdef")

    assert read_starts(["memory://x/a.json", "memory://x/gone.json"], 3) == [b"abc", None]
    assert read_starts(["nosuch://x"], 3) == [None]
