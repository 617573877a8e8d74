"""The base class of all errors."""

from typing import Any


class DregError(Exception):
    """The base class of all errors of this library.

    Attributes:
        retryable: Whether the same call may succeed later, because the cause may be temporary: a lost connection, a
            timeout, a deadline, a rate limit, a server error. It does not state whether the library has retried; if
            it has, all its attempts failed.
        outcome: What the call had already changed when it failed, and what to do about it. Empty if it changed nothing.
    """

    # Subclasses with attributes are dataclasses. They use `eq=False` because exceptions are compared by identity, and
    # are never frozen because `contextlib` sets `__traceback__`. Each implements `_sentence`.

    retryable: bool = False
    outcome: str = ""

    def __post_init__(self) -> None:
        # `Exception` needs `args` to pickle, copy and print; the `__init__` of a dataclass does not set it.
        self.args: tuple[Any, ...] = tuple(vars(self).values())

    def add_outcome(self, sentence: str) -> None:
        """Append a sentence to `outcome`, which the error message ends with."""
        self.outcome = f"{self.outcome}; {sentence}" if self.outcome else sentence

    def __str__(self) -> str:
        return f"{self._sentence()}; {self.outcome}" if self.outcome else self._sentence()

    def _sentence(self) -> str:
        """Return the message without `outcome`: what went wrong, where, and what to do."""
        return " ".join(str(fact) for fact in self.args)
