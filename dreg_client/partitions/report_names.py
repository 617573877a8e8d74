"""The names of the files in the folder of a run."""

import re
from hashlib import sha256
from typing import Final

RUN_FILE: Final = "_dreg-run.json"
"""The file that states which run the report files in a folder are of."""
_REPORT: Final = re.compile(r"-[0-9a-f]{16}\.parquet\Z")
_UNUSUAL: Final = re.compile(r"[^A-Za-z0-9.-]+")
_LONGEST: Final = 80


def report_name(shown: str, identity: object) -> str:
    """Return the name of a report file.

    Args:
        shown: The source of its partition, without credentials.
        identity: What tells the partition apart from others; its `repr` must be the same in each run.

    Examples:
        >>> report_name("s3://bucket/dumps/web.jsonl", ("web", 0))
        'web.jsonl-8d761db8fd33c76d.parquet'
    """
    digest = sha256(repr(identity).encode(errors="surrogatepass")).hexdigest()[:16]
    last = _UNUSUAL.sub("_", shown.rstrip("/").rpartition("/")[2])[:_LONGEST]
    return f"{last.lstrip('._-') or 'documents'}-{digest}.parquet"


def is_report_name(name: str) -> bool:
    """Return whether a file, given its name, path or URL, is named like the report of a partition."""
    return _REPORT.search(name) is not None
