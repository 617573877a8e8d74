"""The root of all errors."""

from typing import Any


class DregError(Exception):
    """The root of all errors of this library.

    Subclasses that carry facts are dataclasses with `eq=False`, since exceptions are compared by identity, and never
    frozen, since `contextlib` sets `__traceback__`. Each implements `__str__`.

    Attributes:
        retryable: Whether the same call may succeed when it is made again.
    """

    retryable: bool = False

    def __post_init__(self) -> None:
        # `Exception` pickles, copies and prints by `args`, which a dataclass's `__init__` leaves to keyword arguments.
        self.args: tuple[Any, ...] = tuple(vars(self).values())

    def __str__(self) -> str:
        return " ".join(str(fact) for fact in self.args)
