"""Planted secrets, and the watch over all that is printed, logged, raised or warned: none of them may show up."""

import logging
import traceback
from dataclasses import dataclass, field
from typing import Any

PASSWORD = "canary-password-7f3a"
TOKEN = "canary-token-c41d"
REFRESH = "canary-refresh-90be"
SIGNED = "canary-signature-5e12"
CANARIES = (PASSWORD, TOKEN, REFRESH, SIGNED)
USER = "ada"


@dataclass
class Watch(logging.Handler):
    """All that was said while a test ran.

    Attributes:
        heard: What loggers were given, each as it would be printed.
    """

    heard: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(logging.DEBUG)

    def __hash__(self) -> int:
        return id(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(logging.Formatter("%(name)s %(message)s").format(record) + repr(record.args))

    def see(self, what: Any) -> None:
        """Something that may be printed: an error with all that it carries, a client, a document."""
        self.heard += [str(what), repr(what)]
        if isinstance(what, BaseException):
            self.heard += traceback.format_exception(what)
            self.heard += [
                str(getattr(what, "__dict__", "")),
                repr(what.args),
                "\n".join(getattr(what, "__notes__", ())),
            ]

    def shown(self) -> set[str]:
        """The secrets that showed up."""
        return {canary for canary in CANARIES for text in self.heard if canary in text}
