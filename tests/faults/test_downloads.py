"""Downloads on a file system that fails, call by call (4.8; LAY-12): the old file or the new one, and no other."""

import errno
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dreg_client import errors
from tests.commands import run_limited
from tests.faults.blobs import BLOB, OLD, PART, WAYS, Giving
from tests.faults.layer import failing, interrupted, raising
from tests.raw_server import RawServer, speaking

ROOT = Path(__file__).parent.parent.parent
STRANGER = ".blob.0123456789abcdef.part"
FAILURES = [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EDQUOT]
# From the first write to the new name; what a failed look at the target, or a failed close, comes to is not said here.
PASSES = frozenset({"close", "stat"})
BEFORE = frozenset({"lseek", "read"})
BEHIND = frozenset({"open", "write", "fsync", "replace"})


@pytest.fixture(scope="module")
def server() -> Iterator[RawServer]:
    with speaking(Giving()) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an older file of that name, and a stranger's that looks like one of ours."""
    (tmp_path / "blob").write_bytes(OLD)
    (tmp_path / STRANGER).write_bytes(b"a stranger's")
    return tmp_path


def others(folder: Path) -> set[str]:
    """What lies there besides, the stranger's file left as it was."""
    assert (folder / STRANGER).read_bytes() == b"a stranger's"
    return {path.name for path in folder.iterdir()} - {"blob", STRANGER}


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("code", FAILURES, ids=errno.errorcode.get)
def test_lay_12_whichever_call_fails_the_file_is_the_old_one_or_the_new_one(
    server: RawServer, folder: Path, code: int, way: str, resume: bool
) -> None:
    number, struck = 1, True
    while struck:
        (folder / "blob").write_bytes(OLD)
        with failing(folder, number, raising(code), PASSES) as layer:
            failure = failure_of(way, server.url, folder / "blob", resume=resume)
        assert layer.files == set(), f"left open by a failure of {layer.calls}"
        check(folder, failure, code, kept={PART} if resume else set())
        WAYS[way](server.url, folder / "blob", resume=resume)
        assert (folder / "blob").read_bytes() == BLOB
        assert others(folder) == set()
        number, struck = number + 1, layer.struck
    assert set(layer.calls) >= BEHIND


def failure_of(way: str, url: str, target: Path, *, resume: bool) -> Exception | None:
    try:
        WAYS[way](url, target, resume=resume)
    except Exception as failure:  # noqa: BLE001 (which one it is, is what is tested)
        return failure
    return None


def check(folder: Path, failure: Exception | None, code: int, *, kept: set[str]) -> None:
    found = (folder / "blob").read_bytes()
    if failure is None:
        assert found == BLOB
        assert others(folder) == set()
        return
    assert isinstance(failure, errors.LayoutError)
    assert isinstance(failure.__cause__, OSError)
    assert failure.__cause__.errno == code
    assert found in {OLD, BLOB}
    assert others(folder) <= kept


def test_an_interruption_of_whichever_call_leaves_no_other_file(server: RawServer, folder: Path) -> None:
    number, struck = 1, True
    while struck:
        (folder / "blob").write_bytes(OLD)
        with failing(folder, number, interrupted, PASSES | BEFORE) as layer:
            try:
                WAYS["thread"](server.url, folder / "blob")
            except KeyboardInterrupt:
                struck = layer.struck
            else:
                struck = False
        assert layer.files == set()
        assert others(folder) == set()
        assert (folder / "blob").read_bytes() in {OLD, BLOB}
        number += 1
    assert set(layer.calls) >= BEHIND


@pytest.mark.parametrize("resume", ["", "resume"])
@pytest.mark.parametrize("way", WAYS)
def test_lay_11_killed_at_whichever_call_the_file_is_the_old_one_or_the_new_one(
    server: RawServer, folder: Path, way: str, resume: str
) -> None:
    """What a child that dies at some call leaves has a name of its own, and does not stand in the way."""
    command = [sys.executable, "-m", "tests.faults.kills", way, server.url, str(folder), resume]
    done = run_limited(command, capture_output=True, text=True, cwd=ROOT, check=False)

    assert done.returncode == 0, done.stderr
    found = [line.split() for line in done.stdout.splitlines()]
    assert {state for _, state, _ in found} == {"old", "new"}
    assert found[-1] == ["0", "new", "0"]
    assert {code for code, _, _ in found[:-1]} == {str(-signal.SIGKILL)}
    assert {left for _, _, left in found} == {"0", "1"}
    WAYS[way](server.url, folder / "blob", resume=bool(resume))
    assert (folder / "blob").read_bytes() == BLOB
    assert others(folder) == set()
