"""What `dreg validate` says if a newcomer names a source in a way that cannot work."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.partitions.stored import VALID, parquet_of

Run = Callable[..., Any]
TEXT = VALID.decode()


@pytest.mark.parametrize(
    ("record", "hint"),
    [
        ({"id": 1, "manifest": TEXT}, "validate the document in the member, with --field manifest"),
        ({"name": "acme/web", "doc": json.loads(TEXT)}, "validate the document in the member, with --field doc"),
        ({"the doc": TEXT}, "validate the document in the member, with --field 'the doc'"),
        ({"id": 1, "config": {"a": 1}, "text": "web"}, "set the kind, for example --kind image-config"),
    ],
)
def test_a_record_names_the_member_that_seems_to_be_the_document(
    said: Run, tmp_path: Path, record: dict[str, object], hint: str
) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(record) + "\n")

    assert f"    try       {hint}" in said("validate", tmp_path / "a.jsonl").lines


@pytest.mark.parametrize("source", ["empty", "file://{}/empty"])
def test_an_empty_folder_has_the_same_exit_code_in_all_formats(said: Run, tmp_path: Path, source: str) -> None:
    (tmp_path / "empty").mkdir()
    name = source.format(tmp_path) if "{}" in source else str(tmp_path / source)

    text = said("validate", name)
    files = said("validate", name, "--format", "parquet", "-o", tmp_path / "out")

    assert (text.code, files.code) == (2, 2)
    assert "*.jsonl" in text.err
    assert "*.jsonl" in files.err


def test_a_pattern_that_matches_nothing_is_named_as_one(said: Run, tmp_path: Path) -> None:
    found = said("validate", tmp_path / "nos*.jsonl")

    assert found.err == f"dreg: {tmp_path}/nos*.jsonl: no file matches this pattern\n"
    assert found.code == 4


@pytest.mark.parametrize("name", ["a.parquet.gz", "a.parquet"])
def test_a_compressed_parquet_file_is_named_as_one(said: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(gzip.compress(parquet_of(tmp_path / "plain.parquet", 3).read_bytes()))

    found = said("validate", tmp_path / name)

    assert (
        f"dreg: {tmp_path / name} is compressed as a whole, but Parquet is read from its end; decompress it"
        in found.err
    )
    assert found.code == 5


def test_a_url_without_a_file_is_named_once(said: Run) -> None:
    found = said("validate", "memory://nosuch/a.jsonl")

    assert found.err.count("memory://nosuch/a.jsonl") == 1
    assert found.code == 4
