"""Scripts that write layouts in processes of their own: `python layout_writers.py NAME PATH ...`."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dreg_client import AsyncLayout, Layout

PROCESSES, TAGS = 20, 50
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = b'{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]},"n":%d}'
CHANGES = ("write", "fsync", "rename", "link", "mkdir", "unlink", "open")


def image(number: int) -> tuple[bytes, bytes, bytes]:
    """A layer, a config and a manifest."""
    layer, config = b"layer %d" % number, CONFIG % number
    members = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described(config, "config.v1+json")}
    return layer, config, json.dumps({**members, "layers": [described(layer, "layer.v1.tar")]}).encode()


def described(octets: bytes, kind: str) -> dict[str, object]:
    from dreg_client import Digest

    media_type = f"application/vnd.oci.image.{kind}"
    return {"mediaType": media_type, "digest": Digest.of(octets), "size": len(octets)}


def push(path: Path, tag: str, number: int) -> None:
    with Layout.create(path) as layout:
        push_image(layout, tag, number)


def push_image(layout: Layout, tag: str, number: int) -> None:
    layer, config, manifest = image(number)
    with layout.writing():
        for octets in (layer, config):
            layout.push_blob(octets)
        layout.put_manifest(manifest, tag)


async def push_image_by_task(layout: AsyncLayout, tag: str, number: int) -> None:
    layer, config, manifest = image(number)
    async with layout.writing():
        for octets in (layer, config):
            await layout.push_blob(octets)
        await layout.put_manifest(manifest, tag)


def forked(action: Callable[[], object]) -> int:
    """Start a process that does something."""
    child = os.fork()
    if child:
        return child
    try:
        action()
    except BaseException as failure:  # noqa: BLE001 (told by the exit code)
        sys.stderr.write(f"{failure!r}\n")
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def write_together(path: Path, way: str) -> int:
    """20 processes write 50 tags each, of images that they share."""

    async def write_by_tasks(process: int) -> None:
        async with AsyncLayout.create(path) as layout:
            for number in range(TAGS):
                await push_image_by_task(layout, f"p{process}-{number}", number)

    def write(process: int) -> None:
        if way == "tasks":
            asyncio.run(write_by_tasks(process))
            return
        with Layout.create(path) as layout:
            for number in range(TAGS):
                push_image(layout, f"p{process}-{number}", number)

    children = [forked(lambda process=process: write(process)) for process in range(PROCESSES)]  # type: ignore[misc]
    return sum(os.waitpid(child, 0)[1] for child in children)


def die_at(call: int, path: Path) -> None:
    """Push an image, and be killed just before the nth change of a file."""
    left = call

    def dying(function: Callable[..., Any]) -> Callable[..., Any]:
        def count(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)

        return count

    for name in CHANGES:
        setattr(os, name, dying(getattr(os, name)))
    push(path, "new", 2)


def kill_everywhere(path: Path, exists: str) -> int:
    """Kill a writer at each of its changes; return how many there were."""
    call = 0
    while True:
        call += 1
        target = path / str(call)
        if exists == "exists":
            push(target, "old", 1)
        _, status = os.waitpid(forked(lambda call=call, target=target: die_at(call, target)), 0)  # type: ignore[misc]
        check(target, exists)
        if os.WIFEXITED(status):
            return call


def check(path: Path, exists: str) -> None:
    """The index is old or new, and a second run finishes what a killed one began."""
    if exists == "exists":
        layout = Layout(path)
        assert layout.get_manifest("old").layers, path  # type: ignore[union-attr]
        if "new" in layout.tags():
            assert layout.get_image("new").platforms, path
    push(path, "new", 2)
    layout = Layout(path)
    assert layout.get_blob(layout.get_manifest("new").layers[0]) == b"layer 2"  # type: ignore[union-attr]
    layout.gc()
    files = {file.name for file in path.rglob("*") if file.is_file()}
    assert not [name for name in files if name.endswith(".part")], path
    assert len(files) == 4 + 3 * len(layout.tags()), (path, files)


def hold(path: Path, name: str) -> None:
    """Hold a lock until the process is killed."""
    import fcntl

    file = os.open(path / name, os.O_RDWR | os.O_CREAT)
    fcntl.flock(file, fcntl.LOCK_EX)
    sys.stdout.write("locked\n")
    sys.stdout.flush()
    signal.pause()


def push_too_much(path: Path, size: str, tag: str) -> None:
    """Push with a limit on the size of files, as if the disk were full."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), int(size)))
    try:
        layout = Layout(path)
        layout.push_blob(b"x" * 4096)
        layout.tag(tag, *[f"new-{number}" for number in range(20)])
    except Exception as failure:  # noqa: BLE001 (the test reads it)
        sys.stdout.write(f"{type(failure).__name__} {failure}\n")


if __name__ == "__main__":
    name, path, *rest = sys.argv[1:]
    outcome = globals()[name](Path(path), *rest)
    sys.stdout.write(f"{outcome}\n")
    sys.exit(bool(outcome) if name == "write_together" else 0)
