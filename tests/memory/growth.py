"""How much more memory a process takes for one thing: `python -m tests.memory.growth URL WAY ACT REPOSITORY`.

It prints one line of JSON: the growth of its peak in bytes, and how it ended.
"""

import asyncio
import hashlib
import json
import resource
import sys
from collections.abc import Callable
from inspect import isawaitable
from pathlib import Path
from typing import Any

from dreg_client import AsyncRegistry, Descriptor, Digest, Registry, parse_manifest
from tests.memory.bombs import LARGE, zeros

Act = Callable[[Any], Any]
SOME = Digest.of(b"x")


def manifest(repository: Any) -> Any:
    return repository.get_manifest("1")


def config(repository: Any) -> Any:
    return repository.get_config("1")


def tags(repository: Any) -> Any:
    return repository.tags()


def resolve(repository: Any) -> Any:
    return repository.resolve("1")


def blob(repository: Any) -> Any:
    return repository.get_blob(SOME)


def little(repository: Any) -> Any:
    return repository.get_blob(SOME, limit=1 << 20)


def described(repository: Any) -> Any:
    """A descriptor says 9 EiB."""
    wanted = Descriptor(mediaType="application/octet-stream", digest=SOME, size=(1 << 63) - 1)
    return repository.download_blob(wanted, "blob")


def download(repository: Any) -> Any:
    digest = hashlib.sha256()
    for block in zeros(LARGE):
        digest.update(block)
    return repository.download_blob(Digest(f"sha256:{digest.hexdigest()}"), "blob", durability="fast")


ACTS: dict[str, Act] = {
    act.__name__: act for act in (manifest, config, tags, resolve, blob, described, little, download)
}


def peak() -> int:
    """The most memory that this process had, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage says is that of the process, too, which started this one
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def by_thread(url: str, name: str, act: Act) -> Any:
    with Registry(url, retries=0) as registry:
        return act(registry.repository(f"bomb/{name}"))


def by_task(url: str, name: str, act: Act) -> Any:
    async def run() -> Any:
        async with AsyncRegistry(url, retries=0) as registry:
            result = act(registry.repository(f"bomb/{name}"))
            return await result if isawaitable(result) else result

    return asyncio.run(run())


def ended(run: Callable[..., Any], *given: Any) -> str:
    try:
        run(*given)
    except Exception as failure:  # noqa: BLE001 (which one it is, is what is told)
        return type(failure).__name__
    return "well"


def main(url: str, way: str, act: str, name: str) -> None:
    run = by_task if way == "task" else by_thread
    # What is imported late is there before one measures: the models, and what a request needs.
    parse_manifest('{"schemaVersion": 2, "manifests": []}')
    ended(run, url, "nothing", manifest)
    before = peak()
    how = ended(run, url, name, ACTS[act])
    sys.stdout.write(json.dumps({"growth": peak() - before, "ended": how}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
