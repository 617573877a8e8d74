"""What downloads that were killed left behind, and what becomes of a download when the disk fails."""

import errno
import os
import time
from pathlib import Path
from typing import Any

import pytest

from dreg_client import errors
from tests.doors import Door, repository
from tests.http.documents import LAYER, LAYER_DIGEST, image

DAY = 24 * 3600
NUMBER = "0123456789abcdef"


def left(path: Path, age: float) -> Path:
    path.write_bytes(b"half")
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def download(folder: Path, *, resume: bool = False) -> Any:
    return lambda registry: repository(registry).download_blob(LAYER_DIGEST, folder / "layer", resume=resume)


def test_what_killed_downloads_left_is_swept_after_a_day(door: Door, tmp_path: Path) -> None:
    gone = [left(tmp_path / f".{name}.{NUMBER}.part", DAY + 60) for name in ("other", "a.b", "ä b")]
    kept = [
        left(tmp_path / f".other.{NUMBER[::-1]}.part", DAY - 600),
        left(tmp_path / f".sha256-{'0' * 64}.part", 9 * DAY),
        left(tmp_path / f".sha512-{'0' * 128}.part", 9 * DAY),
        left(tmp_path / f"other.{NUMBER}.part", 9 * DAY),
        left(tmp_path / f".{NUMBER}.part", 9 * DAY),
        left(tmp_path / ".other.0123.part", 9 * DAY),
        left(tmp_path / f".other.{NUMBER}.part.gz", 9 * DAY),
        left(tmp_path / ".other.0123456789ABCDEF.part", 9 * DAY),
    ]
    folder = tmp_path / f".folder.{NUMBER}.part"
    folder.mkdir()
    os.utime(folder, (0, 0))
    link = tmp_path / f".link.{NUMBER}.part"
    link.symlink_to(kept[3])
    os.utime(link, (0, 0), follow_symlinks=False)

    door.run(image, download(tmp_path))
    assert (tmp_path / "layer").read_bytes() == LAYER
    assert not any(path.exists() for path in gone)
    assert all(path.exists() for path in (*kept, folder, link))


def test_a_folder_is_looked_through_once_an_hour(door: Door, tmp_path: Path) -> None:
    door.run(image, download(tmp_path))
    late = left(tmp_path / f".other.{NUMBER}.part", 2 * DAY)
    door.run(image, download(tmp_path))

    assert late.exists()


@pytest.mark.parametrize("resume", [False, True], ids=["plain", "resumed"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT], ids=errno.errorcode.get)
def test_dld_14_a_disk_that_fails_is_one_error_with_its_cause(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, resume: bool
) -> None:
    write = os.write

    def fails(file: int, block: Any) -> int:
        if bytes(block) == LAYER:
            raise OSError(code, os.strerror(code))
        return write(file, block)

    monkeypatch.setattr(os, "write", fails)
    (tmp_path / "layer").write_bytes(b"before")
    with pytest.raises(errors.LayoutError, match=f"cannot be written: {os.strerror(code)}") as failed:
        door.run(image, download(tmp_path, resume=resume), retries=2)
    assert isinstance(failed.value.__cause__, OSError)
    assert failed.value.__cause__.errno == code
    assert [path.name for path in tmp_path.iterdir()] == ["layer"]
    assert (tmp_path / "layer").read_bytes() == b"before"
    assert len(door.seen) == 1, "nothing is asked for anew"
