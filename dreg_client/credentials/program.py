"""Run credential helpers, `docker-credential-NAME` (docker-credential-helpers), with limits on time and output."""

import json
import os
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from threading import Event, RLock
from typing import IO, Any, Final, cast

from dreg_client.credentials.cancellation import is_cancelled
from dreg_client.errors import CredentialError, CredentialHelperError
from dreg_client.values.credential import Credential
from dreg_client.values.sizes import KIBIBYTE

_PATIENCE: Final = 30.0
_STEP: Final = 0.02
"""The interval in seconds between checks of a running helper."""
_MOST: Final = 64 * KIBIBYTE
_NOT_FOUND: Final = "credentials not found"
_TOKEN: Final = "<token>"
_running: Final[set["subprocess.Popen[bytes]"]] = set()
_leaving: Final = Event()
_starting: Final = RLock()
"""Held until a started helper is registered; re-entrant, since a signal handler may run in between."""


class MissingProgramError(Exception):
    """A helper is not installed, or failed without output; internal to this package."""


class _TwiceError(ValueError):
    """Output has duplicate names, of which parsers could read either."""


def ask(program: str, server: str) -> Credential | None:
    """Return the credential that a helper has for a server, None if it has none.

    Raises:
        MissingProgramError: It is not installed, or failed.
        CredentialHelperError: It does not end, or prints invalid output.
        CredentialError: It returns the credential of another server.
    """
    code, answer = _run(program, "get", server.encode())
    if code and _NOT_FOUND in answer.decode(errors="replace").lower():
        return None
    if code:
        raise MissingProgramError(f"{_called(program)} failed with exit code {code}")
    found = _answer(program, answer)
    named = found.get("ServerURL") or server
    if _host(named) != _host(server):
        raise CredentialError(
            f"{_called(program)} answered with a credential of another server than {server}; not used"
        )
    username, secret = found.get("Username"), found.get("Secret")
    if not isinstance(username, str) or not isinstance(secret, str) or not secret:
        raise CredentialHelperError(f"{_called(program)} gave no Username and Secret for {server}")
    if username == _TOKEN:
        return Credential(identity_token=secret, source=_called(program))
    return Credential(username, secret, source=_called(program))


def keep(program: str, server: str, credential: Credential) -> None:
    """Store a credential in a helper.

    Raises:
        CredentialHelperError: It is not installed, or failed.
    """
    token = credential.identity_token
    entry = {
        "ServerURL": server,
        "Username": _TOKEN if token else credential.username,
        "Secret": token or credential.password,
    }
    _tell(program, "store", json.dumps(entry).encode())


def forget(program: str, server: str) -> None:
    """Delete the credential of a server from a helper.

    Raises:
        CredentialHelperError: It is not installed, or failed.
    """
    _tell(program, "erase", server.encode())


def end_all() -> None:
    """End all running helpers and their child processes, and start no more: this process is about to exit."""
    _leaving.set()
    with _starting:
        running = tuple(_running)
    for process in running:
        _kill_group(process)


def _tell(program: str, verb: str, given: bytes) -> None:
    try:
        code, answer = _run(program, verb, given)
    except MissingProgramError as failure:
        raise CredentialHelperError(f"{failure}; install it, or take it out of the configuration") from None
    if code and not (verb == "erase" and _NOT_FOUND in answer.decode(errors="replace").lower()):
        raise CredentialHelperError(f"{_called(program)} {verb} failed with exit code {code}")


def _run(program: str, verb: str, given: bytes) -> tuple[int, bytes]:
    """Run a helper without a shell, in its own process group, so that its child processes end with it."""
    if any(sign < 32 or sign == 127 for sign in given):
        raise CredentialError("a server with control characters is asked for nowhere")
    # Output goes to a file: reading a pipe would wait for child processes that keep it open.
    with tempfile.TemporaryFile() as said:
        process = _started(program, verb, said)
        try:
            code = _ended(process, program, given, said)
        finally:
            _running.discard(process)
        return code, _said(said, program)


def _started(program: str, verb: str, said: IO[bytes]) -> "subprocess.Popen[bytes]":
    with _starting:
        _refuse_in_vain(program)
        try:
            process = subprocess.Popen(  # noqa: S603 (a name of letters and digits, no shell)
                [_called(program), verb],
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as failure:
            raise MissingProgramError(f"{_called(program)} cannot be run: {(failure.strerror or '').lower()}") from None
        _running.add(process)
        return process


def _ended(process: "subprocess.Popen[bytes]", program: str, given: bytes, said: IO[bytes]) -> int:
    """Wait for the end of a helper; end it and its child processes if it prints too much or takes too long."""
    until = time.monotonic() + _PATIENCE
    asked: bytes | None = given
    try:
        while True:
            try:
                process.communicate(asked, timeout=_STEP)
            except subprocess.TimeoutExpired:
                asked = None  # the next call continues to send the rest
                _refuse_to_wait(program, said, until)
            else:
                return process.returncode
    finally:
        _end_group(process)


def _refuse_in_vain(program: str) -> None:
    if _leaving.is_set() or is_cancelled():
        raise CredentialHelperError(f"{_called(program)}: nobody waits for it any more; it was ended, or not run")


def _refuse_to_wait(program: str, said: IO[bytes], until: float) -> None:
    _refuse_in_vain(program)
    _check_size(program, os.fstat(said.fileno()).st_size)
    if time.monotonic() > until:
        raise CredentialHelperError(f"{_called(program)} did not end within {_PATIENCE:.0f} s; it was ended")


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    _kill_group(process)
    process.wait()


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    if os.name == "posix":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    elif process.poll() is None:
        process.kill()


def _said(said: IO[bytes], program: str) -> bytes:
    said.seek(0)
    answer = said.read(_MOST + 1)
    _check_size(program, len(answer))
    return answer


def _check_size(program: str, size: int) -> None:
    if size > _MOST:
        raise CredentialHelperError(f"{_called(program)} answered with more than {_MOST} bytes")


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _TwiceError
    return members


def _answer(program: str, answer: bytes) -> dict[str, Any]:
    try:
        found: object = json.loads(answer, object_pairs_hook=_each_once)
    except _TwiceError:
        raise CredentialHelperError(f"{_called(program)} answered with a member twice") from None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise CredentialHelperError(f"{_called(program)} answered with no JSON object")
    return cast("dict[str, Any]", found)


def _called(program: str) -> str:
    return f"docker-credential-{program}"


def _host(server: object) -> str:
    text = server if isinstance(server, str) else ""
    return text.partition("://")[2].partition("/")[0] if "://" in text else text.partition("/")[0]
