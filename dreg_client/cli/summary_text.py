"""The totals of a validation as text: the rules by count with an example of each, what failed, and the sums."""

from collections.abc import Iterable, Iterator
from typing import Final

from dreg_client.cli.output import SEVERITY_STYLES, counted, styled, visible, wrapped
from dreg_client.errors.problems import full_clause
from dreg_client.partitions.summary import NOT_STATED, OTHER, Example, Summary
from dreg_client.validation.report import BLOB_RULES
from dreg_client.values.sizes import byte_size

_LABEL: Final = 8
_INDENT: Final = 2


def summary_lines(summary: Summary, failed: Iterable[tuple[str, str]] = (), omitted: int = 0) -> Iterator[str]:
    """Yield the lines of a summary.

    Args:
        summary: The sums of all documents.
        failed: The name of each partition or file that could be read only in part or not at all, and the reason.
        omitted: The number of further ones that are not listed.
    """
    for rule, severity, count in summary.sorted_rules():
        amount = counted(count.documents, "blob" if rule in BLOB_RULES else "document")
        if count.problems > count.documents:
            amount += f", {count.problems:,} problems"
        name = "other rules" if rule == OTHER else rule
        yield f"{styled(severity, SEVERITY_STYLES[severity])} {styled(name, 'bold')}: {amount}"
        yield from _example(count.example)
    failures = list(failed)
    for name, reason in failures:
        yield f"{styled('not read', 'red')}: {visible(reason if reason.startswith(name) else f'{name}: {reason}')}"
    if omitted:
        yield f"{styled('not read', 'red')}: {omitted:,} more"
    if summary.kinds:
        yield f"kinds: {', '.join(_kinds(summary))}"
    yield _sums(summary, len(failures) + omitted)


def _example(example: Example) -> Iterator[str]:
    problem = example.problem
    place = f"{example.source}:{example.line}" if example.line else example.source
    rows = {
        "first in": place,
        "digest": example.digest,
        "at": f"{problem.path}{' (the whole document)' if problem.path == '$' else ''}",
        "found": problem.found,
        "expected": problem.expected,
        "rule": f"{problem.rule}, {full_clause(problem.clause)}" if problem.clause else "",
        "see": problem.url if problem.clause else "",  # a rule without a clause is unknown, and may have no page
    }
    for label, text in rows.items():
        if text:
            yield f"{' ' * _INDENT}{label:<{_LABEL}}  {wrapped(visible(text), _INDENT + _LABEL + 2)}"


def _kinds(summary: Summary) -> Iterator[str]:
    for kind, documents in sorted(summary.kinds.items(), key=lambda item: (-item[1], item[0])):
        yield f"{documents:,} {'not stated' if kind == NOT_STATED else visible(kind) or 'unknown'}"


def _sums(summary: Summary, failures: int) -> str:
    unread = [f"{counted(failures, 'partition')} not read completely"] if failures else []
    size = f"{'at least ' if NOT_STATED in summary.kinds else ''}{byte_size(summary.size)}"
    line = f"{summary.documents:,} checked ({size}): {counts_text(summary, unread)}"
    return styled(line, "red" if summary.has_errors or failures else "green")


def counts_text(summary: Summary, unread: Iterable[str] = ()) -> str:
    """Return how many documents and blobs were found, such as `2 valid, 1 invalid; 1 blob missing`.

    Args:
        summary: The sums.
        unread: What was not read; it follows the counts of documents.
    """
    counts = [f"{summary.valid:,} valid"]
    counts += [f"{summary.invalid:,} invalid"] if summary.invalid else []
    counts += [f"{summary.warned:,} with warnings"] if summary.warned else []
    text = ", ".join((*counts, *unread))
    if summary.missing:
        text += f"; {counted(summary.missing, 'blob')} missing"
    if summary.unreferenced:
        blobs = counted(summary.unreferenced, "blob")
        text += f"; {blobs} unreferenced ({byte_size(summary.unreferenced_size)})"
    return text
