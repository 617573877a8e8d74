"""The files of a tar archive, read in place. A compressed archive is first decompressed to a temporary file.

This module parses headers itself, because `tarfile` treats an invalid header as the end of the archive, follows chains
of headers recursively, and reads as many bytes into memory as a header states.
"""

import io
import os
import re
import stat
import threading
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, Final, cast

from dreg_client import errors
from dreg_client.files.beneath import components
from dreg_client.files.compressed import unpacked
from dreg_client.files.member_links import MemberLink, MemberLinks, UnsafeLinkError
from dreg_client.files.rooted import NEVER_LINKS, Files
from dreg_client.files.sparse import check_stored
from dreg_client.files.store_kinds import OCI
from dreg_client.values.sizes import MEBIBYTE

MAX_MEMBERS: Final = 200_000
_MAX_HEADERS: Final = 3 * MAX_MEMBERS
"""Archives have one or two extension headers for a member with a long name."""
MAX_NAMES: Final = 32 * MEBIBYTE
"""The maximum total size of all names and link targets, which are kept in memory."""
_MAX_EXTENSION: Final = MEBIBYTE
_AT_ONCE: Final = getattr(os, "O_NONBLOCK", 0)  # opening a named pipe would otherwise wait for a writer
_BLOCK: Final = 512
_FILES: Final = frozenset({b"0", b"\0", b"7"})
_DIRECTORY: Final = b"5"
_HARD_LINK: Final = b"1"
_LINKS: Final = frozenset({_HARD_LINK, b"2"})
_EXTENSIONS: Final = frozenset({b"L", b"K", b"x", b"X", b"g"})
_NOT_TAR: Final = "is not a tar archive (plain, or compressed with gzip, bzip2 or xz)"


@dataclass(frozen=True, slots=True)
class _Member:
    """A member as its headers describe it. `place` is the range of its bytes in the archive."""

    name: str
    kind: bytes
    link: str
    place: range


def _colon_missing(name: str) -> str:
    """Return what to write if a name is that of an existing archive and a position, without the colon between them."""
    path, at, position = name.rpartition("@")
    if at and position.isdigit() and Path(path).is_file():
        return f"; to select an image by its position, write docker-archive:{path}:@{position}"
    return ""


class _HeaderError(ValueError):
    """A header is invalid, or different readers could read it differently."""


class TarFiles(Files):
    """The regular files of a tar archive, plain or compressed with gzip, bzip2 or xz.

    A leading `/` is removed from names, and links to other members are followed. Archives are rejected if they contain
    a device, or a name or link that leads outside (LAY-18).
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.name: str = os.fspath(path)
        self._lock = threading.Lock()
        self._directories: set[str] = set()
        self._places: dict[str, range] = {}
        self._links: dict[str, MemberLink] = {}
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
            archive = open(self.name, "rb", opener=lambda name, flags: os.open(name, flags | _AT_ONCE))  # noqa: SIM115
        except (FileNotFoundError, ValueError):
            advice = f"the file does not exist{_colon_missing(self.name)}"
            raise errors.NotFoundError("archive", self.name, advice) from None
        except IsADirectoryError:
            raise errors.LayoutError(
                self.name, f"is a directory; if it is {OCI.what}, {OCI.to_read(self.name)}"
            ) from None
        except OSError as failure:
            raise errors.LayoutError(self.name, f"cannot be read: {failure.strerror}") from failure
        if not stat.S_ISREG(os.fstat(archive.fileno()).st_mode):
            archive.close()
            raise errors.LayoutError(self.name, "is not a regular file; save the stream to a file first")
        check_stored(archive, self.name)
        return unpacked(archive, self.name)

    def _scan(self) -> None:
        try:
            for member in _members(self._archive):
                self._add(member)
        except _HeaderError as failure:
            raise errors.LayoutCorruptError(self.name, str(failure)) from None
        except OSError as failure:
            raise errors.LayoutError(self.name, f"cannot be read: {failure.strerror}") from failure

    def _add(self, member: _Member) -> None:
        name = _safe_name(member.name)
        if name is None:
            raise errors.UnsafePathError(self.name, f"has a member whose path leads outside: {member.name[:100]!a}")
        if member.kind == _DIRECTORY:
            self._directories.add(name)
        elif name in self._places or name in self._links:
            raise _HeaderError(f"has the member {name[:100]!a} twice")
        elif member.kind in _FILES and name:
            self._places[name] = member.place
        elif member.kind in _LINKS and name:
            self._links[name] = MemberLink(name, member.link, member.kind == _HARD_LINK)
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
        name = _safe_name("/".join(parts))
        if name in self._links and name in NEVER_LINKS:
            raise errors.UnsafePathError(f"{self.name}, {name}", "is a link, which is not allowed for this file")
        place = self._places.get(self._follow(name)) if name is not None else None
        if place is None:
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


# --- headers (POSIX pax; GNU's long names)


def _members(archive: BinaryIO) -> Iterator[_Member]:
    """Yield all members in order, with the fields of the extension headers before them."""
    end = archive.seek(0, os.SEEK_END)
    if not end:
        raise _HeaderError("is empty")
    offset, headers, number, names, extended = 0, 0, 0, 0, dict[str, bytes]()
    while (header := _header(archive, offset)) is not None:
        offset += _BLOCK
        headers += 1
        if headers > _MAX_HEADERS:
            raise _HeaderError(f"has more than {_MAX_HEADERS} headers")
        if header[156:157] in _EXTENSIONS:
            size = _within(_number(header[124:136]), min(_MAX_EXTENSION, end - offset))
            more = _extension(header[156:157], archive.read(size))
            if extended.keys() & more.keys():
                raise _HeaderError(f"repeats a field in the extension headers before byte {offset}")
            extended |= more
        else:
            number += 1
            if number > MAX_MEMBERS:
                raise _HeaderError(f"has more than {MAX_MEMBERS} members")
            member = _member(header, extended, offset, end)
            names += len(member.name) + len(member.link)
            if names > MAX_NAMES:
                raise _HeaderError(f"has names of more than {MAX_NAMES:,} bytes")
            size, extended = len(member.place), dict[str, bytes]()
            yield member
        offset += size + -size % _BLOCK


def is_tar(start: bytes) -> bool:
    """Return whether bytes start with a tar header."""
    try:
        return _header(io.BytesIO(start[:_BLOCK]), 0) is not None
    except _HeaderError:
        return False


def _header(archive: BinaryIO, offset: int) -> bytes | None:
    """Read the header at an offset; return None at the end, with or without the required zero blocks."""
    archive.seek(offset)
    header = archive.read(_BLOCK)
    if not header.strip(b"\0"):
        if len(header) % _BLOCK or archive.read(_BLOCK).strip(b"\0"):
            raise _HeaderError(f"is truncated or damaged at byte {offset}")
        return None
    if len(header) < _BLOCK:
        raise _HeaderError(f"is truncated at byte {offset}, or {_NOT_TAR}")
    stored, total = _number(header[148:156]), sum(header) - sum(header[148:156]) + 8 * ord(" ")
    if stored != total and stored != total - 256 * _negatives(header):  # some old programs summed signed bytes
        what = f"has an invalid header at byte {offset}" if offset else _NOT_TAR
        raise _HeaderError(what)
    return header


def _negatives(header: bytes) -> int:
    return sum(octet > 127 for octet in header[:148] + header[156:])


def _member(header: bytes, extended: Mapping[str, bytes], offset: int, end: int) -> _Member:
    kind, name, prefix = header[156:157], _text(header[:100]), _text(header[345:500])
    if extended.get("path"):
        name = _text(extended["path"])
    elif prefix and header[257:263] == b"ustar\0":
        name = f"{prefix}/{name}"
    if kind == b"\0" and name.endswith("/"):
        kind = _DIRECTORY
    if kind == b"S":
        raise _HeaderError(f"has a sparse file: {name[:100]!a}")
    size = _decimal(extended["size"]) if "size" in extended else _number(header[124:136])
    if size and kind not in _FILES:
        raise _HeaderError(f"has the member {name[:100]!a}, which is not a file but has a size")
    size = _within(size, end - offset)
    return _Member(name, kind, _text(extended.get("linkpath") or header[157:257]), range(offset, offset + size))


def _extension(kind: bytes, body: bytes) -> dict[str, bytes]:
    """Return the fields of an extension header: the name, link target and size of the next member."""
    if kind == b"L":
        return {"path": body}
    if kind == b"K":
        return {"linkpath": body}
    records = dict(_records(body))
    if any(key.startswith("GNU.sparse") for key in records):
        raise _HeaderError("has a sparse file")
    naming = {key: value for key, value in records.items() if key in {"path", "linkpath", "size"}}
    if (naming and kind == b"g") or any(b"\0" in value for value in naming.values()):
        raise _HeaderError("has a global name or size, or a name with a NUL character")
    return naming


def _records(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the records of a pax header: `LENGTH KEY=VALUE` and a line feed. LENGTH counts the whole record."""
    start = 0
    while start < len(body):
        length, _, _ = body[start : start + 20].partition(b" ")
        stop = start + _decimal(length)
        key, equals, value = body[start + len(length) + 1 : stop].partition(b"=")
        if stop > len(body) or not equals or not value.endswith(b"\n"):
            raise _HeaderError("has an invalid pax header")
        yield key.decode("utf-8", "replace"), value[:-1]
        start = stop


def _number(field: bytes) -> int:
    """Parse a number of a header: octal digits, or base 256 if the first bit is set."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    if not re.fullmatch(rb"[0-7]*", digits):
        raise _HeaderError(f"{_NOT_TAR}, or has an invalid number in a header")
    return int(digits or b"0", 8)


def _decimal(digits: bytes) -> int:
    if not re.fullmatch(rb"[0-9]{1,19}", digits):
        raise _HeaderError("has an invalid pax header")
    return int(digits)


def _within(size: int, rest: int) -> int:
    if size > rest:
        raise _HeaderError("is truncated, or states a member size larger than the archive")
    return size


def _text(name: bytes) -> str:
    return name.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _safe_name(name: str) -> str | None:
    """Return a member's name without a leading `/` and empty parts; None if it leads outside the archive."""
    parts = components(name)
    return None if ".." in parts or "\\" in name else "/".join(parts)
