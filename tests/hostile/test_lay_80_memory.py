"""Small archives and layouts that would need much memory: LAY-80 and LAY-81."""

import gzip
import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dreg_client import errors
from tests.commands import run_limited
from tests.hostile.downloads import MIB
from tests.hostile.measured import COMMAND, MEASURING, UNIT
from tests.hostile.stores import Store
from tests.hostile.ways import WAYS, refused
from tests.layout.conftest import build

if TYPE_CHECKING:
    pass

__all__ = ["build"]
MOST = 200 * MIB
MARKER = b'{"imageLayoutVersion":"1.0.0"}'
EMPTY = b'{"schemaVersion":2,"manifests":[]}'


def measured(*words: str) -> tuple[int, int]:
    """Run a command; return the exit code and the peak of the memory."""
    ours, its = os.pipe()
    command = [sys.executable, "-IS", "-c", MEASURING, str(its), *COMMAND, *words]
    run_limited(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=[its], check=False)
    os.close(its)
    with os.fdopen(ours, "rb") as report:
        peak, code = map(int, report.read().split())
    return code, peak * UNIT


def archive(path: Path, members: Iterator[tuple[str, bytes]]) -> Path:
    with gzip.open(path, "wb", compresslevel=1) as packed, tarfile.open(fileobj=packed, mode="w|") as tar:
        for name, body in members:
            header = tarfile.TarInfo(name)
            header.size = len(body)
            tar.addfile(header, io.BytesIO(body))
    return path


# --- LAY-80


def index(number: int, padding: int, escape: bytes = b"") -> bytes:
    """An `index.json` with distinct entries of five values each."""
    entry = b'{"mediaType":"a/b","digest":"x:%%07d","size":5,"x":"%s"}' % (b"p" * padding)
    entries = b",".join(entry % at for at in range(number))
    return b'{"schemaVersion":2,"manifests":[' + entries + b'],"x":"%s"}' % escape


LARGE = {"plain": index(30_000, 120), "escaped": index(20_000, 280, "\\u0061\U0001f600".encode())}


@pytest.mark.parametrize("is_packed", [False, True], ids=["layout", "archive"])
@pytest.mark.parametrize("raw", LARGE.values(), ids=LARGE)
def test_lay_80_an_index_of_many_entries_takes_a_limited_memory(tmp_path: Path, raw: bytes, is_packed: bool) -> None:
    name = f"oci:{tmp_path}"
    if is_packed:
        path = archive(tmp_path / "packed", iter([("oci-layout", MARKER), ("index.json", raw)]))
        name = f"oci-archive:{path}"
    else:
        (tmp_path / "oci-layout").write_bytes(MARKER)
        (tmp_path / "index.json").write_bytes(raw)

    code, peak = measured("tags", name)
    assert code == 0
    assert peak < max(MOST, 20 * len(raw))


# --- LAY-81


def documents(length: int, each: int, number: int) -> Iterator[tuple[str, bytes]]:
    """Documents that name distinct digests of a length."""
    yield "oci-layout", MARKER
    yield "index.json", EMPTY
    for file in range(number):
        named = (b'{"digest":"a:%s%07d","size":1}' % (b"A" * length, file * each + at) for at in range(each))
        yield f"file{file}", b'{"m":[' + b",".join(named) + b"]}"
    yield "zeros", bytes(16 * MIB)  # an archive that grows a lot is examined


NAMED = {
    "long": (1000, 3900, 40, "blobs with names of more than 16,777,216 characters"),
    "short": (0, 30_000, 10, "more than 200,000 blobs"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("length", "each", "number", "said"), NAMED.values(), ids=NAMED)
def test_lay_81_documents_that_name_too_many_blobs_are_rejected(
    tmp_path: Path, way: str, length: int, each: int, number: int, said: str
) -> None:
    path = archive(tmp_path / "packed", documents(length, each, number))

    failed = refused(Store(way, f"oci-archive:{path}").manifest("1.4"), errors.LayoutCorruptError)
    assert said in failed.text
    if way == "command line":
        code, peak = measured("tags", f"oci-archive:{path}")
        assert code == 5
        assert peak < MOST
