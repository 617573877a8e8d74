"""Write a tar archive as a whole: its parts are collected in a directory next to it, which vanishes afterwards."""

import os
import re
import shutil
import tempfile
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from dreg_client import errors
from dreg_client.files.atomic import is_own, part_start
from dreg_client.files.flock import lock_now
from dreg_client.files.folder_lock import LockedError, folder_lock
from dreg_client.files.new_file import NewFile, cannot_write, create_folders, open_folder, sync_folder_below
from dreg_client.files.partial_file import regular_target
from dreg_client.files.regular import Version, version_of
from dreg_client.files.tar_writer import Member, write_tar


class ArchiveSpool:
    """A directory for the parts of an archive, next to the archive. Exiting its context deletes it.

    A killed process leaves its directory; the next writer of the same archive deletes it.

    Args:
        path: The archive. If it is a link, its target is replaced.

    Attributes:
        path: The archive.
        folder: The directory; empty outside the context.

    Raises:
        LayoutError: The archive is not a regular file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path: Path = regular_target(path, "pass the path of a file")
        self.folder: str = ""
        self._lock = -1

    @property
    def version(self) -> Version | None:
        """The version of the archive that the path names now; None if there is none."""
        with suppress(FileNotFoundError):
            return version_of(self.path.stat())
        return None

    def __enter__(self) -> Self:
        """Create the directory, and, as for a layout, those above the archive that do not exist.

        Raises:
            LayoutError: A directory cannot be created.
        """
        create_folders(self.path.parent)
        with self._alone():  # another writer may not take the new directory for a stale one
            self._remove_stale()
            try:
                # Only this user can read it.
                self.folder = tempfile.mkdtemp(".part", part_start(self.path), self.path.parent)
                self._lock = _lock(self.folder)
            except OSError as failure:
                self.__exit__()
                raise cannot_write(str(self.path), failure) from failure
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        folder, self.folder = self.folder, ""
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)

    def _remove_stale(self) -> None:
        """Delete the directories of killed processes of this user: theirs are not locked."""
        form = re.compile(re.escape(part_start(self.path)) + r"\w{8}\.part", re.DOTALL)
        with suppress(OSError), os.scandir(self.path.parent) as entries:
            for entry in entries:
                if form.fullmatch(entry.name) and _is_own_folder(entry) and (lock := _lock(entry.path)) >= 0:
                    shutil.rmtree(entry.path, ignore_errors=True)
                    os.close(lock)

    def write(self, members: Iterable[Member], old: Version | None) -> None:
        """Write the archive, and give it its name once it is complete.

        Args:
            members: The files in it.
            old: The version of the archive that the members were made from; None if there was none.

        Raises:
            ConflictError: Another process has changed the archive meanwhile.
            LayoutLockedError: Other processes have been replacing archives in the directory for 30 seconds.
            LayoutError: The archive cannot be written. It is as before.
            DigestMismatchError: A member from the old archive is damaged. The archive is as before.
        """
        parent = str(self.path.parent)
        with (
            open_folder(parent) as target,
            open_folder(self.folder) as folder,
            NewFile(folder, self.path.name, self.path, target) as file,
        ):
            write_tar(file, members)
            file.sync()
            with self._alone():
                if self.version != old:
                    what = f"{self.path} was changed by another process, so it was not replaced"
                    raise errors.ConflictError(f"{what}; run the command again")
                file.finish(keeps_rights=True, synced=False)
        sync_folder_below(parent)

    @contextmanager
    def _alone(self) -> Generator[None, None, None]:
        """Keep out other writers of this library: between the check and the renaming, for example."""
        try:
            with folder_lock(self.path.parent):
                yield
        except LockedError:
            reason = "cannot be replaced: other processes have locked its directory for 30 seconds; try again later"
            raise errors.LayoutLockedError(str(self.path), reason) from None


def _is_own_folder(entry: "os.DirEntry[str]") -> bool:
    return is_own(entry) and entry.is_dir(follow_symlinks=False)


def _lock(folder: str) -> int:
    """Lock a directory; return its file descriptor, or -1 if another process has locked it, or it cannot be locked."""
    file = os.open(folder, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0))
    try:
        lock_now(file)
    except OSError:
        os.close(file)
        return -1
    return file
