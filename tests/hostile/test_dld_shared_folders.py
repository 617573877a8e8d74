"""Downloads and other writers in a folder that other users and programs write to: DLD-36 to DLD-40."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Digest, errors
from dreg_client.files import atomic
from dreg_client.schemagen import folder as schemas
from tests.faultserver import Heard, Network, Piece, answer, head
from tests.hostile.downloads import BEFORE, LARGE, blob_path, held, part_file
from tests.hostile.registry import registry_at
from tests.hostile.ways import Way, refused
from tests.other_users import OTHERS, as_root

DIGEST = Digest.of(LARGE)


# --- a part that is not ours


def hard_link(part: Path) -> None:
    other = part.with_name("other")
    other.write_bytes(LARGE[:100])
    part.hardlink_to(other)


def link(part: Path) -> None:
    other = part.with_name("other")
    other.write_bytes(LARGE[:100])
    part.symlink_to(other)


def writable(part: Path) -> None:
    part.write_bytes(LARGE[:100])
    part.chmod(0o666)


def foreign(part: Path) -> None:
    part.write_bytes(LARGE[:100])
    os.chown(part, OTHERS, OTHERS)


PARTS: list[Any] = [hard_link, link, writable, os.mkfifo, Path.mkdir, pytest.param(foreign, marks=as_root)]


@pytest.mark.parametrize("plant", PARTS, ids=lambda it: it.__name__)
def test_dld_36_a_part_that_others_may_change_is_neither_used_nor_touched(
    way: Way, net: Network, folder: Path, plant: Callable[[Path], None]
) -> None:
    registry = registry_at(net).on(blob_path(LARGE), answer(LARGE))
    part = part_file(folder, DIGEST)
    plant(part)
    before, found = held(folder), part.lstat()

    outcome = refused(way.blob(DIGEST, folder / "layer", resume=True), errors.LayoutError)
    assert str(part) in outcome.text or part.is_dir()
    assert held(folder) == before
    assert part.lstat().st_mode == found.st_mode
    assert (part.lstat().st_ino, part.lstat().st_nlink) == (found.st_ino, found.st_nlink)
    assert registry.requests == []


# --- a part that is swapped


def by_file(part: Path, victim: Path) -> None:
    victim.rename(part)


def by_link(part: Path, victim: Path) -> None:
    part.symlink_to(victim)


@pytest.mark.parametrize("swap", [by_file, by_link])
@pytest.mark.parametrize("resume", [False, True])
def test_dld_37_a_part_that_is_swapped_gets_neither_the_name_nor_the_permissions(
    way: Way, net: Network, folder: Path, swap: Callable[[Path, Path], None], resume: bool
) -> None:
    victim = folder / "victim"
    victim.write_bytes(b"a secret")
    victim.chmod(0o600)

    def said(_: Heard) -> Iterator[Piece]:
        yield head("200 OK", f"Content-Length: {len(LARGE)}") + LARGE[:-1]
        [part] = folder.glob(".*.part")
        part.rename(folder / "aside")
        swap(part, victim)
        yield LARGE[-1:]

    registry_at(net).on(blob_path(LARGE), said)
    outcome = refused(way.blob(DIGEST, folder / "layer", resume=resume), errors.LayoutError)

    assert "replaced" in outcome.text
    assert (folder / "layer").read_bytes() == BEFORE
    [part] = folder.glob(".*.part")
    assert (part.read_bytes(), stat.S_IMODE(part.stat().st_mode)) == (b"a secret", 0o600)


def test_dld_37_so_is_that_of_any_writer(folder: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"new"
        for part in folder.glob(".*.part"):  # a system that can write without a name shows none
            part.unlink()
            part.write_bytes(b"another's")

    def named(*_: object) -> None:
        return None

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(atomic, "_unnamed", named)
        with pytest.raises(errors.FileError, match="replaced"):
            atomic.write_whole(str(folder / "layer"), chunks())
    assert (folder / "layer").read_bytes() == BEFORE


# --- permissions


@pytest.fixture
def umask() -> Iterator[int]:
    """An unusual umask."""
    before = os.umask(0o027)
    yield 0o027
    os.umask(before)


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("is_told", [True, False], ids=["told by the kernel", "not told"])
def test_dld_39_the_umask_is_read_without_being_changed(
    library_way: Way,
    net: Network,
    tmp_path: Path,
    umask: int,
    monkeypatch: pytest.MonkeyPatch,
    is_told: bool,
    resume: bool,
) -> None:
    registry_at(net).on(blob_path(LARGE), answer(LARGE))
    folder = tmp_path / "out"
    folder.mkdir()
    if not is_told:
        monkeypatch.setattr(atomic, "_STATUS", tmp_path / "none")

    def changed(_: int) -> int:
        raise AssertionError("other threads create files at this moment")

    with monkeypatch.context() as patched:
        patched.setattr(os, "umask", changed)
        assert library_way.blob(DIGEST, folder / "layer", resume=resume).kind is None
        atomic.write_whole(str(folder / "file"), [LARGE])
    assert held(folder) == {"layer": LARGE, "file": LARGE}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o666 & ~umask & 0o644}


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o755, 0o4711])
@pytest.mark.parametrize("resume", [False, True])
def test_dld_40_a_file_that_is_replaced_keeps_its_permissions(
    way: Way, net: Network, folder: Path, mode: int, resume: bool
) -> None:
    registry_at(net).on(blob_path(LARGE), answer(LARGE))
    (folder / "layer").chmod(mode)
    if os.geteuid() == 0:
        os.chown(folder / "layer", OTHERS, OTHERS)
        (folder / "layer").chmod(mode)
    owner = owner_of(folder / "layer")

    assert way.blob(DIGEST, folder / "layer", resume=resume).kind is None
    assert held(folder) == {"layer": LARGE}
    assert stat.S_IMODE((folder / "layer").stat().st_mode) == mode & 0o777
    assert owner_of(folder / "layer") == owner


def owner_of(path: Path) -> tuple[int, int]:
    return path.stat().st_uid, path.stat().st_gid


def test_dld_40_so_do_files_of_other_writers(net: Network, tmp_path: Path) -> None:
    registry_at(net)
    page = tmp_path / "page.html"
    schemas.write(tmp_path / "schemas")
    schema = next((tmp_path / "schemas").glob("*.json"))
    for path in (page, schema):
        path.write_text("old")
        path.chmod(0o600)

    way = Way("command line", net)
    assert way.command("inspect", "registry.test/acme/web:1.4", "--format", "html", "-o", str(page)).exit_code == 0
    assert schemas.write(tmp_path / "schemas") == (schema,)
    for path in (page, schema):
        assert path.read_text() != "old"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_dld_40_what_one_group_was_allowed_is_not_for_another(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = folder / "layer"
    target.chmod(0o664)
    looked = os.lstat

    def of_another_group(path: Any) -> Any:
        found = looked(path)
        return os.stat_result((*found[:5], found.st_gid + 1, *found[6:])) if path == target else found

    def denied(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "lstat", of_another_group)
    monkeypatch.setattr(os, "fchown", denied)
    atomic.write_whole(str(target), [LARGE])
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
