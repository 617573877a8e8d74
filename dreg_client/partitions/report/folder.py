"""The folder of report files: a directory, or the URL of one on object storage, by fsspec."""

import os
import tempfile
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol, cast

from dreg_client.errors import FileError, LayoutLockedError, NotFoundError
from dreg_client.files.atomic import is_own_file, is_part, replacing
from dreg_client.files.layout_lock import LockFile
from dreg_client.files.places import joined
from dreg_client.files.regular import open_regular
from dreg_client.files.remote import file_system, open_url, typed_errors
from dreg_client.values.source_url import LOCAL_URLS, is_source_url, local_path, shown_source

LOCK: Final = "_dreg-run.lock"
"""The lock file; Spark and other engines ignore files whose names begin with `_`."""
_MOST_REQUESTS: Final = 16
READ_ONLY: Final = "is a URL to which no files can be written"
WRITABLE: Final = "name a directory, or a URL of object storage, such as s3://bucket/reports"
IN_USE: Final = "is in use by another run; wait for its end, or name another folder"


class ReportFolder(Protocol):
    """A folder with report files. All methods raise FileError if it cannot be read or written."""

    name: str
    at_once: int
    """How many files should be read at a time."""

    def create(self) -> None:
        """Create the folder if it does not exist."""

    def lock(self) -> AbstractContextManager[None]:
        """Return a block during which no other run of this machine, or of one that shares the folder, may begin."""
        ...

    def names(self) -> Iterator[str]:
        """Yield the names of the files and folders in it, without the lock file."""
        ...

    def open(self, name: str) -> BinaryIO | None:
        """Open a file; return None if it does not exist."""

    def new_file(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Return a block that yields a new file. Nothing has its name until the block ends without an error.

        In a directory, it then is complete and synced. At a URL, this depends on the file system: object storage shows
        only whole files, others may show a file while it is uploaded.
        """
        ...

    def create_file(self, name: str, content: bytes) -> bool:
        """Write a small file unless it exists; return whether it was written."""
        ...

    def remove(self, name: str) -> None:
        """Delete a file, if it exists."""

    def remove_parts(self) -> None:
        """Delete what killed processes have left. No other run may be active."""


def folder_at(location: str) -> ReportFolder:
    """Return the folder at a path or URL.

    Raises:
        FileError: It is a URL that is only read, such as one of HTTP.
    """
    if not is_local(location) and not is_source_url(location):
        raise FileError(shown_source(location), f"{READ_ONLY}; {WRITABLE}")
    return LocalFolder(local_path(location)) if is_local(location) else RemoteFolder(location)


def is_local(location: str) -> bool:
    """Return whether a folder is a directory."""
    return "://" not in location or location.startswith(LOCAL_URLS)


class LocalFolder:
    """A directory; see `ReportFolder`. Workers on other machines need it at the same path."""

    def __init__(self, path: str) -> None:
        self.name: str = path
        self.at_once: int = 1
        self._path = Path(path)

    def create(self) -> None:
        """See `ReportFolder`."""
        try:
            self._path.mkdir(parents=True, exist_ok=True)
        except FileExistsError:
            raise FileError(self.name, "is not a directory; name a new one") from None
        except (OSError, ValueError) as failure:
            raise _failed(self.name, "cannot be created", failure) from failure

    @contextmanager
    def lock(self) -> Generator[None, None, None]:
        """See `ReportFolder`. Without locks in the file system, only the names of temporary files keep runs apart."""
        lock = LockFile(self.name, LOCK, what="folder")
        try:
            with suppress(LayoutLockedError):
                if not lock.try_lock(shared=False):
                    raise FileError(self.name, IN_USE)
            yield
        finally:
            lock.close()

    def names(self) -> Iterator[str]:
        """See `ReportFolder`."""
        try:
            with os.scandir(self._path) as entries:
                yield from (entry.name for entry in entries if entry.name != LOCK)
        except OSError as failure:
            raise _failed(self.name, "cannot be read", failure) from failure

    def open(self, name: str) -> BinaryIO | None:
        """See `ReportFolder`."""
        try:
            return open_regular(self._path / name)
        except FileNotFoundError:
            return None
        except OSError as failure:
            raise _failed(str(self._path / name), "cannot be read", failure) from failure

    @contextmanager
    def new_file(self, name: str) -> Generator[BinaryIO, None, None]:
        """See `ReportFolder`."""
        target = self._path / name
        try:
            with replacing(target) as stream:
                yield stream
        except OSError as failure:
            raise _failed(str(target), "cannot be written", failure) from failure

    def create_file(self, name: str, content: bytes) -> bool:
        """See `ReportFolder`. Between this and the check that the folder is empty, the lock keeps other runs out."""
        with self.new_file(name) as stream:
            stream.write(content)
        return True

    def remove(self, name: str) -> None:
        """See `ReportFolder`."""
        try:
            (self._path / name).unlink(missing_ok=True)
        except OSError as failure:
            raise _failed(str(self._path / name), "cannot be deleted", failure) from failure

    def remove_parts(self) -> None:
        """See `ReportFolder`."""
        with suppress(OSError), os.scandir(self._path) as entries:
            for entry in entries:
                with suppress(OSError):
                    if is_part(entry.name) and is_own_file(entry):
                        Path(entry.path).unlink()


class RemoteFolder:
    """A folder on object storage; see `ReportFolder`. A file is written locally, then stored as a whole.

    There are no locks, which killed runs would leave behind. Of two runs that begin in a new folder at the same time,
    the second one cannot create its run file. A run that is continued while it is active ends: its token is gone.
    """

    def __init__(self, url: str) -> None:
        self.name: str = shown_source(url)
        self.at_once: int = _MOST_REQUESTS
        self._url = url.rstrip("/")

    @contextmanager
    def _at(self, name: str, what: str) -> Generator[tuple[Any, str], None, None]:
        """Yield the file system and the path of a file; raise FileError if the block fails."""
        url = joined(self._url, name) if name else self._url
        with typed_errors(url, what):
            yield file_system(url)

    def create(self) -> None:
        """See `ReportFolder`."""
        with self._at("", "cannot be created") as (files, path):
            files.makedirs(path, exist_ok=True)

    def lock(self) -> AbstractContextManager[None]:
        """See `ReportFolder`."""
        return nullcontext()

    def names(self) -> Iterator[str]:
        """See `ReportFolder`."""
        with self._at("", "cannot be read") as (files, path):
            found = cast("list[str]", files.ls(path, detail=False) if files.exists(path) else [])
        # Some stores have an empty object that stands for the folder.
        yield from (name.rpartition("/")[2] for name in found if name.strip("/") != path.strip("/"))

    def open(self, name: str) -> BinaryIO | None:
        """See `ReportFolder`."""
        try:
            return open_url(joined(self._url, name))
        except NotFoundError:
            return None

    @contextmanager
    def new_file(self, name: str) -> Generator[BinaryIO, None, None]:
        """See `ReportFolder`."""
        try:
            with tempfile.NamedTemporaryFile(prefix="dreg-", suffix=".parquet") as local:
                yield cast("BinaryIO", local)
                local.flush()
                with self._at(name, "cannot be written") as (files, path):
                    files.put_file(local.name, path)
        except OSError as failure:
            raise _failed(tempfile.gettempdir(), "a temporary file cannot be written", failure) from failure

    def create_file(self, name: str, content: bytes) -> bool:
        """See `ReportFolder`. S3, GCS and Azure do it in one step; others may look first, or just write the file."""
        with self._at(name, "cannot be written") as (files, path):
            try:
                files.pipe_file(path, content, mode="create")
            except Exception:  # noqa: BLE001 (each file system says in another way that a file exists, or that it cannot tell)
                if files.exists(path):
                    return False
                files.pipe_file(path, content)
        return True

    def remove(self, name: str) -> None:
        """See `ReportFolder`."""
        with self._at(name, "cannot be deleted") as (files, path), suppress(FileNotFoundError):
            files.rm_file(path)

    def remove_parts(self) -> None:
        """Do nothing: only whole files are stored."""


def _failed(path: str, what: str, failure: Exception) -> FileError:
    reason = getattr(failure, "strerror", None) or str(failure) or type(failure).__name__
    return FileError(path, f"{what}: {reason}")
