"""Runs over partitions whose processes are killed, whose folder is full, in use or damaged, or whose input changes."""

import os
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner

from dreg_client import errors
from dreg_client.cli.validate import validate_command
from dreg_client.partitions.partition import Partition, PartitionRules
from dreg_client.partitions.run.local import MOST_ATTEMPTS, run_in_processes
from dreg_client.partitions.run.run import open_run
from dreg_client.partitions.run.run_partitions import run_partitions
from dreg_client.partitions.run.validate import PartitionResult
from tests.hostile.downloads import limit_files
from tests.partitions import runs
from tests.partitions.killed_runs import DOCUMENTS, FILES, begin, check_complete, finished, words
from tests.partitions.runs import DREG, below, left, partitions_of, reported, reports, stated, wait_for, workers


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A folder with files that take some seconds."""
    runs.write_files(tmp_path / "in", FILES, DOCUMENTS)
    return tmp_path / "in"


@pytest.mark.parametrize("options", [["--jobs", "2"], ["--jobs", "2", "--scheduler", "local"]], ids=["jobs", "dask"])
def test_val_40_a_worker_that_is_killed_is_replaced(stored: Path, tmp_path: Path, options: list[str]) -> None:
    out = tmp_path / "out"
    with begin(words(stored, out, *options)) as process:
        wait_for(lambda: reports(out))
        os.kill(workers(process.pid)[-1], signal.SIGKILL)
        said = process.communicate()

    assert process.returncode == 1, said
    assert all(line.startswith("dreg: warning: ") for line in said[1].splitlines()), said[1]
    check_complete(out)


def test_val_40_the_partition_of_a_killed_worker_is_done_again_and_no_other(tmp_path: Path) -> None:
    partitions = [Partition(str(tmp_path / str(number)), "json-lines") for number in range(6)]
    found = list(run_in_processes(iter(partitions), runs.kill_once, jobs=2))

    assert {each.partition for each in found if isinstance(each, PartitionResult)} == {*partitions}
    assert len(found) == 6


def test_val_41_a_partition_that_always_kills_its_worker_is_given_up(tmp_path: Path) -> None:
    partitions = [Partition(str(tmp_path / name), "json-lines") for name in ("a", "bad", "b", "c")]
    found = list(run_in_processes(iter(partitions), runs.kill_always, jobs=2))

    [(partition, reason)] = [each for each in found if isinstance(each, tuple)]
    assert partition.source.endswith("bad")
    assert "killed 4 times" in reason
    assert len(found) == 4
    assert (tmp_path / "bad.attempts").stat().st_size == MOST_ATTEMPTS == 4


@pytest.mark.parametrize("jobs", [1, 2])
def test_val_41_a_partition_that_was_given_up_has_a_report_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    monkeypatch.setattr("dreg_client.partitions.run.run_partitions.validate_partition", killing)
    partition = Partition(str(tmp_path / "bad"), "json-lines")
    [found] = run_partitions([partition], str(tmp_path / "out"), jobs=jobs)

    assert found.failure is not None
    assert "killed 4 times" in found.failure
    assert stated(reports(tmp_path / "out")[0])["failure"] == found.failure


def test_val_41_one_job_has_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dreg_client.partitions.run.run_partitions.validate_partition", killing)
    (tmp_path / "bad").write_text("{}")
    words = [str(tmp_path / "bad"), "--format", "parquet", "-o", str(tmp_path / "out"), "--jobs", "1"]
    done = CliRunner().invoke(validate_command, words, standalone_mode=False)

    assert done.return_value == 5
    assert "killed 4 times" in done.stderr


def killing(partition: Partition, folder: str, rules: PartitionRules, token: str) -> PartitionResult:
    return runs.kill_always(partition)


@pytest.mark.parametrize("options", [["--jobs", "2"], ["--jobs", "2", "--scheduler", "local"]], ids=["jobs", "dask"])
def test_val_42_a_run_that_was_killed_is_continued(stored: Path, tmp_path: Path, options: list[str]) -> None:
    out = tmp_path / "out"
    with begin(words(stored, out, *options)) as process:
        wait_for(lambda: len(reports(out)) >= 2)
        children = below(process.pid)
        process.kill()
        said = process.communicate()
    wait_for(lambda: not any(Path(f"/proc/{child}/cmdline").exists() for child in children))
    done = {report: report.stat().st_ino for report in reports(out)}
    resumed = finished(words(stored, out, "--jobs", "2", "--resume"))

    assert "Traceback" not in said[1]
    assert "distributed" not in said[1]
    assert 2 <= len(done) < FILES
    assert resumed.returncode == 1, resumed.stderr
    assert f"8 report files ({len(done)} of an earlier run)" in resumed.stdout
    assert {report: report.stat().st_ino for report in done} == done
    check_complete(out)


@pytest.mark.parametrize("options", [["--jobs", "2"], ["--jobs", "2", "--scheduler", "local"]], ids=["jobs", "dask"])
def test_val_43_one_signal_ends_a_run_and_it_can_be_continued(stored: Path, tmp_path: Path, options: list[str]) -> None:
    out = tmp_path / "out"
    with begin(words(stored, out, *options)) as process:
        wait_for(lambda: reports(out))
        process.send_signal(signal.SIGINT)
        said = process.communicate()

    assert process.returncode == 130
    assert "the same command with --resume continues the run" in said[1]
    assert "Traceback" not in said[1]
    assert finished(words(stored, out, "--resume")).returncode == 1
    check_complete(out)


def test_val_44_a_second_run_in_the_folder_is_rejected(stored: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with open_run(str(out), PartitionRules(), resume=False):
        token = (out / "_dreg-run.json").read_bytes()
        for option in ([], ["--resume"]):
            second = finished(words(stored, out, *option))
            assert second.returncode == 5
            assert "is in use by another run" in second.stderr
    assert (out / "_dreg-run.json").read_bytes() == token


def test_val_45_a_full_disk_ends_the_run_and_leaves_no_partial_report(stored: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    give_back = limit_files(4096)
    try:
        full = finished(words(stored, out, "--jobs", "2"))
    finally:
        give_back()

    assert full.returncode == 5
    assert "cannot be written: File too large" in full.stderr
    assert "Traceback" not in full.stderr
    assert reports(out) == []
    assert left(out) == []
    assert finished(words(stored, out, "--resume")).returncode == 1
    check_complete(out)


def test_val_46_input_that_changed_between_runs_is_reported_once(tmp_path: Path) -> None:
    file, out = tmp_path / "in/web.jsonl", tmp_path / "out"
    file.parent.mkdir()
    for documents in (60, 90, 30):  # in parts of other sizes each time
        runs.write_lines(file, 0, documents)
        list(run_partitions(partitions_of(file.parent, size=2000), str(out), resume=True))

        assert set(reported(out).values()) == {1}
        assert len(reported(out)) == documents


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "metadata", "link"])
def test_val_47_a_damaged_report_is_written_again(tmp_path: Path, damage: str) -> None:
    runs.write_files(tmp_path / "in", 2, 20)
    partitions, out = partitions_of(tmp_path / "in"), tmp_path / "out"
    list(run_partitions(partitions, str(out)))
    file = out / partitions[0].report_name
    other = tmp_path / "other"
    other.write_bytes(b"of someone else")
    octets = file.read_bytes()
    match damage:
        case "cut":
            file.write_bytes(octets[:-20])
        case "empty":
            file.write_bytes(b"")
        case "text":
            file.write_bytes(b"PAR1" * 100)
        case "metadata":
            file.write_bytes(octets.replace(b'"documents": 20', b'"documents": -1'))
        case _:
            file.unlink()
            file.symlink_to(other)
    found = list(run_partitions(partitions, str(out), resume=True))

    assert [each.was_done for each in found] == [False, True]
    assert len(reported(out)) == 40
    assert other.read_bytes() == b"of someone else"


def test_val_47_a_damaged_run_file_is_an_error(tmp_path: Path) -> None:
    for octets in (b"", b"[]", b"{" * 100_000, b'{"token": "x"'):
        (tmp_path / "_dreg-run.json").write_bytes(octets)
        with pytest.raises(errors.FileError, match="is not the folder of an earlier run"):
            list(run_partitions([], str(tmp_path), resume=True))


def test_val_48_what_killed_workers_left_is_deleted_and_nothing_else(tmp_path: Path) -> None:
    runs.write_files(tmp_path / "in", 2, 20)
    out = tmp_path / "out"
    list(run_partitions(partitions_of(tmp_path / "in"), str(out)))
    (out / f".web.parquet.{'0' * 16}.part").write_bytes(b"PAR1")
    (out / "notes.txt").write_bytes(b"mine")
    (out / "mine.parquet").write_bytes(b"mine, too")
    list(run_partitions(partitions_of(tmp_path / "in"), str(out), resume=True))

    assert left(out) == ["notes.txt"]
    assert (out / "mine.parquet").read_bytes() == b"mine, too"


def test_val_49_no_credentials_of_a_url_are_shown_or_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    partition = Partition("memory://me:secret@host/web.jsonl?sig=secret", "json-lines", version="1")
    [found] = run_partitions([partition], str(tmp_path / "out"))

    assert found.failure is not None
    assert "secret" not in found.failure
    assert all(b"secret" not in file.read_bytes() for file in (tmp_path / "out").iterdir())
    with pytest.raises(errors.DregError) as raised:
        list(run_partitions([], "nosuch://me:secret@host/out"))
    assert "secret" not in str(raised.value)


def test_val_50_an_error_of_the_run_ends_it_and_its_workers(tmp_path: Path) -> None:
    partitions = (Partition(str(tmp_path / str(number)), "json-lines") for number in range(1_000_000))
    with pytest.raises(PermissionError):
        list(run_in_processes(partitions, runs.fail, jobs=2))

    wait_for(lambda: not workers(os.getpid()))
    assert next(partitions).source.endswith(("/2", "/3", "/4"))


def test_val_51_memory_does_not_grow_with_the_number_of_partitions(tmp_path: Path) -> None:
    few, many = (peak(tmp_path / str(number), number) for number in (200, 1200))

    # A report that is kept takes more than 300 bytes; the hash of its name takes 8, and a copy of them is sorted.
    assert many - few < 1000 * 50


def peak(folder: Path, partitions: int) -> int:
    """The memory in bytes that Python objects take, at most, while so many partitions are validated."""
    folder.mkdir()
    code = (
        "import gc, sys, tracemalloc\n"
        "from dreg_client.partitions.part import Bytes\n"
        "from dreg_client.partitions.partition import Partition\n"
        "from dreg_client.partitions.run.run_partitions import run_partitions\n"
        "source, folder, number = sys.argv[1], sys.argv[2], int(sys.argv[3])\n"
        "open(source, 'wb').write(b'{}\\n')\n"
        "parts = (Partition(source, 'json-lines', part=Bytes(n, n + 1), version='1') for n in range(number))\n"
        "most = 0\n"
        "for n, _ in enumerate(run_partitions(parts, folder, resume=True)):\n"
        "    if n == 0: tracemalloc.start()\n"  # without modules
        "    if n % 100 == 99:\n"
        "        gc.collect()\n"
        "        most = max(most, tracemalloc.get_traced_memory()[0])\n"
        "print(most)\n"
    )
    command = [DREG[0], "-c", code, str(folder / "in.jsonl"), str(folder / "out"), str(partitions)]
    done = finished(command)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)
