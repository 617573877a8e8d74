"""Notice files that change while they are read: what was read may be of no single version."""

import os
import stat
from collections.abc import Callable, Generator
from contextlib import contextmanager
from io import UnsupportedOperation
from typing import BinaryIO, Final

from dreg_client.errors import FileError, NotFoundError
from dreg_client.files.places import find_source
from dreg_client.files.regular import version_of
from dreg_client.values.source_url import is_source_url, shown_source

_ADVICE: Final = "validate it again when nothing writes it, or validate a copy"
_State = tuple[int, object] | None
"""The size of a file, and what changes if it is written or replaced; None for what is not a regular file."""
_GONE: Final = (0, "gone")


@contextmanager
def unchanged(source: str, listed: str = "") -> Generator[None]:
    """Raise `FileError` at the end of a block that reads a file, or instead of its error, if the file has changed.

    Any write, truncation, replacement or growth counts, even if only whole lines were appended: nothing shows that the
    earlier bytes are the same. Pipes and devices have no versions, and are not checked.

    Args:
        source: The path or URL of the file. Of a path, the inode, the size and the time are compared; at a URL, the
            size, and the ETag or the date, as far as the file system states them.
        listed: The version of the file when it was divided (see `StoredFile.version`). If it is another one now, the
            error is raised at once. Of URLs, only the sizes are compared, since lists may state other dates.
    """
    if listed:
        _check_listed(source, listed)
    with _compared(lambda: _state_at(source), shown_source(source)):
        yield


@contextmanager
def unchanged_file(file: str | os.PathLike[str] | BinaryIO, name: str) -> Generator[None]:
    """Do the same for a path, which is never a URL, or for an open file, which may be a pipe."""
    with _compared(lambda: _state_of(file), name):
        yield


@contextmanager
def _compared(state: Callable[[], _State], name: str) -> Generator[None]:
    before = state()
    try:
        yield
    except Exception:
        if (after := state()) is not None:  # else the error says what is there now
            _check(name, before, after)  # a change may have caused the error
        raise
    _check(name, before, state())


def _check(name: str, before: _State, after: _State) -> None:
    if before is not None and before is not _GONE and after != before:
        raise _changed(name, before[0], after) from None


def _check_listed(source: str, listed: str) -> None:
    found, size = find_source(source), int(listed.partition("-")[0])
    if found.size != size or (found.version != listed and not is_source_url(source)):
        raise _changed(shown_source(source), size, (found.size, found.version))


def _state_at(source: str) -> _State:
    if not is_source_url(source):
        return _state_of(source)
    try:
        found = find_source(source)
    except NotFoundError:
        return _GONE
    return None if found.is_directory else (found.size, found.version)


def _state_of(file: str | os.PathLike[str] | BinaryIO) -> _State:
    try:
        found = os.stat(file if isinstance(file, str | os.PathLike) else file.fileno())  # noqa: PTH116 (or a descriptor)
    except FileNotFoundError:
        return _GONE
    except UnsupportedOperation:
        return None
    return (found.st_size, version_of(found)) if stat.S_ISREG(found.st_mode) else None


def _changed(name: str, before: int, after: _State) -> FileError:
    if after is None:
        how = "it is not a regular file any more"
    elif after is _GONE:
        how = "it is gone"
    elif after[0] == before:
        how = f"it was written or replaced, and has {before:,} bytes as before"
    else:
        how = f"it had {before:,} bytes, and now has {after[0]:,}"
    return FileError(name, f"has changed while it was read: {how}; {_ADVICE}")
