"""What `aopen_image` returns: it is opened by `await`, or by `async with`, which also closes it.

Sync code has no counterpart: there, `opening` of `_compat` opens at once.
"""

from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Protocol, TypeVar


class Closeable(Protocol):
    """An object that is closed by awaiting its `close`."""

    async def close(self) -> None:
        """Close it."""
        ...


C = TypeVar("C", bound=Closeable)


class Opening(Generic[C]):
    """An object that is not open yet; `await` opens it, and so does `async with`, which closes it at its end.

    Each `await` opens another one. A block opens one, so it is entered once.

    Raises:
        RuntimeError: It was entered before.
    """

    def __init__(self, open_it: Callable[[], Awaitable[C]]) -> None:
        self._open = open_it
        self._is_entered = False
        self._opened: C | None = None

    if not TYPE_CHECKING:  # type checkers would let any attribute pass

        def __getattr__(self, name: str) -> NoReturn:
            message = f"nothing is open yet, so there is no {name!r}: await it, or open it by async with"
            raise AttributeError(message, name=name, obj=self)

    def __await__(self) -> Generator[Any, None, C]:
        return self._open().__await__()

    async def __aenter__(self) -> C:
        if self._is_entered:
            raise RuntimeError("this was entered before; call the function that returned it again for another block")
        self._is_entered = True
        self._opened = await self._open()
        return self._opened

    async def __aexit__(self, *_: object) -> None:
        if self._opened is not None:
            await self._opened.close()
