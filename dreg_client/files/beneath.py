"""Open a file or a directory below a root, one path component at a time, without ever leaving the root.

The operating system would follow links anywhere, so links are followed here. Linux has `openat2` with `RESOLVE_BENEATH`
for this, but Python and macOS do not.
"""

import errno
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

MOST_LINKS: Final = 40
"""The maximum number of links to follow for one file, as on Linux."""
_MOST_HELD: Final = 144
"""The maximum depth of a directory. All its parents are held open. The name of a repository may have 128 components."""
_CLOSE_ON_EXEC: Final = getattr(os, "O_CLOEXEC", 0)
_NO_LINKS: Final = getattr(os, "O_NOFOLLOW", 0) | _CLOSE_ON_EXEC
# O_NONBLOCK: opening a named pipe would otherwise wait for a writer.
_FILE: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _NO_LINKS
_DIRECTORY: Final = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
_NOT_OPENED: Final = frozenset({errno.ELOOP, errno.ENOTDIR, errno.EMLINK})
"""The errors of various systems if a component is a link or not a directory."""


class UnsafeStepError(Exception):
    """A path component is not a directory, or a link leads outside. The message continues a sentence about the path."""


@dataclass(frozen=True, slots=True)
class OpenedPath:
    """An opened file or directory: its file descriptor, and its path components below the root, without links."""

    descriptor: int
    parts: tuple[str, ...]


def components(path: str) -> list[str]:
    """Split a path into its components, without empty ones and `.`, but with `..`."""
    return [part for part in path.split("/") if part not in {"", "."}]


def open_beneath(root: str, parts: Iterable[str], *, most_links: int = MOST_LINKS) -> OpenedPath:
    """Open a file or directory below a root. Links are followed if they stay below the root.

    Raises:
        UnsafeStepError: A link leads outside, there are too many links, or a component is not a directory.
        OSError: A component cannot be opened; FileNotFoundError if it does not exist.
    """
    held, reached = [os.open(root, _DIRECTORY | _CLOSE_ON_EXEC)], list[str]()
    try:
        _walk(held, reached, components("/".join(parts)), most_links)
        return OpenedPath(held.pop(), tuple(reached))
    finally:
        for descriptor in held:
            os.close(descriptor)


def _walk(held: list[int], reached: list[str], path: Sequence[str], links_left: int) -> None:
    """Follow a path from the last open directory, and add the file descriptors that it opens to `held`."""
    ahead = [*reversed(path)]
    while ahead:
        part = ahead.pop()
        if part == "..":
            # `..` is not opened: if the directory has been moved in the meantime, its `..` may be outside.
            if not reached:
                raise UnsafeStepError("leads outside the store through a symbolic link")
            os.close(held.pop())
            reached.pop()
            continue
        target = _step(held, part, is_last=not ahead)
        if target is None:
            reached.append(part)
            continue
        links_left -= 1
        if links_left < 0:
            raise UnsafeStepError("is a symbolic link, which is not allowed here, or leads through too many links")
        if target.startswith("/"):
            raise UnsafeStepError("leads outside the store through a symbolic link to an absolute path")
        ahead += reversed(components(target))


def _step(held: list[int], part: str, *, is_last: bool) -> str | None:
    """Open one component and return None; if it is a link, return its target instead."""
    if len(held) > _MOST_HELD:
        raise UnsafeStepError(f"is nested more than {_MOST_HELD} directories deep")
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
        raise UnsafeStepError("has a parent that is not a directory") from None
