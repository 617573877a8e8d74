"""Two runs in one folder at a URL, where there are no locks."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from dreg_client import PartitionRules, errors
from dreg_client.partitions.partition import Partition
from dreg_client.partitions.report.folder import folder_at
from dreg_client.partitions.run.run import open_run
from dreg_client.partitions.run.run_partitions import run_partitions
from dreg_client.partitions.run.state import create_state
from tests.partitions.runs import partitions_of, write_files
from tests.partitions.s3_server import s3_server

URL = "late://runs/out"
STATE = "/runs/out/_dreg-run.json"


class Late(MemoryFileSystem):
    """Files in memory. A run that begins sees nothing of one that begins at the same time until it creates a file."""

    protocol = "late"
    is_hidden = False
    failure: Exception = FileExistsError()

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path.removeprefix("late://")))

    def ls(self, path: str, **options: Any) -> Any:
        return [found for found in super().ls(path, **options) if not self._is_hidden(found)]

    def _is_hidden(self, found: Any) -> bool:
        return Late.is_hidden and "/out/" in str(found["name"] if isinstance(found, dict) else found)

    def info(self, path: str, **options: Any) -> Any:
        if self._is_hidden(path):
            raise FileNotFoundError(path)
        return super().info(path, **options)

    def exists(self, path: str, **options: Any) -> bool:
        return not self._is_hidden(path) and super().exists(path, **options)

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **options: Any) -> None:
        Late.is_hidden = False
        if isinstance(Late.failure, TypeError) and mode == "create":
            raise Late.failure
        if mode == "create" and self.exists(path):
            raise Late.failure
        super().pipe_file(path, value, **options)


@pytest.fixture
def late() -> Iterator[type[Late]]:
    fsspec.register_implementation("late", Late, clobber=True)
    MemoryFileSystem.store.clear()  # other tests share it
    yield Late
    Late.is_hidden, Late.failure = False, FileExistsError()
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


@pytest.fixture
def partitions(tmp_path: Path) -> list[Partition]:
    write_files(tmp_path / "in", 3, 20)
    return partitions_of(tmp_path / "in")


def token(late: type[Late]) -> str:
    return str(json.loads(late().cat_file(STATE))["token"])


@pytest.mark.parametrize("failure", [FileExistsError(), OSError(22, "At least one of the pre-conditions did not hold")])
def test_val_139_of_two_runs_that_begin_at_the_same_time_the_second_is_an_error(
    late: type[Late], partitions: list[Partition], failure: Exception
) -> None:
    late.failure = failure
    first = run_partitions(partitions, URL)
    next(first)
    before, late.is_hidden = token(late), True

    with (
        pytest.raises(errors.FileError, match="late://runs/out is in use by another run; wait for its end"),
        open_run(URL, PartitionRules(), resume=False),
    ):
        pass
    assert token(late) == before
    assert len(list(first)) == 2


def test_val_139_a_file_system_that_cannot_create_files_gives_the_folder_to_the_last_run(
    late: type[Late], partitions: list[Partition]
) -> None:
    late.failure = TypeError("pipe_file() got an unexpected keyword argument 'mode'")
    first = run_partitions(partitions, URL)
    next(first)
    late().rm_file(STATE)  # as if the second run had not seen it
    late().rm_file(f"/runs/out/{partitions[0].report_name}")

    assert len(list(run_partitions(partitions, URL))) == 3
    with pytest.raises(errors.ClusterError, match=r"late://runs/out is the folder of another run there: either it has"):
        next(first)


@pytest.mark.parametrize("done", [1, 3])
def test_val_139_a_run_that_is_continued_while_it_is_active_changes_nothing_more(
    late: type[Late], partitions: list[Partition], done: int
) -> None:
    first = run_partitions(partitions, URL)
    for _ in range(done):
        next(first)
    second = list(run_partitions(partitions[1:], URL, resume=True))
    before = {path: late().cat_file(path) for path in late().ls("/runs/out", detail=False)}

    with pytest.raises(errors.ClusterError, match="is the folder of another run there"):
        next(first)
    assert len(second) == 2
    assert {path: late().cat_file(path) for path in late().ls("/runs/out", detail=False)} == before


def test_val_139_a_run_that_ends_does_not_delete_the_file_of_another_one(late: type[Late]) -> None:
    first = open_run(URL, PartitionRules(), resume=False)
    first.__enter__()
    with open_run(URL, PartitionRules(), resume=True) as second:
        assert not first.__exit__(KeyError, KeyError(), None)

        assert token(late) == second.token


def test_val_139_a_request_that_was_repeated_is_no_other_run(late: type[Late]) -> None:
    folder = folder_at(URL)

    assert create_state(folder, {"token": "a"})
    assert create_state(folder, {"token": "a"})
    assert not create_state(folder, {"token": "b"})
    assert token(late) == "a"


def test_val_139_s3_creates_a_file_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with s3_server() as server:
        server.put("once")
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        first, second = (folder_at("s3://once/out").create_file("x", raw) for raw in (b"1", b"2"))
        found = folder_at("s3://once/out").open("x")

    assert (first, second) == (True, False)
    assert found is not None
