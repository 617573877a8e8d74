"""Read the rows of a tar archive of JSON files, from its beginning to its end, in constant memory."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from dreg_client.errors import FileError, UnsafePathError, UnsupportedError
from dreg_client.files.forward import ForwardFile, buffered, plain_stream
from dreg_client.files.lines import bounded_lines, text_of_line
from dreg_client.files.places import is_hidden, open_source
from dreg_client.files.store_kinds import DOCKER_ARCHIVE, OCI_ARCHIVE
from dreg_client.files.tar_headers import FILES, HeaderError, Member, members, safe_name
from dreg_client.partitions.input.formats import format_of
from dreg_client.partitions.partition import Partition
from dreg_client.partitions.row import Row
from dreg_client.values.sizes import FAR, MAX_DOCUMENT, MEBIBYTE
from dreg_client.values.source_url import shown_source

_OF_LAYOUTS: Final = ("blobs/sha256/", "blobs/sha512/")
_FIRST: Final = 1000
"""The rows that are held back, since the archive may turn out to be one of images."""
_FIRST_SIZE: Final = 4 * MAX_DOCUMENT
_MOST_NAMED: Final = 3


def rows_of_tar(partition: Partition, on_read: Callable[[int], None]) -> Iterator[Row]:
    """Yield the documents in the members `*.json`, and the lines of the members `*.jsonl` and `*.ndjson`.

    Hidden members (see `is_hidden`), links, devices and members with other endings are skipped. Members that are
    compressed, Parquet or tar archives are named by the error at the end. Archives that were joined are read one after
    another.
    """
    name = shown_source(partition.source)
    with open_source(partition.source) as file:
        yield from rows_of_archive(file, name, partition.compression, on_read)


def rows_of_archive(
    file: BinaryIO, name: str, compression: str = "", on_read: Callable[[int], None] = lambda _: None
) -> Iterator[Row]:
    """Yield the rows of an open archive, which may be a pipe.

    The first rows are held back: the config of an image may come before the member that shows what the archive is.

    Raises:
        HeaderError: The archive is damaged or truncated, or something else follows its end.
        UnsupportedError: It is an image layout, or an archive of docker save.
        UnsafePathError: A member's path leads outside.
        FileError: It contains no documents, or members with documents that are not read; raised after all rows.
    """
    rows = _all_rows(file, name, compression, on_read)
    first: list[Row] = []
    octets = 0
    try:
        for row in rows:
            first.append(row)
            octets += len(row.raw or b"")
            if len(first) >= _FIRST or octets >= _FIRST_SIZE:
                break
    except UnsupportedError:
        raise
    except Exception:
        yield from first
        raise
    yield from first
    yield from rows


def _all_rows(file: BinaryIO, name: str, compression: str, on_read: Callable[[int], None]) -> Iterator[Row]:
    archive = plain_stream(file, compression, on_read)
    is_empty, end, unread = True, 0, _Unread()
    for member in members(archive, _size(archive), are_kept=False, are_joined=True):
        end = member.stop
        for row in _rows(archive, member, name, unread):
            is_empty = False
            yield row
    if not _has_end(archive, end):
        raise HeaderError(f"is truncated at byte {end} or later: an archive ends with two blocks of zeros")
    if unread.count:
        raise FileError(name, unread.reason())
    if is_empty:
        raise FileError(name, "has no *.json, *.jsonl or *.ndjson members (names that begin with _ or . are skipped)")


@dataclass(slots=True)
class _Unread:
    """The members with documents that are not read: their number, and the first names."""

    count: int = 0
    names: list[str] = field(default_factory=list[str])

    def add(self, path: str) -> None:
        """Add a member."""
        self.count += 1
        if len(self.names) < _MOST_NAMED:
            self.names.append(f"{path[:100]!a}")

    def reason(self) -> str:
        """Return why the archive was not read completely, and what to do."""
        are = "member that is" if self.count == 1 else "members that are"
        what = f"has {self.count:,} {are} compressed, Parquet or a tar archive, and not read"
        more = ", ..." if self.count > len(self.names) else ""
        return f"{what}: {', '.join(self.names)}{more}; extract the archive and validate the directory"


def _size(archive: BinaryIO | ForwardFile) -> int:
    if isinstance(archive, ForwardFile):
        return FAR
    size = archive.seek(0, os.SEEK_END)
    archive.seek(0)
    return size


def _has_end(archive: BinaryIO | ForwardFile, end: int) -> bool:
    """Return whether there is anything after the last member: the zeros at the end of an archive."""
    if isinstance(archive, ForwardFile):
        return archive.reached > end
    return archive.seek(0, os.SEEK_END) > end


def _rows(archive: BinaryIO | ForwardFile, member: Member, name: str, unread: _Unread) -> Iterator[Row]:
    path = safe_name(member.name)
    if path is None:
        raise UnsafePathError(name, f"has a member whose path leads outside: {member.name[:100]!a}")
    if member.kind not in FILES:
        return
    _check_no_layout(path, name)
    if is_hidden(path):
        return
    archive.seek(member.place.start)
    form = format_of(path)
    if form == ("json", ""):
        yield Row(f"{name}/{path}", 0, _document(archive, len(member.place), path, name))
    elif form == ("json-lines", ""):
        yield from _lines(ForwardFile(_chunks(archive, len(member.place), path)), f"{name}/{path}")
    elif form is not None:
        unread.add(path)


def _lines(file: ForwardFile, name: str) -> Iterator[Row]:
    for number, line in enumerate(bounded_lines(buffered(file)), 1):
        if text := text_of_line(line):
            yield Row(name, number, text, is_line=True)


def _check_no_layout(path: str, name: str) -> None:
    if path == "oci-layout" or path.startswith(_OF_LAYOUTS):
        advice = f"run: dreg validate {OCI_ARCHIVE.name}:{name}"
        raise UnsupportedError(f"{name} is {OCI_ARCHIVE.what} in a tar archive; {advice}")


def _document(archive: BinaryIO | ForwardFile, size: int, path: str, name: str) -> bytes:
    """Read a document; of one that is too large, only as much as shows this."""
    raw = b"".join(_chunks(archive, min(size, MAX_DOCUMENT + 1), path))
    if path == "manifest.json" and raw.lstrip()[:1] == b"[":
        advice = f"show it with: dreg inspect {DOCKER_ARCHIVE.name}:{name}"
        raise UnsupportedError(f"{name} is {DOCKER_ARCHIVE.what}, without manifests; {advice}")
    return raw


def _chunks(archive: BinaryIO | ForwardFile, size: int, path: str) -> Iterator[bytes]:
    """Yield the next bytes of a member."""
    while size:
        chunk = archive.read(min(size, MEBIBYTE))
        if not chunk:
            raise HeaderError(f"is truncated in the member {path[:100]!a}")
        size -= len(chunk)
        yield chunk
