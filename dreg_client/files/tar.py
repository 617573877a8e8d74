"""The files of a tar archive, read in place. A compressed archive is first decompressed to a temporary file."""

import io
import os
import threading
from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, cast

from dreg_client import errors
from dreg_client.files.member_links import MemberLink, MemberLinks, UnsafeLinkError
from dreg_client.files.regular import Version, open_regular, version_of
from dreg_client.files.rooted import NEVER_LINKS, Files, size_of
from dreg_client.files.sparse import check_stored
from dreg_client.files.store_kinds import OCI
from dreg_client.files.tar_headers import DIRECTORY, FILES, HARD_LINK, LINKS, HeaderError, Member, members, safe_name
from dreg_client.files.unpacked import unpacked


def _colon_missing(name: str) -> str:
    """Return what to write if a name is that of an existing archive and a position, without the colon between them."""
    path, at, position = name.rpartition("@")
    if at and position.isdigit() and Path(path).is_file():
        return f"; to select an image by its position, write docker-archive:{path}:@{position}"
    return ""


class TarFiles(Files):
    """The regular files of a tar archive, plain or compressed with gzip, bzip2 or xz.

    A leading `/` is removed from names, and links to other members are followed. Archives are rejected if they contain
    a device, or a name or link that leads outside (LAY-18).

    Attributes:
        version: What identifies the file that was opened, even if the path names another one now.
    """

    version: Version

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.name: str = os.fspath(path)
        self._lock = threading.Lock()
        self._directories: set[str] = set()
        self._places: dict[str, range] = {}
        self._links: dict[str, MemberLink] = {}
        self._left_out: frozenset[str] = frozenset()
        self._archive = self._opened()
        try:
            self._scan()
            self._followed = MemberLinks(self._links.values(), self._places)
            self._followed.check()
        except UnsafeLinkError as failure:
            self._archive.close()
            raise errors.UnsafePathError(self.name, str(failure)) from None
        except BaseException:
            self._archive.close()
            raise

    def _opened(self) -> BinaryIO:
        try:
            archive = open_regular(self.name, "is not a regular file; save the stream to a file first")
        except (FileNotFoundError, ValueError):
            advice = f"the file does not exist{_colon_missing(self.name)}"
            raise errors.NotFoundError("archive", self.name, advice) from None
        except IsADirectoryError:
            raise errors.LayoutError(
                self.name, f"is a directory; if it is {OCI.what}, {OCI.to_read(self.name)}"
            ) from None
        except errors.FileError as failure:
            raise errors.LayoutError(self.name, failure.reason) from None
        except OSError as failure:
            raise errors.LayoutError(self.name, f"cannot be read: {failure.strerror}") from failure
        try:
            self.version = version_of(os.fstat(archive.fileno()))
            check_stored(archive, self.name)
            plain, self._left_out = unpacked(archive, self.name)
        except BaseException:
            archive.close()
            raise
        return plain

    def _scan(self) -> None:
        try:
            for member in members(self._archive, size_of(self._archive)):
                self._add(member)
        except HeaderError as failure:
            raise errors.LayoutCorruptError(self.name, str(failure)) from None
        except OSError as failure:
            raise errors.LayoutError(self.name, f"cannot be read: {failure.strerror}") from failure

    def _add(self, member: Member) -> None:
        name = safe_name(member.name)
        if name is None:
            raise errors.UnsafePathError(self.name, f"has a member whose path leads outside: {member.name[:100]!a}")
        if member.kind == DIRECTORY:
            self._directories.add(name)
        elif name in self._places or name in self._links:
            raise HeaderError(f"has the member {name[:100]!a} twice")
        elif member.kind in FILES and name:
            self._places[name] = member.place
        elif member.kind in LINKS and name:
            self._links[name] = MemberLink(name, member.link, member.kind == HARD_LINK)
        else:
            raise errors.UnsafePathError(self.name, f"has a device or an unnamed file: {name[:100]!a}")

    def _follow(self, name: str) -> str:
        try:
            return self._followed.follow(name)
        except UnsafeLinkError as failure:
            raise errors.UnsafePathError(self.name, str(failure)) from None

    def open(self, *parts: str) -> BinaryIO:
        """Open a regular file for reading; see `Files.open`."""
        self.check_open()
        name = safe_name("/".join(parts))
        if name in self._links and name in NEVER_LINKS:
            raise errors.UnsafePathError(f"{self.name}, {name}", "is a link, which is not allowed for this file")
        place = self._places.get(self._follow(name)) if name is not None else None
        if place is None:
            if name in self._left_out:
                reason = "was not decompressed, because no document states it with this size; decompress it yourself"
                raise errors.LayoutError(f"{self.name}, {name}", reason)
            raise FileNotFoundError("/".join(parts))
        return cast("BinaryIO", io.BufferedReader(_Section(self, self._archive, place, self._lock), 1 << 16))

    def directory(self, name: str) -> str | None:
        """Return the path of a directory after following links; see `Files.directory`."""
        try:
            place = self._follow(name)
        except errors.UnsafePathError:
            return None
        if place in self._places:
            return None
        return place if place in self._directories or next(self.below(place), None) is not None else None

    def below(self, place: str) -> Iterator[tuple[str, bool]]:
        """Yield the relative paths of all files and links below a directory; see `Files.below`."""
        names, start = self._names, f"{place}/" if place else ""
        for position in range(bisect_left(names, start), len(names)):
            if not names[position].startswith(start):
                return
            yield names[position][len(start) :], names[position] in self._links

    @cached_property
    def _names(self) -> list[str]:
        return sorted({*self._places, *self._links})

    def close(self) -> None:
        """Close the archive."""
        with self._lock:  # another thread may be reading
            super().close()
            self._archive.close()


class _Section(io.RawIOBase):
    """A range of an open file, as a separate file. Several threads may read different sections at the same time."""

    def __init__(self, files: Files, archive: BinaryIO, place: range, lock: threading.Lock) -> None:
        self._files, self._archive, self._place, self._lock, self._at = files, archive, place, lock, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: len(self._place)}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        wanted = max(0, min(len(buffer), len(self._place) - self._at))
        with self._lock:
            self._files.check_open()
            self._archive.seek(self._place.start + self._at)
            read = self._archive.read(wanted)
        buffer[: len(read)] = read
        self._at += len(read)
        return len(read)
