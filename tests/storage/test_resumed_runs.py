"""Runs over a storage that are repeated, after they ended or were interrupted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dreg_client import PartitionResult, PartitionRules, find_partitions
from dreg_client.partitions.report.read import read_report
from dreg_client.partitions.run.run_partitions import run_partitions
from tests.commands import ROOT, run_dreg
from tests.storage.planted import Tree

BLOBS = PartitionRules(blobs=True)


def run(tree: Tree, out: Path, *, resume: bool = False) -> Iterator[PartitionResult]:
    return run_partitions(find_partitions([tree.name]), str(out), resume=resume)


def found(results: Iterator[PartitionResult], out: Path) -> set[str]:
    """Return the rules that are broken, in the report files of all results."""
    files = [str(out / each.partition.report_name) for each in results]
    return {rule for file in files for rule, _ in read_report(file).summary.rules}


def tag_of(tree: Tree, repository: str) -> Path:
    [link] = tree.repository(repository).glob("_manifests/tags/*/current/link")
    return link


def manifest_of(tree: Tree, repository: str) -> Path:
    return tree.data(tag_of(tree, repository).read_text())  # type: ignore[arg-type]


def test_val_172_a_run_that_ended_with_failures_is_not_continued_but_done_again(tree: Tree, tmp_path: Path) -> None:
    """What its reports named was repaired, and there are new faults."""
    out, kept = tmp_path / "out", tmp_path / "kept"
    tree.put_image("acme/other", "1", b"layer three")
    tree.put_image("acme/third", "1", b"layer four")
    manifest_of(tree, "acme/third").unlink()  # stays, so that it is never known which blobs are unreferenced
    manifest = manifest_of(tree, "acme/web")
    manifest.rename(kept)
    assert found(run(tree, out), out) >= {"STO-01", "STO-03"}
    kept.rename(manifest)
    tag_of(tree, "acme/other").write_text("garbage")

    for _ in range(2):
        again = list(run(tree, out, resume=True))
        assert not any(each.was_done for each in again)
        assert "STO-06" in found(iter(again), out)


def test_val_172_a_run_that_was_interrupted_is_continued(tree: Tree, tmp_path: Path) -> None:
    first = run(tree, tmp_path / "out")
    next(first)
    first.close()  # type: ignore[attr-defined]

    for _ in range(2):
        second = run(tree, tmp_path / "out", resume=True)
        assert next(second).was_done
        second.close()  # type: ignore[attr-defined]
    assert [each.was_done for each in run(tree, tmp_path / "out", resume=True)] == [True, False]
    assert not any(each.was_done for each in run(tree, tmp_path / "out", resume=True))


def test_val_172_a_run_that_could_not_read_all_sources_has_ended(tree: Tree, tmp_path: Path) -> None:
    words = ["validate", tree.name, str(tmp_path / "none.jsonl"), "--format", "parquet", "-o", str(tmp_path / "out")]
    for option in ([], ["--resume"]):
        done = run_dreg([*words, *option], environment={"PATH": "/usr/bin:/bin"}, folder=ROOT)

        assert b"none.jsonl" in done.stderr
        assert done.stdout.splitlines()[-1].startswith(b"2 report files in ")


@pytest.mark.parametrize("named", ["", "/acme/gone"])
def test_val_173_a_repository_that_is_gone_is_a_failure_and_hides_no_other(
    tree: Tree, tmp_path: Path, named: str
) -> None:
    """A worker may have another copy of the storage, or none."""
    tree.put_image("acme/gone", "1", b"layer three")
    partitions = list(find_partitions([f"{tree.name}{named}"]))
    tree.repository("acme/gone").rename(tmp_path / "elsewhere")
    first, *_ = run_partitions(partitions, str(tmp_path / "out"))

    assert f"{tree.path}/docker/registry/v2/repositories/acme/gone is not there" in str(first.failure)
    assert "further" not in str(first.failure)
    assert first.summary.documents == (0 if named else 2)


def test_val_173_a_repository_with_only_uploads_is_there(tree: Tree, tmp_path: Path) -> None:
    (tree.repository("acme/new") / "_uploads").mkdir(parents=True)

    assert [each.failure for each in run(tree, tmp_path / "out")] == [None, None]
