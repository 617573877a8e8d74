"""What the report file of a partition states about itself, in the metadata of Parquet: what it is of, and its sums."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Final, cast

from dreg_client import __version__
from dreg_client.partitions.partition import Partition, PartitionRules
from dreg_client.partitions.summary import Position, Summary
from dreg_client.values.sizes import MEBIBYTE

METADATA: Final = "dreg.partition"
"""The member of a Parquet file's metadata."""
_LONGEST: Final = 16 * MEBIBYTE
"""The maximum number of bytes of this member."""


@dataclass(frozen=True, slots=True)
class ReportContent:
    """What a report file was written for, and what is in it.

    Attributes:
        partition: The partition.
        rules: How its documents were validated.
        run_token: The token of the run that wrote it; empty if it was written without a run.
        summary: The sums of its rows.
        failure: Why the partition was not read completely; None if it was.
    """

    partition: Partition
    rules: PartitionRules
    run_token: str
    summary: Summary
    failure: str | None = None

    def metadata(self, rows: int) -> str:
        """Return what a file with this number of rows states, as JSON."""
        content = {"run": self.run_token, "summary": self.summary.plain(), "failure": self.failure, "rows": rows}
        return json.dumps({**_identity(self.partition, self.rules), **content})


def _identity(partition: Partition, rules: PartitionRules) -> dict[str, Any]:
    """Return what two reports must have in common to be of the same documents, by the same rules.

    The name tells partitions apart whose sources are shown in the same way, such as versions of an object.
    """
    stated = {"dreg": __version__, "rules": plain_rules(rules), "partition": partition.plain()}
    return {**stated, "name": partition.report_name}


def plain_rules(rules: PartitionRules) -> dict[str, Any]:
    """Return rules as JSON values."""
    return asdict(rules)


@dataclass(frozen=True, slots=True)
class StatedReport:
    """What a report file states about itself.

    Attributes:
        name: The name that the file must have, by its partition; None if it states none.
        run_token: The token of the run that wrote it; empty if it was written without a run.
        failure: Why the partition was not read completely; None if it was.
        summary: Its sums; None if they are not valid, or not those of its rows. Programs that change the rows of a file
            often keep its metadata.
        place: The name and the place of the partition; None if they are not valid.
    """

    name: str | None
    run_token: str
    failure: str | None
    summary: Summary | None
    place: tuple[str, Position] | None
    _members: dict[str, Any]

    def finished(self, partition: Partition, rules: PartitionRules) -> Summary | None:
        """Return the sums if this is the complete report of a partition by these rules, otherwise None.

        Without a version of the partition, nothing shows that the file is still the same.
        """
        wanted = json.loads(json.dumps(_identity(partition, rules)))
        is_same = bool(partition.version) and self.failure is None and {**self._members, **wanted} == self._members
        return self.summary if is_same else None


def stated_in(metadata: Any) -> StatedReport | None:  # noqa: ANN401 (the stubs of pyarrow lack its texts)
    """Return what the metadata of a Parquet file states; None if it is not the report of a partition."""
    raw = cast("dict[bytes, bytes]", metadata.metadata or {}).get(METADATA.encode())
    if raw is None or len(raw) > _LONGEST:
        return None
    try:
        members = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(members, dict):
        return None
    found = cast("dict[str, Any]", members)
    name, run, failure = (found.get(member) for member in ("name", "run", "failure"))
    return StatedReport(
        name if isinstance(name, str) else None,
        run if isinstance(run, str) else "",
        str(failure) if failure else None,
        _summary(found) if found.get("rows") == metadata.num_rows else None,
        _place(found),
        found,
    )


def _summary(members: dict[str, Any]) -> Summary | None:
    try:
        return Summary.of_plain(members["summary"])
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def _place(members: dict[str, Any]) -> tuple[str, Position] | None:
    try:
        partition = Partition.of_plain(members["partition"])
        name, position = partition.name, partition.position
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    return name, position
