"""The operating system's file operations, one call of which fails: the n-th that has to do with a folder.

It stands where Python meets the system, in `os` and `fcntl`; what else the system is asked for, such as sockets, goes
past it.
"""

import fcntl
import os
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

BY_PATH = ("chmod", "lstat", "mkdir", "open", "rename", "replace", "stat")
BY_FILE = (
    "close",
    "fchmod",
    "fchown",
    "fdatasync",
    "fstat",
    "fsync",
    "ftruncate",
    "lseek",
    "pwrite",
    "read",
    "write",
    "writev",
)


@dataclass
class Layer:
    """What was asked of the system.

    Attributes:
        root: The folder.
        number: Which call fails, the first being 1.
        failure: What happens in its place.
        passes: Calls that never fail, and are not counted.
        calls: The calls that were made, by name.
        files: The files that are open.
    """

    root: Path
    number: int
    failure: Callable[[], NoReturn]
    passes: frozenset[str] = frozenset()
    calls: list[str] = field(default_factory=list)
    files: set[int] = field(default_factory=set)

    @property
    def struck(self) -> bool:
        """Whether there were as many calls that one of them failed."""
        return len(self.calls) >= self.number

    def count(self, name: str) -> None:
        if name not in self.passes:
            self.calls.append(name)
            if len(self.calls) == self.number:
                self.failure()

    def by_path(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, *more: Any, **options: Any) -> Any:
            if not self._is_ours(path):
                return real(path, *more, **options)
            self.count(name)
            result = real(path, *more, **options)
            if name == "open":
                self.files.add(result)
            return result

        return call

    def by_file(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(file: int, *more: Any) -> Any:
            if file not in self.files:
                return real(file, *more)
            if name == "close":  # a file is closed even where that tells of a failure
                self.files.discard(file)
                real(file)
            self.count(name)
            return None if name == "close" else real(file, *more)

        return call

    def _is_ours(self, path: Any) -> bool:
        return not isinstance(path, int) and Path(os.fsdecode(path)).is_relative_to(self.root)


def raising(code: int) -> Callable[[], NoReturn]:
    def fail() -> NoReturn:
        raise OSError(code, os.strerror(code))

    return fail


def interrupted() -> NoReturn:
    raise KeyboardInterrupt


def killed() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


@contextmanager
def failing(
    root: Path, number: int, failure: Callable[[], NoReturn], passes: frozenset[str] = frozenset()
) -> Generator[Layer]:
    """Let one call fail within the block."""
    layer = Layer(root, number, failure, passes)
    places: list[tuple[Any, str, Any]] = [(os, name, layer.by_path) for name in BY_PATH]
    places += [(os, name, layer.by_file) for name in BY_FILE if hasattr(os, name)] + [(fcntl, "flock", layer.by_file)]
    real = [(module, name, getattr(module, name)) for module, name, _ in places]
    try:
        for module, name, wrap in places:
            setattr(module, name, wrap(name, getattr(module, name)))
        yield layer
    finally:
        for module, name, function in real:
            setattr(module, name, function)
