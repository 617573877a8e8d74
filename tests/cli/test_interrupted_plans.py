"""A plan whose application is interrupted says what was done and how to continue; then it continues (CLI-04)."""

import json
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dreg_client.tagging.plan import AddTag, RepositoryTagPlan, TagPlan
from dreg_client.values.digest import Digest
from tests.cli.test_signals import COMMAND, MANIFEST, SIGNALS, running, wait_for
from tests.raw_server import answer, speaking

DIGEST = Digest.of(MANIFEST)
TAGS = ("1", "2", "latest")


class Registry:
    """A registry that stores tags; at first, it does not answer when `latest` is written."""

    def __init__(self) -> None:
        self.tags: set[str] = set()
        self.hesitates = True

    def __call__(self, head: bytes, connection: socket.socket) -> bool:
        method, target = head.decode("latin-1").split()[:2]
        name = target.rpartition("/")[2]
        if method == "PUT":
            connection.recv(len(MANIFEST), socket.MSG_WAITALL)
            if name == "latest" and self.hesitates:
                return bool(connection.recv(1))
            self.tags.add(name)
        is_there = name in self.tags or name == DIGEST or method == "PUT"
        headers = f"Docker-Content-Digest: {DIGEST}", "Content-Type: application/vnd.oci.image.manifest.v1+json"
        status = "201 Created" if method == "PUT" else "200 OK" if is_there else "404 Not Found"
        body = MANIFEST if method == "GET" and is_there else b""
        length = len(MANIFEST) if is_there and method != "PUT" else 0
        connection.sendall(answer(body, status, *(headers if is_there else ()), length=length))
        return True


def plan_of(address: str, path: Path) -> Path:
    changes = tuple(AddTag(tag=tag, digest=DIGEST) for tag in TAGS)
    path.write_text(TagPlan(repositories=(RepositoryTagPlan(repository=address, changes=changes),)).to_json())
    return path


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_cli_04_an_interrupted_plan_says_how_to_continue_and_continues(
    tmp_path: Path, number: signal.Signals, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    registry, journal = Registry(), tmp_path / "changes.jsonl"
    with speaking(registry) as server:
        plan = plan_of(f"localhost:{server.port}/acme/web", tmp_path / "plan.json")
        words = [*COMMAND, "apply", str(plan), "--yes", "--journal", str(journal)]
        with running(words) as process:
            wait_for(
                lambda: ended(journal) == 2 and any(b"PUT" in head and b"/latest" in head for head in server.heads)
            )
            process.send_signal(number)
            _, told = process.communicate()
        assert process.returncode == code

        registry.hesitates = False
        with running([*COMMAND, "apply", str(journal), "--yes"]) as process:
            _, err = process.communicate()

    assert process.returncode == 0
    made, rest = told.decode().split(" of 3 changes were made; ")
    assert made in {"dreg: interrupted; 1", "dreg: interrupted; 2"}  # the second may just have been recorded
    undone = f"to undo them: dreg undo {journal} --yes"
    assert rest == f"to continue: dreg apply {journal} --yes; {undone}\n"
    assert registry.tags == {*TAGS}
    assert err.decode().startswith("dreg: added ")
    assert b"failed" not in err


def ended(journal: Path) -> int:
    """The changes whose outcome a journal has."""
    lines = journal.read_text().splitlines() if journal.exists() else []
    return sum(json.loads(line)["kind"] == "end" for line in lines if line.endswith("}"))


def test_a_plan_that_a_deadline_stops_says_how_to_continue(
    dreg: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    registry, journal = Registry(), tmp_path / "changes.jsonl"
    with speaking(registry) as server:
        plan = plan_of(f"localhost:{server.port}/acme/web", tmp_path / "plan.json")
        done = dreg("apply", plan, "--yes", "--journal", journal, "--deadline", "2")

        registry.hesitates = False
        shown = dreg("apply", journal)
        again = dreg("apply", journal, "--yes")
        other = dreg("apply", journal, "--yes", "--journal", tmp_path / "other.jsonl")

    assert done.code != 0
    assert f"to continue: dreg apply {journal} --yes" in done.err
    assert shown.err == f"dreg: would add 1 tag; to make these changes: dreg apply {journal} --yes\n"
    assert (other.code, "--journal cannot be used with a journal" in other.err) == (2, True)
    assert (again.code, registry.tags) == (0, {*TAGS})
