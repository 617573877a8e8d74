"""A blob, the server that has it, and the ways to fetch it into a file."""

import asyncio
import re
import socket
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

from dreg_client import AsyncRegistry, Digest, Registry
from dreg_client.files.partial_file import kept_part

BLOB = b"".join(number.to_bytes(4) for number in range(300_000))
DIGEST = Digest.of(BLOB)
OLD = b"what was there"
PART = kept_part(Path("blob"), DIGEST).name


@dataclass
class Giving:
    """A registry that gives the blob, and heeds ranges.

    Attributes:
        stops_after: After how many bytes it says nothing more until the other end is gone; None gives all.
        starts: Where each answer began.
        gone: Set once it was.
    """

    stops_after: int | None = None
    starts: list[int] = field(default_factory=list)
    gone: Event = field(default_factory=Event)

    def __call__(self, head: bytes, connection: socket.socket) -> bool:
        wanted = re.search(rb"(?i)\r\nrange: bytes=(\d+)-", head)
        start = int(wanted[1]) if wanted else 0
        self.starts.append(start)
        part = f"206 Partial Content\r\nContent-Range: bytes {start}-{len(BLOB) - 1}/{len(BLOB)}"
        status = part if start else "200 OK"
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(BLOB) - start}\r\n\r\n".encode())
        connection.sendall(BLOB[start : self.stops_after])
        if self.stops_after is None:
            return True
        try:
            connection.recv(1)
        finally:
            self.gone.set()
        return False


def by_thread(url: str, target: Path, *, resume: bool = False) -> Any:
    with Registry(url, retries=0) as registry:
        return registry.repository("a/b").download_blob(DIGEST, target, resume=resume)


def by_task(url: str, target: Path, *, resume: bool = False) -> Any:
    async def fetch() -> Any:
        async with AsyncRegistry(url, retries=0) as registry:
            return await registry.repository("a/b").download_blob(DIGEST, target, resume=resume)

    return asyncio.run(fetch())


WAYS = {"thread": by_thread, "task": by_task}
