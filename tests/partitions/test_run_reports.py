"""The reports that a run has: some are lost or replaced while it is active, or later."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from pyarrow import parquet

from dreg_client import PartitionRules, errors, find_partitions, validate_partition
from dreg_client.partitions.partition import Partition
from dreg_client.partitions.report.read import read_report
from dreg_client.partitions.run.run import open_run
from dreg_client.partitions.run.run_partitions import run_partitions
from tests.commands import run_limited
from tests.partitions.clusters import ENVIRONMENT
from tests.partitions.runs import DREG, document, partitions_of, reported, reports, write_files
from tests.partitions.written import ERROR, row, write_report

URL = "slow://runs/out"


class Slow(MemoryFileSystem):
    """Files in memory. Something may happen before a file is opened or stored, and listings may be out of date."""

    protocol = "slow"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    before: ClassVar[dict[str, Callable[[], object]]] = {}
    unlisted: ClassVar[set[str]] = set()

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path.removeprefix("slow://")))

    def ls(self, path: str, detail: bool = True, **options: Any) -> Any:  # noqa: FBT002 (as fsspec has it)
        found = super().ls(path, detail, **options)
        return [each for each in found if detail or each.rpartition("/")[2] not in self.unlisted]

    def open(self, path: str, *arguments: Any, **options: Any) -> Any:
        self._happen(path)
        return super().open(path, *arguments, **options)

    def put_file(self, lpath: str, rpath: str, *arguments: Any, **options: Any) -> Any:
        self._happen(f"put {rpath}")
        self.unlisted.clear()
        return super().put_file(lpath, rpath, *arguments, **options)

    def _happen(self, path: str) -> None:
        for end in [end for end in self.before if path.endswith(end)]:
            self.before.pop(end)()


@pytest.fixture
def slow() -> Iterator[type[Slow]]:
    fsspec.register_implementation("slow", Slow, clobber=True)
    for number in range(3):
        Slow().pipe_file(f"/in/{number}.jsonl", document(number))
    yield Slow
    for each in (Slow.store, Slow.before, Slow.unlisted):
        each.clear()


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A folder with three files of 20 documents."""
    write_files(tmp_path / "in", 3, 20)
    return tmp_path / "in"


def found_in_memory() -> list[Partition]:
    return list(find_partitions(["slow://in"]))


def is_complete(state: bytes) -> bool:
    return bool(json.loads(state)["complete"])


def report(folder: Path, name: str = "out") -> tuple[str, str]:
    """Return the last line of the output of `dreg report`, and its errors."""
    done = run_limited(
        [*DREG, "report", name], capture_output=True, env=ENVIRONMENT, cwd=folder, text=True, check=False
    )
    return done.stdout.splitlines()[-1], done.stderr


def test_val_170_a_report_that_is_gone_before_the_end_is_an_error(stored: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    results = run_partitions(partitions_of(stored), str(out))
    next(results)
    next(results)
    reports(out)[0].unlink()

    with pytest.raises(errors.FileError, match=r"1 of the 3 reports of this run are gone.*resume"):
        list(results)
    assert not is_complete((out / "_dreg-run.json").read_bytes())
    again = list(run_partitions(partitions_of(stored), str(out), resume=True))
    assert sorted(each.was_done for each in again) == [False, True, True]
    assert len(reported(out)) == 60
    assert is_complete((out / "_dreg-run.json").read_bytes())


def test_val_170_a_report_that_a_late_worker_replaces_is_an_error(slow: type[Slow]) -> None:
    """The worker has checked the token, and uploads its report while another run continues."""
    partitions, started = found_in_memory(), list[Any]()

    def continue_it() -> None:
        slow().pipe_file("/in/0.jsonl", document(0) + b"\n" + document(10))
        started.append(run_partitions(found_in_memory(), URL, resume=True))
        assert sum(next(started[0]).summary.documents for _ in range(3)) == 4

    slow.before[f"put /runs/out/{partitions[0].report_name}"] = continue_it
    next(run_partitions(partitions, URL))

    with pytest.raises(errors.FileError, match="1 of the 3 reports of this run are gone, or another run has replaced"):
        next(started[0])
    assert not is_complete(slow().cat_file("/runs/out/_dreg-run.json"))
    last = list(run_partitions(found_in_memory(), URL, resume=True))
    assert [each.was_done for each in last] == [False, True, True]
    assert sum(each.summary.documents for each in last) == 4


def test_val_170_a_worker_whose_run_is_continued_while_it_reads_writes_nothing(slow: type[Slow]) -> None:
    partitions = found_in_memory()
    slow.before["/in/0.jsonl"] = lambda: list(run_partitions(partitions, URL, resume=True))

    with pytest.raises(errors.ClusterError, match="is the folder of another run there"):
        next(run_partitions(partitions, URL))
    assert is_complete(slow().cat_file("/runs/out/_dreg-run.json"))


def test_val_170_a_list_of_the_folder_that_is_out_of_date_is_no_error(slow: type[Slow]) -> None:
    """NFS may not list files that other machines have added, until this machine changes the folder."""
    partitions = found_in_memory()
    results = run_partitions(partitions, URL)
    for _ in range(3):
        next(results)
    slow.unlisted.add(partitions[1].report_name)

    assert list(results) == []
    assert is_complete(slow().cat_file("/runs/out/_dreg-run.json"))


@pytest.mark.parametrize("change", ["lost", "replaced", "copied", "other files"])
def test_val_171_reports_that_changed_after_the_end_are_noticed(stored: Path, tmp_path: Path, change: str) -> None:
    for name in ("out", "other"):
        list(run_partitions(partitions_of(stored), str(tmp_path / name)))
    first, *_ = reports(tmp_path / "out")
    match change:
        case "lost":
            shutil.copy(tmp_path / "other" / first.name, tmp_path / "out/other")
            (tmp_path / "out/below").mkdir()
            shutil.copy(first, tmp_path / "out/below")
            first.unlink()
            says = "the run has written 3 reports, but there are 2"
        case "replaced":
            shutil.copy(tmp_path / "other" / first.name, first)
            says = "a report is not the one that the run has written; repeat it with --resume"
        case "copied":
            shutil.copy(first, tmp_path / "out/copy.parquet")
            says = "the run has written 3 reports, but there are 4"
        case _:
            parquet.write_table(parquet.read_table(first).replace_schema_metadata(None), tmp_path / "out/mine.parquet")
            says = ""

    said = report(tmp_path)[1]
    assert says in said
    assert bool(said) == bool(says)


@pytest.mark.parametrize("spelling", ["out/", "./out", "out/.", "{}/out", "file://{}/out/"])
def test_val_171_a_complete_run_is_known_by_any_name_of_its_folder(stored: Path, tmp_path: Path, spelling: str) -> None:
    list(run_partitions(partitions_of(stored), str(tmp_path / "out")))

    last, said = report(tmp_path, spelling.format(tmp_path))
    assert last.startswith("60 checked")
    assert said == ""


def test_val_174_a_report_whose_rows_changed_is_written_again(stored: Path, tmp_path: Path) -> None:
    """Other programs keep the metadata of a file that they filter."""
    out = tmp_path / "out"
    list(run_partitions(partitions_of(stored), str(out)))
    first, *_ = reports(out)
    table = parquet.read_table(first)
    parquet.write_table(table.slice(0, 5), first)

    assert report(tmp_path)[0].startswith("45 checked")
    again = list(run_partitions(partitions_of(stored), str(out), resume=True))
    assert [each.was_done for each in again] == [False, True, True]
    assert len(reported(out)) == 60


def test_val_174_a_report_whose_rows_changed_keeps_its_failure(tmp_path: Path) -> None:
    rows = [row("a.parquet", 1), row("a.parquet", 2, ERROR)]
    path = write_report(tmp_path, "a.parquet", rows, "the file ends early", start=7)
    parquet.write_table(parquet.read_table(path).slice(0, 1), path)
    found = read_report(str(path))

    assert (found.summary.documents, found.position) == (1, ("a.parquet", 7))
    assert [reason for _, reason in found.failed] == ["the file ends early"]


def test_a_report_that_a_killed_worker_of_the_same_run_has_written_is_not_of_an_earlier_run(
    stored: Path, tmp_path: Path
) -> None:
    """Its partition is given to another worker, which reads nothing."""
    partition, out = partitions_of(stored)[0], str(tmp_path / "out")
    with open_run(out, PartitionRules(), resume=False) as run:
        validate_partition(partition, out, token=run.token)
        node = reports(tmp_path / "out")[0].stat().st_ino
        again = validate_partition(partition, out, token=run.token)
    assert (again.was_done, again.summary.documents) == (False, 20)
    with open_run(out, PartitionRules(), resume=True) as run:
        assert validate_partition(partition, out, token=run.token).was_done
    assert reports(tmp_path / "out")[0].stat().st_ino == node


@pytest.mark.parametrize("files", [[], [f".web.parquet.{'0' * 16}.part"]])
def test_a_run_that_is_interrupted_before_its_first_report_leaves_an_empty_folder(
    tmp_path: Path, files: list[str]
) -> None:
    """Also if a worker was killed that had begun a file, on a file system without unnamed files."""

    def interrupted() -> None:
        with open_run(str(tmp_path), PartitionRules(), resume=False):
            for name in files:
                (tmp_path / name).touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert [path.name for path in tmp_path.iterdir()] == ["_dreg-run.lock"]
    assert list(run_partitions([], str(tmp_path))) == []
