"""What `aopen_image` returns: it is opened by `await`, or by `async with`, which also closes it."""

from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Protocol, TypeVar


class Closeable(Protocol):
    """An object that is closed by waiting for its `close`."""

    async def close(self) -> None:
        """Close it."""
        ...


C = TypeVar("C", bound=Closeable)


class Opening(Generic[C]):
    """An object that is not open yet; `await` opens it, and so does `async with`, which closes it at its end."""

    def __init__(self, open_it: Callable[[], Awaitable[C]]) -> None:
        self._open = open_it
        self._opened: list[C] = []

    if not TYPE_CHECKING:  # type checkers would let any attribute pass

        def __getattr__(self, name: str) -> NoReturn:
            message = f"nothing is open yet, so there is no {name!r}: await it, or open it by async with"
            raise AttributeError(message, name=name, obj=self)

    def __await__(self) -> Generator[Any, None, C]:
        return self._open().__await__()

    async def __aenter__(self) -> C:
        opened = await self._open()
        self._opened.append(opened)
        return opened

    async def __aexit__(self, *_: object) -> None:
        await self._opened.pop().close()
