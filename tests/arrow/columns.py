"""Columns of documents in each type that Arrow has for them, and the reports of a column."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from dreg_client import Report, validate
from dreg_client.arrow import validate_batches

FIXTURES = Path(__file__).parents[2] / "fixtures"
VECTORS = [json.loads(line) for line in (FIXTURES / "vectors/public.jsonl").read_text().splitlines()]
BINARY = [pa.binary(), pa.large_binary(), pa.binary_view()]
STRINGS = [pa.string(), pa.large_string(), pa.string_view()]
INDEX = b'{"schemaVersion": 2, "manifests": []}'
MISTAKE = b'{"schemaVersion": 2, "manifests": {}}'


def reports(column: pa.Array | list[bytes | None], **options: Any) -> list[dict[str, Any]]:
    """Return the rows of the reports of one column."""
    array = pa.array(column, pa.binary()) if isinstance(column, list) else column
    batches = validate_batches([pa.record_batch({"manifest": array})], **options)
    return [row for batch in batches for row in batch.to_pylist()]


def expected(raw: bytes | None, **options: Any) -> dict[str, Any]:
    """Return the row that the report of `validate` makes."""
    if raw is None:
        null = {"rule": "GEN-01", "severity": "error", "path": "$", "found": "null", "expected": "a JSON document"}
        return row_of(None, [null], errors=1)
    report = validate(raw, **options)
    members = ("rule", "severity", "path", "found", "expected")
    problems = [{name: str(getattr(problem, name)) for name in members} for problem in report.problems]
    return row_of(report, problems, len(report.errors), len(report.warnings))


def row_of(report: Report | None, problems: list[dict[str, str]], errors: int = 0, warnings: int = 0) -> dict[str, Any]:
    return {
        "digest": report and report.digest,
        "size": report and report.size,
        "kind": report and report.kind,
        "ok": report is not None and report.ok,
        "errors": errors,
        "warnings": warnings,
        "problems": problems,
    }
