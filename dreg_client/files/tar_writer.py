"""Write tar archives that are equal, byte for byte, if their members are: sorted, with fixed times and owners."""

import tarfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Self

from dreg_client import errors
from dreg_client.files.new_file import NewFile
from dreg_client.files.rooted import chunks_of, size_of
from dreg_client.values.digest import Digest

_BLOCK: Final = tarfile.BLOCKSIZE
_RECORD: Final = tarfile.RECORDSIZE


@dataclass(frozen=True, slots=True)
class Member:
    """A file to be written to an archive.

    Attributes:
        name: Its path in the archive.
        open: Opens it.
        digest: The digest that its bytes must have; None if they were verified before.
        discard: Is called once it has been written, to free its space.
    """

    name: str
    open: Callable[[], BinaryIO]
    digest: Digest | None = None
    discard: Callable[[], object] | None = None

    @classmethod
    def moved(cls, name: str, path: Path) -> Self:
        """Return a file that is deleted once it has been written."""
        return cls(name, lambda: path.open("rb"), discard=path.unlink)


def write_tar(archive: NewFile, members: Iterable[Member]) -> None:
    """Write an archive with members sorted by name.

    The format is that of GNU, which skopeo, podman and docker read, for any size of file and length of name.

    Raises:
        LayoutError: A file cannot be read, or the archive cannot be written.
        SizeMismatchError: A member has changed while it was read.
        DigestMismatchError: A member does not have its digest.
    """
    octets = 0
    for member in sorted(members, key=lambda it: it.name):
        with member.open() as file:
            size = size_of(file)
            header = _header(member.name, size)
            archive.write(header)
            _copy(file, archive, member, size)
        archive.write(bytes(-size % _BLOCK))
        octets += len(header) + size + -size % _BLOCK
        if member.discard:
            member.discard()
    end = 2 * _BLOCK
    archive.write(bytes(end + -(octets + end) % _RECORD))


def _header(name: str, size: int) -> bytes:
    header = tarfile.TarInfo(name)
    header.size = size  # mode 0644, owner 0, time 0
    return header.tobuf(tarfile.GNU_FORMAT)


def _copy(file: BinaryIO, archive: NewFile, member: Member, size: int) -> None:
    if member.digest is None and archive.copy_from(file, size):
        return
    verifier = member.digest.verifier() if member.digest else None
    copied = 0
    for chunk in chunks_of(file, member.name):
        copied += len(chunk)
        if verifier:
            verifier.update(chunk)
        if copied <= size:
            archive.write(chunk)
    if copied != size:
        raise errors.SizeMismatchError(size, copied, member.name)
    if verifier:
        verifier.verify(member.name)
