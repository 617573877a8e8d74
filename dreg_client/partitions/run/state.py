"""What the file `_dreg-run.json` in a folder of report files states about their run."""

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Any, Final, cast

from dreg_client.partitions.report.folder import ReportFolder
from dreg_client.partitions.report.marks import ReportsDigest
from dreg_client.partitions.report_names import RUN_FILE
from dreg_client.values.source_url import shown_source

_LARGEST: Final = 1 << 20
_MOST_SHOWN: Final = 20


def read_state(folder: ReportFolder) -> dict[str, Any] | None:
    """Return what the file states; None if there is none, or it is not valid.

    Raises:
        FileError: It cannot be read.
    """
    if (stream := folder.open(RUN_FILE)) is None:
        return None
    with stream:
        raw = stream.read(_LARGEST)
    try:
        stated = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", stated) if isinstance(stated, dict) and "token" in stated else None


def create_state(folder: ReportFolder, stated: dict[str, Any]) -> bool:
    """Write the file unless another run has; return whether it is that of this run.

    Raises:
        FileError: It cannot be written.
    """
    if folder.create_file(RUN_FILE, json.dumps(stated).encode()):
        return True
    # A file system that repeats a request finds the file that it has written.
    return bool((read_state(folder) or {}).get("token") == stated["token"])


def write_state(folder: ReportFolder, stated: dict[str, Any]) -> None:
    """Write the file.

    Raises:
        FileError: It cannot be written.
    """
    with folder.new_file(RUN_FILE) as file:
        file.write(json.dumps(stated).encode())


def stated_sources(sources: Iterable[str]) -> dict[str, Any]:
    """Return what the file states about the sources of a run: the first ones, and a digest of all; nothing if unknown.

    Their order, and repetitions, do not matter.
    """
    if not (found := sorted(set(sources))):
        return {}
    digest = sha256("\n".join(found).encode(errors="surrogatepass")).hexdigest()
    return {"sources": [*map(shown_source, found[:_MOST_SHOWN])], "sourceCount": len(found), "sourcesDigest": digest}


def shown_sources(stated: dict[str, Any]) -> str:
    """Return the sources that a file states, for a message."""
    found: Any = stated.get("sources")
    names = [str(each) for each in cast("list[object]", found)] if isinstance(found, list) else []
    shown, count = ", ".join(names[:3]), stated.get("sourceCount")
    more = count - 3 if isinstance(count, int) else 0
    return f"{shown} and {more} more" if more > 0 else shown


def other_rules(stated: dict[str, Any], plain: dict[str, Any]) -> str:
    """Return how the rules that a file states differ from others, for a message; empty if they are the same."""
    before, now = _members(stated.get("rules")), _members(json.loads(json.dumps(plain)))
    return ", ".join(
        f"{name} was {json.dumps(before.get(name))}, but is {json.dumps(value)}"
        for name, value in now.items()
        if before.get(name) != value
    )


def _members(rules: object) -> dict[str, Any]:
    """Return the members of rules, also those of the rules for lines, by name."""
    found = cast("dict[str, Any]", rules) if isinstance(rules, dict) else {}
    lines: Any = found.get("lines")
    return {**found, **(lines if isinstance(lines, dict) else {}), "lines": None, "kept_schema": None}


def why_incomplete(folder: ReportFolder, found: ReportsDigest) -> str | None:
    """Return why the reports in a folder are not those of a complete run; None if they are, or no run is stated.

    Args:
        folder: The folder.
        found: The reports of partitions that are in it.

    Raises:
        FileError: The file of the run cannot be read.
    """
    if (stated := read_state(folder)) is None or "complete" not in stated:
        return None
    if stated["complete"] is not True:
        return "the run was not completed; continue it with: dreg validate ... --resume"
    wanted, there = stated.get("reports"), found.plain()
    if isinstance(wanted, int) and wanted != found.reports:
        return f"the run has written {wanted:,} reports, but there are {found.reports:,}; repeat it with --resume"
    if stated.get("reportsDigest", there["reportsDigest"]) != there["reportsDigest"]:
        return "a report is not the one that the run has written; repeat it with --resume"
    return None
