"""The journal of `dreg validate --resume FILE`: CLI-13 to CLI-15."""

import errno
import fcntl
import json
import os
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Digest, errors
from dreg_client.cli import validate_journal
from dreg_client.cli.validate_journal import Journal
from dreg_client.cli.validate_output import Checked
from dreg_client.files.journal_file import JournalFile
from tests.commands import run_dreg
from tests.faultserver import Host, Network, refusal
from tests.hostile.downloads import FullDisk, held
from tests.hostile.registry import (
    BASE,
    LAYER_DIGEST,
    MANIFEST,
    MANIFESTS,
    OCI_INDEX,
    TAGS,
    document,
    listed,
    registry_at,
)

WEB = "registry.test/acme/web"
HEADER = b'{"journal": "dreg validate --resume", "version": 1}\n'
BROKEN = refusal("500 No")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A path in a folder of its own."""
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "progress"


def validated(net: Network, *words: str | Path) -> "subprocess.CompletedProcess[bytes]":
    """A validation of the repository."""
    options = ["--ca-file", str(net.ca_file), "--retries", "0", "--format", "jsonl"]
    return run_dreg(["validate", WEB, *options, *map(str, words)], environment=net.environment())


def found(done: "subprocess.CompletedProcess[bytes]") -> dict[str, list[str]]:
    """The rules that documents break, by their names."""
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["source"]: [it["rule"] for it in line["problems"]] for line in lines if "source" in line}


def interrupted(
    net: Network, file: Path, *words: str, tags: tuple[str, ...] = ("1.4", "later"), at: Host | None = None
) -> Host:
    """A registry of whose tags the last could not be read; the others are in the journal."""
    registry = (at or registry_at(net)).on(TAGS, listed(*tags)).on(f"{MANIFESTS}/later", BROKEN)
    assert validated(net, "--resume", file, *words).returncode == 1
    assert file.exists(), "not all tags are done"
    registry.on(f"{MANIFESTS}/later", document(MANIFEST))
    registry.requests.clear()
    return registry


# --- files of others


CONTENTS = {
    "a text": b"my notes\n",
    "an object": b"{}\n",
    "a list": b"[]",
    "a line of an older journal": b'{"tag": "registry.test/acme/web:1.4", "findings": []}\n',
    "bytes": b"\0\xff" * 1000,
    "another version": HEADER.replace(b"1", b"2"),
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=list(CONTENTS))
def test_cli_13_a_file_that_is_no_journal_is_not_touched(net: Network, file: Path, content: bytes) -> None:
    registry = registry_at(net)
    file.write_bytes(content)
    done = validated(net, "--resume", file)

    assert (done.returncode, done.stdout) == (2, b"")
    assert b"not a journal of dreg validate; it was not changed" in done.stderr
    assert held(file.parent) == {file.name: content}
    assert registry.requests == []


def link(file: Path) -> None:
    file.symlink_to(file.with_name("real"))


def link_to_a_journal(file: Path) -> None:
    file.with_name("real").write_bytes(HEADER)
    link(file)


def hard_link(file: Path) -> None:
    file.with_name("real").write_bytes(HEADER)
    file.hardlink_to(file.with_name("real"))


def writable(file: Path) -> None:
    file.write_bytes(HEADER)
    file.chmod(0o666)


def below_a_file(file: Path) -> None:
    file.parent.rmdir()
    file.parent.write_bytes(b"")


KINDS: list[Callable[[Path], Any]] = [link, link_to_a_journal, hard_link, writable, os.mkfifo, Path.mkdir, below_a_file]


@pytest.mark.parametrize("plant", KINDS, ids=lambda it: it.__name__)
def test_cli_13_nor_is_what_is_no_file_of_ours_alone(net: Network, file: Path, plant: Callable[[Path], Any]) -> None:
    registry = registry_at(net)
    plant(file)
    before = held(file.parent)
    done = validated(net, "--resume", file)

    assert (done.returncode, done.stdout) == (2, b"")
    assert str(file) in json.loads(done.stderr)["message"]
    assert held(file.parent) == before
    assert registry.requests == []


def test_cli_13_nor_is_a_journal_that_is_in_use(net: Network, file: Path) -> None:
    interrupted(net, file)
    before = held(file.parent)
    with file.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        done = validated(net, "--resume", file)

    assert (done.returncode, held(file.parent)) == (2, before)
    assert b"in use" in done.stderr


def test_cli_13_a_journal_is_for_its_owner_alone_and_is_deleted_when_all_is_done(net: Network, file: Path) -> None:
    interrupted(net, file)
    assert file.stat().st_mode & 0o777 == 0o600

    done = validated(net, "--resume", file)
    assert (done.returncode, found(done)) == (0, {f"{WEB}:{tag}": [] for tag in ("1.4", "later")} | found_below(done))
    assert held(file.parent) == {}


def found_below(done: "subprocess.CompletedProcess[bytes]") -> dict[str, list[str]]:
    return {name: rules for name, rules in found(done).items() if "@" in name}


# --- verdicts that no longer hold


def test_cli_14_what_is_done_is_not_read_again(net: Network, file: Path) -> None:
    registry = interrupted(net, file)
    registry.on(f"{MANIFESTS}/1.4", BROKEN, method="GET")
    without = validated(net)
    assert without.returncode == 1

    registry.requests.clear()
    done = validated(net, "--resume", file)
    assert done.returncode == 0
    assert f"{WEB}:1.4" in found(done)
    assert [heard.method for heard in registry.requests if heard.path == f"{MANIFESTS}/1.4"] == ["HEAD"]


def test_cli_14_a_tag_that_was_moved_is_validated_again(net: Network, file: Path) -> None:
    registry = interrupted(net, file)
    registry.on(f"{MANIFESTS}/1.4", document(b"{}"))
    done = validated(net, "--resume", file)

    assert done.returncode == 1
    assert found(done)[f"{WEB}:1.4"]


@pytest.mark.parametrize(("before", "after"), [("", "--complete"), ("--complete", ""), ("", "--pedantic")])
def test_cli_14_other_options_are_other_verdicts(net: Network, file: Path, before: str, after: str) -> None:
    registry = interrupted(net, file, *filter(None, [before]))
    registry.on(f"{BASE}/blobs/{LAYER_DIGEST}", refusal("404 No"))
    done = validated(net, "--resume", file, *filter(None, [after]))

    fresh = validated(net, *filter(None, [after]))
    assert (done.returncode, found(done)) == (fresh.returncode, found(fresh))
    assert done.returncode == int(after == "--complete")


def test_cli_14_what_images_share_is_told_after_one_of_them_is_gone(net: Network, file: Path) -> None:
    bad = b'{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"}'
    entry = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": Digest.of(bad), "size": len(bad)}
    registry = registry_at(net).on(f"{MANIFESTS}/{Digest.of(bad)}", document(bad))
    for name in "ab":
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry], "annotations": {"name": name}}
        registry.on(f"{MANIFESTS}/{name}", document(json.dumps(index).encode(), OCI_INDEX))
    interrupted(net, file, tags=("a", "b", "later"), at=registry)
    registry.on(TAGS, listed("b", "later"))
    done = validated(net, "--resume", file)

    assert done.returncode == 1
    assert found(done)[f"{WEB}@{Digest.of(bad)}"]


# --- journals that are damaged


LINE: dict[str, Any] = {
    "repository": WEB,
    "options": {},
    "findings": [{"source": f"{WEB}:1", "kind": None, "digest": str(Digest.of(b"")), "size": 0, "problems": []}],
}
FINDING: dict[str, Any] = LINE["findings"][0]
JUNK: dict[str, Any] = {
    "a text": b"junk",
    "a list": [],
    "null": None,
    "a number": 1,
    "very deep": b"[" * 100_000,
    "no findings": {**LINE, "findings": []},
    "other findings": {**LINE, "findings": {"a": 1}},
    "findings of null": {**LINE, "findings": None},
    "another digest": {**LINE, "findings": [{**FINDING, "digest": "sha256:../../x"}]},
    "other problems": {**LINE, "findings": [{**FINDING, "problems": [1]}]},
    "another severity": {**LINE, "findings": [{**FINDING, "problems": [{"severity": "none"}]}]},
    "other options": {**LINE, "options": []},
    "a long number": b'{"repository": ' + b"9" * 5000 + b"}",
    "bytes": b"\xff\0",
}


@pytest.mark.parametrize("junk", JUNK.values(), ids=list(JUNK))
def test_cli_15_a_damaged_line_is_an_error_that_says_what_to_do(net: Network, file: Path, junk: Any) -> None:
    registry = interrupted(net, file)
    with file.open("ab") as journal:
        journal.write((junk if isinstance(junk, bytes) else json.dumps(junk).encode()) + b"\n")
    before = held(file.parent)
    done = validated(net, "--resume", file)

    assert (done.returncode, done.stdout) == (2, b"")
    assert b"line 3; delete it" in done.stderr
    assert held(file.parent) == before
    assert registry.requests == []


def test_cli_15_a_line_that_was_cut_is_removed_and_the_others_count(net: Network, file: Path) -> None:
    interrupted(net, file)
    whole = file.read_bytes()
    file.write_bytes(whole + b'{"repository": "registry.test/ac')
    opened = Journal(str(file), complete=False, pedantic=False)
    opened.unfinished = 1
    opened.close()
    assert file.read_bytes() == whole
    assert validated(net, "--resume", file).returncode == 0


@pytest.mark.parametrize("size", [0, 1, len(HEADER) - 1])
def test_cli_15_a_first_line_that_was_cut_is_written_again(net: Network, file: Path, size: int) -> None:
    file.write_bytes(HEADER[:size])
    interrupted(net, file)

    assert file.read_bytes().startswith(HEADER)
    assert validated(net, "--resume", file).returncode == 0


def test_cli_15_a_line_that_could_not_be_read_again_is_not_written(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validate_journal, "JournalFile", partial(JournalFile, longest=len(HEADER)))
    journal = Journal(str(file), complete=False, pedantic=False)
    journal.unfinished = 1
    with pytest.raises(errors.FileError, match="the limit is"):
        journal.add("a", [Checked("a:1", None, Digest.of(b""), 0, ())])
    journal.close()

    assert file.read_bytes() == HEADER


class Name(str):
    """The name of a repository, which counts how often it is compared."""

    __slots__ = ()

    compared = 0

    def __eq__(self, other: object) -> bool:
        Name.compared += 1
        return super().__eq__(other)

    __hash__ = str.__hash__


def test_the_journal_finds_a_repository_without_reading_all_entries(file: Path) -> None:
    journal = Journal(str(file), complete=False, pedantic=False)
    for number in range(1000):
        journal.add(f"registry.test/{number}", [Checked("a:1", None, Digest.of(b""), 0, ())])
    Name.compared = 0

    assert not journal.has_any(Name("registry.test/other"))
    assert journal.has_any(Name("registry.test/999"))
    assert Name.compared <= 2
    journal.close()


def test_cli_15_a_full_disk_is_told_and_leaves_whole_lines(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(str(file), complete=False, pedantic=False)
    journal.unfinished = 1
    of_empty = [Checked("a:1", None, Digest.of(b""), 0, ())]
    journal.add("a", of_empty)
    before = file.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", FullDisk(20, errno.ENOSPC))
        with pytest.raises(errors.FileError, match="No space left"):
            journal.add("a", [Checked("a:2", None, Digest.of(b"2"), 0, ())])
    journal.close()

    assert file.read_bytes() == before
    again = Journal(str(file), complete=False, pedantic=False)
    assert again.findings("a", str(Digest.of(b""))) == of_empty
    again.close()
    assert not file.exists()


def test_cli_13_without_a_registry_the_file_is_not_opened(net: Network, file: Path) -> None:
    file.write_bytes(b"my notes")
    document_file = file.with_name("manifest.json")
    document_file.write_bytes(MANIFEST)
    done = run_dreg(["validate", str(document_file), "--resume", str(file)], environment=net.environment())

    assert done.returncode == 2
    assert file.read_bytes() == b"my notes"
