"""The logger. It receives no secrets: URLs are logged without their query, and headers are not logged."""

import logging
from typing import Final

log: Final = logging.getLogger("dreg_client")
log.addHandler(logging.NullHandler())  # nothing is printed unless the program configures logging


class _EventOnly(logging.Filter):
    """Reduce records to their event name, because HTTP libraries log response headers, which include signed URLs."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = record.getMessage().partition(" ")[0], ()
        return True


_EVENT_ONLY: Final = _EventOnly()
_LOGGERS: Final = {"httpx": "httpcore", "httpx2": "httpcore2"}
_warned: Final[set[str]] = set()
_CHILDREN: Final = ("", ".connection", ".http11", ".http2", ".proxy", ".socks")


def hide_headers(library: str) -> None:
    """Remove response headers from the logs of an HTTP library, in the whole process (AUT-25)."""
    for child in _CHILDREN:
        logging.getLogger(_LOGGERS[library] + child).addFilter(_EVENT_ONLY)


def warn_once(message: str) -> None:
    """Log a warning, unless this process has logged the same one before."""
    if message not in _warned:
        _warned.add(message)
        log.warning("%s", message)
