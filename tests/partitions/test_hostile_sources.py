"""Sources of runs: passwords in their URLs, URLs that look the same, damaged streams, layouts in folders."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from pyarrow import dataset

from dreg_client.cli.error_messages import error_message
from dreg_client.errors import DregError, FileError, UnsupportedError
from dreg_client.partitions.input.discover import find_partitions
from dreg_client.partitions.input.read import rows_in
from dreg_client.partitions.partition import Partition
from dreg_client.partitions.row import Row
from dreg_client.partitions.run.run_partitions import run_partitions
from dreg_client.values.digest import Digest
from dreg_client.values.source_url import shown_source
from tests.commands import ROOT, run_limited
from tests.partitions.runs import DREG, reported, reports, stated
from tests.partitions.stored import PACK, documents, lines, numbers

PASSWORD = "hunter22"
PLACE = f"user:{PASSWORD}@127.0.0.1:1"
SOURCES = [
    f"ftp://{PLACE}/x.jsonl",
    f"ftp://{PLACE}/*.jsonl",
    f"registry-storage:ftp://{PLACE}/x",
    f"registry-storage:ftp://{PLACE}/x/acme/web:1.4",
    f"oci:ftp://{PLACE}/x",
    f"docker://{PLACE}/acme/web",
]


def said(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    return run_limited([*DREG, "validate", *map(str, words)], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("output", ["text", "json", "jsonl", "github", "parquet"])
def test_val_130_no_output_has_the_password_of_a_source(tmp_path: Path, output: str) -> None:
    options = ["-o", tmp_path / "out"] if output == "parquet" else []
    done = said(*SOURCES, "--format", output, *options)

    assert done.returncode
    assert "127.0.0.1:1/x" in done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    assert all(PASSWORD not in str(stated(file)) for file in reports(tmp_path / "out"))


@pytest.mark.parametrize(
    "words",
    [
        ["a.jsonl", "--format", "parquet", "-o", "out", "--scheduler", f"tcp://{PLACE}"],
        ["a.jsonl", "--format", "parquet", "-o", f"ftp://{PLACE}/out"],
        ["oci:a", "--format", "parquet", "-o", "out", "--scheduler", f"tcp://{PLACE}"],
        ["a.jsonl", "--jobs", f"ftp://{PLACE}/x"],
        [f"registry-storage:ftp://{PLACE}/x", "--debug"],
    ],
    ids=["scheduler", "folder", "usage", "option", "debug"],
)
def test_val_130_no_error_of_an_option_has_its_password(tmp_path: Path, words: list[str]) -> None:
    command = [*DREG, "validate", *words]
    (tmp_path / "a.jsonl").write_bytes(lines(1))
    done = run_limited(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert done.returncode
    assert PASSWORD not in done.stdout + done.stderr


def test_val_130_errors_of_other_libraries_are_shown_without_passwords() -> None:
    assert error_message(OSError(5, "no answer", f"s3://{PLACE}/x")) == "s3://***@127.0.0.1:1/x: no answer"
    assert shown_source(f"registry-storage:s3://{PLACE}/x?sig=abc") == "registry-storage:s3://***@127.0.0.1:1/x?sig=***"


def test_val_131_urls_that_are_shown_alike_have_their_own_reports(tmp_path: Path) -> None:
    for number, name in enumerate(("x?a=1.jsonl", "x?a=2.jsonl")):
        (tmp_path / name).write_bytes(documents(2)[number] + b"\n")
    partitions = [Partition(f"file://{tmp_path}/x?a={number}.jsonl", "json-lines", version="1") for number in (1, 2)]
    out = str(tmp_path / "out")

    assert len(list(run_partitions(partitions, out))) == 2
    assert set(reported(tmp_path / "out").values()) == {1}
    assert len(reported(tmp_path / "out")) == 2
    assert [done.was_done for done in run_partitions(partitions, out, resume=True)] == [True, True]
    assert "a=1" not in str(stated(reports(tmp_path / "out")[0]))


def test_val_131_a_run_over_another_version_is_not_continued(tmp_path: Path) -> None:
    for name in ("x?a=1.jsonl", "x?a=2.jsonl"):
        (tmp_path / name).write_bytes(lines(1))
    options = ("--format", "parquet", "-o", tmp_path / "out")
    first = said(f"file://{tmp_path}/x?a=1.jsonl", *options)
    other = said(f"file://{tmp_path}/x?a=2.jsonl", *options, "--resume")

    assert (first.returncode, other.returncode) == (0, 5)
    assert "run over other sources" in other.stderr
    assert len(reported(tmp_path / "out")) == 1


def test_val_131_a_new_password_is_not_another_file() -> None:
    names = [Partition(f"s3://{user}@b/x?v={v}", "json").report_name for user in ("a:1", "a:2", "b:1") for v in (1, 2)]

    assert names[:2] == names[2:4]
    assert len(set(names)) == 4


@pytest.mark.parametrize("ending", [".bz2", ".gz", ".xz", ".zst"])
@pytest.mark.parametrize("rest", ["damaged", "garbage", "zeros"])
def test_val_132_what_follows_a_stream_is_read_or_reported(tmp_path: Path, ending: str, rest: str) -> None:
    member = PACK[ending](lines(50))
    damaged = bytes([member[0] ^ 1]) + member[1:]
    path = tmp_path / f"web.jsonl{ending}"
    path.write_bytes(member + {"damaged": damaged + member, "garbage": b"garbage", "zeros": bytes(20_000)}[rest])
    found: list[Row] = []
    [partition] = find_partitions([str(path)])
    if rest == "zeros":
        found.extend(rows_in(partition))
    else:
        with pytest.raises(DregError, match="cannot be decompressed") as failed:
            found.extend(rows_in(partition))
        assert isinstance(failed.value, FileError)

    assert numbers([row.raw for row in found]) == list(range(50))


def test_val_132_many_small_members_are_one_file(tmp_path: Path) -> None:
    path = tmp_path / "web.jsonl.bz2"
    path.write_bytes(b"".join(PACK[".bz2"](text + b"\n") for text in documents(3000)))  # as pbzip2 writes
    [partition] = find_partitions([str(path)])

    assert numbers([row.raw for row in rows_in(partition)]) == list(range(3000))


def test_lines_may_be_in_files_of_any_name(tmp_path: Path) -> None:
    (tmp_path / "dump").write_bytes(lines(20))
    done = said("--lines", tmp_path / "dump", "--format", "parquet", "-o", tmp_path / "out")

    assert "20 checked" in done.stdout


@pytest.mark.parametrize("name", ["dump", "dump.jsonl", "dump.tar.gz", "dump.parquet"])
def test_val_136_a_pipe_is_not_waited_for_or_divided(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    (tmp_path / "other.jsonl").write_bytes(lines(2))
    words = (tmp_path / name, tmp_path / "other.jsonl", "--format", "parquet", "-o", tmp_path / "out")
    done = said(*words)

    assert done.returncode == 5
    assert f"{tmp_path / name} is a pipe or a device" in done.stderr
    assert "dreg validate --lines -" in done.stderr
    assert "2 checked" in done.stdout


def test_rows_of_a_divided_file_can_be_found_in_it(tmp_path: Path) -> None:
    path, out = tmp_path / "web.jsonl", tmp_path / "out"
    path.write_bytes(lines(20) + b"{}\n")
    results = list(run_partitions(find_partitions([str(path)], size=1000), str(out)))
    found = dataset.dataset(out, format="parquet").to_table(["source", "line", "offset", "digest"]).to_pylist()

    assert len(results) > 1
    assert len(found) == 21
    for row in found:
        raw = path.read_bytes()[row["offset"] :].split(b"\n")[0]
        assert (row["source"], row["digest"]) == (str(path), Digest.of(raw))
        assert row["line"] in {None, path.read_bytes()[: row["offset"]].count(b"\n") + 1}
    examples = [str(count.example) for done in results for count in done.summary.rules.values()]
    assert f"{path} (byte {len(lines(20))})" in examples[0]


@pytest.fixture
def nested(tmp_path: Path) -> Path:
    """A folder with a file, and with layouts below."""
    folder = tmp_path / "in"
    for name in ("a", "deep/b"):
        shutil.copytree(ROOT / "fixtures/layouts/multi", folder / name)
    (folder / "web.jsonl").write_bytes(lines(3))
    return folder


def test_val_133_layouts_in_a_folder_are_validated_in_each_format(nested: Path, tmp_path: Path) -> None:
    checked = said(nested).stdout.splitlines()[-1]
    done = said(nested, f"{nested}/deep/*", nested / "deep/b", "--format", "parquet", "-o", tmp_path / "out")

    assert checked.startswith("49 checked: 49 valid")
    assert "49 checked" in done.stdout
    assert "49 valid" in done.stdout
    assert "3 report files" in done.stdout
    assert done.returncode == said(nested).returncode
    assert sum(reported(tmp_path / "out").values()) == 49


def test_val_133_layouts_are_not_skipped_by_a_cluster_or_in_python(nested: Path, tmp_path: Path) -> None:
    (nested / "a/oci-layout").unlink()
    done = said(nested, "--format", "parquet", "-o", tmp_path / "out", "--scheduler", "local", "--jobs", "1")

    assert done.returncode
    for name in ("a", "deep/b"):
        assert f"{nested}/{name} is an image layout, which has no partitions; run: dreg validate oci:" in done.stderr
    assert sum(reported(tmp_path / "out").values()) == 3
    for source in (str(nested), f"file://{nested}"):
        found: list[Partition] = []
        with pytest.raises(UnsupportedError, match=r"is an image layout.*like 1 more"):
            found.extend(find_partitions([source]))
        assert [Path(partition.source).name for partition in found] == ["web.jsonl"]
