"""The headers of a tar archive (POSIX pax, and GNU's long names).

They are parsed here because `tarfile` treats an invalid header as the end of the archive, follows chains of headers
recursively, and reads as many bytes into memory as a header states.
"""

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from dreg_client.files.beneath import components
from dreg_client.values.sizes import MEBIBYTE

MAX_MEMBERS: Final = 200_000
_MAX_HEADERS: Final = 3 * MAX_MEMBERS
"""Archives have one or two extension headers for a member with a long name."""
MAX_NAMES: Final = 32 * MEBIBYTE
"""The maximum total size of all names and link targets, which are kept in memory."""
_MAX_EXTENSION: Final = MEBIBYTE
BLOCK: Final = 512
_ZEROS: Final = bytes(BLOCK)
FILES: Final = frozenset({b"0", b"\0", b"7"})
DIRECTORY: Final = b"5"
HARD_LINK: Final = b"1"
LINKS: Final = frozenset({HARD_LINK, b"2"})
_EXTENSIONS: Final = frozenset({b"L", b"K", b"x", b"X", b"g"})
_NOT_TAR: Final = "is not a tar archive (plain, or compressed with gzip, bzip2 or xz)"


@dataclass(frozen=True, slots=True)
class Member:
    """A member as its headers describe it.

    Attributes:
        start: The offset in the archive of its first header.
        place: The range of its bytes in the archive.
    """

    name: str
    kind: bytes
    link: str
    start: int
    place: range

    @property
    def stop(self) -> int:
        """The offset in the archive after its last block."""
        return self.place.stop + -len(self.place) % BLOCK


class HeaderError(ValueError):
    """A header is invalid, or different readers could read it differently."""


class _Archive(Protocol):
    """An archive that is read from its beginning to its end: no offset is before the bytes that were read last."""

    def seek(self, offset: int, /) -> object: ...
    def read(self, size: int, /) -> bytes: ...


def members(archive: _Archive, end: int, *, are_kept: bool = True, are_joined: bool = False) -> Iterator[Member]:
    """Yield all members in order, with the fields of the extension headers before them.

    Args:
        archive: The archive.
        end: Its size, or the most that it may have.
        are_kept: Whether the caller keeps the members in memory. If not, their number is not limited.
        are_joined: Whether archives that follow the end of the first one are read, too, as `tar -i` does. Anything
            else but zeros there is an error. If not, nothing after the end is read, as other tools do.
    """
    if not end:
        raise HeaderError("is empty")
    start = offset = headers = number = names = 0
    extended = dict[str, bytes]()
    while (found := _next_header(archive, offset, are_joined=are_joined)) is not None:
        header, offset = found
        headers += 1
        if headers > _MAX_HEADERS and are_kept:
            raise HeaderError(f"has more than {_MAX_HEADERS} headers")
        if header[156:157] in _EXTENSIONS:
            size = _within(_number(header[124:136]), min(_MAX_EXTENSION, end - offset))
            more = _extension(header[156:157], archive.read(size))
            if extended.keys() & more.keys():
                raise HeaderError(f"repeats a field in the extension headers before byte {offset}")
            extended |= more
            offset += size + -size % BLOCK
        else:
            number += 1
            if number > MAX_MEMBERS and are_kept:
                raise HeaderError(f"has more than {MAX_MEMBERS} members")
            member = _member(header, extended, start, offset, end)
            names += len(member.name) + len(member.link)
            if names > MAX_NAMES and are_kept:
                raise HeaderError(f"has names of more than {MAX_NAMES:,} bytes")
            yield member
            start = offset = member.stop
            extended = dict[str, bytes]()


def is_tar(start: bytes) -> bool:
    """Return whether bytes start with a tar header."""
    try:
        return _header(io.BytesIO(start[:BLOCK]), 0) is not None
    except HeaderError:
        return False


def _next_header(archive: _Archive, offset: int, *, are_joined: bool) -> tuple[bytes, int] | None:
    """Read the header at an offset, or that of the next archive; return it with the offset after it."""
    archive.seek(offset)
    if (header := _header(archive, offset)) is not None:
        return header, offset + BLOCK
    if not are_joined:
        return None
    offset += 2 * BLOCK
    while (block := archive.read(BLOCK)) == _ZEROS:
        offset += BLOCK
    if not block.strip(b"\0"):
        return None
    try:
        return _checked(block, offset), offset + BLOCK
    except HeaderError:
        reason = f"has bytes at {offset}, after its end, that are neither zeros nor another archive"
        raise HeaderError(reason) from None


def _header(archive: _Archive, offset: int) -> bytes | None:
    """Read the next header; return None at the end, with or without the required zero blocks."""
    header = archive.read(BLOCK)
    if not header.strip(b"\0"):
        if len(header) % BLOCK or archive.read(BLOCK).strip(b"\0"):
            raise HeaderError(f"is truncated or damaged at byte {offset}")
        return None
    return _checked(header, offset)


def _checked(header: bytes, offset: int) -> bytes:
    if len(header) < BLOCK:
        raise HeaderError(f"is truncated at byte {offset}, or {_NOT_TAR}")
    stored, total = _number(header[148:156]), sum(header) - sum(header[148:156]) + 8 * ord(" ")
    if stored != total and stored != total - 256 * _negatives(header):  # some old programs summed signed bytes
        what = f"has an invalid header at byte {offset}" if offset else _NOT_TAR
        raise HeaderError(what)
    return header


def _negatives(header: bytes) -> int:
    return sum(octet > 127 for octet in header[:148] + header[156:])


def _member(header: bytes, extended: Mapping[str, bytes], start: int, offset: int, end: int) -> Member:
    kind, name, prefix = header[156:157], _text(header[:100]), _text(header[345:500])
    if extended.get("path"):
        name = _text(extended["path"])
    elif prefix and header[257:263] == b"ustar\0":
        name = f"{prefix}/{name}"
    if kind == b"\0" and name.endswith("/"):
        kind = DIRECTORY
    if kind == b"S":
        raise HeaderError(f"has a sparse file: {name[:100]!a}")
    size = _decimal(extended["size"]) if "size" in extended else _number(header[124:136])
    if size and kind not in FILES:
        raise HeaderError(f"has the member {name[:100]!a}, which is not a file but has a size")
    size = _within(size, end - offset)
    link = _text(extended.get("linkpath") or header[157:257])
    return Member(name, kind, link, start, range(offset, offset + size))


def _extension(kind: bytes, body: bytes) -> dict[str, bytes]:
    """Return the fields of an extension header: the name, link target and size of the next member."""
    if kind == b"L":
        return {"path": body}
    if kind == b"K":
        return {"linkpath": body}
    records = dict(_records(body))
    if any(key.startswith("GNU.sparse") for key in records):
        raise HeaderError("has a sparse file")
    naming = {key: value for key, value in records.items() if key in {"path", "linkpath", "size"}}
    if (naming and kind == b"g") or any(b"\0" in value for value in naming.values()):
        raise HeaderError("has a global name or size, or a name with a NUL character")
    return naming


def _records(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the records of a pax header: `LENGTH KEY=VALUE` and a line feed. LENGTH counts the whole record."""
    start = 0
    while start < len(body):
        length, _, _ = body[start : start + 20].partition(b" ")
        stop = start + _decimal(length)
        key, equals, value = body[start + len(length) + 1 : stop].partition(b"=")
        if stop > len(body) or not equals or not value.endswith(b"\n"):
            raise HeaderError("has an invalid pax header")
        yield key.decode("utf-8", "replace"), value[:-1]
        start = stop


def _number(field: bytes) -> int:
    """Parse a number of a header: octal digits, or base 256 if the first bit is set."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    if not re.fullmatch(rb"[0-7]*", digits):
        raise HeaderError(f"{_NOT_TAR}, or has an invalid number in a header")
    return int(digits or b"0", 8)


def _decimal(digits: bytes) -> int:
    if not re.fullmatch(rb"[0-9]{1,19}", digits):
        raise HeaderError("has an invalid pax header")
    return int(digits)


def _within(size: int, rest: int) -> int:
    if size > rest:
        raise HeaderError("is truncated, or states a member size larger than the archive")
    return size


def _text(name: bytes) -> str:
    return name.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def safe_name(name: str) -> str | None:
    """Return a member's name without a leading `/` and empty parts; None if it leads outside the archive."""
    parts = components(name)
    return None if ".." in parts or "\\" in name else "/".join(parts)
