"""Places for the permits of semaphores, which are released even if an interrupt prevents the code that does."""

from typing import Protocol


class _Semaphore(Protocol):
    def release(self, held: list[None], /) -> None: ...


class Permit(list[None]):
    """A place for one permit of a semaphore (see `Semaphore.acquire`).

    An interrupt may come before the code that releases a permit. The permit is then released when this is deleted.
    """

    __slots__ = ("_semaphore",)

    def __init__(self, semaphore: _Semaphore) -> None:
        self._semaphore = semaphore

    def __del__(self) -> None:
        if self:
            self._semaphore.release(self)
