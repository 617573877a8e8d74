"""`dreg login` on a terminal: it asks for what is missing."""

import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.commands import PATIENCE, ROOT, start_limited
from tests.registries import PASSWORD, USER, RunningRegistry


@contextmanager
def on_a_terminal(
    *arguments: str, home: Path
) -> Iterator[tuple[subprocess.Popen[bytes], Callable[[bytes], bytes], int]]:
    """Run a command on a terminal of its own; yield its process, what reads up to given bytes, and the terminal."""
    ours, its = pty.openpty()
    shown = b""

    def read_up_to(wanted: bytes) -> bytes:
        nonlocal shown
        while wanted not in shown:
            assert select.select([ours], [], [], PATIENCE)[0], f"{wanted!r} is not in {shown!r}"
            shown += os.read(ours, 1000)
        return shown

    env = os.environ | {"HOME": str(home), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "dreg_client.cli", *arguments]
    with start_limited(command, stdin=its, stdout=its, stderr=its, env=env, start_new_session=True) as process:
        os.close(its)
        try:
            yield process, read_up_to, ours
        finally:
            process.kill()
            os.close(ours)


def test_cli_03_a_password_is_asked_for_on_a_terminal(tmp_path: Path, password_registry: RunningRegistry) -> None:
    with on_a_terminal("login", password_registry.address, home=tmp_path) as (process, read_up_to, terminal):
        read_up_to(b"User for ")
        os.write(terminal, f"{USER}\n".encode())
        read_up_to(b"Password for ")
        os.write(terminal, f"{PASSWORD}\n".encode())
        shown = read_up_to(b"stored in")
        assert process.wait(PATIENCE) == 0, shown

    assert f"User for {password_registry.address}".encode() in shown
    assert PASSWORD.encode() not in shown


@pytest.mark.parametrize(("arguments", "prompt"), [([], b"User for "), (["--username", USER], b"Password for ")])
def test_input_that_ends_at_a_prompt_is_a_usage_error(tmp_path: Path, arguments: list[str], prompt: bytes) -> None:
    with on_a_terminal("login", "registry.example", *arguments, home=tmp_path) as (process, read_up_to, terminal):
        read_up_to(prompt)
        os.write(terminal, b"\x04")  # Ctrl-D, the end of input
        shown = read_up_to(b"input ended")
        assert process.wait(PATIENCE) == 2, shown

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("arguments", "prompt"), [([], b"User for "), (["--username", USER], b"Password for ")])
@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_input_that_is_not_valid_unicode_is_a_usage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, errors: str, arguments: list[str], prompt: bytes
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", f"utf-8:{errors}")  # depends on the locale otherwise
    with on_a_terminal("login", "registry.example", *arguments, home=tmp_path) as (process, read_up_to, terminal):
        read_up_to(prompt)
        os.write(terminal, b"caf\xe9\n")
        if not arguments and errors != "strict":
            read_up_to(b"Password for ")
            os.write(terminal, b"secret\n")
        read_up_to(b"characters that are not valid Unicode, which cannot be sent")
        assert process.wait(PATIENCE) == 2


@pytest.mark.parametrize(
    ("arguments", "prompt"), [([], b"User for registry.example: "), (["--username", "ada"], b"Password for ada: ")]
)
def test_a_signal_at_a_prompt_leaves_the_cursor_at_the_start_of_a_line(
    tmp_path: Path, arguments: list[str], prompt: bytes
) -> None:
    with on_a_terminal("login", "registry.example", *arguments, home=tmp_path) as (process, read_up_to, terminal):
        read_up_to(prompt)
        process.send_signal(signal.SIGINT)
        if not select.select([terminal], [], [], 5)[0]:  # a signal just before the read does not end the read
            os.write(terminal, b"\n")
        read_up_to(prompt + b"\r\n")
        assert process.wait(PATIENCE) == 130
