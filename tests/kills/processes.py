"""Commands in forked processes that are killed at a random moment: after some time, or at the nth call of `os`."""

import faulthandler
import gc
import itertools
import os
import pkgutil
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Final, NoReturn

import dreg_client
from dreg_client.cli import main
from dreg_client.cli.signals import exit_on_signals

CALLS: Final = ("fsync", "link", "mkdir", "open", "rename", "rmdir", "unlink", "write")
"""The functions of `os` that are counted. Data that is sent is counted, too."""
PATIENCE: Final = 60.0
_MARK: Final = "\x00calls: "
_SIGNALS: Final = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


@dataclass(frozen=True)
class Moment:
    """When a command is killed, or gets signals.

    Attributes:
        call: Just before, or in the middle of, this call; 0 for none.
        seconds: After this time; None for never.
        signals: The signals that it gets then.
        is_heard: Whether something reads what it prints.
        room: The bytes that are free on its disk; None for any number.
    """

    call: int = 0
    seconds: float | None = None
    signals: tuple[signal.Signals, ...] = (signal.SIGKILL,)
    is_heard: bool = True
    room: int | None = None

    def __str__(self) -> str:
        if self.room is not None:
            return f"with {self.room} bytes free"
        if not self.is_heard:
            return "with closed outputs"
        names = " and ".join(each.name for each in self.signals)
        return f"SIGKILL at call {self.call}" if self.call else f"{names} after {self.seconds:.4f} s"


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        code: Its exit code; negative for a signal.
        output: What it printed.
        seconds: How long it took.
        calls: How many calls there were.
    """

    code: int
    output: str
    seconds: float
    calls: int


def run(words: Sequence[str], folder: Path, moment: Moment | None = None) -> Ended:
    """Run `dreg` in a process; all that it says is kept in memory, so that nothing must read it meanwhile."""
    moment = moment or Moment()
    with _filled(folder, moment.room), os.fdopen(os.memfd_create("output"), "r+b") as output:
        begun = time.monotonic()
        child = _forked(words, folder, moment, output.fileno())
        if moment.seconds is not None:
            _send(child, moment)
        status = _waited(child, output)
        seconds = time.monotonic() - begun
        output.seek(0)
        said, _, calls = output.read().decode(errors="replace").partition(_MARK)
    return Ended(status, said, seconds, int(calls or 0))


@contextmanager
def _filled(folder: Path, room: int | None) -> Generator[None]:
    """Leave only so much room on a disk."""
    path = folder / "filler"
    if room is not None:
        found = os.statvfs(folder)
        with path.open("wb") as filler:
            os.posix_fallocate(filler.fileno(), 0, max(found.f_bavail * found.f_frsize - room, 1))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _send(child: int, moment: Moment) -> None:
    watched = os.pidfd_open(child)
    try:
        select.select([watched], [], [], moment.seconds)
        for number in moment.signals:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(watched, number)
    finally:
        os.close(watched)


def _waited(child: int, output: BinaryIO) -> int:
    watched = os.pidfd_open(child)
    try:
        if not select.select([watched], [], [], PATIENCE)[0]:
            os.kill(child, signal.SIGUSR1)  # prints the stacks of all threads
            select.select([watched], [], [], 1)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            output.seek(0)
            raise AssertionError(f"the command did not end within {PATIENCE:.0f} seconds: {output.read().decode()}")
    finally:
        os.close(watched)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _forked(words: Sequence[str], folder: Path, moment: Moment, output: int) -> int:
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        child = os.fork()
        if child:
            return child
    finally:
        if os.getpid() == _PARENT:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    return _end(_run_here(words, folder, moment, output), output)


def _run_here(words: Sequence[str], folder: Path, moment: Moment, output: int) -> int:
    _prepare(words, folder, output, is_heard=moment.is_heard)
    count_calls(moment.call)
    try:
        exit_on_signals()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        main()
    except SystemExit as leaving:
        if leaving.code is None or isinstance(leaving.code, int):
            return leaving.code or 0
        sys.stderr.write(str(leaving.code))
    except KeyboardInterrupt:  # before the handler of the command line was there
        return 130
    return 1


def import_all() -> None:
    """Import what commands need, since importing it takes longer than most commands do."""
    for module in pkgutil.walk_packages(dreg_client.__path__, "dreg_client."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    gc.freeze()


def _prepare(words: Sequence[str], folder: Path, output: int, *, is_heard: bool) -> None:
    os.environ.update(environment(folder))
    os.chdir(folder)
    if not is_heard:
        reading, output = os.pipe()
        os.close(reading)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 (it stays open)
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115 (as above)
    faulthandler.register(signal.SIGUSR1, sys.stderr, all_threads=True)
    sys.argv = ["dreg", *words]


def environment(folder: Path) -> Mapping[str, str]:
    """The variables for a command."""
    return {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "XDG_STATE_HOME": str(folder / "state")}


_PARENT = os.getpid()
_calls = itertools.count(1)


def _end(code: int, output: int) -> NoReturn:
    with suppress(OSError):
        sys.stdout.flush()
    os.write(output, f"{_MARK}{next(_calls)}".encode())
    os._exit(code)


def count_calls(last: int) -> None:
    """Count calls; the process is killed at the last one, which may be half done."""
    global _calls  # noqa: PLW0603 (a counter that no interrupt can break)
    _calls = itertools.count(1)
    for name in CALLS:
        setattr(os, name, _counted(getattr(os, name), last, is_write=name == "write"))
    socket.socket.send = _counted(socket.socket.send, last)  # type: ignore[method-assign]


def _counted(function: Callable[..., Any], last: int, *, is_write: bool = False) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        if next(_calls) == last:
            if is_write and last % 2:
                file, octets = arguments
                function(file, octets[: len(octets) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)

    return call
