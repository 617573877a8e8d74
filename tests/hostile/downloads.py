"""What the tests of downloads share: blobs in parts, what a folder holds, and how much was taken of a host."""

import os
import resource
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from dreg_client import Descriptor, Digest
from dreg_client.files.partial_file import kept_part
from tests.faultserver import Heard, Piece, answer, head
from tests.hostile.registry import BASE

BEFORE = b"what was there"
LARGE = Random(1).randbytes(307_200)  # noqa: S311 (any bytes will do)
"""A blob that comes in many pieces."""
MIB = 1024 * 1024
SOCKETS = 16 * MIB
"""More than the buffers between a host and its client hold."""


def blob_path(raw: bytes) -> str:
    """Where a registry has a blob."""
    return f"{BASE}/blobs/{Digest.of(raw)}"


def descriptor(raw: bytes, size: int | None = None) -> Descriptor:
    """The descriptor of a blob, with another size where told."""
    digest, length = Digest.of(raw), len(raw) if size is None else size
    return Descriptor(mediaType="application/octet-stream", digest=digest, size=length)


def first_byte(heard: Heard) -> int:
    """Where the part that is asked for begins."""
    return int((heard.header("range") or "bytes=0-").removeprefix("bytes=").partition("-")[0])


def part(raw: bytes, start: int, *, shown: int | None = None, until: int | None = None) -> bytes:
    """An answer with the part of a blob from a place on; `shown` is where it says that it begins."""
    begins = start if shown is None else shown
    content_range = f"Content-Range: bytes {begins}-{len(raw) - 1}/{len(raw)}"
    top = head("206 Partial Content", f"Content-Length: {len(raw) - start}", content_range)
    return top + raw[start : len(raw) if until is None else until]


def rest(raw: bytes) -> Callable[[Heard], Piece]:
    """What gives the part of a blob that is asked for: all of it where none is."""
    return lambda heard: part(raw, first_byte(heard)) if heard.header("range") else answer(raw)


def close_delimited(raw: bytes) -> bytes:
    """An answer of HTTP/1.0: its end is that of the connection."""
    return b"HTTP/1.0 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n" + raw


def held(folder: Path) -> dict[str, bytes]:
    """What a folder holds: names and bytes, hidden files and all."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def part_file(folder: Path, digest: Digest) -> Path:
    """Where a download to `layer` that may be resumed keeps what came."""
    return kept_part(folder / "layer", digest)


@dataclass
class Tap:
    """An answer that counts what is taken of it.

    Attributes:
        pieces: What is said.
        taken: How many bytes went out.
    """

    pieces: Callable[[], Iterable[bytes]]
    taken: int = 0

    def __call__(self, heard: Heard) -> Iterator[Piece]:
        for piece in self.pieces():
            yield piece
            self.taken += len(piece)


@dataclass
class FullDisk:
    """`os.write` of a disk that is full after so many bytes of files.

    Attributes:
        room: How many bytes there is room for.
        error: The number of the error.
    """

    room: int
    error: int
    write: Callable[[int, bytes], int] = field(default=os.write)

    def __call__(self, file: int, octets: bytes) -> int:
        if not os.path.isfile(f"/dev/fd/{file}"):  # noqa: PTH113 (a number, no path of ours)
            return self.write(file, octets)
        if self.room <= 0:
            raise OSError(self.error, os.strerror(self.error))
        written = self.write(file, octets[: self.room])
        self.room -= written
        return written


def limit_files(size: int) -> Callable[[], None]:
    """What lets the files of this process and its children grow no further; what is given back ends it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
