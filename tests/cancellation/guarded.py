"""A registry that wants tokens, in two pages and some chunks, and a task that is cancelled at one of its awaits."""

import asyncio
import json
import re
import socket
from collections.abc import Coroutine, Generator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.http.documents import DIGEST, MANIFEST, OCI_MANIFEST
from tests.raw_server import answer

T = TypeVar("T")
BLOB = bytes(range(256)) * 6000
PIECE = 400_000


@dataclass
class Guarded:
    """What the registry says; to be made known where it is, once that is known."""

    url: str = ""
    tokens: int = 0
    asked: list[str] = field(default_factory=list)

    def __call__(self, head: bytes, connection: socket.socket) -> bool:
        method, target = head.decode("latin-1").split(" ", 2)[:2]
        self.asked.append(f"{method} {target}")
        if target.startswith("/token"):
            self.tokens += 1
            connection.sendall(answer(json.dumps({"token": f"t{self.tokens}"}).encode()))
        elif not re.search(rb"(?i)\r\nauthorization: bearer t[0-9]+\r\n", head):
            challenge = f'WWW-Authenticate: Bearer realm="{self.url}/token",service="s",scope="repository:a/b:pull"'
            connection.sendall(answer(b"{}", "401 Unauthorized", challenge))
        else:
            self._give(target, connection)
        return True

    def _give(self, target: str, connection: socket.socket) -> None:
        if "/manifests/" in target:
            connection.sendall(
                answer(MANIFEST, "200 OK", f"Content-Type: {OCI_MANIFEST}", f"Docker-Content-Digest: {DIGEST}")
            )
        elif "/tags/" in target:
            is_last = "last=" in target
            link = [] if is_last else ['Link: </v2/a/b/tags/list?last=one>; rel="next"']
            tags = {"name": "a/b", "tags": ["two" if is_last else "one"]}
            connection.sendall(answer(json.dumps(tags).encode(), "200 OK", *link))
        else:
            connection.sendall(answer(b"", length=len(BLOB)))
            for place in range(0, len(BLOB), PIECE):
                connection.sendall(BLOB[place : place + PIECE])


class CancelledAt:
    """An awaitable that cancels its own task when it waits for the k-th time, the first being 1.

    Attributes:
        waits: How often it has waited.
    """

    def __init__(self, work: Coroutine[Any, Any, Any], number: int) -> None:
        self.waits = 0
        self._work, self._number = work, number

    async def run(self) -> Any:
        return await self

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self._work.__await__()
        result: Any = None
        resume = steps.send
        while True:
            try:
                waiting = resume(result)
            except StopIteration as done:
                return done.value
            self.waits += 1
            if self.waits == self._number:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            try:
                result, resume = (yield waiting), steps.send
            except BaseException as failure:  # noqa: BLE001 (whatever it is, it is for the work)
                result, resume = failure, steps.throw


async def until(what: Any) -> None:
    """Wait until something holds, for ten seconds at most."""
    async with asyncio.timeout(10):
        while not what():  # noqa: ASYNC110 (a server's thread counts: no event tells)
            await asyncio.sleep(0.001)
