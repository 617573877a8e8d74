"""The command line as its users meet it: a process, the same without one, and one on a terminal."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from dreg_client.cli.app import run
from tests.commands import run_dreg, run_limited, start_limited
from tests.registries import RunningRegistry

ROOT = Path(__file__).parent.parent.parent
COMMAND = [sys.executable, "-m", "dreg_client.cli"]
_OF_TERMINALS = {"COLUMNS", "FORCE_COLOR", "LINES", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"}
_OF_INTERPRETERS = ("LC_", "PYTHON")
"""How the variables begin that an interpreter reads at its start; a forked process does not read them."""
PLAIN = {name: value for name, value in os.environ.items() if name not in _OF_TERMINALS}
PLAIN |= {"PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", "TERM": "xterm"}


@dataclass(frozen=True)
class Said:
    """How a run of `dreg` ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


Run = Callable[..., Said]


@pytest.fixture(scope="session")
def dreg() -> Run:
    """Run `dreg` as a process, in the root of the project; bytes that are no UTF-8 come as Python carries them."""

    def run_process(
        *arguments: str | bytes | Path, stdin: bytes = b"", cwd: Path = ROOT, env: dict[str, str] | None = None
    ) -> Said:
        variables = PLAIN | (env or {})
        if env and any(name.startswith(_OF_INTERPRETERS) for name in env):
            command = [*COMMAND, *arguments]
            done = run_limited(command, input=stdin, capture_output=True, cwd=cwd, env=variables, check=False)
        else:
            words = [os.fsdecode(argument) for argument in arguments]
            done = run_dreg(words, stdin=stdin, folder=cwd, environment=variables)
        return Said(done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr))

    return run_process


@pytest.fixture
def said(capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Run:
    """The same without a process, for where that brings nothing."""
    monkeypatch.chdir(ROOT)

    def run_here(*arguments: str | Path) -> Said:
        with pytest.raises(SystemExit) as leaving:
            run([str(argument) for argument in arguments])
        out, err = capsysbinary.readouterr()
        assert isinstance(leaving.value.code, int)
        return Said(leaving.value.code, os.fsdecode(out), os.fsdecode(err))

    return run_here


@pytest.fixture(scope="session")
def terminal() -> Run:
    """Run `dreg` on a terminal; `out` is all that is seen there. Standard output may go to a file instead."""

    def run_there(
        *arguments: str | Path,
        columns: int = 80,
        stdout: Path | None = None,
        env: dict[str, str] | None = None,
        command: list[str] = COMMAND,
        typed: str = "",
    ) -> Said:
        ours, its = pty.openpty()
        os.write(ours, typed.encode())
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        out = os.open(stdout, os.O_WRONLY | os.O_CREAT) if stdout else os.dup(its)
        with start_limited(
            [*command, *arguments],
            stdin=its if typed else subprocess.DEVNULL,
            stdout=out,
            stderr=its,
            cwd=ROOT,
            env=PLAIN | (env or {}),
        ) as process:
            os.close(its)
            os.close(out)
            shown = _read_to_the_end(ours)
        return Said(process.returncode, shown.decode().replace("\r\n", "\n"), "")

    return run_there


def _read_to_the_end(terminal: int) -> bytes:
    """All that is written to a terminal until nobody has it open."""
    read = b""
    with os.fdopen(terminal, "rb", buffering=0) as screen, suppress(OSError):  # Linux says EIO where others say end
        while piece := screen.read(65536):
            read += piece
    return read


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No credential of this machine is found."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("REGISTRY_AUTH_FILE", raising=False)
    return tmp_path


@pytest.fixture
def web(open_registry: RunningRegistry) -> str:
    """The name of a repository in a registry."""
    return f"{open_registry.address}/acme/web"
