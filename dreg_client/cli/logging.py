"""What the library says while it talks to registries, on standard error."""

import logging

from dreg_client._logging import log
from dreg_client.cli.text import put_error, visible


class _Aloud(logging.Handler):
    """Warnings as lines of ours; with --debug the requests, too."""

    def emit(self, record: logging.LogRecord) -> None:
        kind = "warning" if record.levelno >= logging.WARNING else "debug"
        put_error(f"dreg: {kind}: {visible(record.getMessage())}")


def speak_of_registries(*, debug: bool) -> None:
    """Let the library's warnings be seen; with `debug`, each request."""
    if not any(isinstance(handler, _Aloud) for handler in log.handlers):
        log.addHandler(_Aloud())
        log.propagate = False
    log.setLevel(logging.DEBUG if debug else logging.WARNING)
