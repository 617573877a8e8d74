"""KeyboardInterrupt at the n-th line of some code."""

import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any


class AtLine:
    """A trace function that raises KeyboardInterrupt at the n-th line of some code.

    Attributes:
        where: The line; empty if there were fewer lines.
    """

    def __init__(self, number: int, is_traced: Callable[[CodeType], bool]) -> None:
        self.where = ""
        self._number, self._seen, self._is_traced = number, 0, is_traced

    def interrupt(self, work: Callable[[], object]) -> bool:
        """Do something until the line is reached; return whether it was."""
        before = sys.gettrace()
        sys.settrace(self)
        try:
            work()
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
        return bool(self.where)

    def __call__(self, frame: FrameType, event: str, argument: object) -> Any:
        return self._line if self._is_traced(frame.f_code) else None

    def _line(self, frame: FrameType, event: str, argument: object) -> Any:
        if event == "line":
            self._seen += 1
            if self._seen == self._number:
                self.where = f"{frame.f_code.co_filename}:{frame.f_lineno}"
                sys.settrace(None)
                raise KeyboardInterrupt
        return self._line
