"""Write the warnings and errors of what is shown to standard error."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from dreg_client.cli.output import put_error, visible

if TYPE_CHECKING:
    from dreg_client.errors import DregError
    from dreg_client.models.stored import StoredDocument


def put_warnings(*documents: "StoredDocument", source: str = "") -> None:
    """Write the errors of documents that were read with `strict=False` to standard error, as warnings.

    `source` is what the documents were read for, if there are several sources.
    """
    for document in documents:
        for text in warnings_of(document):
            put_warning(text, source)


def warnings_of(document: "StoredDocument") -> list[str]:
    """Return the errors of a document that was read with `strict=False`, as the texts of warnings."""
    from dreg_client.errors.problems import Severity

    errors = (problem for problem in document.problems if problem.severity is Severity.ERROR)
    return [f"{document.digest}: {problem}" for problem in errors]


def put_warning(text: str, source: str = "") -> None:
    """Write a warning to standard error, after the source that it is about, if it is given."""
    put_error(f"dreg: warning: {visible(f'{source}: {text}' if source else text)}")


def put_item_failure(failure: Exception, *, as_json: bool, source: str) -> int:
    """Write the error of one of several items to standard error; return its exit code."""
    from dreg_client.cli.error_messages import put_failure, put_traceback
    from dreg_client.cli.logging import is_debugging

    if is_debugging():
        put_traceback(failure)
    return put_failure(failure, as_json=as_json, source=source)


def put_failed_items(failed: Sequence[str], total: int) -> None:
    """Write to standard error which of several items failed."""
    put_error(f"dreg: {len(failed)} of {total} failed: {', '.join(map(visible, failed))}")


def put_failures(failures: "Iterable[DregError]", output: str, source: str = "") -> int:
    """Write why parts of a document are not shown to standard error; return the exit code: 1 if there are any."""
    from dreg_client.cli.error_messages import INVALID, put_failure

    code = 0
    for failure in failures:
        code = put_failure(failure, as_json=output == "json", source=source, code=INVALID)
    return code
