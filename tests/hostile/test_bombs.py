"""Small files and responses that would fill a disk: LAY-20, LAY-21 and DLD-26."""

import asyncio
import bz2
import gzip
import lzma
import os
import tarfile
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dreg_client import AsyncLayout, Digest, FileReport, aopen_store, errors, open_store, validate_layout
from dreg_client._async.validation import validate_layout as avalidate_layout
from tests.commands import run_dreg
from tests.faultserver import Network, answer
from tests.hostile.downloads import MIB, blob_path, descriptor, held
from tests.hostile.registry import LAYER, registry_at
from tests.hostile.stores import Store
from tests.hostile.ways import WAYS, Way, refused
from tests.layout.conftest import build, tarred

if TYPE_CHECKING:
    from tests.layout.conftest import LayoutBuilder

__all__ = ["build", "tarred"]
BOMBED = 512 * MIB


@pytest.fixture(params=WAYS, ids=lambda name: name.replace(" ", "-"))
def store(request: pytest.FixtureRequest) -> Store:
    """Each way to ask a layout or an archive."""
    return Store(request.param)


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "bz2": bz2.compress,
    "gzip": gzip.compress,
    "xz": lzma.compress,
}


@pytest.mark.parametrize("name", COMPRESSIONS)
@pytest.mark.parametrize("kind", ["oci-archive", "docker-archive"])
def test_lay_20_a_small_archive_does_not_fill_the_disk(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, name: str
) -> None:
    path = tmp_path / "bomb"
    # Each of these formats allows several members, whose contents are joined.
    path.write_bytes(COMPRESSIONS[name](bytes(8 * MIB)) * (BOMBED // (8 * MIB)))
    packed = path.stat().st_size
    opened: list[int] = []
    temporary = tempfile.TemporaryFile
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda: _noted(temporary(), opened))
    store.name = f"{kind}:{path}"

    said = refused(store.manifest("1.4"), errors.LayoutError).text
    assert "decompress it yourself" in said
    limit = max(64 * MIB, 200 * packed)
    assert f"{limit:,}" in said
    for file in opened:
        assert os.fstat(file).st_size <= limit
        os.close(file)


def _noted(file: object, opened: list[int]) -> object:
    opened.append(os.dup(file.fileno()))  # type: ignore[attr-defined]
    return file


def test_lay_20_an_archive_of_compressible_layers_is_read(build: "LayoutBuilder", tmp_path: Path) -> None:
    layer = build.blob(bytes(80 * MIB))
    build.tag("1.4", build.manifest(build.config(), layer))
    packed = tmp_path / "packed"
    with tarfile.open(packed, "w:gz") as archive:
        archive.add(build.write(), "")
        filler = os.urandom(MIB)  # as much as does not shrink
        header = tarfile.TarInfo("other")
        header.size = len(filler)
        archive.addfile(header, BytesIO(filler))

    with open_store(f"oci-archive:{packed}") as opened:
        assert opened.get_blob(layer["digest"], limit=100 * MIB) == bytes(80 * MIB)


# --- LAY-21


def sparse(path: Path, size: int) -> None:
    with path.open("ab") as file:
        file.truncate(size)


def test_lay_21_a_sparse_blob_of_another_size_is_not_read(build: "LayoutBuilder", tmp_path: Path) -> None:
    layer = build.blob(LAYER)
    build.tag("1.4", build.manifest(build.config(), layer))
    build.write()
    sparse(build.file(layer), 1 << 40)  # reading it would take minutes
    wanted = descriptor(LAYER)
    target = tmp_path / "target"

    with build.layout() as layout:
        for run in (
            lambda: layout.download_blob(wanted, target),
            lambda: layout.get_blob(wanted),
            lambda: layout.stream_blob(wanted).__enter__(),
        ):
            with pytest.raises(errors.SizeMismatchError) as caught:
                run()
            assert (caught.value.expected, caught.value.actual) == (len(LAYER), 1 << 40)
    assert not target.exists()


@pytest.mark.parametrize("way", WAYS)
def test_lay_21_validation_does_not_read_a_sparse_blob(way: str, build: "LayoutBuilder") -> None:
    layer = build.blob(LAYER)
    build.tag("1.4", build.manifest(build.config(), layer))
    build.write()
    sparse(build.file(layer), 1 << 40)

    async def by_tasks() -> list[FileReport]:
        async with aopen_store(f"oci:{build.path}") as layout:
            assert isinstance(layout, AsyncLayout)
            return [report async for report in avalidate_layout(layout)]

    if way == "command line":
        done = run_dreg(["validate", f"oci:{build.path}"], environment={"PATH": os.environ["PATH"]})
        assert (done.returncode, b"LYT-05" in done.stdout) == (1, True)
        return
    with build.layout() as layout:
        found = asyncio.run(by_tasks()) if way == "tasks" else [*validate_layout(layout)]
    wrong = [report for report in found if not report.report.ok]
    assert [(it.report.size, [problem.rule for problem in it.report.errors]) for it in wrong] == [(1 << 40, ["LYT-05"])]


# --- DLD-26


def bomb(size: int) -> bytes:
    return gzip.compress(bytes(size), 9)


@pytest.mark.parametrize("stated", [True, False], ids=["with-descriptor", "digest-only"])
def test_dld_26_an_unrequested_gzip_body_does_not_fill_the_disk(
    library_way: Way, net: Network, tmp_path: Path, stated: bool
) -> None:
    wanted = descriptor(LAYER) if stated else str(Digest.of(LAYER))
    body = bomb(256 * MIB)
    registry_at(net).on(blob_path(LAYER), answer(body, "200 OK", "Content-Encoding: gzip"))
    folder = tmp_path / "out"
    folder.mkdir()
    largest = 0
    writes = os.write

    def counting(file: int, octets: bytes) -> int:
        nonlocal largest
        written = writes(file, octets)
        largest = max(largest, os.fstat(file).st_size)
        return written

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "write", counting)
        refused(
            library_way.ask(lambda it: it.download_blob(wanted, folder / "layer", durability="fast")),
            errors.IntegrityError,
        )
    assert largest <= max(64 * MIB, 200 * len(body)) + MIB
    assert not held(folder)


def test_dld_26_a_compressible_blob_is_still_decompressed(library_way: Way, net: Network) -> None:
    raw = b"line of a log\n" * 100_000
    registry_at(net).on(blob_path(raw), answer(gzip.compress(raw), "200 OK", "Content-Encoding: gzip"))

    assert library_way.ask(lambda it: it.get_blob(str(Digest.of(raw)))).value == raw
