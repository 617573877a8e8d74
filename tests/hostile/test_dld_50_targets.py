"""The file that a download is for: shared by several at once, behind another user's link, or no name: DLD-50 to 52."""

import os
import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dreg_client import Digest, errors
from dreg_client.files.atomic import write_whole
from tests.faultserver import Heard, Network, Piece, answer, head
from tests.hostile.downloads import BEFORE, LARGE, blob_path, held, part_file
from tests.hostile.registry import registry_at
from tests.hostile.ways import Way, refused
from tests.other_users import OTHERS, as_root

DIGEST = Digest.of(LARGE)


# --- DLD-50


def pausing(began: threading.Event, go_on: threading.Event) -> Callable[[Heard], Iterator[Piece]]:
    """Serve the large blob, with a pause after its first bytes."""

    def slowly(_: Heard) -> Iterator[Piece]:
        yield head("200 OK", f"Content-Length: {len(LARGE)}") + LARGE[:1000]
        began.set()
        assert go_on.wait(60)
        yield LARGE[1000:]

    return slowly


@pytest.mark.parametrize("second", ["other", "layer"])
def test_dld_50_one_blob_is_downloaded_twice_at_once_into_one_folder(
    way: Way, net: Network, folder: Path, second: str
) -> None:
    began, go_on = threading.Event(), threading.Event()
    slowly = pausing(began, go_on)
    registry_at(net).on(blob_path(LARGE), slowly, answer(LARGE))
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(way.blob, DIGEST, folder / "layer", resume=True)
        try:
            assert began.wait(60)
            assert way.blob(DIGEST, folder / second, resume=True).error is None
            assert (folder / second).read_bytes() == LARGE
            assert part_file(folder, DIGEST).exists()
        finally:
            go_on.set()
        assert first.result(60).error is None
    assert held(folder) == {"layer": LARGE, second: LARGE}


def test_dld_50_the_second_one_removes_its_part_if_it_fails(way: Way, net: Network, folder: Path) -> None:
    began, go_on = threading.Event(), threading.Event()
    slowly = pausing(began, go_on)
    wrong = answer(bytes(len(LARGE)))
    registry_at(net).on(blob_path(LARGE), slowly, wrong, wrong)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(way.blob, DIGEST, folder / "layer", resume=True)
        try:
            assert began.wait(60)
            refused(way.blob(DIGEST, folder / "other", resume=True), errors.DigestMismatchError)
            assert {path.name for path in folder.iterdir()} == {"layer", part_file(folder, DIGEST).name}
        finally:
            go_on.set()
        assert first.result(60).error is None


# --- DLD-51


def planted(folder: Path, mode: int) -> Path:
    """A folder that others write to, with a link of another user to a private file."""
    victim = folder.parent / "private"
    victim.write_bytes(BEFORE)
    shared = folder / "shared"
    shared.mkdir()
    shared.chmod(mode)
    (shared / "layer").symlink_to(victim)
    os.chown(shared / "layer", OTHERS, OTHERS, follow_symlinks=False)
    return victim


@as_root
@pytest.mark.parametrize("mode", [0o1777, 0o777], ids=["sticky", "not sticky"])
@pytest.mark.parametrize("resume", [False, True])
def test_dld_51_a_link_of_another_user_in_a_shared_folder_is_not_followed(
    way: Way, net: Network, folder: Path, mode: int, resume: bool
) -> None:
    victim = planted(folder, mode)
    registry = registry_at(net).on(blob_path(LARGE), answer(LARGE))

    failed = refused(way.blob(DIGEST, folder / "shared/layer", resume=resume), errors.FileError)
    assert "a link of another user" in failed.text
    assert victim.read_bytes() == BEFORE
    assert [path.name for path in (folder / "shared").iterdir()] == ["layer"]
    assert registry.requests == []


@as_root
def test_dld_51_nor_is_it_by_way_of_an_own_link(library_way: Way, net: Network, folder: Path) -> None:
    victim = planted(folder, 0o1777)
    (folder / "own").symlink_to("shared/layer")
    registry_at(net).on(blob_path(LARGE), answer(LARGE))

    refused(library_way.blob(DIGEST, folder / "own"), errors.LayoutError)
    with pytest.raises(errors.FileError, match="another user"):
        write_whole(str(folder / "own"), [b"x"])
    assert victim.read_bytes() == BEFORE


def test_dld_51_an_own_link_is_followed(way: Way, net: Network, folder: Path) -> None:
    folder.chmod(0o1777)
    (folder / "up").mkdir()
    (folder / "link").symlink_to("up/../layer")
    (folder / "twice").symlink_to(folder / "link")
    registry_at(net).on(blob_path(LARGE), answer(LARGE))

    assert way.blob(DIGEST, folder / "twice").error is None
    assert (folder / "layer").read_bytes() == LARGE
    assert (folder / "twice").is_symlink()
    assert (folder / "link").is_symlink()


def test_dld_51_links_in_a_circle_are_told(way: Way, net: Network, folder: Path) -> None:
    (folder / "one").symlink_to("two")
    (folder / "two").symlink_to("one")
    registry_at(net).on(blob_path(LARGE), answer(LARGE))

    refused(way.blob(DIGEST, folder / "one"), errors.FileError)
    assert stat.S_ISLNK((folder / "one").lstat().st_mode)


# --- DLD-52


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b", "a" * 300])
def test_dld_52_a_name_that_no_file_has_is_told(library_way: Way, net: Network, folder: Path, name: str) -> None:
    registry = registry_at(net).on(blob_path(LARGE), answer(LARGE))

    refused(library_way.blob(DIGEST, folder / name), errors.LayoutError)
    with pytest.raises(errors.FileError):
        write_whole(str(folder / name), [b"x"])
    assert held(folder) == {"layer": BEFORE}
    assert registry.requests == []
