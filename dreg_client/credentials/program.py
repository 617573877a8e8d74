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
from dreg_client.errors import ConfigError, CredentialError, CredentialHelperError
from dreg_client.values.credential import Credential
from dreg_client.values.sizes import KIBIBYTE

PREFIX: Final = "docker-credential-"
"""How the names of credential helpers begin."""
_TIMEOUT: Final = 30.0
_STEP: Final = 0.02  # seconds between checks of a running helper
_MOST: Final = 64 * KIBIBYTE
_TOKEN: Final = "<token>"
_running: Final[set["subprocess.Popen[bytes]"]] = set()
_exiting: Final = Event()
_starting: Final[dict[int, RLock]] = {}
"""A lock for each process (a forked child must not wait for its parent's), held until a started helper is registered.
Re-entrant, for signal handlers."""


class MissingProgramError(Exception):
    """A helper is not installed, or failed without output; internal to this package."""


def get(program: str, server: str) -> Credential | None:
    """Return a helper's credential for a server; None if it has none. MissingProgramError: the helper failed."""
    helper = f"{PREFIX}{program}"
    code, output = _run(helper, "get", server.encode())
    if code and _says_not_found(output):
        return None
    if code:
        raise MissingProgramError(f"{helper} failed with exit code {code}")
    found = _parsed(helper, output)
    username, secret = found.get("Username"), found.get("Secret")
    if username == secret == "":  # how some helpers report that they have no credential
        return None
    if _host(found.get("ServerURL") or server) != _host(server):
        raise CredentialError(f"{helper} returned a credential for a server other than {server}; it was not used")
    if not isinstance(username, str) or not isinstance(secret, str) or not secret:
        raise CredentialHelperError(f"{helper} returned no Username and Secret for {server}")
    if username == _TOKEN:
        return Credential(identity_token=secret, source=helper)
    return Credential(username, secret, source=helper)


def keep(program: str, server: str, credential: Credential) -> None:
    """Store a credential in a helper."""
    token = credential.identity_token
    username, secret = (_TOKEN, token) if token else (credential.username, credential.password)
    _change(program, "store", json.dumps({"ServerURL": server, "Username": username, "Secret": secret}).encode())


def forget(program: str, server: str) -> None:
    """Delete the credential of a server from a helper."""
    _change(program, "erase", server.encode())


def end_all() -> None:
    """Kill all running helpers and their child processes, and start no more, because this process is about to exit."""
    _exiting.set()
    with _lock():
        running = tuple(_running)
    for process in running:
        _kill_group(process)


def _change(program: str, verb: str, content: bytes) -> None:
    helper = f"{PREFIX}{program}"
    try:
        code, output = _run(helper, verb, content)
    except MissingProgramError as failure:
        raise CredentialHelperError(f"{failure}; install it, or remove it from the configuration") from None
    if code and not (verb == "erase" and _says_not_found(output)):
        raise CredentialHelperError(f"{helper} {verb} failed with exit code {code}")


def _says_not_found(output: bytes) -> bool:
    return "credentials not found" in output.decode(errors="replace").lower()


def _run(helper: str, verb: str, content: bytes) -> tuple[int, bytes]:
    """Run a helper without a shell, in its own process group, so that its child processes can be killed with it."""
    if any(sign < 32 or sign == 127 for sign in content):
        raise CredentialError("the server name has control characters, so no credential is looked up for it")
    # Output goes to a file: reading a pipe would wait for child processes that keep it open.
    with _temporary_file(helper) as file:
        process = _start(helper, verb, file)
        try:
            code = _wait(process, helper, content, file)
        finally:
            _running.discard(process)
        file.seek(0)
        output = file.read(_MOST + 1)
    _check_size(helper, len(output))
    return code, output


def _temporary_file(helper: str) -> IO[bytes]:
    try:
        return tempfile.TemporaryFile()
    except OSError as failure:
        reason = f"cannot create a temporary file for {helper}: {(failure.strerror or 'no directory').lower()}"
        raise ConfigError(f"{reason}; set TMPDIR to a writable directory") from None


def _lock() -> RLock:
    return _starting.setdefault(os.getpid(), RLock())


def _start(helper: str, verb: str, output: IO[bytes]) -> "subprocess.Popen[bytes]":
    with _lock():
        _check_cancelled(helper)
        try:
            process = subprocess.Popen(  # noqa: S603 (a name of letters and digits, no shell)
                [helper, verb], stdin=subprocess.PIPE, stdout=output, stderr=subprocess.DEVNULL, start_new_session=True
            )
        except OSError as failure:
            raise MissingProgramError(f"cannot run {helper}: {(failure.strerror or '').lower()}") from None
        _running.add(process)
        return process


def _wait(process: "subprocess.Popen[bytes]", helper: str, content: bytes, output: IO[bytes]) -> int:
    """Wait until a helper exits; kill it and its child processes if it prints too much or takes too long."""
    until = time.monotonic() + _TIMEOUT
    unsent = memoryview(content)
    try:
        while time.monotonic() <= until:
            unsent = _send(process.stdin, unsent)
            with suppress(subprocess.TimeoutExpired):
                return process.wait(_STEP)
            _check_cancelled(helper)
            _check_size(helper, os.fstat(output.fileno()).st_size)
        raise CredentialHelperError(f"{helper} did not finish within {_TIMEOUT:.0f} s, and was killed")
    finally:
        _kill_group(process)
        process.wait()
        if process.stdin:  # open if the helper was killed before it read everything
            process.stdin.close()


def _send(pipe: IO[bytes] | None, unsent: memoryview) -> memoryview:
    """Write as much as the pipe accepts, and close it after the last byte; return the rest.

    `communicate(timeout=...)` does not send the rest after a timeout, so a helper on a busy machine would wait forever.
    """
    if pipe is None or pipe.closed:
        return unsent
    try:
        os.set_blocking(pipe.fileno(), False)
        unsent = unsent[os.write(pipe.fileno(), unsent) :]
    except BlockingIOError:
        return unsent
    except BrokenPipeError:  # the helper does not read its input
        unsent = unsent[:0]
    if not unsent:
        pipe.close()
    return unsent


def _check_cancelled(helper: str) -> None:
    if _exiting.is_set() or is_cancelled():
        raise CredentialHelperError(f"{helper} was cancelled")


def _check_size(helper: str, size: int) -> None:
    if size > _MOST:
        raise CredentialHelperError(f"{helper} printed more than {_MOST} bytes")


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    if os.name == "posix":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    elif process.poll() is None:
        process.kill()


def _parsed(helper: str, output: bytes) -> dict[str, Any]:
    def members(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len(once := dict(pairs)) < len(pairs):  # parsers disagree about which of two equal names counts
            raise CredentialHelperError(f"{helper} printed JSON with a duplicate member")
        return once

    try:
        found: object = json.loads(output, object_pairs_hook=members)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise CredentialHelperError(f"{helper} did not print a JSON object")
    return cast("dict[str, Any]", found)


def _host(server: object) -> str:
    scheme, separator, rest = server.partition("://") if isinstance(server, str) else ("", "", "")
    return (rest if separator else scheme).partition("/")[0]
