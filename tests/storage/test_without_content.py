"""What a check of a storage reports that has no content, and what it says if it did not search for blobs."""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dreg_client import Digest, PartitionRules, find_partitions
from dreg_client.partitions.input.read import reports_in
from dreg_client.partitions.report.read import read_report
from dreg_client.partitions.summary import Summary
from tests.storage.planted import Tree, write
from tests.storage.test_command import dreg, entries

UPLOAD = "0c6f1bd3-3ef1-4a31-b6b1-c8b3a5f5f6d0"
NOTHING = {
    "repositories/lost+found": None,
    "repositories/acme/web/_manifests/tags/empty": None,
    "repositories/acme/web/_manifests/tags/malformed/current/link": None,
    f"repositories/acme/web/_uploads/{UPLOAD}": 1000,
}
"""The places without a document, and the bytes of those that have some."""


@pytest.fixture
def hollow(tree: Tree) -> Tree:
    """A storage with a directory that is not a repository, tags without a manifest, and an upload."""
    (tree.v2 / "repositories/lost+found").mkdir()
    tags = tree.repository("acme/web/_manifests/tags")
    (tags / "empty").mkdir()
    write(tags / "malformed/current/link", b"")
    tree.put_upload("acme/web", b"\0" * 1000, "2026-01-02T03:04:05Z")
    return tree


def sizes_without_digest(tree: Tree, rows: list[dict[str, Any]]) -> dict[str, int | None]:
    return {row["source"].removeprefix(f"{tree.v2}/"): row["size"] for row in rows if row["digest"] is None}


def test_val_196_what_has_no_content_has_no_digest(hollow: Tree, tmp_path: Path) -> None:
    """The size of an upload is known. Otherwise all of them would count as the same document of no bytes."""
    reports = tmp_path / "reports"
    dreg("validate", hollow.name, "--format", "parquet", "-o", str(reports))
    rows = [row for file in sorted(reports.glob("*.parquet")) for row in pq.read_table(file).to_pylist()]
    documents = json.loads(dreg("validate", hollow.name, "--format", "json")[1])["documents"]

    assert sizes_without_digest(hollow, entries(hollow.name)) == NOTHING
    assert sizes_without_digest(hollow, documents) == NOTHING
    assert sizes_without_digest(hollow, rows) == NOTHING


def test_val_210_a_link_to_a_blob_that_is_gone_has_the_digest_of_the_blob_and_no_size(
    tree: Tree, tmp_path: Path
) -> None:
    """The blob has no bytes. One of another size has its real one."""
    gone, wrong, missing = Digest.of(b"layer one"), Digest.of(b"layer two"), Digest.of(b"no manifest")
    tree.data(gone).unlink()
    tree.data(wrong).write_bytes(b"")
    tree.tag("acme/web", "missing", missing)
    reports = tmp_path / "reports"
    dreg("validate", tree.name, "--format", "parquet", "-o", str(reports))
    rows = [row for file in sorted(reports.glob("*.parquet")) for row in pq.read_table(file).to_pylist()]

    for found in rows, entries(tree.name):
        sizes = {(row["problems"][0]["rule"], row["digest"]): row["size"] for row in found if not row["ok"]}
        assert sizes == {("STO-01", gone): None, ("LYT-05", wrong): 0, ("STO-03", missing): None}


@pytest.mark.parametrize("output", ["jsonl", "parquet"])
def test_a_report_shows_no_digest_of_what_has_no_content(hollow: Tree, tmp_path: Path, output: str) -> None:
    reports = str(tmp_path / "reports.jsonl")
    done = dreg("validate", hollow.name, "--format", output, *(("-o", reports) if output == "parquet" else ()))
    if output == "jsonl":
        Path(reports).write_text(done[1])
    code, text, _ = dreg("report", reports)
    found = json.loads(dreg("report", reports, "--format", "json")[1])

    assert code == 0
    assert "STO-06" in text
    assert "  digest  " not in text
    assert {rule["example"]["digest"] for rule in found["rules"]} == {None}


def test_the_sums_of_a_report_file_are_those_of_its_rows(hollow: Tree, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    dreg("validate", hollow.name, "--format", "parquet", "-o", str(reports))
    stated, counted = Summary(), Summary()
    for file in reports.glob("*.parquet"):
        stated.merge(read_report(str(file)).summary)
    for partition in find_partitions([hollow.name]):
        for row in reports_in(partition, PartitionRules()):
            counted.add(row)

    assert stated.size == counted.size > 1000
    assert (stated.documents, stated.kinds) == (counted.documents, counted.kinds)


def test_an_empty_document_keeps_its_digest(tmp_path: Path) -> None:
    """Only what is not a document has none."""
    [found] = entries(str(write(tmp_path / "empty.json", b"")))

    assert (found["digest"], found["size"]) == (Digest.of(b""), 0)


@pytest.mark.parametrize("output", ["jsonl", "parquet"])
def test_a_file_of_a_layout_whose_name_is_not_a_digest_has_none(tmp_path: Path, output: str) -> None:
    layout, reports = tmp_path / "layout", tmp_path / "reports"
    shutil.copytree("fixtures/layouts/multi", layout)
    write(layout / "blobs/sha256/readme", b"text")
    if output == "jsonl":
        rows = entries(f"oci:{layout}")
    else:
        dreg("validate", f"oci:{layout}", "--format", "parquet", "-o", str(reports))
        rows = [row for file in reports.glob("*.parquet") for row in pq.read_table(file).to_pylist()]

    assert [(row["source"], row["size"], row["problems"][0]["rule"]) for row in rows if row["digest"] is None] == [
        (f"{layout}/blobs/sha256/readme", None, "LYT-10")
    ]


def test_val_197_a_tag_without_a_link_is_explained(tree: Tree) -> None:
    """`dreg tags` lists it, as the server does, so a list of the tags would not help."""
    (tree.repository("acme/web/_manifests/tags") / "empty").mkdir()

    assert "empty" in dreg("tags", f"{tree.name}/acme/web")[1].split()
    code, _, err = dreg("resolve", f"{tree.name}/acme/web:empty")
    assert code == 4
    assert "no tag 'empty'; its directory has no file current/link (STO-03)" in err
    assert "dreg tags" not in err
    assert "dreg tags" in dreg("resolve", f"{tree.name}/acme/web:none")[2]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_val_198_a_storage_in_which_a_link_hides_blobs_is_not_called_unread(tree: Tree, jobs: str) -> None:
    """The exit code and the error still say that the search for unreferenced blobs was left out."""
    before = dreg("validate", tree.name)[1].split()[0]
    place = tree.v2 / "repositories/linked"
    place.symlink_to("acme")
    code, out, err = dreg("validate", tree.name, "-j", jobs)

    assert code == 5
    assert "not known which blobs are unreferenced" in err
    assert out.splitlines()[-1] == (
        f"{int(before) + 1} checked: {before} valid, 1 invalid; unreferenced blobs not searched for"
    )
    [entry] = [each for each in entries(tree.name) if each["problems"]]
    assert (entry["source"], entry["problems"][0]["found"]) == (
        str(place),
        "a symbolic link, which was not followed",
    )


def test_a_file_in_place_of_a_directory_is_not_called_a_link(tree: Tree) -> None:
    write(tree.repository("acme/web/_manifests/tags") / "file", b"")

    assert tree.texts("STO-07") == ["an entry that is not a directory"]


def test_the_page_of_a_storage_names_unreferenced_blobs_and_what_is_not_a_document(
    hollow: Tree, tmp_path: Path
) -> None:
    hollow.put_blob(b"unreferenced")
    reports = str(tmp_path / "reports")
    dreg("validate", hollow.name, "--format", "parquet", "-o", reports)
    page = dreg("report", reports, "--format", "html")[1]

    assert "<dt>unreferenced</dt><dd>1 blob of 12 B that no manifest refers to</dd>" in page
    assert "unknown, or not a document" in page
