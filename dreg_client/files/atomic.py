"""Write files atomically: completely or not at all."""

import errno
import os
import re
import secrets
import stat
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from dreg_client._logging import log
from dreg_client.errors import FileError
from dreg_client.files.own_file import ForeignFileError, create_own, followed, is_at

_DESCRIPTORS: Final = "/proc/self/fd"
_STATUS: Final = Path("/proc/self/status")
_STALE_AFTER: Final = 24 * 3600.0
_SWEEP_PAUSE: Final = 3600.0
_MOST_FOLDERS: Final = 1000
_NOT_RESUMABLE: Final = re.compile(r"\..+\.[0-9a-f]{16}\.part", re.DOTALL)
"""Matches the names of `part_beside`. Downloads that can be resumed are named `.sha256-....part`."""
_swept: Final[dict[Path, float]] = {}
_NO_UNNAMED: Final = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT})
"""The errors of file systems and kernels without O_TMPFILE."""


def write_whole(path: str, chunks: Iterable[bytes], *, mode: int | None = None) -> None:
    """Write chunks to a temporary file, and rename it after the last chunk.

    If writing or the iterator fails, an existing file stays unchanged. A link is followed to its target; a device or a
    pipe is written directly.

    Args:
        path: The file.
        chunks: Its content.
        mode: Its permissions (default: those of the existing file; for a new file, what the umask allows).

    Raises:
        FileError: The file cannot be written.
    """
    given = Path(path)
    try:
        target = followed(path)
        if given.exists() and not given.is_file():
            with given.open("wb") as file:  # not by the resolved path: that of a pipe behind /dev/stdout does not exist
                file.writelines(chunks)
        else:
            _replace(target, chunks, mode)
    except ForeignFileError as fault:
        raise FileError(path, f"{fault}; pass the path that it leads to") from None
    except OSError as failure:
        raise FileError(path, f"cannot be written: {failure.strerror}") from failure
    except ValueError:
        raise FileError(path, "cannot be written: no file can have this name") from None


def _replace(target: Path, chunks: Iterable[bytes], mode: int | None) -> None:
    with replacing(target, mode) as stream:
        stream.writelines(chunks)


@contextmanager
def replacing(target: Path, mode: int | None = None) -> Generator[BinaryIO, None, None]:
    """Yield a new file, which gets its name at the end of the block; if the block fails, nothing changes.

    Args:
        target: The file. It must not be a link.
        mode: Its permissions, as for `write_whole`.

    Raises:
        OSError: The file cannot be written.
    """
    part = part_beside(target)  # set before the file exists, so that it is removed after an interrupt at any moment
    try:
        with _temporary(part) as (file, is_named), open(file, "wb", closefd=False) as stream:
            yield stream
            stream.flush()
            os.fsync(file)
            set_rights(file, target, mode)
            if not is_named:
                # `src_dir_fd` has no effect on an absolute path, but makes Python follow the link in /proc.
                os.link(f"{_DESCRIPTORS}/{file}", part, src_dir_fd=file, follow_symlinks=True)
            check_part(part, file)
        part.replace(target)
    finally:
        with suppress(OSError):
            part.unlink()
    sync_folder(target.parent)


@contextmanager
def _temporary(part: Path) -> Generator[tuple[int, bool], None, None]:
    """Yield a new file, and whether it has its name already: a file without a name vanishes with a killed process."""
    file = _unnamed(part.parent)
    is_named = file is None
    if file is None:
        file = create_own(part)
    try:
        yield file, is_named
    finally:
        os.close(file)


def _unnamed(folder: Path) -> int | None:
    flag = getattr(os, "O_TMPFILE", 0)
    if not (flag and Path(_DESCRIPTORS).is_dir()):
        return None
    try:
        return os.open(folder, os.O_RDWR | flag | os.O_CLOEXEC, 0o600)
    except OSError as failure:
        if failure.errno in _NO_UNNAMED:
            return None
        raise


def part_beside(target: Path) -> Path:
    """Return a new temporary name in the same directory."""
    return target.with_name(f"{part_start(target)}{secrets.token_hex(8)}.part")


def part_start(target: Path) -> str:
    """Return what the temporary names of a file begin with."""
    return f".{os.fsdecode(os.fsencode(target.name)[:100])}."


def remove_parts(target: Path) -> None:
    """Delete what killed processes of this user have left of a file. Nothing may be writing the file meanwhile."""
    form = re.compile(re.escape(part_start(target)) + r"[0-9a-f]{16}\.part", re.DOTALL)
    with suppress(OSError), os.scandir(target.parent) as entries:
        for entry in entries:
            if form.fullmatch(entry.name) and is_own_file(entry):
                with suppress(OSError):
                    Path(entry.path).unlink()


def is_part(name: str) -> bool:
    """Return whether a file name is one of `part_beside`."""
    return _NOT_RESUMABLE.fullmatch(name) is not None


def sweep_parts(folder: Path) -> None:
    """Delete partial files older than a day, at most once an hour per directory. Errors are ignored."""
    if time.monotonic() - _swept.get(folder, -_SWEEP_PAUSE) < _SWEEP_PAUSE:
        return
    if len(_swept) >= _MOST_FOLDERS:
        _swept.clear()
    _swept[folder] = time.monotonic()
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                if is_part(entry.name) and _is_stale(entry):
                    Path(entry.path).unlink()
                    log.info("%s: deleted the temporary file of a killed process", entry.path)


def _is_stale(entry: "os.DirEntry[str]") -> bool:
    return is_own_file(entry) and time.time() - entry.stat(follow_symlinks=False).st_mtime > _STALE_AFTER


def is_own_file(entry: "os.DirEntry[str]") -> bool:
    """Return whether an entry of a folder is a regular file of this user."""
    return is_own(entry) and entry.is_file(follow_symlinks=False)


def is_own(entry: "os.DirEntry[str]") -> bool:
    """Return whether an entry of a folder belongs to this user."""
    return not hasattr(os, "getuid") or entry.stat(follow_symlinks=False).st_uid == os.getuid()


def check_part(part: Path, file: int) -> None:
    """Raise OSError unless a temporary name still names the file that was written: others may write to the folder."""
    if not is_at(part, file):
        raise OSError(errno.ESTALE, "another program has replaced the temporary file")


def set_rights(file: int, target: Path, mode: int | None = None) -> None:
    """Give a new file its permissions, and the owner and group of the file that it will replace, if allowed.

    Args:
        file: The new file. It is not named, since others may put another file under its name.
        target: The file that will be replaced, if it exists.
        mode: The permissions (default: those of the target; without one, what the umask allows).
    """
    if os.name == "nt":
        return
    old = _regular(target)
    if old is None:
        os.fchmod(file, 0o644 & ~umask(target.parent) if mode is None else mode)
        return
    mode = old.st_mode & 0o777 if mode is None else mode
    new = os.fstat(file)
    if old.st_gid != new.st_gid and not _chown(file, -1, old.st_gid):
        mode &= 0o707 | (mode & 0o007) << 3  # what only the old group was allowed is not for another group
    os.fchmod(file, mode)
    if old.st_uid != new.st_uid:  # the last step: afterwards, the file may not be ours to change
        _chown(file, old.st_uid, -1)


def _regular(target: Path) -> os.stat_result | None:
    try:
        found = os.lstat(target)
    except FileNotFoundError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def _chown(file: int, user: int, group: int) -> bool:
    with suppress(OSError):
        os.fchown(file, user, group)
        return True
    return False


def umask(folder: Path) -> int:
    """Return the umask of the process. `os.umask` would set it to read it, also for files of other threads.

    Where the kernel does not tell it, an empty file in a folder shows it.
    """
    with suppress(OSError, ValueError), _STATUS.open("rb") as status:
        for line in status:
            if line.startswith(b"Umask:"):
                return int(line.removeprefix(b"Umask:"), 8)
    probe = part_beside(folder / "umask")
    file = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        return ~os.fstat(file).st_mode & 0o777
    finally:
        os.close(file)
        probe.unlink()


def sync_folder(folder: Path) -> None:
    """Make a renamed file survive a power failure, on systems that can sync directories."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
