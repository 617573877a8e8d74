"""Where downloads land: full disks, files that are there already, standard output: DLD-14, DLD-15."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dreg_client import Digest, errors
from tests.faultserver import END, Heard, Network, Piece, answer, head
from tests.hostile.downloads import BEFORE, LARGE, MIB, FullDisk, blob_path, held, limit_files
from tests.hostile.registry import registry_at
from tests.hostile.ways import Way, refused

BLOB = LARGE * 8
DIGEST = Digest.of(BLOB)
HALF = len(BLOB) // 2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which the file is there already."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "layer").write_bytes(BEFORE)
    return tmp_path / "out"


@contextmanager
def limited(size: int) -> Iterator[None]:
    """Within the block no file of this process or its children grows further."""
    ended = limit_files(size)
    try:
        yield
    finally:
        ended()


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EDQUOT], ids=errno.errorcode.get)
def test_dld_14_a_disk_that_fails_in_the_middle_leaves_the_file_as_it_was(
    library_way: Way, net: Network, folder: Path, error: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = registry_at(net).on(blob_path(BLOB), answer(BLOB))
    library_way.options["retries"] = 4

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", FullDisk(HALF, error))
        outcome = library_way.blob(DIGEST, folder / "layer")

    refused(outcome, errors.LayoutError)
    assert isinstance(outcome.error, errors.LayoutError)
    assert isinstance(outcome.error.__cause__, OSError)
    assert outcome.error.__cause__.errno == error
    assert held(folder) == {"layer": BEFORE}
    assert len(registry.requests) == 1


def test_dld_14_a_file_that_may_grow_no_further_is_an_error(way: Way, net: Network, folder: Path) -> None:
    registry = registry_at(net).on(blob_path(BLOB), answer(BLOB))
    way.options["retries"] = 4

    with limited(MIB):
        refused(way.blob(DIGEST, folder / "layer"), errors.LayoutError)

    assert held(folder) == {"layer": BEFORE}
    assert len(registry.requests) == 1


def test_dld_15_a_file_is_replaced_when_all_is_proven_and_in_one_step(way: Way, net: Network, folder: Path) -> None:
    target, seen = folder / "layer", []

    def said(_: Heard) -> Iterator[Piece]:
        yield head("200 OK", f"Content-Length: {len(BLOB)}") + BLOB[:-1]
        seen.append(target.read_bytes())
        yield BLOB[-1:]

    registry_at(net).on(blob_path(BLOB), said)

    with target.open("rb") as old:
        assert way.blob(DIGEST, target).kind is None
        assert old.read() == BEFORE
    assert seen == [BEFORE]
    assert held(folder) == {"layer": BLOB}


SOURCE = "registry.test/acme/web"


def test_dld_15_bytes_of_a_blob_flow_to_standard_output(net: Network) -> None:
    registry_at(net).on(blob_path(LARGE), answer(LARGE))

    done = Way("command line", net).command("blob", SOURCE, str(Digest.of(LARGE)))
    assert (done.exit_code, done.value) == (0, LARGE)


def test_dld_15_other_bytes_on_standard_output_are_disowned(net: Network) -> None:
    registry_at(net).on(blob_path(LARGE), answer(LARGE[::-1]))

    done = Way("command line", net).command("blob", SOURCE, str(Digest.of(LARGE)))
    assert done.exit_code == 5
    assert LARGE[::-1].startswith(done.value)
    assert 0 < len(done.value) < len(LARGE), "the last of it never comes"
    assert refused(done, errors.DigestMismatchError)
    assert "do not use" in done.text


def test_dld_15_a_part_on_standard_output_is_disowned(net: Network) -> None:
    cut = (answer(LARGE[:200_000], length=len(LARGE)), END)
    registry_at(net).on(blob_path(LARGE), cut, answer(b"", "404 Not Found"))

    done = Way("command line", net).command("blob", SOURCE, str(Digest.of(LARGE)))
    assert done.exit_code == 4
    assert LARGE[:200_000].startswith(done.value)
    assert done.value
    assert "do not use" in done.text


def test_dld_15_where_nothing_came_nothing_is_disowned(net: Network) -> None:
    registry_at(net).on(blob_path(LARGE), answer(b"", "404 Not Found"))

    done = Way("command line", net).command("blob", SOURCE, str(Digest.of(LARGE)))
    assert (done.exit_code, done.value) == (4, b"")
    assert "do not use" not in done.text
