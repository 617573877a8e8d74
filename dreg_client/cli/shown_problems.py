"""Warnings and errors of documents that are shown, on standard error."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dreg_client.cli.output import put_error, visible

if TYPE_CHECKING:
    from dreg_client.errors import DregError
    from dreg_client.models.stored import StoredDocument


def put_warnings(*documents: "StoredDocument") -> None:
    """Write the errors of documents that were read with `strict=False` to standard error, as warnings."""
    from dreg_client.errors.problems import Severity

    for document in documents:
        for problem in document.problems:
            if problem.severity is Severity.ERROR:
                put_error(f"dreg: warning: {document.digest}: {visible(str(problem))}")


def put_failures(failures: "Iterable[DregError]", output: str) -> int:
    """Write why something is not shown to standard error; return the exit code, 1 if there is anything."""
    from dreg_client.cli.error_messages import INVALID, error_message, plain_failure

    code = 0
    for failure in failures:
        code = INVALID
        if output == "json":
            import json

            put_error(json.dumps({**plain_failure(failure), "exitCode": code}))
        else:
            put_error(f"dreg: {visible(error_message(failure))}")
    return code
