"""Runs whose files, reports or both are on S3."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyarrow import dataset
from s3fs import S3FileSystem

from dreg_client.partitions.input.discover import find_partitions
from dreg_client.partitions.input.read import rows_in
from tests.commands import run_limited
from tests.partitions.clusters import ENVIRONMENT, cluster
from tests.partitions.runs import DREG
from tests.partitions.s3_server import S3Server, s3_server
from tests.partitions.stored import INVALID, PACK, VALID, documents, lines, parquet_of


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with s3_server() as server:
        server.put("bucket")
        yield server


@pytest.fixture
def in_process(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The server, for this process."""
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    return s3


def put_files(s3: S3Server, folder: str, tmp_path: Path) -> None:
    """Store 300 lines, as many rows of a column, and 40 documents, one of which is not valid."""
    s3.put(f"bucket/{folder}/a.jsonl.gz", PACK[".gz"](lines(300)))
    s3.put(f"bucket/{folder}/b.parquet", parquet_of(tmp_path / "b.parquet", 300).read_bytes())
    for number in range(40):
        s3.put(f"bucket/{folder}/c/{number}.json", INVALID if number == 7 else VALID)


def said(s3: S3Server, *words: str) -> Any:
    command = [*DREG, "validate", "--format", "parquet", *words]
    return run_limited(command, capture_output=True, text=True, check=False, env={**ENVIRONMENT, **s3.environment})


def reported(folder: str) -> Counter[str]:
    """How often each document is in the reports at a URL, by its place."""
    system = S3FileSystem(skip_instance_cache=True)
    path = folder.removeprefix("s3://")
    table = dataset.dataset(path, format="parquet", filesystem=system).to_table(["source", "line"])
    return Counter(f"{row['source']}:{row['line']}" for row in table.to_pylist())


@pytest.mark.parametrize("is_remote", [True, False], ids=["into s3", "into a directory"])
def test_files_on_s3_are_validated_and_the_run_is_continued(
    in_process: S3Server, tmp_path: Path, is_remote: bool
) -> None:
    put_files(in_process, f"in-{is_remote}", tmp_path)
    out = "s3://bucket/out" if is_remote else str(tmp_path / "out")
    words = (f"s3://bucket/in-{is_remote}", "-o", out, "--jobs", "2")

    first, again = said(in_process, *words), said(in_process, *words, "--resume")

    assert (first.returncode, again.returncode) == (1, 1), first.stderr + again.stderr
    assert "640 checked" in first.stdout
    assert "3 report files (3 of an earlier run)" in again.stdout
    if is_remote:
        assert set(reported(out).values()) == {1}
        assert len(reported(out)) == 640


def test_workers_of_a_cluster_read_and_write_s3(in_process: S3Server, tmp_path: Path) -> None:
    put_files(in_process, "shared", tmp_path)
    with cluster(tmp_path) as dask:
        dask.start_worker(**in_process.environment)
        words = ("s3://bucket/shared", "-o", "s3://bucket/cluster-out", "--scheduler", dask.address)
        done = said(in_process, *words)

    assert done.returncode == 1, done.stderr
    assert set(reported("s3://bucket/cluster-out").values()) == {1}
    assert len(reported("s3://bucket/cluster-out")) == 640


def test_val_134_a_folder_that_another_process_changes_is_listed_again(in_process: S3Server) -> None:
    def found() -> list[tuple[str, int]]:
        return [(part.source, part.size) for part in find_partitions(["s3://bucket/changing"])]

    in_process.put("bucket/changing/a.jsonl", lines(1))
    before = found()
    other = S3FileSystem(skip_instance_cache=True)
    other.pipe({"bucket/changing/a.jsonl": lines(2), "bucket/changing/b.jsonl": lines(1)})

    assert before == [("s3://bucket/changing/a.jsonl", len(lines(1)))]
    assert found() == [(f"s3://bucket/changing/{name}.jsonl", len(lines(at))) for name, at in (("a", 2), ("b", 1))]


def test_small_documents_need_one_request_each(in_process: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, raw in enumerate(documents(70)):
        in_process.put(f"bucket/small/{number}.json", raw)
    [group] = find_partitions(["s3://bucket/small"])
    calls: list[str] = []
    send = S3FileSystem._call_s3

    async def counted(self: Any, method: str, *words: Any, **options: Any) -> Any:
        calls.append(method)
        return await send(self, method, *words, **options)

    monkeypatch.setattr(S3FileSystem, "_call_s3", counted)

    assert len(list(rows_in(group))) == 70
    assert Counter(calls) == {"get_object": 70}


def test_val_179_keys_with_empty_components_and_colons_are_read(in_process: S3Server) -> None:
    keys = ("a.json", "/b.json", "x//c.json", "x/y//z/d.json", "a.json::b.json", "sha256::e.json", "s/std::f/g.json")
    for key, raw in zip(keys, documents(len(keys)), strict=True):
        in_process.put(f"bucket/odd/{key}", raw)
    in_process.put("bucket/odd/x/", b"")  # stands for the directory

    for source in ("s3://bucket/odd", "s3://bucket/odd/**/*.json", "s3://bucket/odd/**"):
        found = {row.source: row.raw for part in find_partitions([source]) for row in rows_in(part)}
        assert found == dict(zip((f"s3://bucket/odd/{key}" for key in keys), documents(len(keys)), strict=True))
