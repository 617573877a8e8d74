"""The root of all errors."""

from typing import Any


class DregError(Exception):
    """The root of all errors of this library.

    Subclasses that carry facts are dataclasses with `eq=False`, since exceptions are compared by identity, and never
    frozen, since `contextlib` sets `__traceback__`. Each implements `_sentence`.

    Attributes:
        retryable: Whether the same call may succeed when it is made again.
        outcome: What the call had changed before it failed, and what to do about it; empty if nothing.
    """

    retryable: bool = False
    outcome: str = ""

    def __post_init__(self) -> None:
        # `Exception` pickles, copies and prints by `args`, which a dataclass's `__init__` leaves to keyword arguments.
        self.args: tuple[Any, ...] = tuple(vars(self).values())

    def add_outcome(self, sentence: str) -> None:
        """Add to `outcome`, with which the text of the error ends."""
        self.outcome = f"{self.outcome}; {sentence}" if self.outcome else sentence

    def __str__(self) -> str:
        return f"{self._sentence()}; {self.outcome}" if self.outcome else self._sentence()

    def _sentence(self) -> str:
        """Return what went wrong, and where."""
        return " ".join(str(fact) for fact in self.args)
