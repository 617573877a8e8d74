"""Write files below the root of a layout: completely or not at all, and never through a link."""

import errno
import os
import secrets
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from dreg_client import errors
from dreg_client.files.atomic import set_rights
from dreg_client.files.beneath import UnsafeStepError, open_beneath

_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)

_CANNOT_COPY: Final = frozenset({errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM})


@contextmanager
def open_folder(root: str, *parts: str) -> Generator[int, None, None]:
    """Open a directory below a root; create it if it does not exist. Links are followed if they stay below the root.

    Raises:
        UnsafePathError: A component is not a directory, or a link leads outside.
        LayoutError: The directory cannot be created or opened.
    """
    path = str(Path(root, *parts))
    try:
        folder = _opened(root, parts)
    except UnsafeStepError as failure:
        raise errors.UnsafePathError(path, f"{failure}; nothing was written") from None
    except OSError as failure:
        raise cannot_write(path, failure) from failure
    try:
        if not stat.S_ISDIR(os.fstat(folder).st_mode):
            raise errors.UnsafePathError(path, "is not a directory; nothing was written")
        yield folder
    finally:
        os.close(folder)


def _opened(root: str, parts: tuple[str, ...]) -> int:
    try:
        return open_beneath(root, parts).descriptor
    except FileNotFoundError:
        if not parts:
            raise
    *above, last = parts
    parent = _opened(root, tuple(above))
    try:
        with suppress(FileExistsError):  # another process was faster
            os.mkdir(last, 0o755, dir_fd=parent)
            os.fsync(parent)
    finally:
        os.close(parent)
    return open_beneath(root, parts).descriptor


def create_folders(path: Path) -> None:
    """Create a directory and those above it, unless they exist.

    Raises:
        LayoutError: A directory cannot be created.
    """
    try:
        for place in reversed([path, *path.parents]):
            if not place.is_dir():
                place.mkdir(0o755, exist_ok=True)
    except OSError as failure:
        what = "it is not a directory" if isinstance(failure, FileExistsError) else failure.strerror
        raise errors.LayoutError(str(path), f"cannot be created: {what}") from failure


def sync_folder_below(root: str, *parts: str) -> None:
    """Make the names of the files in a directory survive a power failure."""
    with open_folder(root, *parts) as folder, suppress(OSError):  # some file systems cannot sync directories
        os.fsync(folder)


def cannot_write(path: str, failure: OSError) -> errors.LayoutError:
    """Return the error for a file or directory of a layout that the system does not let us write."""
    return errors.LayoutError(path, f"cannot be written: {failure.strerror}")


class NewFile:
    """A file with a temporary name, which `finish` renames. A context manager, which removes it if it is not finished.

    A file that has the name already is replaced; if it is a link, the link is replaced, not its target.

    Args:
        folder: The open directory. It must stay open while the file is.
        name: The name of the file in it.
        path: The path of the file, for errors and for the permissions of a file to replace.
        target: The open directory for the finished file, in the same file system (default: `folder`).

    Raises:
        LayoutError: The file cannot be written; also raised by all methods.
    """

    def __init__(self, folder: int, name: str, path: Path, target: int | None = None) -> None:
        self._folder, self._name, self._path = folder, name, path
        self._target = folder if target is None else target
        self._part = f".{name}.{secrets.token_hex(8)}.part"
        self._file = -1

    def __enter__(self) -> Self:
        try:
            # The umask applies: a file of a layout is never executable (LAY-19).
            self._file = os.open(self._part, _NEW, 0o644, dir_fd=self._folder)
        except OSError as failure:
            raise cannot_write(str(self._path), failure) from failure
        except BaseException:  # such as Ctrl-C just after the file was created
            self.__exit__()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)
        if self._part:
            with suppress(OSError):
                os.unlink(self._part, dir_fd=self._folder)

    def write(self, octets: bytes | bytearray) -> None:
        """Write the next bytes."""
        try:
            rest = memoryview(octets)
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as failure:
            raise cannot_write(str(self._path), failure) from failure

    def copy_from(self, file: BinaryIO, size: int) -> bool:
        """Copy a file of a given size within the kernel; return False, with nothing written, if it cannot do that."""
        copy = getattr(os, "copy_file_range", None)
        try:
            source = file.fileno()
        except OSError:  # a part of another file
            return False
        left = size
        while copy is not None and left:
            try:
                copied = copy(source, self._file, left)
            except OSError as failure:
                if left == size and failure.errno in _CANNOT_COPY:
                    return False
                raise cannot_write(str(self._path), failure) from failure
            if not copied:
                raise errors.SizeMismatchError(size, size - left, str(self._path))
            left -= copied
        return copy is not None

    def sync(self) -> None:
        """Sync the content to disk."""
        try:
            os.fsync(self._file)
        except OSError as failure:
            raise cannot_write(str(self._path), failure) from failure

    def finish(self, *, as_name: str = "", keeps_rights: bool = False, synced: bool = True) -> None:
        """Sync the file to disk, and give it its name. The name is only on disk after `sync_folder_below`.

        Args:
            as_name: Another name than that of the constructor.
            keeps_rights: Whether the file gets the permissions of the file that it replaces.
            synced: Whether to sync the file. Without it, the file may be lost in a power failure.
        """
        if synced:
            self.sync()
        try:
            if keeps_rights:
                set_rights(self._file, self._path)
            self._check_part()
            os.rename(self._part, as_name or self._name, src_dir_fd=self._folder, dst_dir_fd=self._target)
            self._part = ""
        except OSError as failure:
            raise cannot_write(str(self._path), failure) from failure

    def finish_new(self) -> bool:
        """Sync the file, and give it its name unless another file has it already; return whether it has it now."""
        self.sync()
        try:
            self._check_part()
            os.link(self._part, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        except FileExistsError:
            return False
        except OSError as failure:
            raise cannot_write(str(self._path), failure) from failure
        return True

    def _check_part(self) -> None:
        """Raise an error unless the temporary name still names this file: others may write to the directory."""
        found = os.stat(self._part, dir_fd=self._folder, follow_symlinks=False)
        if not os.path.samestat(found, os.fstat(self._file)):
            raise errors.LayoutError(str(self._path), "cannot be written: another program replaced the temporary file")
