"""Exit codes of errors, and their messages on standard error."""

import re
from typing import Any, Final

import click

from dreg_client import errors
from dreg_client.cli.advice import for_command_line
from dreg_client.cli.output import decodable, put_error, visible
from dreg_client.cli.signals import signal_exit_code
from dreg_client.errors.problems import Severity
from dreg_client.values.source_url import shown_source, without_passwords

INVALID: Final = 1
SOME_FAILED: Final = 1
USAGE: Final = 2
NOT_FOUND: Final = 4
BAD_CONTENT: Final = 5
BUG: Final = 70
_LONGEST: Final = 2000
"""The number of characters of a usage error that are printed."""

_CODES: Final[dict[type[Exception], int]] = {  # the first match decides
    errors.DocumentError: INVALID,
    click.ClickException: USAGE,
    errors.InvalidReferenceError: USAGE,
    errors.InvalidDigestError: USAGE,
    errors.UnsupportedDigestError: USAGE,
    errors.InvalidPlatformError: USAGE,
    errors.ConfigError: USAGE,
    errors.ColumnError: USAGE,
    errors.MissingLibraryError: USAGE,
    errors.AuthError: 3,
    errors.NotFoundError: NOT_FOUND,
    errors.PlatformNotFoundError: NOT_FOUND,
    errors.UnknownNamespaceError: NOT_FOUND,
    FileNotFoundError: NOT_FOUND,
    errors.IntegrityError: BAD_CONTENT,
    errors.UnsafeURLError: BAD_CONTENT,
    errors.LimitExceededError: BAD_CONTENT,
    errors.FileError: BAD_CONTENT,
    errors.WorkerKilledError: BAD_CONTENT,
    OSError: BAD_CONTENT,
    errors.UnsupportedError: 8,
    errors.RegistryError: 6,
    errors.TransportError: 6,
    errors.ClusterError: 6,
    errors.ConflictError: 7,
    errors.DregError: 8,
}


def exit_code(failure: Exception) -> int:
    """Return the exit code of an error; an error that is not in the table is a bug in dreg."""
    return next((code for kind, code in _CODES.items() if isinstance(failure, kind)), BUG)


def exit_code_of_several(codes: set[int]) -> int:
    """Return the exit code for several items: the code that all share, otherwise 1 (some failed)."""
    return next(iter(codes), 0) if len(codes) <= 1 else SOME_FAILED


def exit_code_of_sources(codes: set[int], *, has_errors: bool, read_any: bool) -> int:
    """Return the exit code of a command that reads many sources and goes on after one that cannot be read.

    Args:
        codes: The exit codes of the sources that could not be read.
        has_errors: Whether a document has an error.
        read_any: Whether any document was read.
    """
    if BAD_CONTENT in codes:
        return BAD_CONTENT
    if has_errors:
        return INVALID
    return exit_code_of_several(codes | {0} if read_any else codes)


def error_message(failure: Exception) -> str:
    """Return what went wrong, where, and what to do, with options of the command line in place of arguments.

    It has no password of a URL, whatever the error repeats from the command line.
    """
    return without_passwords(_message(failure))


def _message(failure: Exception) -> str:
    match failure:
        case click.UsageError(ctx=click.Context() as context):
            return f"{_shortened(_without_brackets(failure.format_message()))}; see: {context.command_path} --help"
        case click.ClickException():
            return _shortened(failure.format_message())
        case errors.DregError():
            message = _library_message(failure)
            return for_command_line(message if message.endswith(failure.outcome) else f"{message}; {failure.outcome}")
        case OSError():
            reason = str(failure.strerror or failure)
            colon = "" if reason.startswith("is ") else ":"
            return f"{failure.filename or 'standard input or output'}{colon} {reason}"
        case _:
            return f"this is a bug in dreg: {type(failure).__name__}: {failure}; report it with the output of --debug"


def _without_brackets(text: str) -> str:
    """Return the message of a usage error without the brackets that mark an argument as optional: `[DESTINATION]`."""
    return re.sub(r"^Invalid value for '(?:\[([^][]+)\]?|([^][]+)\])'", r"Invalid value for '\1\2'", text)


def _shortened(text: str) -> str:
    """Return the message of a usage error without its middle if it repeats a very long argument."""
    text = text.rstrip(".")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} ... {text[-_LONGEST // 4 :]}"


def _library_message(failure: errors.DregError) -> str:
    """Return the message of an error, adapted if its advice is for users of the library."""
    match failure:
        case errors.InvalidDocumentError():
            found = [problem for problem in failure.problems if problem.severity is Severity.ERROR]
            where = f"{failure.source}: " if failure.source else ""
            more = f"; dreg validate shows {len(found) - 1} more" if len(found) > 1 else ""
            return f"{where}not a valid {failure.kind or 'document'}: {found[0] if found else 'reason unknown'}{more}"
        case errors.NotAnImageError():
            kind = f"the media type of its config is {failure.media_type!r}"
            return f"{failure.digest} is not an image: {kind}; show it with dreg inspect, dreg manifest or dreg blob"
        case errors.UnauthorizedError(anonymous=True):
            return str(failure).replace(failure.advice, "the request had no credential; remove --anonymous")
        case errors.UnauthorizedError(advice="pass credentials="):
            return str(failure).replace(failure.advice, f"log in with: dreg login {failure.where}")
        case errors.NotFoundError(advice="list the available tags with .tags()"):
            repository = f"{failure.where}/{failure.what.rpartition(':')[0]}"
            return str(failure).replace(failure.advice, f"list the available tags with: dreg tags {repository}")
        case errors.UnsupportedMediaTypeError():
            return str(failure).replace(failure.advice, _media_type_advice(failure))
        case _:
            return str(failure)


def _media_type_advice(failure: errors.UnsupportedMediaTypeError) -> str:
    """Return what to do about a document of another kind, without arguments that only Python has."""
    from dreg_client.values.media_type import SCHEMA1

    if failure.media_type in SCHEMA1 and "cannot be copied" not in failure.advice:
        return "this is a manifest of schema 1; print it with: dreg manifest NAME"
    if failure.advice.startswith("specify "):
        return "print it without validation with: dreg manifest NAME --raw"
    return failure.advice


def put_failure(failure: Exception, *, as_json: bool, source: str = "", code: int | None = None) -> int:
    """Write an error to standard error, as a line of text or of JSON (CLI-09); return its exit code.

    `source` is the source that failed, if it is not obvious. JSON output has it as a member; text begins with it.
    `code` replaces the exit code of the error, if the error concerns only a part of what is shown.
    """
    code, source = exit_code(failure) if code is None else code, shown_source(source)
    if signal_exit_code():  # errors after a signal come from the clean-up
        return code
    if as_json:
        import json

        named = {"source": decodable(source)} if source else {}
        put_error(json.dumps({**named, **plain_failure(failure), "exitCode": code}))
    else:
        put_error(f"dreg: {visible(named_message(failure, source))}")
    return code


class Failures:
    """Writes the errors of several sources. A library that is not installed is named once, with the first of them."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._missing = set[str]()

    def put(self, failure: Exception, source: str) -> int:
        """Write the error of a source as `put_failure` does; return its exit code."""
        if isinstance(failure, errors.MissingLibraryError):
            if failure.library in self._missing:
                return exit_code(failure)
            self._missing.add(failure.library)
        return put_failure(failure, as_json=self._as_json, source=source)


def named_message(failure: Exception, source: str) -> str:
    """Return the message of an error after the source that failed, unless the message begins or ends with it."""
    message = error_message(failure)
    is_named = source == "-" or message.startswith(source) or message.endswith(f" {source}")
    return message if is_named else f"{source}: {message}"


def plain_failure(failure: Exception) -> dict[str, Any]:
    """Return an error for JSON output."""
    name = "UsageError" if isinstance(failure, click.ClickException) else type(failure).__name__
    return {"error": name, "exitCode": exit_code(failure), "message": decodable(error_message(failure))}


def put_traceback(failure: Exception) -> None:
    """Write the traceback of an error to standard error, escaped (CLI-01)."""
    import traceback

    for line in "".join(traceback.format_exception(failure)).splitlines():
        put_error(visible(without_passwords(line)))
