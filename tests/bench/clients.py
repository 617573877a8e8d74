"""The jobs that run in processes of their own: `python clients.py JOB ARGUMENT...`.

Each imports what it needs, and nothing else, as a program of somebody would.
"""

import sys
from typing import Any


def dreg_blob(url: str, ca: str, digest: str, target: str, durability: Any, connections: str) -> None:
    """Download a blob to a file with dreg-client."""
    from dreg_client import Registry

    more: dict[str, Any] = {"connections": int(connections)} if int(connections) > 1 else {}
    with Registry(url, **({"ca_file": ca} if ca else {})) as registry:
        registry.repository("bench/blob").download_blob(digest, target, durability=durability, **more)


def dreg_blob_async(url: str, ca: str, digest: str, target: str) -> None:
    """Download a blob to a file with dreg-client, async."""
    import asyncio

    from dreg_client import AsyncRegistry

    async def download() -> None:
        async with AsyncRegistry(url, **({"ca_file": ca} if ca else {})) as registry:
            await registry.repository("bench/blob").download_blob(digest, target, durability="fast")

    asyncio.run(download())


def dxf_blob(address: str, ca: str, digest: str, target: str) -> None:
    """Download a blob to a file with python-dxf."""
    from pathlib import Path

    from dxf import DXF

    trust: dict[str, Any] = {"tlsverify": ca} if ca else {"insecure": True}
    with DXF(address, "bench/blob", **trust) as client, Path(target).open("wb") as file:
        file.writelines(client.pull_blob(digest, chunk_size=1024 * 1024))


def dreg_image(url: str, target: str) -> None:
    """Download the layers of an image to verified files, four at a time."""
    from concurrent.futures import ThreadPoolExecutor
    from pathlib import Path

    from dreg_client import ImageManifest, Registry

    with Registry(url) as registry, ThreadPoolExecutor(4) as threads:
        repository = registry.repository("bench/image")
        manifest = repository.get_manifest("latest")
        assert isinstance(manifest, ImageManifest)
        wanted = (manifest.config, *manifest.layers)
        paths = [Path(target, layer.digest.encoded) for layer in wanted]
        list(threads.map(lambda layer, path: repository.download_blob(layer, path, durability="fast"), wanted, paths))


def dreg_tags(url: str) -> None:
    """Iterate over all tags of a repository."""
    from dreg_client import Registry

    with Registry(url) as registry:
        assert sum(1 for _ in registry.repository("bench/list").iter_tags())


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
