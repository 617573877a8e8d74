"""`dreg login` and `dreg logout` beside others that write to the same file: AUT-40 to AUT-43."""

import fcntl
import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Credential, Credentials, errors
from dreg_client.credentials.login import forget, keep
from dreg_client.files import folder_lock
from tests.commands import run_dreg, run_limited
from tests.faultserver import Network
from tests.hostile.registry import registry_at
from tests.hostile.secrets import ENCODED, PASSWORD, USER
from tests.other_users import OTHERS, as_root

ROOT = Path(__file__).parents[2]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A credential file in a folder of its own."""
    path = tmp_path / "docker" / "config.json"
    path.parent.mkdir()
    return path


def written(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)


def entries(path: Path) -> set[str]:
    assert list(path.parent.iterdir()) == [path]
    return set(json.loads(path.read_text())["auths"])


# --- at once


def test_aut_40_logins_and_logouts_at_once_lose_no_entry(net: Network, file: Path) -> None:
    coming, leaving = [f"in{number}.test" for number in range(12)], [f"out{number}.test" for number in range(4)]
    written(file, json.dumps({"auths": {name: {"auth": ENCODED} for name in (*leaving, "other.test")}, "more": 1}))
    for name in coming:
        registry_at(net, name)

    def run(name: str) -> "subprocess.CompletedProcess[bytes]":
        if name in leaving:
            return run_dreg(["logout", name, "--authfile", str(file)], environment=net.environment())
        words = ["login", name, "--ca-file", str(net.ca_file), "--authfile", str(file), "-u", USER, "--password-stdin"]
        return run_dreg(words, stdin=PASSWORD.encode(), environment=net.environment())

    with ThreadPoolExecutor(16) as threads:
        done = list(threads.map(run, [*coming, *leaving]))
    assert [one.returncode for one in done] == [0] * 16
    assert entries(file) == {*coming, "other.test"}
    assert json.loads(file.read_text())["more"] == 1


def test_aut_40_also_in_threads(file: Path) -> None:
    names = [f"r{number}.test" for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: keep(Credentials(file), name, Credential(USER, PASSWORD)), names))
    assert entries(file) == set(names)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: forget(Credentials(file), name), names[1:]))
    assert entries(file) == {names[0]}


def test_aut_40_whoever_holds_the_lock_for_too_long_is_an_error(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(file, "{}")
    monkeypatch.setattr(folder_lock, "_PATIENCE", 0.05)
    other = os.open(file.parent, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    try:
        with pytest.raises(errors.ConfigError, match="locked the directory"):
            keep(Credentials(file), "r.test", Credential(USER, PASSWORD))
    finally:
        os.close(other)
    assert file.read_text() == "{}"


# --- killed


KILLS = """
import os, sys
from pathlib import Path
from dreg_client import Credential, Credentials
from dreg_client.credentials.login import keep
from tests.faults.layer import failing, killed
path, code, number = Path(sys.argv[1]), -1, 0
while code:
    number += 1
    path.write_text('{"auths": {"other.test": {}}}')
    child = os.fork()
    if not child:
        with failing(path.parent, number, killed):
            keep(Credentials(path), "r.test", Credential("ada", sys.argv[2]))
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    left = [other for other in path.parent.iterdir() if other != path]
    for other in left:
        assert other.stat().st_mode & 0o777 == 0o600
    print(code, path.read_text().count("test"), len(left))
"""


def test_aut_41_a_killed_login_leaves_nothing_that_others_read_or_that_stays(file: Path) -> None:
    written(file, "")
    command = [sys.executable, "-c", KILLS, file, PASSWORD]
    done = run_limited(command, capture_output=True, text=True, cwd=ROOT, check=False)

    assert done.returncode == 0, done.stderr
    found = [line.split() for line in done.stdout.splitlines()]
    assert {entries for _, entries, _ in found} == {"1", "2"}
    assert sum(left != "0" for _, _, left in found) <= 4, "the file has a name for a moment only"
    assert found[-1] == ["0", "2", "0"]


def test_aut_41_the_next_login_or_logout_removes_what_an_earlier_one_left(file: Path) -> None:
    written(file, "{}")
    left = file.with_name(".config.json.0123456789abcdef.part")
    others = [file.with_name(name) for name in (".config.json.part", ".other.json.0123456789abcdef.part")]
    for path in (left, *others):
        path.write_text(PASSWORD)

    keep(Credentials(file), "r.test", Credential(USER, PASSWORD))
    assert not left.exists()
    left.write_text(PASSWORD)
    forget(Credentials(file), "r.test")
    assert not left.exists()
    assert all(path.exists() for path in others)


# --- what others have written


TEXTS = {
    "a large number": "1e400",
    "a long number": "9" * 5000,
    "a precise number": "0.1000000000000000055511151231257827021181583404541015625",
    "digits behind the point": "1.10",
    "negative zero": "-0",
    "order and spaces": '{ "b": [1,\n\n 2], "a": {} }',
    "half of a character": '"\\ud800"',
    "escapes": '"\\u0041\\/"',
    "equal names": '{"a": 1, "a": 2}',
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=list(TEXTS))
@pytest.mark.parametrize("end", ["", "\n", "\r\n\t "])
def test_aut_42_what_others_have_written_stays_to_the_letter(file: Path, text: str, end: str) -> None:
    entry = f'{{"auth": "Ym9iOng=", "more": {text}}}'
    written(
        file,
        f'{end}{{"unknown" :{text} ,\n"auths":{{"other.test": {entry} , "r.test": {{}}}}, "last": {text}{end}}}{end}',
    )

    for act in (lambda: keep(Credentials(file), "r.test", Credential(USER, PASSWORD)), lambda: forget_of(file)):
        act()
        found = file.read_bytes().decode()
        assert f'"unknown": {text}' in found
        assert f'"last": {text}' in found
        assert f'"other.test": {entry}' in found
        json.loads(found, parse_int=float)
    assert '"r.test"' not in found


def forget_of(file: Path) -> list[str]:
    return forget(Credentials(file), "r.test")


@pytest.mark.parametrize(
    "text", ["", "{}", ' {"auths": null} ', '{"auths": {}}', '{"a": "\u2028\U0001f600", "auths": {}}']
)
def test_aut_42_an_empty_file_is_filled_as_docker_writes_it(file: Path, text: str) -> None:
    written(file, text)
    keep(Credentials(file), "r.test", Credential(USER, PASSWORD))

    kept = {name: value for name, value in json.loads(text or "{}").items() if name != "auths"}
    whole: dict[str, Any] = {**kept, "auths": {"r.test": {"auth": ENCODED}}}
    assert json.loads(file.read_text()) == whole
    assert file.read_text().endswith(f'\t"auths": {{\n\t\t"r.test": {{\n\t\t\t"auth": "{ENCODED}"\n\t\t}}\n\t}}\n}}\n')


def test_aut_42_so_does_a_file_of_entries_alone(tmp_path: Path) -> None:
    bare = tmp_path / ".dockercfg"
    written(bare, '{"r.test": {"auth": "Ym9iOng="}, "other.test": {"auth": "Ym9iOng=", "n": 1e400}}')

    assert forget(Credentials(bare), "r.test") == [str(bare)]
    assert bare.read_text() == '{\n\t"other.test": {"auth": "Ym9iOng=", "n": 1e400}\n}\n'


# --- owners


@as_root
def test_aut_43_a_file_that_root_changes_stays_with_its_owner(file: Path) -> None:
    written(file, '{"auths": {"other.test": {}}}')
    os.chown(file, OTHERS, OTHERS)

    for act in (lambda: keep(Credentials(file), "r.test", Credential(USER, PASSWORD)), lambda: forget_of(file)):
        act()
        found = file.stat()
        assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (OTHERS, OTHERS, 0o600)
