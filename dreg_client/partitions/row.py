"""A document of a partition that is not validated yet, and its report."""

from dataclasses import dataclass
from typing import NamedTuple

from dreg_client.validation.report import Report


class Row(NamedTuple):
    """A document of a partition, not validated yet.

    Attributes:
        source: The file that contains the document; for a member of an archive, `ARCHIVE/MEMBER`.
        number: The number of the line or of the row in that file, from 1; 0 if the file is the document, or if it is
            not known: for lines of a part of a divided file that is not the first.
        raw: The bytes; None for a null in a column.
        media_type: The media type with which the document was stored.
        kind: The kind with which the document was stored.
        is_line: Whether `raw` is a line of JSON, in which `LineRules` find the document.
        offset: The byte of the file where its line starts, counted from 0; None if it is no line of an uncompressed
            file.
        report: The report of a document that is too large to be validated; `raw` is then None.
    """

    source: str
    number: int
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
    """The report of a document of a partition.

    Attributes:
        source: As in `Row`.
        number: As in `Row`.
        report: The report.
        is_null: Whether the document is a null in a column. The digest and the size of the report are then those of
            no bytes.
        offset: As in `Row`.
    """

    source: str
    number: int
    report: Report
    is_null: bool = False
    offset: int | None = None
