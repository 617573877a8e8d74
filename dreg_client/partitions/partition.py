"""A partition: the documents that one worker reads and validates from start to end."""

import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Literal

from dreg_client.validation.dumps import LineRules
from dreg_client.values.arguments import check_flag, check_instance, check_iterable
from dreg_client.values.source_url import shown_source, without_password

Format = Literal["json", "json-lines", "parquet", "tar", "registry-storage"]
Compression = Literal["", "gzip", "zstd", "bzip2", "xz"]
_UNUSUAL: Final = re.compile(r"[^A-Za-z0-9.-]+")
_LONGEST_NAME: Final = 80


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
        start: The first byte of uncompressed JSON Lines (lines that start before it belong to another partition), or
            the first row of a Parquet file, counted from 0. For the blobs in the storage of a registry, the first byte
            of their digests.
        stop: The byte or the row after the last one; None for all that follow.
        names: The files of the group, or the repositories, relative to `source`; empty for all other formats, and for
            the blobs of a storage. Without `stop`, these are the unreferenced blobs.
        size: The number of bytes to read, as stored; 0 if it is unknown.
        version: What changes if the file changes: its size and its date, or its ETag; empty if that is unknown.
    """

    source: str = field(repr=False)
    format: Format
    compression: Compression = ""
    start: int = 0
    stop: int | None = None
    names: tuple[str, ...] = ()
    size: int = 0
    version: str = ""

    @property
    def name(self) -> str:
        """The name of the partition, for messages: its source without credentials, and its part of it.

        The first and the last row or byte are named. As elsewhere, rows are counted from 1, and bytes from 0.
        """
        source = shown_source(self.source)
        if self.names:
            return f"{source} ({self.names[0]} to {self.names[-1]})"
        if self.format == "registry-storage":
            digests = "unreferenced blobs" if self.stop is None else f"blobs {self.start:02x} to {self.stop - 1:02x}"
            return f"{source} ({digests})"
        if self.start or self.stop is not None:
            unit, origin = ("row", 1) if self.format == "parquet" else ("byte", 0)
            last = "the end" if self.stop is None else self.stop - 1 + origin
            return f"{source} ({unit} {self.start + origin} to {last})"
        return source

    @property
    def position(self) -> tuple[str, int]:
        """The place of the partition among others: its first file, and where it starts in it."""
        return "/".join([self.source, *self.names[:1]]), self.start

    @property
    def report_name(self) -> str:
        """The name of the report file. It is the same for each run over the same files.

        Sources that are different files have different names, also if their URLs differ only in what is not shown.
        """
        source = shown_source(self.source)
        identity = (without_password(self.source), self.format, self.compression, self.start, self.stop, self.names)
        digest = sha256(repr(identity).encode(errors="surrogatepass")).hexdigest()[:16]
        last = _UNUSUAL.sub("_", source.rstrip("/").rpartition("/")[2])[:_LONGEST_NAME]
        return f"{last.lstrip('._-') or 'documents'}-{digest}.parquet"
