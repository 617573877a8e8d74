"""A document of a partition that is not validated yet, and its report."""

from dataclasses import dataclass
from typing import NamedTuple, Self

from dreg_client.validation.report import Report


class Row(NamedTuple):
    """A document of a partition, not validated yet.

    Attributes:
        source: The file that contains the document; for a member of an archive, `ARCHIVE/MEMBER`.
        line: The number of the line or row in that file, from 1; 0 if the file is the document, or if the number is
            not known, since the line is in a part of a divided file after the first.
        raw: The bytes; None for a null in a column.
        media_type: The media type with which the document was stored.
        kind: The kind with which the document was stored.
        is_line: Whether `raw` is a line of JSON, in which `LineRules` find the document.
        offset: The byte of the file where the line starts, from 0; None unless it is a line of an uncompressed file.
        report: The report of a document that is too large to be validated; `raw` is then None.
    """

    source: str
    line: int
    raw: bytes | None
    media_type: str | None = None
    kind: str | None = None
    is_line: bool = False
    offset: int | None = None
    report: Report | None = None

    @property
    def is_null(self) -> bool:
        """Whether the document is a null in a column."""
        return self.raw is None and self.report is None


@dataclass(frozen=True, slots=True)
class RowReport:
    """The report of a document of a partition. `source`, `line` and `offset` are those of its `Row`.

    Attributes:
        report: The report.
        is_null: Whether there is no document, but a null in a column, or a link or directory of a store. The digest of
            the report is then that of no bytes; its size is 0 unless it is known, as for an upload. A link to a gone
            blob has a digest, so it is not null.
    """

    source: str
    line: int
    report: Report
    is_null: bool = False
    offset: int | None = None

    @classmethod
    def of(cls, row: Row, report: Report) -> Self:
        """Return the report of a row."""
        return cls(row.source, row.line, report, is_null=row.is_null, offset=row.offset)
