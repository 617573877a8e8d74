"""Compare two checkouts in one run: `.venv/bin/python tests/bench/versions.py OTHER_CHECKOUT [JOB...]`.

The other checkout is the baseline. Both run with the packages of this Python; each job is a whole process, and the
checkouts take turns.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from contest import Contestant, contest, process, result
from served import over_tls, place_blob
from tables import QUICK
from tags import put_tags

from tests.registries import RunningRegistry, running

ROOT = Path(__file__).parents[2]
Job = Callable[[Path], Contestant]
_MEBIBYTES = 64 if QUICK else 1024
_ROUNDS = 7
_DREG = 'import dreg_client.cli as cli; getattr(cli, "program", cli.main)()'  # other checkouts may be older
_ONE_PROCESS = """
import sys
sys.path.insert(0, sys.argv.pop(1))
exec(open(sys.argv[1]).read())
"""
_THREADS = """
from concurrent.futures import ThreadPoolExecutor
from dreg_client import Registry
url, *tags = sys.argv[2:]
with Registry(url) as registry, ThreadPoolExecutor(8) as threads:
    list(threads.map(registry.repository("bench/tags").get_manifest, tags))
"""
_TASKS = """
import asyncio
from dreg_client import AsyncRegistry
url, *tags = sys.argv[2:]
async def main():
    left = iter(tags)
    async with AsyncRegistry(url) as registry:
        repository = registry.repository("bench/tags")
        async def work():
            for tag in left:
                await repository.get_manifest(tag)
        async with asyncio.TaskGroup() as group:
            for _ in range(200):
                group.create_task(work())
asyncio.run(main())
"""
_WARM = """
from dreg_client import Registry
with Registry(sys.argv[2]) as registry:
    repository = registry.repository("bench/tags")
    for _ in range(3000):
        repository.get_manifest("t0001")
"""
_PARSE = """
from pathlib import Path
from dreg_client import parse_manifest
raw = Path(sys.argv[2]).read_bytes()
for _ in range(60000):
    parse_manifest(raw)
"""
_BLOB = """
from dreg_client import Registry
url, ca, digest, target, connections = sys.argv[2:]
with Registry(url, **({"ca_file": ca} if ca else {})) as registry:
    blobs = registry.repository("bench/blob")
    blobs.download_blob(digest, target, durability="fast", connections=int(connections))
"""
_ASYNC_BLOB = """
import asyncio
from dreg_client import AsyncRegistry
url, ca, digest, target, connections = sys.argv[2:]
async def main():
    async with AsyncRegistry(url, **({"ca_file": ca} if ca else {})) as registry:
        blobs = registry.repository("bench/blob")
        await blobs.download_blob(digest, target, durability="fast", connections=int(connections))
asyncio.run(main())
"""


def main() -> None:
    """Print a table for each job."""
    other, *jobs = sys.argv[1:]
    for name, make in _jobs():
        if not jobs or any(job in name for job in jobs):
            found = contest({"this": make(ROOT), "other": make(Path(other).resolve())}, rounds=_ROUNDS)
            print(result(name, found, against="other"), flush=True)


def _jobs() -> Iterator[tuple[str, Job]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        own = stack.enter_context(running(folder))
        tags = put_tags(own, 1000)
        own.put_blob("bench/tags", b"{}")
        yield from _commands(own)
        yield from _manifests(own, folder, tags)
        yield from _blobs(own, folder, stack)


def _commands(own: RunningRegistry) -> Iterator[tuple[str, Job]]:
    name = f"{own.address}/bench/tags"
    for words in (["resolve", f"{name}:t0001"], ["tags", name], ["repos", own.address], ["manifest", f"{name}:t0001"]):
        yield f"dreg {words[0]}", lambda root, words=words: _python(root, "-c", _DREG, *words)


def _manifests(own: RunningRegistry, folder: Path, tags: list[str]) -> Iterator[tuple[str, Job]]:
    def script(name: str, text: str) -> Path:
        path = folder / f"{name}.py"
        path.write_text(text)
        return path

    manifest = next((ROOT / "fixtures/valid").rglob("*manifest*.json"))
    yield "1,000 tags by 8 threads", lambda root: _script(root, script("threads", _THREADS), own.url, *tags)
    yield "1,000 tags by 200 tasks", lambda root: _script(root, script("tasks", _TASKS), own.url, *tags)
    yield "3,000 warm get_manifest", lambda root: _script(root, script("warm", _WARM), own.url)
    yield "60,000 strict parses", lambda root: _script(root, script("parse", _PARSE), manifest)


def _blobs(own: RunningRegistry, folder: Path, stack: ExitStack) -> Iterator[tuple[str, Job]]:
    digest, target = place_blob(own, "bench/blob", _MEBIBYTES), folder / "target"
    for name, text in (("sync", _BLOB), ("async", _ASYNC_BLOB)):
        path = folder / f"{name}.py"
        path.write_text(text)
        for connections in ("1", "4"):
            job = f"{_MEBIBYTES} MiB, {name}, {connections} connections"
            yield job, lambda root, path=path, n=connections: _script(root, path, own.url, "", digest, target, n)
    behind = stack.enter_context(over_tls(own))
    for name in ("sync", "async"):
        path = folder / f"{name}.py"
        job = f"{_MEBIBYTES} MiB over TLS, {name}"
        yield job, lambda root, path=path: _script(root, path, behind.url, behind.ca_file or "", digest, target, "1")


def _script(root: Path, path: Path, *arguments: str | Path) -> Contestant:
    return process(sys.executable, "-c", _ONE_PROCESS, root, path, *arguments)


def _python(root: Path, *arguments: str) -> Contestant:
    # Without -P, the folder that one stands in would come before the checkout.
    return process("/usr/bin/env", f"PYTHONPATH={root}", sys.executable, "-P", *arguments)


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    main()
