"""The sums of a source are the same in each output of `dreg validate`, and in `dreg report` of what it wrote."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.partitions.stored import PACK, VALID, tar_of

Run = Callable[..., Any]
LAYER = "d29e74c6abb36e3b37a98807a5bb4540dc7e7310a652062746c496794d51162b"


@pytest.fixture
def incomplete(tmp_path: Path, fixtures: Path) -> str:
    """A layout without one of its layers."""
    layout = tmp_path / "layout"
    shutil.copytree(fixtures / "layouts/multi", layout)
    (layout / "blobs/sha256" / LAYER).unlink()
    return f"oci:{layout}"


@pytest.mark.parametrize("options", [[], ["--complete"]], ids=["warning", "error"])
def test_a_missing_blob_is_counted_but_not_as_a_document(
    said: Run, incomplete: str, tmp_path: Path, options: list[str]
) -> None:
    text = said("validate", incomplete, *options)
    lines = said("validate", incomplete, *options, "--format", "jsonl")
    (tmp_path / "report.jsonl").write_text(lines.out)
    files = said("validate", incomplete, *options, "--format", "parquet", "-o", tmp_path / "reports")
    of_lines = json.loads(said("report", tmp_path / "report.jsonl", "--format", "json").out)
    of_files = json.loads(said("report", tmp_path / "reports", "--format", "json").out)

    assert text.lines[-1] == "22 checked: 22 valid; 1 blob missing"
    assert files.lines[-2].endswith(": 22 valid; 1 blob missing")
    assert files.lines[-2].partition(": ")[2] == text.lines[-1].partition(": ")[2]
    assert text.code == files.code == bool(options)
    assert [(it["documents"], it["invalid"], it["missing"]) for it in (of_lines, of_files)] == [(22, 0, 1)] * 2
    assert [of_lines[name] for name in ("size", "kinds")] == [of_files[name] for name in ("size", "kinds")]


def test_a_missing_blob_is_on_the_page(said: Run, incomplete: str, tmp_path: Path) -> None:
    said("validate", incomplete, "--format", "parquet", "-o", tmp_path / "reports")
    page = said("report", tmp_path / "reports", "--format", "html").out

    assert "1 blob that documents name" in page
    assert "<strong>22</strong> <span>documents</span>" in page


@pytest.mark.parametrize("name", ["a.parquet", "wrapped.jsonl", "plain.jsonl", "plain.jsonl.gz", "a.tar"])
def test_a_media_type_is_that_of_documents_of_which_nothing_else_states_it(
    said: Run, tmp_path: Path, name: str
) -> None:
    """Columns and members come first, as do those of kinds."""
    stated = json.loads(VALID)["mediaType"]
    wrapped = [{"doc": VALID.decode(), "type": None}, {"doc": VALID.decode(), "type": stated}]
    source = tmp_path / name
    lines = {"wrapped.jsonl": b"".join(json.dumps(each).encode() + b"\n" for each in wrapped)}
    if name == "a.parquet":
        parquet.write_table(pa.Table.from_pylist(wrapped), source)
    elif name == "a.tar":
        source.write_bytes(tar_of({"a.json": VALID, "b.jsonl": VALID + b"\n"}))
    else:
        source.write_bytes(PACK[".gz" * name.endswith(".gz")](lines.get(name, (VALID + b"\n") * 2)))
    options = ["--media-type", "application/vnd.oci.image.manifest.v1+json"]
    options += ["--column", "doc", "--media-type-column", "type"] if name == "a.parquet" else []
    options += ["--field", "doc", "--media-type-field", "type"] if name == "wrapped.jsonl" else []

    text = said("validate", source, *options)
    files = said("validate", source, *options, "--format", "parquet", "-o", tmp_path / "reports")

    valid = int(name in {"a.parquet", "wrapped.jsonl"})
    assert text.code == files.code == 1
    assert text.lines[-1].startswith(f"2 checked: {valid} valid, {2 - valid} invalid")
    assert f": {valid} valid, {2 - valid} invalid" in files.lines[-2]
    assert f"error GEN-07: {2 - valid} document" in files.out


SOURCES = {
    "lines": ["--field", "manifest", "fixtures/dumps/registry.jsonl"],
    "indented": ["--lines", "fixtures/valid/oci-manifest.json"],
    "rows": ["fixtures/dumps/registry.parquet"],
    "files": ["fixtures/valid", "fixtures/broken"],
}


@pytest.mark.parametrize("arguments", SOURCES.values(), ids=SOURCES)
def test_lines_state_the_kinds_and_sizes_of_all_documents(said: Run, tmp_path: Path, arguments: list[str]) -> None:
    lines = said("validate", *arguments, "--format", "jsonl")
    (tmp_path / "report.jsonl").write_text(lines.out)
    said("validate", *arguments, "--format", "parquet", "-o", tmp_path / "reports")
    of_lines = json.loads(said("report", tmp_path / "report.jsonl", "--format", "json").out)
    of_files = json.loads(said("report", tmp_path / "reports", "--format", "json").out)

    assert [of_lines[name] for name in ("documents", "size", "kinds")] == [
        of_files[name] for name in ("documents", "size", "kinds")
    ]


def test_lines_of_a_pipe_state_the_kinds_and_sizes_of_all_documents(dreg: Run, fixtures: Path) -> None:
    given = (fixtures / "valid/oci-manifest.json").read_bytes()
    end = json.loads(dreg("validate", "--lines", "-", "--format", "jsonl", stdin=given).lines[-1])["summary"]

    assert (end["size"], end["kinds"]) == (len(given.strip()), [{"kind": "oci-manifest", "documents": 1}])


def test_lines_of_an_earlier_version_do_not_state_the_kinds_and_sizes(said: Run, tmp_path: Path) -> None:
    *documents, last = said("validate", "--format", "jsonl", "fixtures/dumps/manifests.jsonl").lines
    end = json.loads(last)["summary"]
    del end["size"], end["kinds"]
    (tmp_path / "old.jsonl").write_text("\n".join([*documents, json.dumps({"summary": end})]) + "\n")

    text = said("report", tmp_path / "old.jsonl")
    page = said("report", tmp_path / "old.jsonl", "--format", "html").out

    assert not documents
    assert text.lines == ["kinds: 42 not stated", "42 checked (at least 0 B): 42 valid"]
    assert '<th scope="row">not stated</th>' in page


@pytest.mark.parametrize(
    "wrong", [{"size": -1}, {"size": True}, {"kinds": []}, {"kinds": [{"kind": 1, "documents": 42}]}, {"kinds": 1}]
)
def test_lines_whose_kinds_or_sizes_are_not_sums_are_not_read(
    said: Run, tmp_path: Path, wrong: dict[str, object]
) -> None:
    last = said("validate", "--format", "jsonl", "fixtures/dumps/manifests.jsonl").lines[-1]
    end = json.loads(last)["summary"] | wrong
    (tmp_path / "wrong.jsonl").write_text("\n" + json.dumps({"summary": end}) + "\n")

    found = said("report", tmp_path / "wrong.jsonl")

    assert "line 2 is not a line that" in found.err
    assert found.code == 5
