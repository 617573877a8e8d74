"""The return type of `aopen_image`: `await` opens the image, and `async with` also closes it.

Sync code has no counterpart: its `opening` in `_compat` opens immediately.
"""

from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Protocol, TypeVar


class Closeable(Protocol):
    """An object with an async method `close`."""

    async def close(self) -> None:
        """Close it."""
        ...


C = TypeVar("C", bound=Closeable)


class Opening(Generic[C]):
    """An object that is not open yet. `await` opens it; `async with` opens it, and closes it at the end of the block.

    Each `await` opens a new one. `async with` can be used only once.

    Raises:
        RuntimeError: It was entered twice.
    """

    def __init__(self, open_it: Callable[[], Awaitable[C]]) -> None:
        self._open = open_it
        self._is_entered = False
        self._opened: C | None = None

    if not TYPE_CHECKING:  # with __getattr__, type checkers would accept any attribute

        def __getattr__(self, name: str) -> NoReturn:
            message = f"not open yet, so there is no attribute {name!r}; open it with await or async with"
            raise AttributeError(message, name=name, obj=self)

    def __await__(self) -> Generator[Any, None, C]:
        return self._open().__await__()

    async def __aenter__(self) -> C:
        if self._is_entered:
            raise RuntimeError("cannot be entered twice; call the function that returned it again")
        self._is_entered = True
        self._opened = await self._open()
        return self._opened

    async def __aexit__(self, *_: object) -> None:
        if self._opened is not None:
            await self._opened.close()
