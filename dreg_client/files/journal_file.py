"""Files to which lines are appended, so that an interrupted command can continue."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from dreg_client.errors import ConfigError, FileError
from dreg_client.files.atomic import sync_folder
from dreg_client.files.own_file import ForeignFileError, is_at, open_own

_LONGEST: Final = 256 * 1024 * 1024


class JournalFile:
    """A file of lines, which is locked while it is open.

    A last line without an end was left by a killed process. It is not read, and the next line replaces it. Nothing is
    changed before the first line is appended.

    Args:
        path: The file. It is created if it does not exist.
        subject: What the lines record, for errors.
        longest: The most bytes of a line.

    Raises:
        ConfigError: It is used by another process, or other users can change it.
        FileError: It cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str], *, subject: str = "tag changes", longest: int = _LONGEST) -> None:
        self.name: str = os.fspath(path)
        self._subject = subject
        self._file = self._opened(Path(path))
        self._end, self._longest = 0, longest
        sync_folder(Path(path).parent)

    def _opened(self, path: Path) -> int:
        try:
            return open_own(path)
        except ForeignFileError as fault:
            raise ConfigError(f"the journal {self.name} {fault}; it was not changed; name a new file") from None
        except BlockingIOError:
            advice = "wait for it, or name another file"
            raise ConfigError(f"the journal {self.name} is in use by another process; {advice}") from None
        except (OSError, ValueError) as failure:
            reason = getattr(failure, "strerror", None) or str(failure)
            raise FileError(self.name, f"cannot be opened for reading and writing: {reason}") from failure

    def lines(self, start: bytes) -> Iterator[bytes]:
        """Yield all lines that are complete. Only a file that begins with `start` is a journal.

        Raises:
            ConfigError: It is another file.
            FileError: It cannot be read.
        """
        self._end = 0
        try:
            with open(self._file, "rb", closefd=False) as lines:
                begin = lines.read(len(start))
                if not start.startswith(begin):
                    what = f"{self.name} is not a journal of {self._subject}"
                    raise ConfigError(f"{what}; it was not changed; name a new file")
                lines.seek(0)
                while (line := lines.readline(self._longest + 1)).endswith(b"\n"):
                    self._end += len(line)
                    yield line
                if len(line) > self._longest:
                    raise ConfigError(f"the journal {self.name} has a line that is longer than {self._longest} bytes")
        except OSError as failure:
            raise FileError(self.name, f"cannot be read: {failure.strerror}") from failure

    def check(self, line: bytes) -> None:
        """Raise FileError for a line that could not be read again, so that what it announces is not begun."""
        if len(line) > self._longest:
            raise FileError(self.name, f"cannot have a line of {len(line)} bytes: the limit is {self._longest} bytes")

    def append(self, octets: bytes, *, synced: bool) -> None:
        """Append lines; with `synced`, they are on disk when this returns.

        Raises:
            FileError: They cannot be written, for example because the disk is full. The file is as it was.
        """
        try:
            os.ftruncate(self._file, self._end)
            os.lseek(self._file, self._end, os.SEEK_SET)
            rest = memoryview(octets)
            while rest:
                rest = rest[os.write(self._file, rest) :]
            if synced:
                os.fsync(self._file)
        except OSError as failure:
            with suppress(OSError):
                os.ftruncate(self._file, self._end)
            raise FileError(self.name, f"cannot be written: {failure.strerror}") from failure
        self._end += len(octets)

    def delete(self) -> None:
        """Delete the file, if its path still names it and the folder allows it."""
        with suppress(OSError):
            if is_at(Path(self.name), self._file):
                os.unlink(self.name)  # noqa: PTH108 (keeps the spelling of the user)

    def close(self) -> None:
        """Close and unlock the file."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)
