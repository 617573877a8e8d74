"""Open a file or a directory below a root, one component of its path at a time, so that no step leads above the root.

Links are followed here rather than by the operating system, which would follow them anywhere. Linux has `openat2` with
`RESOLVE_BENEATH` for this; Python and macOS have not.
"""

import errno
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

MOST_LINKS: Final = 40
"""The most links to follow for one file, as Linux has it."""
_MOST_HELD: Final = 64
"""The deepest directory: each one on the way to it is held open."""
_CLOSE_ON_EXEC: Final = getattr(os, "O_CLOEXEC", 0)
_NO_LINKS: Final = getattr(os, "O_NOFOLLOW", 0) | _CLOSE_ON_EXEC
# O_NONBLOCK: opening a named pipe would otherwise wait for a writer.
_FILE: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _NO_LINKS
_DIRECTORY: Final = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
_NOT_OPENED: Final = frozenset({errno.ELOOP, errno.ENOTDIR, errno.EMLINK})
"""What systems say if a component is a link, or not a directory."""


class UnsafeStepError(Exception):
    """A component is not what it must be, or a link leads outside; the text says which."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a path leads to: its open descriptor, and its components below the root once all links are followed."""

    descriptor: int
    parts: tuple[str, ...]


def components(path: str) -> list[str]:
    """Return the components of a path: empty ones and `.` are dropped, `..` is kept."""
    return [part for part in path.split("/") if part not in {"", "."}]


def open_beneath(root: str, parts: Iterable[str], *, most_links: int = MOST_LINKS) -> Found:
    """Open what a path below a root leads to; links are followed as long as they stay below it.

    Raises:
        UnsafeStepError: A link leads outside, there are too many, or a component is not a directory.
        OSError: Something cannot be opened; FileNotFoundError if it does not exist.
    """
    held, reached = [os.open(root, _DIRECTORY | _CLOSE_ON_EXEC)], list[str]()
    try:
        _walk(held, reached, components("/".join(parts)), most_links)
        return Found(held.pop(), tuple(reached))
    finally:
        for descriptor in held:
            os.close(descriptor)


def _walk(held: list[int], reached: list[str], path: Sequence[str], links_left: int) -> None:
    """Follow a path from the last of the descriptors; those that it opens are added."""
    ahead = [*reversed(path)]
    while ahead:
        part = ahead.pop()
        if part == "..":
            # Not opened: the directory may have been moved since, and then its `..` is outside.
            if not reached:
                raise UnsafeStepError("leads out of the layout by a symbolic link")
            os.close(held.pop())
            reached.pop()
            continue
        target = _step(held, part, is_last=not ahead)
        if target is None:
            reached.append(part)
            continue
        links_left -= 1
        if links_left < 0:
            raise UnsafeStepError("is a link, or a link to too many others")
        if target.startswith("/"):
            raise UnsafeStepError("leads out of the layout by a symbolic link to an absolute path")
        ahead += reversed(components(target))


def _step(held: list[int], part: str, *, is_last: bool) -> str | None:
    """Open one component; return its target instead if it is a link."""
    if len(held) > _MOST_HELD:
        raise UnsafeStepError(f"is more than {_MOST_HELD} directories deep")
    try:
        held.append(os.open(part, _FILE if is_last else _DIRECTORY | _NO_LINKS, dir_fd=held[-1]))
    except OSError as failure:
        if failure.errno not in _NOT_OPENED:
            raise
    else:
        return None
    try:
        return os.readlink(part, dir_fd=held[-1])
    except FileNotFoundError:
        raise
    except OSError:
        raise UnsafeStepError("is below what is not a directory") from None
