"""What `dreg validate`, `report`, `repos` and `tags` say about a source that is another thing than it looks like."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dreg_client import validate
from tests.partitions.stored import INVALID, PACK, VALID, parquet_of

Run = Callable[..., Any]
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LINES_HINT = "try read a document from each line, with --lines; or from a member of each line, with --field NAME"


def joined(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("source", ["a.json", "-"])
def test_val_214_json_lines_in_a_json_file_are_named_as_such(dreg: Run, tmp_path: Path, source: str) -> None:
    raw = b'{"id": 1}\n\n{"id": 2}\n'
    (tmp_path / "a.json").write_bytes(raw)

    found = dreg("validate", tmp_path / source if source != "-" else "-", stdin=raw)

    assert "found JSON Lines: several documents, one in each line" in joined(found.out)
    assert LINES_HINT in joined(found.out)
    assert found.code == 1


def test_val_214_a_text_that_is_too_long_for_a_document_may_be_lines(said: Run, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes((VALID + b"\n") * (5_000_000 // len(VALID)))

    found = said("validate", tmp_path / "a.json")

    assert "GEN-05" in found.out
    assert LINES_HINT in joined(found.out)


@pytest.mark.parametrize("raw", [b'{\n{"a": 1}}', b'{"a": 1} x\n{"a": 1}', b'{"a": 1}\n[]', b'{"a": 1, "a": 2}\n{}'])
def test_a_damaged_document_is_not_called_lines(raw: bytes) -> None:
    assert not any("JSON Lines" in problem.found for problem in validate(raw).problems)


def test_val_215_files_in_an_unknown_compression_are_counted(said: Run, tmp_path: Path) -> None:
    for name in ("a.jsonl.lz4", "b.json.snappy", "c.parquet.gz", "d.json.deflate", "notes.txt.lz4"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "e.json").write_bytes(VALID)

    text = said("validate", tmp_path)
    files = said("validate", tmp_path, "--format", "parquet", "-o", tmp_path / "out")

    names = ", ".join(f"{tmp_path}/{name}" for name in ("a.jsonl.lz4", "b.json.snappy", "c.parquet.gz"))
    reason = f"dreg: {tmp_path}: 4 compressed files cannot be read; decompress: {names} and 1 more\n"
    assert (text.err, files.err) == (reason, reason)
    assert text.lines[-1].startswith("1 checked: 1 valid, 1 not read")
    assert (text.code, files.code) == (5, 5)


@pytest.mark.parametrize("member", ["mediaType", "media_type"])
def test_val_216_a_record_that_states_the_media_type_of_its_document_is_a_record(
    said: Run, tmp_path: Path, member: str
) -> None:
    record = {"repo": "acme/web", "tag": "1", member: MANIFEST, "manifest": VALID.decode()}
    (tmp_path / "a.jsonl").write_text(json.dumps(record) + "\n")

    found = said("validate", tmp_path / "a.jsonl")

    assert "    try       validate the document in the member, with --field manifest" in found.lines
    assert found.out.count("  error at ") == 1


def test_val_216_a_manifest_with_other_errors_is_not_a_record() -> None:
    raw = json.dumps({"mediaType": MANIFEST, "schemaVersion": 2, "note": "{}"})

    assert validate(raw).kind == "oci-manifest"


def test_val_217_standard_input_that_is_parquet_or_compressed_is_named(dreg: Run, tmp_path: Path) -> None:
    parquet = parquet_of(tmp_path / "a.parquet", 3).read_bytes()

    for options in ((), ("--column", "content")):
        found = dreg("validate", "-", *options, stdin=parquet)
        assert "standard input is a Parquet file, which is read from its end; name the file" in found.err
        assert found.code == 2
    found = dreg("validate", "-", stdin=PACK[".gz"](VALID))
    assert "standard input is compressed (gzip); read its lines with --lines" in found.err


def test_val_218_a_word_with_a_slash_is_a_folder_not_a_registry(said: Run) -> None:
    found = said("validate", "dump/")

    assert found.err == "dreg: dump/: no such folder; if it is a registry, write https://dump/\n"
    assert found.code == 4


@pytest.mark.parametrize(("command", "name"), [("repos", "st"), ("tags", "st/acme/web"), ("tags", "st/acme/web:1")])
def test_val_218_a_relative_path_in_a_storage_is_not_a_registry(
    said: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, name: str
) -> None:
    (tmp_path / "st/docker/registry/v2/repositories").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)

    found = said(command, name)

    assert f"a path must begin with the kind of its store: registry-storage:{name}" in found.err
    assert found.code == 2


def test_val_219_a_file_is_not_read_over_http(said: Run) -> None:
    found = said("validate", "https://example.com/a.jsonl")

    assert "files are not read over HTTP; download the file, then validate it" in found.err
    assert found.code == 2


def test_a_folder_of_reports_only_says_what_reads_it(said: Run, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(INVALID)
    said("validate", tmp_path / "a.json", "--format", "parquet", "-o", tmp_path / "rep")

    for output in ((), ("--format", "parquet", "-o", tmp_path / "out")):
        found = said("validate", tmp_path / "rep", *output)
        assert f"{tmp_path}/rep has only reports; sum them up with: dreg report {tmp_path}/rep" in found.err
        assert found.code == 2


@pytest.mark.parametrize("output", [(), ("--format", "parquet", "-o", "out")])
@pytest.mark.parametrize("source", ["{}", "file://{}"])
def test_a_storage_without_its_prefix_has_one_code_and_one_sentence(
    said: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, output: tuple[str, ...]
) -> None:
    place = source.format(tmp_path / "st")
    (tmp_path / "st/docker/registry/v2/repositories").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)

    found = said("validate", place, *output)

    assert f"{place} is the storage of a registry; run: dreg validate registry-storage:{place}\n" in found.err
    assert found.code == 2


def test_a_page_is_not_written_to_a_url(said: Run, tmp_path: Path) -> None:
    found = said("report", tmp_path, "--format", "html", "-o", "s3://bucket/x.html")

    assert "-o takes a local file, not a URL" in found.err
    assert found.code == 2
