"""What errors are to the shell: an exit code (decision D-11), and one sentence on standard error."""

from typing import Any, Final

import click

from dreg_client import errors
from dreg_client.cli.signals import asked_to_leave
from dreg_client.cli.text import put_error, visible
from dreg_client.errors.problems import Severity

INVALID: Final = 1
USAGE: Final = 2
BUG: Final = 70

_CODES: Final[tuple[tuple[tuple[type[Exception], ...], int], ...]] = (
    ((errors.DocumentError,), INVALID),
    (
        (
            click.ClickException,
            errors.InvalidReferenceError,
            errors.InvalidDigestError,
            errors.UnsupportedDigestError,
            errors.InvalidPlatformError,
            errors.ConfigError,
            errors.MissingLibraryError,
        ),
        USAGE,
    ),
    ((errors.AuthError,), 3),
    ((errors.NotFoundError, errors.PlatformNotFoundError, errors.UnknownNamespaceError, FileNotFoundError), 4),
    (
        (
            errors.IntegrityError,
            errors.UnsafeURLError,
            errors.LimitExceededError,
            errors.FileError,
            errors.WorkerKilledError,
            OSError,
        ),
        5,
    ),
    ((errors.TransportError, errors.ServerError, errors.RateLimitedError), 6),
    ((errors.ConflictError,), 7),
    ((errors.DregError,), 8),
)


def exit_code(failure: Exception) -> int:
    """The exit code of an error: the first row that it belongs to; what belongs to none is a bug of ours."""
    return next((code for kinds, code in _CODES if isinstance(failure, kinds)), BUG)


def sentence(failure: Exception) -> str:
    """What went wrong, where, and what to do, in the words of the command line."""
    match failure:
        case click.ClickException():
            return _misused(failure)
        case errors.DregError():
            return _refused(failure)
        case OSError():
            return f"{failure.filename or 'standard input or output'}: {failure.strerror or failure}"
        case _:
            return f"this is a bug of dreg, {type(failure).__name__}: {failure}; report it with what --debug shows"


def _misused(failure: click.ClickException) -> str:
    context = failure.ctx if isinstance(failure, click.UsageError) else None
    return failure.format_message().rstrip(".") + (f"; see: {context.command_path} --help" if context else "")


def _refused(failure: errors.DregError) -> str:
    """The error's own sentence, but where its advice is for those who call the library."""
    match failure:
        case errors.InvalidDocumentError():
            return _invalid(failure)
        case errors.NotAnImageError():
            kind = f"its config is {failure.media_type!r}"
            return f"{failure.digest} is no image: {kind}; look at it with dreg inspect, dreg manifest and dreg blob"
        case errors.UnauthorizedError():
            return _shut_out(failure)
        case errors.ResponseTooLargeError():
            return f"{failure.what}: {failure.size} bytes are over the limit of {failure.limit}"
        case _:
            return str(failure)


def _shut_out(failure: errors.UnauthorizedError) -> str:
    if not failure.anonymous:
        return str(failure)
    return str(failure).replace(failure.advice, "it was asked without a credential; leave out --anonymous")


def _invalid(failure: errors.InvalidDocumentError) -> str:
    found = [problem for problem in failure.problems if problem.severity is Severity.ERROR]
    where = f"{failure.source}: " if failure.source else ""
    more = f"; dreg validate shows {len(found) - 1} more" if len(found) > 1 else ""
    return f"{where}no valid {failure.kind or 'document'}: {found[0] if found else 'for reasons unknown'}{more}"


def tell(failure: Exception, *, as_json: bool) -> int:
    """Say on standard error what went wrong, in a line for people or one of JSON (CLI-09), and give its exit code."""
    code = exit_code(failure)
    if asked_to_leave():  # what we ended ourselves fails now, and is no failure
        return code
    if as_json:
        import json

        put_error(json.dumps(told(failure)))
    else:
        put_error(f"dreg: {visible(sentence(failure))}")
    return code


def told(failure: Exception) -> dict[str, Any]:
    """What went wrong, for programs."""
    name = "UsageError" if isinstance(failure, click.ClickException) else type(failure).__name__
    return {"error": name, "exitCode": exit_code(failure), "message": sentence(failure)}


def show_traceback(failure: Exception) -> None:
    """Show where an error comes from, for --debug; what strangers wrote in it is spelled out (CLI-01)."""
    import traceback

    for line in "".join(traceback.format_exception(failure)).splitlines():
        put_error(visible(line))
