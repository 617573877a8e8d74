"""Report files as `dreg validate --format parquet` and other engines write them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dreg_client.arrow import REPORT_SCHEMA
from dreg_client.partitions.part import WHOLE_FILE, Rows
from dreg_client.partitions.partition import Partition, PartitionRules
from dreg_client.partitions.report.stated import ReportContent
from dreg_client.partitions.summary import Summary
from dreg_client.partitions.summary_batches import add_batch

Json = dict[str, Any]
ERROR = {"rule": "MAN-07", "severity": "error", "path": "$.layers", "found": "nothing", "expected": "a list"}
WARNING = {"rule": "ANN-01", "severity": "warning", "path": "$.annotations.a", "found": "null", "expected": "a string"}
PLACED = pa.schema([pa.field("source", pa.string()), pa.field("line", pa.int64()), *REPORT_SCHEMA])


def row(source: str, line: int | None, *problems: Json, kind: str | None = "oci-manifest") -> Json:
    """A row of a report."""
    severities = [problem["severity"] for problem in problems]
    return {
        "source": source,
        "line": line,
        "digest": f"sha256:{line or 0:064x}",
        "size": 100,
        "kind": kind,
        "ok": "error" not in severities,
        "errors": severities.count("error"),
        "warnings": severities.count("warning"),
        "problems": [*problems],
    }


def write_report(folder: Path, source: str, rows: Sequence[Json], failure: str | None = None, start: int = 0) -> Path:
    """Write the report of a partition, as `dreg validate --format parquet` does."""
    summary = Summary()
    table = pa.Table.from_pylist([*rows], PLACED)
    for batch in table.to_batches():
        add_batch(summary, batch)
    partition = Partition(source, "parquet", part=Rows(start, start + len(rows)) if start else WHOLE_FILE)
    stated = ReportContent(partition, PartitionRules(), "", summary, failure).metadata(table.num_rows)
    folder.mkdir(exist_ok=True)
    return write_table(folder / partition.report_name, table, {"dreg.partition": stated})


def write_table(path: Path, table: pa.Table, metadata: dict[str, str] | None = None) -> Path:
    pq.write_table(table.replace_schema_metadata(metadata), path)
    return path


def two_reports(folder: Path) -> Path:
    """A folder with the reports of two partitions, the second of which broke off."""
    write_report(
        folder, "b.parquet", [row("b.parquet", 1, ERROR, kind=None), row("b.parquet", 2)], "the file ends early"
    )
    write_report(folder, "a.parquet", [row("a.parquet", 1), row("a.parquet", 2, ERROR, ERROR, WARNING)])
    (folder / "_dreg-run.json").write_text("{}")
    return folder
