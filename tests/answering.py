"""A server that answers requests by a function, and what the tests of both clients ask it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socket import socket
from typing import Any

from dreg_client import Credential, errors
from dreg_client.protocol.messages import Request
from tests.flavours import Flavour
from tests.raw_server import RawServer, answer, speaking

ADA = Credential("ada", "s3cr3t-canary")
GET = Request("GET", "/v2/a/tags/list", "repository:a:pull", what="tags of a", is_list=True)
HELLO = answer(b"hello")


class Heard:
    """A request."""

    def __init__(self, head: bytes) -> None:
        lines = head.decode().split("\r\n")
        self.method, self.target, _ = lines[0].split(" ")
        self.headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        self.authorization = self.headers.get("authorization", "")


class Registry:
    """A server that answers requests by a function.

    Attributes:
        heard: All requests, in order.
    """

    def __init__(self, server: RawServer, heard: list[Heard]) -> None:
        self.server, self.heard, self.url = server, heard, server.url

    @property
    def targets(self) -> list[str]:
        return [f"{heard.method} {heard.target}" for heard in self.heard]


@contextmanager
def registry(answering: Callable[[Heard], bytes | None]) -> Iterator[Registry]:
    """A server; None closes the connection without an answer."""
    heard: list[Heard] = []

    def script(head: bytes, connection: socket) -> bool:
        heard.append(Heard(head))
        octets = answering(heard[-1])
        if octets is not None:
            connection.sendall(octets)
        return octets is not None and b"Connection: close" not in octets

    with speaking(script) as server:
        yield Registry(server, heard)


def in_turn(*answers: bytes | None) -> Callable[[Heard], bytes | None]:
    """Answers in this order; the last one again and again."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def sent(flavour: Flavour, url: str, *requests: Request, **options: Any) -> list[Any]:
    """The responses, or errors, of requests one after another by one client."""

    async def job() -> list[Any]:
        async with flavour.client(url, **options) as client:
            results: list[Any] = []
            for request in requests:
                try:
                    results.append(await client.send(request))
                except errors.DregError as failure:
                    results.append(failure)
            return results

    return flavour.run(job)


def with_tokens(heard: Heard) -> bytes:
    """A registry that takes the token `tok`, and gives it to all who ask beside it."""
    if heard.target.startswith("/token"):
        return answer(json.dumps({"token": "tok-canary"}).encode())
    if heard.authorization == "Bearer tok-canary":
        return HELLO
    realm = f'Bearer realm="http://{heard.headers["host"]}/token",service="s"'
    return answer(b"", "401 Unauthorized", f"WWW-Authenticate: {realm}")
