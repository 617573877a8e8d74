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


def dreg_push(address: str, path: str) -> None:
    """Upload a file with dreg-client."""
    from pathlib import Path

    from dreg_client import Registry

    with Registry(f"http://{address}") as registry:
        registry.repository("bench/push").push_blob(Path(path))


def dreg_push_async(address: str, path: str) -> None:
    """Upload a file with dreg-client, async."""
    import asyncio
    from pathlib import Path

    from dreg_client import AsyncRegistry

    async def push() -> None:
        async with AsyncRegistry(f"http://{address}") as registry:
            await registry.repository("bench/push").push_blob(Path(path))

    asyncio.run(push())


def dxf_push(address: str, path: str) -> None:
    """Upload a file with python-dxf."""
    from dxf import DXF

    with DXF(address, "bench/push", insecure=True) as client:
        client.push_blob(path)


def oras_push(address: str, path: str) -> None:
    """Upload a file with oras-py."""
    import oras.client
    import oras.oci

    client = oras.client.OrasClient(hostname=address, insecure=True)
    layer = oras.oci.NewLayer(path)
    client.upload_blob(path, f"{address}/bench/push:1", layer).raise_for_status()


def bare_push(address: str, path: str, digest: str) -> None:
    """Upload a file whose digest is given, with as little as possible."""
    import http.client
    import os
    from pathlib import Path

    connection = http.client.HTTPConnection(address, blocksize=1024 * 1024)
    connection.request("POST", "/v2/bench/push/blobs/uploads/")
    with connection.getresponse() as response:
        response.read()
        place = response.headers["Location"].partition(address)[2]
    with Path(path).open("rb") as file:
        headers = {"Content-Length": str(os.fstat(file.fileno()).st_size)}
        connection.request("PUT", f"{place}&digest={digest}", file, headers)
    with connection.getresponse() as response:
        assert response.status == 201, response.status


def dxf_tags(address: str, source: str, target: str) -> None:
    """Copy all tags of a repository with python-dxf, each by itself."""
    _dxf_tags(address, source, target, None)


def dxf_tags_once(address: str, source: str, target: str) -> None:
    """Copy all tags of a repository with python-dxf; remember which blobs were mounted."""
    _dxf_tags(address, source, target, set())


def _dxf_tags(address: str, source: str, target: str, mounted: set[str] | None) -> None:
    import json

    from dxf import DXF

    with DXF(address, source, insecure=True) as old, DXF(address, target, insecure=True) as new:
        for tag in old.list_aliases():
            manifest: Any = old.get_manifest(tag)
            document = json.loads(manifest)
            for blob in (document["config"], *document["layers"]):
                if mounted is None or blob["digest"] not in mounted:
                    new.mount_blob(source, blob["digest"])
                if mounted is not None:
                    mounted.add(blob["digest"])
            new.set_manifest(tag, manifest)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
