"""Our logger. Nothing secret is handed to it: URLs are without their query, headers are not logged at all."""

import logging
from typing import Final

log: Final = logging.getLogger("dreg_client")
log.addHandler(logging.NullHandler())  # whoever wants to hear of it says so


class _EventAlone(logging.Filter):
    """An HTTP library's engine logs the headers of answers, signed URLs among them; the name of its event is left."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = record.getMessage().partition(" ")[0], ()
        return True


_EVENT_ALONE: Final = _EventAlone()
_ENGINES: Final = {"httpx": "httpcore", "httpx2": "httpcore2"}
_ROOMS: Final = ("", ".connection", ".http11", ".http2", ".proxy", ".socks")


def hide_headers(library: str) -> None:
    """Leave the headers of answers out of what an HTTP library's engine logs, in the whole process (AUT-25)."""
    for room in _ROOMS:
        logging.getLogger(_ENGINES[library] + room).addFilter(_EVENT_ALONE)
