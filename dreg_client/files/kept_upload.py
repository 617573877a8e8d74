"""The URL of an unfinished upload, kept so that another process can go on with it.

The URL is a secret: with it, anyone can write to the upload.
"""

import json
import os
import stat
import time
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

from dreg_client import errors
from dreg_client._logging import log
from dreg_client.files.own_file import ForeignFileError, is_at, open_own
from dreg_client.values.digest import Digest

_STALE_AFTER: Final = 7 * 24 * 3600.0
_LARGEST: Final = 16 * 1024
_FOLDER: Final = 0o700


class KeptUpload:
    """The file with the URL of one unfinished upload. A context manager, which closes it.

    Once it is open, it is locked, so that only one process goes on with the upload.

    Args:
        registry: The URL of the registry.
        repository: The name of the repository.
        digest: The digest of the blob.
        environment: The environment variables.

    Attributes:
        url: The URL; empty if there is none, or the file is not open.

    Raises:
        ConfigError: There is no home directory.
    """

    def __init__(
        self, registry: str, repository: str, digest: Digest, environment: Mapping[str, str] = os.environ
    ) -> None:
        name = sha256(f"{registry} {repository} {digest}".encode()).hexdigest()
        self._path, self._file, self._digest = _folder(environment) / f"{name}.json", -1, digest
        self.url: str = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Open and lock the file, and read the URL. If another process has locked it, nothing is kept.

        Raises:
            FileError: Others can write to the folder, or it cannot be written.
        """
        try:
            _prepare(self._path.parent)
            self._file = open_own(self._path)
            self.url = _read(self._file)
        except BlockingIOError:
            log.warning("another process is uploading %s; this upload is not kept", self._digest)
        except ForeignFileError as failure:
            raise errors.FileError(str(self._path), f"{failure}; delete it, or upload without resume") from None
        except OSError as failure:
            reason = f"cannot be written, so the upload cannot be kept: {failure.strerror}"
            raise errors.FileError(str(self._path), reason) from failure

    def save(self, url: str) -> None:
        """Keep the URL of the upload, or forget it if it is empty."""
        if self._file < 0 or url == self.url:
            return
        self.url = url
        with suppress(OSError):  # then only a later process cannot go on
            os.ftruncate(self._file, 0)
            os.lseek(self._file, 0, os.SEEK_SET)
            os.write(self._file, json.dumps({"location": url}).encode())

    def remove(self) -> None:
        """Delete the file, because there is nothing to go on with."""
        with suppress(OSError):
            if self._file >= 0 and is_at(self._path, self._file):
                self._path.unlink()

    def close(self) -> None:
        """Close the file; delete it if it has no URL."""
        if not self.url:
            self.remove()
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)


def _folder(environment: Mapping[str, str]) -> Path:
    state = environment.get("XDG_STATE_HOME", "")
    if os.path.isabs(state):  # noqa: PTH117 ("All paths set in these environment variables must be absolute")
        return Path(state) / "dreg/uploads"
    try:
        return Path.home() / ".local/state/dreg/uploads"
    except RuntimeError:
        raise errors.ConfigError("there is no home directory to keep uploads in; set HOME or XDG_STATE_HOME") from None


def _prepare(folder: Path) -> None:
    """Create the folder, check that it is only this user's, and delete what was kept a week ago."""
    folder.mkdir(mode=_FOLDER, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise errors.FileError(str(folder), "is not a directory")
    if os.name != "nt" and (found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)):
        reason = "others can write to it, so uploads are not kept there; set its mode to 0700"
        raise errors.FileError(str(folder), reason)
    limit = time.time() - _STALE_AFTER
    for path in folder.glob("*.json"):
        with suppress(OSError):
            if path.lstat().st_mtime < limit:
                path.unlink()


def _read(file: int) -> str:
    """Return the URL in a file; empty if it has none, or was not written to its end."""
    try:
        kept = json.loads(os.read(file, _LARGEST))
        url = kept["location"]
    except (ValueError, KeyError, TypeError):
        return ""
    return url if isinstance(url, str) else ""
