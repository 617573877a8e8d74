"""`dreg login` and `dreg logout` on a file system that fails, call by call: nobody else's credential is ever lost."""

import errno
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Credential, errors
from dreg_client.credentials.login import forget, keep
from dreg_client.credentials.lookup import Credentials
from tests.commands import run_limited
from tests.faults.layer import failing, interrupted, raising

ROOT = Path(__file__).parent.parent.parent
OLD = {
    "auths": {"other.example": {"auth": "Ym9iOng="}, "r.example": {"auth": "b2xkOm9sZA=="}},
    "HttpHeaders": {"a": "b"},
}
NEW = {"auth": "YWRhOnNlY3JldA=="}
FULL = "import resource, signal\nresource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "docker" / "config.json"
    path.parent.mkdir()
    return path


def log_in(file: Path) -> None:
    keep(Credentials(file), "r.example", Credential("ada", "secret"))


def log_out(file: Path) -> None:
    forget(Credentials(file), "r.example")


AFTER: dict[str, tuple[Callable[[Path], None], dict[str, Any]]] = {
    "login": (log_in, {**OLD, "auths": {**OLD["auths"], "r.example": NEW}}),
    "logout": (log_out, {**OLD, "auths": {"other.example": OLD["auths"]["other.example"]}}),
}


def begin_anew(file: Path) -> None:
    file.write_text(json.dumps(OLD))
    file.chmod(0o600)


def written(file: Path) -> Any:
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    return json.loads(file.read_text())


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EDQUOT], ids=errno.errorcode.get)
@pytest.mark.parametrize("what", AFTER)
def test_whichever_call_fails_the_file_is_the_old_one_or_the_new_one(file: Path, what: str, code: int) -> None:
    act, new = AFTER[what]
    number, struck = 1, True
    while struck:
        begin_anew(file)
        with failing(file.parent, number, raising(code)) as layer:
            failure = failure_of(act, file)
        assert written(file) in ([OLD, new] if failure else [new])
        assert failure is None or isinstance(failure, errors.ConfigError)
        act(file)
        assert written(file) == new
        number, struck = number + 1, layer.struck
    assert set(layer.calls) >= {"open", "fsync", "fchmod", "replace"}


def failure_of(act: Callable[[Path], None], file: Path) -> Exception | None:
    try:
        act(file)
    except Exception as failure:  # noqa: BLE001 (which one it is, is what is tested)
        return failure
    return None


@pytest.mark.parametrize("what", AFTER)
def test_an_interruption_of_whichever_call_leaves_no_other_file(file: Path, what: str) -> None:
    act, new = AFTER[what]
    number, struck = 1, True
    while struck:
        begin_anew(file)
        with failing(file.parent, number, interrupted) as layer:
            try:
                act(file)
            except KeyboardInterrupt:
                struck = layer.struck
            else:
                struck = False
        assert written(file) in [OLD, new]
        number += 1


def test_a_file_that_cannot_be_looked_at_is_not_taken_for_none(file: Path) -> None:
    """Otherwise what others keep there would be lost with the first login."""
    begin_anew(file)
    passes = frozenset(
        {"mkdir", "open", "close", "flock", "lstat"}
    )  # of the folder; the first look is whether there is one
    with (
        failing(file.parent, 2, raising(errno.EIO), passes) as layer,
        pytest.raises(errors.ConfigError, match="input/output"),
    ):
        log_in(file)
    assert set(layer.calls) == {"stat"}
    assert written(file) == OLD


def test_a_full_disk_leaves_the_old_file(file: Path) -> None:
    begin_anew(file)
    script = (
        "from dreg_client import Credential\nfrom dreg_client.credentials.login import keep\n"
        "from dreg_client.credentials.lookup import Credentials\nimport sys\n"
        f"{FULL}keep(Credentials(sys.argv[1]), 'r.example', Credential('ada', 'secret'))\n"
    )
    done = run_limited([sys.executable, "-c", script, file], capture_output=True, text=True, cwd=ROOT, check=False)

    assert done.returncode == 1
    assert "ConfigError" in done.stderr.splitlines()[-1]
    assert "secret" not in done.stderr
    assert written(file) == OLD
