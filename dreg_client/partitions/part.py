"""Which part of a file, a directory or a storage a partition is."""

from dataclasses import dataclass
from typing import Final, TypeAlias, cast

ALL_BLOBS: Final = 256
"""The number of first bytes of digests, by which the blobs of a storage are divided."""


@dataclass(frozen=True, slots=True)
class WholeFile:
    """A whole file."""


@dataclass(frozen=True, slots=True)
class Bytes:
    """The lines of uncompressed JSON Lines that start in a range of bytes.

    Attributes:
        start: The first byte, from 0. Lines that start before it belong to another partition.
        stop: The byte after the last one.
    """

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a Parquet file.

    Attributes:
        start: The first row, counted from 0.
        stop: The row after the last one.
    """

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Files:
    """JSON files in a directory.

    Attributes:
        names: Their paths, relative to the directory.
    """

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SingleRepository:
    """The only repository of a storage that is validated, with all its blobs.

    Attributes:
        name: Its name.
    """

    name: str


@dataclass(frozen=True, slots=True)
class Repositories:
    """Repositories of a storage, without the blobs that other partitions read.

    Attributes:
        names: Their names.
    """

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BlobRange:
    """The blobs of a storage whose digests begin with some bytes.

    Attributes:
        start: The first of these bytes.
        stop: The byte after the last one.
    """

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class UnreferencedBlobs:
    """The blobs of a storage to which no manifest refers."""


Part: TypeAlias = WholeFile | Bytes | Rows | Files | SingleRepository | Repositories | BlobRange | UnreferencedBlobs
WHOLE_FILE: Final = WholeFile()
KINDS: Final[dict[str, tuple[type[Part], ...]]] = {
    "json": (WholeFile, Files),
    "json-lines": (WholeFile, Bytes),
    "parquet": (WholeFile, Rows),
    "tar": (WholeFile,),
    "registry-storage": (SingleRepository, Repositories, BlobRange, UnreferencedBlobs),
}
"""The kinds of parts of each format."""


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part as report files state it, and as it is in the names of report files.

    Attributes:
        start: The first byte or row; 0 for other parts.
        stop: The byte or row after the last one; `ALL_BLOBS` for a single repository; None for other parts.
        names: The files or repositories; empty for other parts.
    """

    start: int = 0
    stop: int | None = None
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, part: Part) -> "StoredPart":
        """Return how a part is stored."""
        match part:
            case WholeFile() | UnreferencedBlobs():
                return cls()
            case Bytes(start, stop) | Rows(start, stop) | BlobRange(start, stop):
                return cls(start, stop)
            case Files(names) | Repositories(names):
                return cls(names=names)
            case SingleRepository(name):
                return cls(stop=ALL_BLOBS, names=(name,))

    @classmethod
    def of_plain(cls, start: object, stop: object, names: object) -> "StoredPart":
        """Return what the members of a report file state.

        Raises:
            TypeError: They have the wrong types.
        """
        if type(start) is not int or not (stop is None or type(stop) is int) or not isinstance(names, list):
            raise TypeError
        listed = cast("list[object]", names)
        found = tuple(name for name in listed if isinstance(name, str))
        if len(found) < len(listed):
            raise TypeError
        return cls(start, stop, found)

    def part(self, form: str) -> Part:
        """Return the part of a file of this format, or of a storage.

        Raises:
            ValueError: There is no such part.
        """
        return self._of_storage() if form == "registry-storage" else self._of_file(form)

    def _of_storage(self) -> Part:
        match self.stop, self.names:
            case None, ():
                return UnreferencedBlobs()
            case None, names:
                return Repositories(names)
            case stop, ():
                return BlobRange(self.start, stop)
            case _, names:
                return SingleRepository(*names)

    def _of_file(self, form: str) -> Part:
        match form, self.stop, self.names:
            case _, None, ():
                return WHOLE_FILE
            case _, None, names:
                return Files(names)
            case "json-lines", int(stop), ():
                return Bytes(self.start, stop)
            case "parquet", int(stop), ():
                return Rows(self.start, stop)
            case _:
                raise ValueError(f"files of the format {form!r} have no such part")
