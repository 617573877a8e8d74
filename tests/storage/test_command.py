"""`dreg validate registry-storage:PATH`."""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dreg_client import Digest, PartitionRules, find_partitions
from dreg_client.partitions.run.run_partitions import run_partitions
from tests.commands import ROOT, run_dreg
from tests.storage.planted import GONE, Tree, age, write

PLAIN = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "COLUMNS": "100"}


def dreg(*arguments: str) -> tuple[int, str, str]:
    done = run_dreg(arguments, environment=PLAIN, folder=ROOT)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def entries(*arguments: str) -> list[dict[str, Any]]:
    """Return the documents of JSON Lines, sorted by source, without the summary."""
    found = [json.loads(line) for line in dreg("validate", *arguments, "--format", "jsonl")[1].splitlines()]
    return sorted((entry for entry in found if "source" in entry), key=lambda entry: str(entry["source"]))


@pytest.fixture
def faulty(tree: Tree) -> Tree:
    """A storage of several repositories with faults, two of which have the same damaged config."""
    for number in range(40):
        tree.put_image(f"many/r{number}", "1", b"base", b"%d" % number)
    tree.put_image("acme/copy", "1.4", b"layer one", b"layer two")
    config = json.loads(tree.data(digest_of(tree, "acme/copy")).read_bytes())["config"]["digest"]
    tree.data(config).write_bytes(b"{}")
    age(tree.data(config))
    write(tree.repository("many/r7") / "_layers" / GONE.replace(":", "/") / "link", b"")
    tree.put_blob(b"unreferenced")
    return tree


def digest_of(tree: Tree, repository: str) -> Digest:
    [link] = tree.repository(repository).glob("_manifests/tags/*/current/link")
    return Digest(link.read_text())


def test_a_clean_storage(stored: Tree) -> None:
    assert dreg("validate", stored.name, "--blobs") == (0, "26 checked: 26 valid\n", "")
    assert dreg("validate", f"{stored.name}/acme/old") == (0, "2 checked: 2 valid\n", "")
    assert dreg("validate", f"{stored.name}/acme/web:1.4")[0] == 0
    code, _, err = dreg("validate", f"{stored.name}/acme/none")
    assert code == 4
    assert f"dreg repos {stored.name}" in err


def test_findings_as_text(faulty: Tree) -> None:
    """A blob is reported once, although two repositories need it; the summary counts unreferenced blobs."""
    code, out, _ = dreg("validate", faulty.name, "-j", "1")

    assert code == 1
    assert out.count("STO-02, ") == 1
    assert "a blob of 12 bytes, written 7 days ago" in " ".join(out.split())
    assert out.splitlines()[-1].endswith("2 invalid; 1 blob unreferenced (12 B)")
    summary = json.loads(dreg("validate", faulty.name, "--format", "json")[1])["summary"]
    assert (summary["unreferenced"], summary["unreferencedSize"]) == (1, 12)


def test_a_damaged_manifest_or_config_names_an_image(faulty: Tree) -> None:
    faulty.data(digest_of(faulty, "many/r5")).write_bytes(b"{}")
    found = [
        problem["found"] for each in entries(faulty.name) for problem in each["problems"] if problem["rule"] == "STO-02"
    ]

    assert sorted(each.partition(", ")[2] for each in found) == [
        "in place of the config of acme/copy:1.4",
        "in place of the manifest many/r5:1",
    ]


def test_val_211_partitions_name_the_image_of_a_damaged_manifest_or_config(faulty: Tree, tmp_path: Path) -> None:
    """In the same words as in text, also for a manifest without a tag."""
    digest = digest_of(faulty, "many/r5")
    untagged = digest_of(faulty, "many/r6")
    for each in digest, untagged:
        faulty.data(each).write_bytes(b"[%d]" % len(each))
        age(faulty.data(each))
    shutil.rmtree(faulty.repository("many/r6") / "_manifests/tags")
    dreg("validate", faulty.name, "--format", "parquet", "-o", str(tmp_path / "reports"))
    rows = [row for file in (tmp_path / "reports").glob("*.parquet") for row in pq.read_table(file).to_pylist()]

    found = damage_in(rows)
    assert found == damage_in(entries(faulty.name))
    assert [each.partition(", ")[2] for each in found] == [
        "in place of the config of acme/copy:1.4",
        "in place of the manifest many/r5:1",
        f"in place of the manifest many/r6@{untagged}",
    ]


def damage_in(rows: list[dict[str, Any]]) -> list[str]:
    """Return what was found against STO-02, sorted by the image."""
    found = [problem["found"] for row in rows for problem in row["problems"] if problem["rule"] == "STO-02"]
    return sorted(found, key=lambda each: str(each.partition(", ")[2]))


def test_several_processes_find_the_same_as_one(faulty: Tree) -> None:
    alone = entries(faulty.name, "-j", "1", "--blobs")

    assert entries(faulty.name, "-j", "2", "--blobs") == alone
    assert len({entry["source"] for entry in alone}) == len(alone)


def test_partitions_have_the_same_findings(faulty: Tree, tmp_path: Path) -> None:
    """Without `--blobs`, a damaged config is reported once for each partition that needs it."""
    expected = entries(faulty.name, "-j", "1", "--blobs")
    code, _, err = dreg("validate", faulty.name, "--blobs", "--format", "parquet", "-o", str(tmp_path / "reports"))

    assert (code, err) == (1, "")
    rows = [row for file in sorted((tmp_path / "reports").glob("*.parquet")) for row in pq.read_table(file).to_pylist()]
    assert sorted(row["source"] for row in rows) == [entry["source"] for entry in expected]
    found = {row["source"]: [problem["rule"] for problem in row["problems"]] for row in rows}
    assert found == {entry["source"]: [problem["rule"] for problem in entry["problems"]] for entry in expected}


def test_val_85_a_repository_that_cannot_be_listed_hides_no_other(faulty: Tree, tmp_path: Path) -> None:
    """Then it is not known which blobs are needed, so none is called unreferenced."""
    layers = faulty.repository("many/r3") / "_layers"
    shutil.move(layers, tmp_path / "elsewhere")
    layers.symlink_to(tmp_path / "elsewhere")
    for jobs in ("1", "2"):
        code, out, err = dreg("validate", faulty.name, "-j", jobs)

        assert code == 5
        assert "many/r3" in err
        assert "STO-02, " in out
        assert "STO-05" not in out


def test_val_84_names_in_a_storage_do_not_control_the_terminal(tree: Tree) -> None:
    (tree.repository("acme/web/_manifests/tags") / "\x1b[31mred\n::error::").mkdir()
    for output in ("text", "github"):
        code, out, _ = dreg("validate", tree.name, "--format", output)

        assert code == 1
        assert "STO-03" in out
        assert "\x1b" not in out
        assert "\n::error::\n" not in out


def test_val_152_a_run_that_was_interrupted_does_not_read_finished_partitions_again(
    faulty: Tree, tmp_path: Path
) -> None:
    """Only the search for unreferenced blobs is done again, as it depends on everything. A new run reads all."""
    reports, rules = str(tmp_path / "reports"), PartitionRules(blobs=True)
    run = ("validate", faulty.name, "--blobs", "--format", "parquet", "-o", reports, "--resume")
    interrupted = run_partitions(find_partitions([faulty.name], rules), reports, rules)
    for _ in range(9):
        next(interrupted)
    interrupted.close()
    code, out, err = dreg(*run)

    assert (code, err) == (1, "")
    assert out.splitlines()[-1].startswith("258 report files (8 of an earlier run)")
    assert dreg(*run)[1].splitlines()[-1].startswith("258 report files in"), "the run before was completed"


def test_the_sums_of_partitions_name_the_bytes_of_unreferenced_blobs(faulty: Tree, tmp_path: Path) -> None:
    alone = dreg("validate", faulty.name)[1].splitlines()[-1]
    reports = str(tmp_path / "reports")
    _, out, _ = dreg("validate", faulty.name, "--format", "parquet", "-o", reports)

    assert alone.split(":")[0] == "84 checked"
    assert out.splitlines()[-2].startswith("84 checked (")
    assert out.splitlines()[-2].endswith("; 1 blob unreferenced (12 B)")
    assert dreg("report", reports)[1].splitlines()[-1] == out.splitlines()[-2]
    summary = json.loads(dreg("report", reports, "--format", "json")[1])
    assert (summary["unreferenced"], summary["unreferencedSize"]) == (1, 12)
