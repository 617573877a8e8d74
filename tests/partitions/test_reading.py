"""Partitions: which there are in files, folders and patterns, and the documents of each."""

import os
import pickle
import re
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from dreg_client.errors import ColumnError, FileError, NotFoundError, UnsupportedError
from dreg_client.partitions.input.discover import find_partitions
from dreg_client.partitions.input.read import batches_in, reports_in, rows_in
from dreg_client.partitions.part import (
    BlobRange,
    Bytes,
    Files,
    Repositories,
    Rows,
    SingleRepository,
    UnreferencedBlobs,
    WholeFile,
)
from dreg_client.partitions.partition import Partition, PartitionRules
from dreg_client.partitions.row import Row
from dreg_client.partitions.run.chunks import chunk_reports
from dreg_client.validation.dumps import LineRules
from tests.partitions.stored import INVALID, PACK, VALID, documents, lines, numbers, parquet_of, tar_of

RULES = PartitionRules()
TYPES = [pa.string(), pa.large_string(), pa.binary(), pa.dictionary(pa.int32(), pa.string()), pa.string_view()]


def rows_of(*sources: str | Path, rules: PartitionRules = RULES, size: int = 1 << 27) -> list[Row]:
    return [row for part in find_partitions(map(str, sources), rules, size=size) for row in rows_in(part, rules)]


def names_in(folder: Path, parts: Iterable[Partition]) -> list[str]:
    return [part.name.replace(f"{folder}/", "") for part in parts]


def put(folder: Path, content: bytes, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_bytes(content)


@pytest.mark.parametrize("ending", PACK)
def test_lines_are_read_whatever_compresses_them_in_one_stream_or_several(tmp_path: Path, ending: str) -> None:
    file, pack, start = tmp_path / f"dump.jsonl{ending}", PACK[ending], len(lines(20))
    for packed in (pack(lines(50)), pack(lines(20)) + pack(lines(50)[start:])):
        file.write_bytes(packed)
        found = rows_of(file)

        assert numbers([row.raw for row in found]) == list(range(50))
        assert [(row.source, row.line) for row in found] == [(str(file), number) for number in range(1, 51)]


@pytest.mark.parametrize("ending", PACK)
def test_members_of_a_tar_and_single_documents_are_read_whatever_compresses_them(tmp_path: Path, ending: str) -> None:
    document, archive = tmp_path / f"web.json{ending}", tmp_path / f"web.tar{ending}"
    document.write_bytes(PACK[ending](VALID))
    archive.write_bytes(PACK[ending](tar_of({"a/1.json": VALID, "a/2.txt": b"no", "3.jsonl": lines(2)})))

    assert rows_of(document) == [Row(str(document), 0, VALID)]
    assert [(row.source.removeprefix(f"{archive}/"), row.line, row.is_line) for row in rows_of(archive)] == [
        ("a/1.json", 0, False),
        ("3.jsonl", 1, True),
        ("3.jsonl", 2, True),
    ]


def test_val_24_the_first_bytes_say_how_a_file_is_compressed_not_its_name(tmp_path: Path) -> None:
    for name, ending in (("a.jsonl.gz", ""), ("b.jsonl", ".zst"), ("c.jsonl.xz", ".bz2"), ("d.json", ".gz")):
        put(tmp_path, PACK[ending](lines(1)), name)

    assert {Path(row.source).name for row in rows_of(tmp_path)} == {"a.jsonl.gz", "b.jsonl", "c.jsonl.xz", "d.json"}
    assert {row.raw and row.raw.strip() for row in rows_of(tmp_path)} == {documents(1)[0]}


def test_val_24_a_compressed_file_that_is_named_like_an_uncompressed_one_is_not_divided(tmp_path: Path) -> None:
    put(tmp_path, PACK[".gz"](lines(1000)), "dump.jsonl")

    assert [part.part for part in find_partitions([str(tmp_path)], size=100)] == [WholeFile()]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.sampled_from([VALID, b"", b"[]", b" " * 50, b"x" * 300]), max_size=30),
    is_ended=st.booleans(),
    size=st.integers(1, 500),
)
def test_each_line_is_in_exactly_one_partition(tmp_path: Path, texts: list[bytes], is_ended: bool, size: int) -> None:
    file = tmp_path / "dump.jsonl"
    file.write_bytes(b"\n".join(texts) + (b"\n" if is_ended else b""))

    assert [row.raw for row in rows_of(file, size=size)] == [text.strip() for text in texts if text.strip()]


@pytest.mark.parametrize("size", [1, 300, 1 << 27])
def test_each_line_of_a_divided_file_has_its_path_and_its_offset(tmp_path: Path, size: int) -> None:
    file, raw = tmp_path / "dump.jsonl", lines(4) + b"\n  " + lines(6) + b" " * 30
    file.write_bytes(raw)
    starts = [at.start() for at in re.finditer(rb"^.+", raw, re.MULTILINE)]

    found = rows_of(file, size=size)

    assert [row.offset for row in found] == starts[:10]
    assert {row.source for row in found} == {str(file)}
    numbered = [row.line for row in found if row.line]
    assert numbered == ([1, 2, 3, 4, 6, 7, 8, 9, 10, 11] if size > len(raw) else [1, 2, 3, 4][: len(numbered)])


def test_an_offset_is_known_only_in_uncompressed_lines(tmp_path: Path) -> None:
    put(tmp_path, PACK[".gz"](lines(2)), "a.jsonl.gz")
    put(tmp_path, VALID, "b.json", "d.jsonl")
    put(tmp_path, b'{\n"schemaVersion":2}', "c.jsonl")

    found = {(Path(row.source).name, row.line, row.offset) for row in rows_of(tmp_path)}
    expected = {("a.jsonl.gz", 1, None), ("a.jsonl.gz", 2, None), ("b.json", 0, None), ("c.jsonl", 1, 0)}
    assert found == {*expected, ("d.jsonl", 1, 0)}


@pytest.mark.parametrize(
    ("group", "size", "parts"),
    [
        *[
            (100, 1, 80),
            (100, 1 << 27, 1),
            (10, 1, 800),
            (10, 20_000, 10),
            (7, 1, 1000),
        ],  # (at most 8 parts of a group)
        *[(1000, 1, 8), (1000, 100_000, 2), (1000, 1 << 27, 1)],
    ],
)
def test_each_row_of_a_parquet_file_is_in_exactly_one_partition(
    tmp_path: Path, group: int, size: int, parts: int
) -> None:
    file = parquet_of(tmp_path / "web.parquet", 1000, group=group)
    found = rows_of(file, size=size)

    assert numbers([row.raw for row in found]) == list(range(1000))
    assert [row.line for row in found] == list(range(1, 1001))
    assert len([*find_partitions([str(file)], size=size)]) == parts


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_a_column_may_have_any_type_of_bytes(tmp_path: Path, kind: pa.DataType) -> None:
    values = pa.array([VALID.decode(), None, "é"], pa.string())
    column = values.dictionary_encode() if pa.types.is_dictionary(kind) else values.cast(kind)
    parquet.write_table(pa.table({"manifest": column}), tmp_path / "web.parquet")

    assert [row.raw for row in rows_of(tmp_path / "web.parquet")] == [VALID, None, "é".encode()]


def test_columns_state_media_types_and_kinds(tmp_path: Path) -> None:
    file = tmp_path / "web.parquet"
    types = ["application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json", None, None]
    kinds = [None, None, "oci-manifest", "no-kind"]
    parquet.write_table(pa.table({"doc": [VALID] * 4, "type": types, "kind": kinds, "id": [7, 8, 9, 10]}), file)
    rules = PartitionRules(column="doc", media_type_column="type", kind_column="kind", keep=("id",))
    [part] = find_partitions([str(file)], rules)

    found = [{problem.rule for problem in it.report.errors} for it in reports_in(part, rules)]

    assert found[0] == set()
    assert "GEN-07" in found[1]
    assert found[2]
    assert found[3] == {"GEN-12"}
    [batch] = batches_in(part, rules)
    assert batch.schema.names == ["doc", "type", "kind", "id", "source", "line", "offset"]
    assert batch.column("line").to_pylist() == [1, 2, 3, 4]


def test_a_row_without_a_document_is_invalid(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"manifest": pa.array([None, VALID], pa.binary())}), tmp_path / "web.parquet")
    null, valid = reports_in(Partition(str(tmp_path / "web.parquet"), "parquet"))

    assert (null.is_null, [problem.rule for problem in null.report.problems]) == (True, ["GEN-01"])
    assert (valid.is_null, valid.report.ok) == (False, True)


def test_small_documents_of_a_folder_are_grouped(tmp_path: Path) -> None:
    put(tmp_path, VALID, *(f"{number % 7}/{number}.json" for number in range(2500)))
    groups = [*find_partitions([str(tmp_path)])]

    assert [len(group.part.names) for group in groups if isinstance(group.part, Files)] == [1000, 1000, 500]
    assert len({row.source for group in groups for row in rows_in(group)}) == 2500


def test_a_folder_is_found_in_the_same_order_without_what_is_hidden(tmp_path: Path) -> None:
    put(tmp_path, b"", "b.jsonl", "a.jsonl.gz", "s/c.tgz", "e.txt")
    put(tmp_path, b"", ".h/x.jsonl", "_temporary/y.jsonl", "_x.parquet", "s/.d.jsonl")
    (tmp_path / "link").symlink_to(tmp_path / "s")
    (tmp_path / "linked.jsonl").symlink_to(tmp_path / "b.jsonl")

    found = names_in(tmp_path, find_partitions([str(tmp_path)]))

    assert found == ["a.jsonl.gz", "b.jsonl", "linked.jsonl", "s/c.tgz"]
    assert names_in(tmp_path, find_partitions([str(tmp_path)])) == found


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.jsonl", ["a.jsonl"]),
        ("**/*.jsonl", ["a.jsonl", "s/b.jsonl", "s/t/c.jsonl"]),
        ("*", ["a.jsonl", "s/b.jsonl", "s/t/c.jsonl"]),
        ("**", ["a.jsonl", "s/b.jsonl", "s/t/c.jsonl"]),
        ("?.txt", ["e.txt"]),
        ("s/[bc].*", ["s/b.jsonl"]),
    ],
)
def test_patterns_need_no_shell(tmp_path: Path, pattern: str, expected: list[str]) -> None:
    put(tmp_path, VALID, "a.jsonl", "s/b.jsonl", "s/t/c.jsonl", "_t/d.jsonl", "e.txt")

    assert names_in(tmp_path, find_partitions([f"{tmp_path}/{pattern}"])) == expected


def test_a_file_whose_name_has_wildcards_is_itself(tmp_path: Path) -> None:
    put(tmp_path, lines(1), "a[1].jsonl")
    put(tmp_path, lines(2), "a1.jsonl")

    assert len(rows_of(tmp_path / "a[1].jsonl")) == 1


@pytest.mark.parametrize("content", [lines(3), PACK[".zst"](lines(3))], ids=["plain", "compressed"])
def test_a_file_that_is_named_may_have_any_name(tmp_path: Path, content: bytes) -> None:
    put(tmp_path, content, "dump")
    put(tmp_path, PACK[".gz"](VALID), "one")
    put(tmp_path, PACK[".gz"](tar_of({"x.json": VALID})), "tar")
    parquet_of(tmp_path / "column", 3)

    assert len(rows_of(tmp_path / "dump", rules=PartitionRules(LineRules(field="manifests")))) == 3
    assert [len(rows_of(tmp_path / name)) for name in ("one", "tar", "column")] == [1, 1, 3]


@pytest.mark.parametrize("ending", PACK)
def test_the_bytes_of_a_file_are_counted_as_they_are_read(tmp_path: Path, ending: str) -> None:
    content = b"".join(b'{"x":"%s"}\n' % os.urandom(300).hex().encode() for _ in range(5000))
    (tmp_path / f"a.jsonl{ending}").write_bytes(PACK[ending](content))
    parts = [*find_partitions([str(tmp_path)])]

    read = [chunk.read for chunk, _ in chunk_reports(parts, RULES, jobs=1, name="a")]

    assert len(read) > 3
    assert read[:-1] == sorted(read[:-1])
    assert 0 < read[0] < read[-2] <= parts[0].size


def test_files_of_json_may_have_one_document_per_line(tmp_path: Path) -> None:
    put(tmp_path, lines(20), "a.json", "b")
    put(tmp_path, PACK[".gz"](lines(20)), "c", "d.json.gz")
    put(tmp_path, tar_of({"x.json": VALID}), "e.tar")
    rules = PartitionRules(is_lines=True)

    for name, count in (("a.json", 20), ("b", 20), ("c", 20), ("d.json.gz", 20), ("e.tar", 1)):
        assert len(rows_of(tmp_path / name, rules=rules, size=1000)) == count
    assert len(rows_of(tmp_path, rules=rules)) == 41


def test_an_indented_document_is_one_row(tmp_path: Path) -> None:
    put(tmp_path, PACK[".gz"](b'{\n  "schemaVersion": 2\n}\n'), "web.jsonl.gz")

    assert [row.line for row in rows_of(tmp_path / "web.jsonl.gz")] == [1]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("nothing", FileNotFoundError),
        ("no*.jsonl", FileNotFoundError),
        ("empty", FileError),
        ("layout", UnsupportedError),
    ],
)
def test_what_has_no_partitions_is_an_error(tmp_path: Path, name: str, error: type[Exception]) -> None:
    (tmp_path / "empty").mkdir()
    put(tmp_path, b"{}", "layout/oci-layout")

    with pytest.raises(error):
        list(find_partitions([str(tmp_path / name)]))


def test_val_28_files_of_a_group_that_are_gone_lose_no_other(tmp_path: Path) -> None:
    put(tmp_path, VALID, *(f"{number}.json" for number in range(5)))
    [group] = find_partitions([str(tmp_path)])
    (tmp_path / "1.json").unlink()
    (tmp_path / "3.json").unlink()
    found: list[Row] = []

    with pytest.raises(NotFoundError, match="1 other file in the same group") as failed:
        found.extend(rows_in(group))

    assert str(tmp_path / "1.json") in str(failed.value)
    assert [Path(row.source).name for row in found] == ["0.json", "2.json", "4.json"]


def test_another_version_of_a_file_is_another_version_of_its_partition(tmp_path: Path) -> None:
    def versions() -> set[str]:
        return {part.version for part in find_partitions([str(tmp_path)])}

    put(tmp_path, VALID, "a.json", "b.json", "c.jsonl")
    before = versions()
    put(tmp_path, INVALID + b" ", "b.json")
    os.utime(tmp_path / "c.jsonl", ns=(1, 1))

    assert len(before) == len(versions()) == 2
    assert not before & versions()


@pytest.mark.parametrize(
    "rules", [PartitionRules(column="none"), PartitionRules(column="id"), PartitionRules(keep=("x",))]
)
def test_val_30_a_column_that_is_missing_or_of_another_type_is_an_error(tmp_path: Path, rules: PartitionRules) -> None:
    part = Partition(str(parquet_of(tmp_path / "web.parquet", 3)), "parquet")

    for read in (rows_in, batches_in):
        with pytest.raises(ColumnError, match=r"manifest, id|expected binary or string"):
            next(iter(read(part, rules)))


def test_partitions_can_be_sent_to_other_machines(tmp_path: Path) -> None:
    part, rules = Partition(str(tmp_path), "json", part=Files(("a.json",))), PartitionRules(LineRules("manifest"))

    assert pickle.loads(pickle.dumps((part, rules))) == (part, rules)


@pytest.mark.parametrize(
    ("partition", "name"),
    [
        (Partition("a.jsonl", "json-lines", part=Bytes(0, 100)), "a.jsonl (byte 0 to 99)"),
        (Partition("a.parquet", "parquet", part=Rows(0, 100)), "a.parquet (row 1 to 100)"),
        (Partition("/store", "registry-storage", part=SingleRepository("web")), "/store (web)"),
        (Partition("/store", "registry-storage", part=Repositories(("app", "web"))), "/store (app to web)"),
        (Partition("/store", "registry-storage", part=BlobRange(16, 17)), "/store (blobs 10 to 10)"),
        (Partition("/store", "registry-storage", part=UnreferencedBlobs()), "/store (unreferenced blobs)"),
    ],
)
def test_the_name_of_a_partition_has_its_part_with_the_first_and_the_last_row_or_byte(
    partition: Partition, name: str
) -> None:
    assert partition.name == name
