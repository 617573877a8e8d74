"""Write the library's log to standard error."""

import logging
import sys
from contextlib import suppress

from dreg_client._logging import log
from dreg_client.cli.advice import for_command_line
from dreg_client.cli.output import put_error, visible
from dreg_client.values.source_url import without_passwords


class _StandardError(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        kind = "warning" if record.levelno >= logging.WARNING else "debug"
        put_error(f"dreg: {kind}: {visible(without_passwords(for_command_line(record.getMessage())))}")


def is_debugging() -> bool:
    """Return whether the command line has `--debug`."""
    return "--debug" in sys.argv


def show_log() -> None:
    """Show the library's warnings; with `--debug`, also each request."""
    if not any(isinstance(handler, _StandardError) for handler in log.handlers):
        log.addHandler(_StandardError())
        log.propagate = False
    log.setLevel(logging.DEBUG if is_debugging() else logging.WARNING)


def silence_dask() -> None:
    """Do not show the log of Dask, whose errors are reported by ours; with `--debug`, show it."""
    if is_debugging():
        return
    with suppress(ImportError):  # reported when it is used
        import distributed  # noqa: F401  # pyright: ignore[reportUnusedImport] (it configures its loggers)
    for name in [*logging.root.manager.loggerDict]:
        if name.partition(".")[0] in {"distributed", "tornado", "asyncio"}:  # asyncio logs errors of tasks of Dask
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
