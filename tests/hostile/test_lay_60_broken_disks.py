"""Archives on a disk that cannot be read (LAY-60)."""

import bz2
import errno
import gzip
import io
import lzma
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dreg_client import errors
from dreg_client.files.unpacked import unpacked

PLAIN = os.urandom(200_000)
Compress = Callable[[bytes], bytes]
by_format = pytest.mark.parametrize(
    "compress", [gzip.compress, bz2.compress, lzma.compress], ids=["gzip", "bzip2", "xz"]
)


class OnABrokenDisk(io.FileIO):
    """A file whose disk fails after some reads."""

    def __init__(self, path: Path, reads: int) -> None:
        super().__init__(path)
        self._left = reads

    def read(self, size: int | None = -1, /) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().read(-1 if size is None else size)


@by_format
@pytest.mark.parametrize("reads", [0, 1, 2, 3])
def test_lay_60_a_disk_that_fails_is_not_reported_as_broken_compression(
    tmp_path: Path, compress: Compress, reads: int
) -> None:
    path = tmp_path / "archive"
    path.write_bytes(compress(PLAIN))
    with OnABrokenDisk(path, reads) as archive, pytest.raises(errors.LayoutError) as raised:
        unpacked(archive, "archive")  # type: ignore[arg-type]
    assert type(raised.value) is errors.LayoutError
    assert str(raised.value) == "archive: cannot be read: Input/output error"


@by_format
@pytest.mark.parametrize("kept", [40, -20])
def test_lay_60_a_truncated_archive_is_broken_compression(tmp_path: Path, compress: Compress, kept: int) -> None:
    path = tmp_path / "archive"
    path.write_bytes(compress(PLAIN)[:kept])
    with path.open("rb") as archive, pytest.raises(errors.LayoutCorruptError, match="cannot be decompressed"):
        unpacked(archive, "archive")


@by_format
def test_lay_60_a_changed_byte_is_broken_compression(tmp_path: Path, compress: Compress) -> None:
    path = tmp_path / "archive"
    raw = bytearray(compress(PLAIN))
    raw[len(raw) // 2] ^= 0xFF
    path.write_bytes(raw)
    with path.open("rb") as archive, pytest.raises(errors.LayoutCorruptError, match="cannot be decompressed"):
        unpacked(archive, "archive")
