"""Files that break off, are damaged, or were made to fill the memory or to lead elsewhere."""

import os
import random
import sys
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pytest
from backports import zstd
from pyarrow import parquet

from dreg_client.errors import DregError, FileError, UnsafePathError, UnsupportedError
from dreg_client.partitions.input.discover import find_partitions
from dreg_client.partitions.input.read import batches_in, reports_in, rows_in
from dreg_client.partitions.partition import Partition
from dreg_client.partitions.row import Row
from tests.commands import MEBIBYTE, run_limited
from tests.partitions.stored import PACK, VALID, documents, lines, numbers, parquet_of, tar_of

_PEAK = """
import sys
from pathlib import Path
from dreg_client.partitions.input.discover import find_partitions
from dreg_client.partitions.input.read import reports_in

count = sum(1 for partition in find_partitions(sys.argv[1:]) for _ in reports_in(partition))
peak = next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(count, peak)
"""
COMPRESSED = [ending for ending in PACK if ending]


def until_failure(rows: Iterable[Row]) -> tuple[list[Row], DregError]:
    """Return the rows before the error that ends them, and the error."""
    found: list[Row] = []
    with pytest.raises(DregError) as failed:
        found.extend(rows)
    return found, failed.value


def rows_of(path: Path) -> Iterable[Row]:
    [partition] = find_partitions([str(path)])
    return rows_in(partition)


def counted(path: Path) -> tuple[int, int]:
    """Return the number of reports, and the most memory of a process that made them, in MiB."""
    done = run_limited([sys.executable, "-c", _PEAK, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    count, peak = map(int, done.stdout.split())
    return count, peak // 1024


# --- VAL-15: compressed files


def least(ending: str, share: float) -> int:
    """Return how many of 2000 lines are in the complete blocks of the first part of a file."""
    blocks = {".gz": 0.03, ".zst": 0.2, ".bz2": 0.75, ".xz": 0.03}[ending]
    return int(max(share - blocks, 0) * 2000)


@pytest.mark.parametrize("ending", COMPRESSED)
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_val_15_the_lines_before_a_compressed_file_breaks_off_are_read(
    tmp_path: Path, ending: str, share: float
) -> None:
    content = b"".join(b'{"x":"%s"}\n' % os.urandom(300).hex().encode() for _ in range(2000))
    packed, path = PACK[ending](content), tmp_path / f"dump.jsonl{ending}"
    path.write_bytes(packed[: int(len(packed) * share)])

    found, failure = until_failure(rows_of(path))

    assert isinstance(failure, FileError)
    assert failure.path == str(path)
    assert [row.raw for row in found] == content.splitlines()[: len(found)]
    assert least(ending, share) <= len(found) < 2000


@pytest.mark.parametrize("ending", COMPRESSED)
def test_val_15_bytes_that_were_changed_are_noticed(tmp_path: Path, ending: str) -> None:
    options = {zstd.CompressionParameter.checksum_flag: 1}
    packed = bytearray(zstd.compress(lines(500), options=options) if ending == ".zst" else PACK[ending](lines(500)))
    packed[len(packed) // 2] ^= 1
    (tmp_path / f"dump.jsonl{ending}").write_bytes(packed)

    assert isinstance(until_failure(rows_of(tmp_path / f"dump.jsonl{ending}"))[1], FileError)


# --- VAL-16 to VAL-18: memory


def test_val_16_a_line_of_a_gibibyte_is_cut(tmp_path: Path) -> None:
    path, packer = tmp_path / "dump.jsonl.zst", zstd.ZstdCompressor()
    with path.open("wb") as file:
        file.writelines(packer.compress(b"a" * MEBIBYTE) for _ in range(1024))
        file.write(packer.compress(b"\n" + lines(1)) + packer.flush())

    count, peak = counted(path)

    assert count == 2
    assert peak < 250


def test_val_17_a_window_that_needs_too_much_memory_is_rejected(tmp_path: Path) -> None:
    options = {zstd.CompressionParameter.window_log: 30, zstd.CompressionParameter.content_size_flag: 0}
    packer = zstd.ZstdCompressor(options=options)
    (tmp_path / "dump.jsonl.zst").write_bytes(packer.compress(lines(10)) + packer.flush())

    found, failure = until_failure(rows_of(tmp_path / "dump.jsonl.zst"))

    assert not found
    assert "cannot be decompressed" in str(failure)


@pytest.mark.parametrize("ending", COMPRESSED)
def test_val_18_streams_without_content_end_the_file_and_skippable_frames_do_not(tmp_path: Path, ending: str) -> None:
    path, empty = tmp_path / f"dump.jsonl{ending}", PACK[ending](b"")
    path.write_bytes(PACK[ending](lines(1)) + empty * 5000 + PACK[ending](lines(1)))

    assert "empty streams" in str(until_failure(rows_of(path))[1])

    frame = b"\x50\x2a\x4d\x18\x04\x00\x00\x00\x00\x00\x00\x00"  # as pzstd writes before each frame
    path.write_bytes((frame * (ending == ".zst") + PACK[ending](lines(1))) * 2000)
    assert len(list(rows_of(path))) == 2000


# --- VAL-19 and VAL-20: Parquet


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + bytes(50) + b"\xff\xff\xff\x7fPAR1", b"{}", lines(50)])
def test_val_19_a_file_that_is_not_parquet_is_a_typed_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "web.parquet").write_bytes(content)

    found, failure = until_failure(rows_of(tmp_path / "web.parquet"))

    assert (found, type(failure)) == ([], FileError)


def test_val_19_row_groups_before_a_damaged_one_are_read(tmp_path: Path) -> None:
    path = tmp_path / "web.parquet"
    table = pa.table({"manifest": documents(300)})
    parquet.write_table(table, path, row_group_size=100, write_page_checksum=True, use_dictionary=False)
    raw = bytearray(path.read_bytes())
    chunk = parquet.ParquetFile(path).metadata.row_group(2).column(0)
    raw[chunk.data_page_offset + chunk.total_compressed_size - 20] ^= 1  # after the page's header
    path.write_bytes(raw)

    found, failure = until_failure(rows_of(path))
    batches, again = until_failure(batches_in(Partition(str(path), "parquet")))  # type: ignore[arg-type]

    assert numbers([row.raw for row in found]) == list(range(200))
    assert sum(batch.num_rows for batch in batches) == 200  # type: ignore[attr-defined]
    assert type(failure) is type(again) is FileError
    assert "cannot be read as Parquet" in str(failure)


def test_val_19_no_damage_raises_the_errors_of_pyarrow(tmp_path: Path) -> None:
    path, source = tmp_path / "web.parquet", random.Random(19)  # noqa: S311 (the same damage each time)
    for seed in range(120):
        parquet_of(path, 50, group=20)
        raw = bytearray(path.read_bytes())
        for _ in range(source.randint(1, 4)):
            raw[source.randrange(len(raw) - 1500 if seed % 2 else 0, len(raw))] = source.randrange(256)
        path.write_bytes(raw[: source.randrange(len(raw))] if seed % 5 == 0 else raw)
        try:
            assert len(list(reports_in(Partition(str(path), "parquet")))) <= 50
        except DregError as failure:
            assert str(path) in str(failure) or "column" in str(failure)  # noqa: PT017 (either may happen)


def test_val_20_a_large_value_that_is_repeated_very_often_needs_little_memory(tmp_path: Path) -> None:
    path, value = tmp_path / "web.parquet", " " * MEBIBYTE
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 600, pa.int32()), pa.array([value]))
    parquet.write_table(pa.table({"manifest": column}), path)

    count, peak = counted(path)

    assert path.stat().st_size < MEBIBYTE
    assert count == 600
    assert peak < 300


# --- VAL-21 to VAL-23: tar archives


def other(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member


@pytest.mark.parametrize("ending", PACK)
@pytest.mark.parametrize(
    ("cut", "whole"), [(1024 * 3, 3), (1024 * 3 + 512, 3), (1024 * 3 + 600, 3), (1024 * 3 - 20, 3), (1024 * 3 - 500, 2)]
)
def test_val_21_the_documents_before_an_archive_breaks_off_are_read(
    tmp_path: Path, ending: str, cut: int, whole: int
) -> None:
    """Each member has a block of header and a block of content, so the first cut is between two of them."""
    path = tmp_path / f"web.tar{ending}"
    path.write_bytes(PACK[ending](tar_of({f"{at}.json": text for at, text in enumerate(documents(5))})[:cut]))

    found, failure = until_failure(rows_of(path))

    assert isinstance(failure, FileError)
    assert "truncated" in str(failure)
    assert numbers([row.raw for row in found]) == list(range(whole))


def test_val_21_a_hostile_header_ends_the_archive(tmp_path: Path) -> None:
    path, good = tmp_path / "web.tar", tar_of({"1.json": VALID})[:1024]
    sparse, wrong = other("s", b"S"), bytearray(tar_of({"2.json": VALID}))
    wrong[0] ^= 1
    outside = tar_of({"../../2.json": VALID})
    for content, reason in ((tar_of({}, [sparse]), "sparse"), (wrong, "invalid header"), (outside, "leads outside")):
        path.write_bytes(good + content)
        found, failure = until_failure(rows_of(path))

        assert len(found) == 1
        assert reason in str(failure)
        assert isinstance(failure, UnsafePathError if reason == "leads outside" else FileError)


@pytest.mark.parametrize("ending", PACK)
def test_val_22_members_that_are_not_files_or_not_documents_are_skipped(tmp_path: Path, ending: str) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text("secret")
    others = [
        other("a.json", tarfile.SYMTYPE, str(secret)),
        other("b.json", tarfile.LNKTYPE, "../secret.json"),
        other("c.json", tarfile.FIFOTYPE),
        other("d.json", tarfile.CHRTYPE),
        other("e.json", tarfile.DIRTYPE),
    ]
    members = {".hidden/f.json": b"no", "_f/f.json": b"no", "_g.jsonl": b"no", "h.txt": b"no", "i.json": VALID}
    (tmp_path / f"web.tar{ending}").write_bytes(PACK[ending](tar_of(members, others)))

    assert [row.raw for row in rows_of(tmp_path / f"web.tar{ending}")] == [VALID]


@pytest.mark.parametrize(
    ("members", "advice"),
    [
        ({"blobs/sha256/a": b"", "index.json": VALID}, "oci-archive:"),
        ({"index.json": VALID, "oci-layout": b"{}"}, "oci-archive:"),
        ({"manifest.json": b' [{"Config": "x.json"}]'}, "docker-archive:"),
    ],
)
def test_val_23_an_archive_of_images_is_rejected_with_how_to_read_it(
    tmp_path: Path, members: dict[str, bytes], advice: str
) -> None:
    path = tmp_path / "web.tar.gz"
    path.write_bytes(PACK[".gz"](tar_of(members)))

    failure = until_failure(rows_of(path))[1]

    assert isinstance(failure, UnsupportedError)
    assert f"{advice}{path}" in str(failure)


def test_an_archive_without_documents_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "web.tar").write_bytes(tar_of({"a.txt": b""}))

    assert "has no *.json" in str(until_failure(rows_of(tmp_path / "web.tar"))[1])


# --- VAL-25: what is not a file


def test_val_25_pipes_and_devices_in_a_folder_are_not_opened(tmp_path: Path) -> None:
    for name in ("a.jsonl.gz", "b.parquet", "c.tar", "d.json"):
        os.mkfifo(tmp_path / name)
    (tmp_path / "e.jsonl").symlink_to("/dev/zero")
    (tmp_path / "f.jsonl").write_bytes(lines(1))

    assert [Path(part.source).name for part in find_partitions([str(tmp_path)])] == ["f.jsonl"]


@pytest.mark.parametrize("name", ["a.jsonl.gz", "b.parquet", "c.tar", "d.json"])
def test_val_25_a_file_that_is_replaced_by_a_pipe_is_not_waited_for(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    [partition] = find_partitions([str(tmp_path / name)])
    (tmp_path / name).unlink()
    os.mkfifo(tmp_path / name)

    assert "not a regular file" in str(until_failure(rows_in(partition))[1])


# --- VAL-28 and VAL-29: files that are gone, and their names


@pytest.mark.parametrize("name", ["a.jsonl.gz", "b.parquet", "c.tar", "d.json"])
def test_val_28_a_file_that_is_gone_is_an_error_with_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    [partition] = find_partitions([str(tmp_path / name)])
    (tmp_path / name).unlink()

    assert str(tmp_path / name) in str(until_failure(rows_in(partition))[1])


def test_val_29_names_that_are_not_text_can_be_stored_and_shown(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9\x1b.parquet")
    parquet_of(tmp_path / "web.parquet", 1).rename(path)
    [partition] = find_partitions([str(tmp_path)])

    [batch] = batches_in(partition)

    assert batch.column("source").to_pylist() == [f"{tmp_path}/caf\\xe9\x1b.parquet"]
    assert partition.report_name.isascii()
    assert partition.report_name.isprintable()
