"""The sums of one report file."""

from dataclasses import dataclass

from dreg_client.partitions.summary import Position, Summary


class NotAReportError(Exception):
    """A file contains no reports. The message continues a sentence about the file."""


@dataclass(frozen=True, slots=True)
class FileSums:
    """The sums of a report file.

    Attributes:
        summary: The sums of its documents.
        failed: The name of each partition or source that was not read completely when it was validated, and the
            reason.
        omitted: The number of further ones.
        position: The place of the partition among others.
        size: The size of the file in bytes.
        run_token: The token of the run that wrote it, empty if it was written without one; None if it is not the report
            of a partition.
    """

    summary: Summary
    failed: tuple[tuple[str, str], ...] = ()
    omitted: int = 0
    position: Position = ("", 0)
    size: int = 0
    run_token: str | None = None
