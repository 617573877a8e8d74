"""Copies by each way, and a registry that they are written to."""

import asyncio
from pathlib import Path
from typing import Any

from dreg_client import Digest, acopy, async_sync, copy, sync
from tests.faultserver import Heard, Host, Network, Piece, answer
from tests.hostile.registry import BASE
from tests.hostile.uploads import Uploads, uploads_at
from tests.hostile.ways import Outcome, Way

DESTINATION = "mirror.test"


def copied(way: Way, source: str, destination: str, *flags: str, **options: Any) -> Outcome:
    """Copy an image; the command line gets the flags, the library the options."""
    return _run(way, ("copy", copy, acopy), source, destination, *flags, **options)


def synced(way: Way, source: str, destination: str, *flags: str, **options: Any) -> Outcome:
    """Synchronise all tags."""
    return _run(way, ("sync", sync, async_sync), source, destination, *flags, **options)


def _run(way: Way, named: tuple[str, Any, Any], source: str, destination: str, *flags: str, **options: Any) -> Outcome:
    command, by_threads, by_tasks = named
    if way.name == "command line":
        return way.command(command, source, destination, *flags)
    given: dict[str, Any] = {"retries": 0, "ca_file": str(way.net.ca_file), **options}

    async def run() -> Any:
        return await by_tasks(source, destination, **given)

    return way.caught(lambda: asyncio.run(run()) if way.name == "tasks" else by_threads(source, destination, **given))


class Written:
    """The manifests of a repository, which is empty at first.

    Attributes:
        host: The registry.
        uploads: Its blobs.
        manifests: The manifests, by tags and digests.
        order: What was written, in order: digests and tags.
    """

    def __init__(self, net: Network) -> None:
        self.uploads: Uploads = uploads_at(net, DESTINATION)
        self.host: Host = self.uploads.host
        self.manifests: dict[str, bytes] = {}
        self.host.on("/v2/", answer(b"{}"))
        self.host.on(f"{BASE}/manifests/*", self)

    @property
    def order(self) -> list[str]:
        puts = [heard for heard in self.host.requests if heard.method == "PUT"]
        return [(heard.query.get("digest") or [heard.path.rpartition("/")[2]])[0] for heard in puts]

    def __call__(self, heard: Heard) -> Piece:
        reference = heard.path.rpartition("/")[2]
        if heard.method == "PUT":
            digest = str(Digest.of(heard.body))
            self.manifests[reference] = self.manifests[digest] = heard.body
            return answer(b"", "201 Created", f"Docker-Content-Digest: {digest}")
        raw = self.manifests.get(reference)
        if raw is None:
            return answer(b"", "404 Not Found")
        kind = "index" if b'"manifests"' in raw else "manifest"
        media_type = f"application/vnd.oci.image.{kind}.v1+json"
        return answer(raw, "200 OK", f"Content-Type: {media_type}", f"Docker-Content-Digest: {Digest.of(raw)}")


def files_below(folder: Path) -> set[str]:
    """All files below a folder, apart from those of the network."""
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    return {name for name in found if not name.startswith("net/")}
