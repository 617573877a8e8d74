"""A partition: the documents that one worker reads and validates from start to end."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

from dreg_client.partitions.part import (
    KINDS,
    WHOLE_FILE,
    BlobRange,
    Bytes,
    Files,
    Part,
    Repositories,
    Rows,
    SingleRepository,
    StoredPart,
    UnreferencedBlobs,
    WholeFile,
)
from dreg_client.partitions.report_names import report_name
from dreg_client.validation.dumps import LineRules
from dreg_client.values.arguments import check_flag, check_instance, check_iterable
from dreg_client.values.source_url import shown_source, without_password

Format = Literal["json", "json-lines", "parquet", "tar", "registry-storage"]
Compression = Literal["", "gzip", "zstd", "bzip2", "xz"]


@dataclass(frozen=True, slots=True)
class PartitionRules:
    """How to find the documents in partitions, and how to validate them. It can be pickled.

    Attributes:
        lines: How to find the documents in lines of JSON; also the kind and the media type of all documents.
        column: The Parquet column that contains the documents.
        media_type_column: The column with the media types of the documents; if empty, there is none.
        kind_column: The column with the kinds of the documents; if empty, there is none.
        keep: The Parquet columns that are copied to the report. They are null for other documents.
        complete: Whether content that documents in the storage of a registry name, but that is missing, is an error.
        blobs: Whether all blobs in the storage of a registry are read and verified.
        is_lines: Whether files whose names do not say otherwise, and `*.json` files, have one document per line. With
            `lines.field`, they always have.
        kept_schema: The names and types of the kept columns in all reports of a run, as Arrow writes a schema, in
            base64; if empty, reports of Parquet files have the types of their file, and other reports lack the columns.

    Raises:
        TypeError: An argument has the wrong type.
    """

    lines: LineRules = field(default_factory=LineRules)
    column: str = "manifest"
    media_type_column: str = ""
    kind_column: str = ""
    keep: tuple[str, ...] = ()
    complete: bool = False
    blobs: bool = False
    is_lines: bool = False
    kept_schema: str = ""

    def __post_init__(self) -> None:
        """Check the types. Other than a tuple of names, `keep` may also be another iterable."""
        check_instance("lines", self.lines, LineRules)
        for name in ("column", "media_type_column", "kind_column", "kept_schema"):
            check_instance(name, getattr(self, name), str)
        for name in ("complete", "blobs", "is_lines"):
            check_flag(name, getattr(self, name))
        check_iterable("keep", self.keep)
        object.__setattr__(self, "keep", tuple(self.keep))
        for name in self.keep:
            check_instance("keep", name, str)

    @property
    def reads_lines(self) -> bool:
        """Whether files of JSON have one document per line, unless their names say otherwise."""
        return self.is_lines or bool(self.lines.field)


@dataclass(frozen=True, slots=True)
class Partition:
    """Documents that are read from start to end by one worker. It can be pickled.

    Attributes:
        source: The path or URL of the file, which may contain credentials (`name` does not); for a group of files, of
            their directory; for a part of a registry's storage, of the storage.
        format: The format of the file.
        compression: The compression of the file; empty if it is not compressed.
        part: The part of the source: `WholeFile`, `Bytes` or `Rows` of a file, `Files` of a directory; or
            `SingleRepository`, `Repositories`, `BlobRange` or `UnreferencedBlobs` of a storage. They are in
            `dreg_client.partitions.part`.
        size: The number of bytes to read, as stored; 0 if it is unknown.
        version: What changes if the file changes: its size and its date, or its ETag; empty if that is unknown.

    Raises:
        TypeError: A source of this format has no such part.
    """

    source: str = field(repr=False)
    format: Format
    compression: Compression = ""
    part: Part = WHOLE_FILE
    size: int = 0
    version: str = ""

    def __post_init__(self) -> None:
        """Check that the part is one of the format."""
        if not isinstance(self.part, kinds := KINDS.get(self.format, ())):
            expected = " or ".join(kind.__name__ for kind in kinds) or "nothing"
            raise TypeError(f"part= takes {expected} for {self.format!r}, not {type(self.part).__name__}")

    @property
    def name(self) -> str:
        """The name of the partition, for messages: its source without credentials, and its part of it.

        The first and the last row or byte are named. As elsewhere, rows are counted from 1, and bytes from 0.
        """
        source = shown_source(self.source)
        match self.part:
            case WholeFile():
                return source
            case Bytes(start, stop):
                return f"{source} (byte {start} to {stop - 1})"
            case Rows(start, stop):
                return f"{source} (row {start + 1} to {stop})"
            case Files(names) | Repositories(names):
                return f"{source} ({names[0]} to {names[-1]})"
            case SingleRepository(name):
                return f"{source} ({name})"
            case BlobRange(start, stop):
                return f"{source} (blobs {start:02x} to {stop - 1:02x})"
            case UnreferencedBlobs():
                return f"{source} (unreferenced blobs)"

    @property
    def position(self) -> tuple[str, int]:
        """The place of the partition among others: its first file, and where it starts in it."""
        stored = StoredPart.of(self.part)
        return "/".join([self.source, *stored.names[:1]]), stored.start

    @property
    def report_name(self) -> str:
        """The name of the report file. It is the same for each run over the same files.

        Sources that are different files have different names, also if their URLs differ only in what is not shown.
        """
        source, stored = without_password(self.source), StoredPart.of(self.part)
        identity = (source, self.format, self.compression, stored.start, stored.stop, stored.names)
        return report_name(shown_source(self.source), identity)

    def plain(self) -> dict[str, Any]:
        """Return the partition without credentials, as its report file states it."""
        stored = asdict(StoredPart.of(self.part))
        described = {"source": shown_source(self.source), "format": self.format, "compression": self.compression}
        return {**described, **stored, "size": self.size, "version": self.version}

    @classmethod
    def of_plain(cls, plain: dict[str, Any]) -> Self:
        """Return the partition that a report file states.

        Raises:
            ValueError, LookupError, TypeError: It is not valid.
        """
        others = dict(plain)
        stored = StoredPart.of_plain(*(others.pop(name) for name in ("start", "stop", "names")))
        return cls(**others, part=stored.part(others["format"]))
