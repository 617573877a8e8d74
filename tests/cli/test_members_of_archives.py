"""Archives of images are recognized before a document is reported; no member with documents is left out silently."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from dreg_client.errors import FileError, UnsupportedError
from dreg_client.partitions.input import tars
from dreg_client.partitions.input.discover import find_partitions
from dreg_client.partitions.input.read import rows_in
from tests.partitions.stored import PACK, VALID, tar_of

Run = Callable[..., Any]
IMAGES = b'[{"Config": "c.json", "Layers": []}]'


@pytest.mark.parametrize("name", ["web.docker.tar", "legacy.docker.tar", "modern.docker.tar", "multi.oci.tar"])
def test_val_200_no_member_of_an_archive_of_images_is_reported(
    said: Run, tmp_path: Path, fixtures: Path, name: str
) -> None:
    shutil.copy(fixtures / "archives" / name, tmp_path / name)

    text = said("validate", tmp_path)
    files = said("validate", tmp_path, "--format", "parquet", "-o", tmp_path / "out")

    assert text.lines == [f"0 checked: 0 valid, 1 not read ({tmp_path / name})"]
    assert "0 checked (0 B): 0 valid, 1 partition not read completely" in files.lines
    assert parquet.read_table(tmp_path / "out").num_rows == 0
    assert (text.code, files.code) == (2, 5)


def test_val_200_the_documents_that_are_held_back_are_reported_if_the_archive_breaks_off(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(tar_of({"1.json": VALID, "2.json": VALID})[:1536])
    rows, found = rows_in(*find_partitions([str(tmp_path / "a.tar")])), list[str]()

    with pytest.raises(FileError, match="truncated"):
        found.extend(row.source for row in rows)

    assert found == [f"{tmp_path}/a.tar/1.json"]


def test_val_200_so_many_documents_are_held_back_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tars, "_FIRST", 3)
    (tmp_path / "a.tar").write_bytes(tar_of({"1.jsonl": (VALID + b"\n") * 4, "manifest.json": IMAGES}))
    rows, found = rows_in(*find_partitions([str(tmp_path / "a.tar")])), list[int]()

    with pytest.raises(UnsupportedError, match="docker save"):
        found.extend(row.line for row in rows)

    assert found == [1, 2, 3, 4]


def test_val_201_members_that_are_compressed_or_parquet_are_named_as_not_read(said: Run, tmp_path: Path) -> None:
    others = {"b.jsonl.gz": PACK[".gz"](VALID), "sub/c.parquet": b"PAR1", "d.json.xz": b"", "e.tar": b"", "f.gz": b""}
    (tmp_path / "a.tar").write_bytes(tar_of({"a.jsonl": VALID, ".hidden.jsonl.gz": b"", **others, "z.json": VALID}))

    text = said("validate", tmp_path / "a.tar")
    files = said("validate", tmp_path / "a.tar", "--format", "parquet", "-o", tmp_path / "out")

    named = "'b.jsonl.gz', 'sub/c.parquet', 'd.json.xz', ...; extract the archive and validate the directory"
    reason = f"has 4 members that are compressed, Parquet or a tar archive, and not read: {named}"
    assert text.lines == [f"2 checked: 2 valid, 1 not read ({tmp_path}/a.tar)"]
    assert f"{tmp_path}/a.tar {reason}" in text.err
    assert reason in files.err
    assert parquet.read_table(tmp_path / "out").num_rows == 2
    assert (text.code, files.code) == (5, 5)
