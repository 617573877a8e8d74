"""The two doors to a registry, for tests that hold for both: threads and tasks, each over httpx and over httpx2.

What answers is a function of the test, handed in as a transport of its own: a caller's right, and a registry without
a socket.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from inspect import isawaitable
from typing import Any

from dreg_client import AsyncRegistry, Registry

LIBRARIES = ("httpx", "httpx2")
Handler = Callable[[Any], tuple[int, dict[str, str], bytes] | int]


@dataclass
class Door:
    """A way to talk to registries.

    Attributes:
        library: The HTTP library.
        is_async: Whether tasks talk, not threads.
        seen: The requests that were sent, in order.
    """

    library: str
    is_async: bool
    seen: list[Any] = field(default_factory=list)

    def run(
        self, handler: Handler, action: Callable[[Any], Any], url: str = "https://registry.example", **options: Any
    ) -> Any:
        """Do something with the registry at a URL, whose answers a function gives."""
        given = {"retries": 0, **options, "transport": self._transport(handler)}
        if self.is_async:
            return asyncio.run(self._run(url, action, given))
        with Registry(url, **given) as registry:
            return action(registry)

    async def _run(self, url: str, action: Callable[[Any], Any], options: Any) -> Any:
        async with AsyncRegistry(url, **options) as registry:
            result = action(registry)
            return await result if isawaitable(result) else result

    def _transport(self, handler: Handler) -> Any:
        http = import_module(self.library)

        def answer(request: Any) -> Any:
            self.seen.append(request)
            given = handler(request)
            status, headers, body = (given, {}, b"") if isinstance(given, int) else given
            return http.Response(status, headers=headers, stream=http.ByteStream(body))

        return http.MockTransport(answer)

    @property
    def asked(self) -> list[str]:
        """Method and URL of each request."""
        return [f"{request.method} {request.url}" for request in self.seen]


def repository(registry: Any) -> Any:
    """The repository that tests speak of."""
    return registry.repository("acme/web")
