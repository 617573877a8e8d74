"""Stores with the same contents on every medium."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest

from tests.registries import LAYOUT, RunningRegistry


@pytest.fixture
def name_of(request: pytest.FixtureRequest, archives: dict[str, Path]) -> Callable[[str], str]:
    """The name of the store of a medium."""

    def named(medium: str) -> str:
        if medium == "http":
            registry: RunningRegistry = request.getfixturevalue("open_registry")
            return f"{registry.address}/spec/web"
        if medium.startswith("registry-storage"):
            storage: Path = request.getfixturevalue("open_registry").root / "storage"
            return f"registry-storage:{_in_memory(storage) if 'fsspec' in medium else storage}/spec/web"
        return f"oci:{LAYOUT}" if medium == "layout" else f"{medium}:{archives[medium]}"

    return named


@pytest.fixture(scope="session")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The layout in a tar, and its image of one platform as `docker save` writes it."""
    folder = tmp_path_factory.mktemp("archives")
    found = {"oci-archive": folder / "oci.tar", "docker-archive": folder / "docker.tar"}
    with tarfile.open(found["oci-archive"], "w") as tar:
        tar.add(LAYOUT, ".")
    entries = json.loads((LAYOUT / "index.json").read_bytes())["manifests"]
    [entry] = [it for it in entries if it["annotations"]["org.opencontainers.image.ref.name"] == "single"]
    manifest = json.loads((LAYOUT / member_of(entry)).read_bytes())
    config, layers = member_of(manifest["config"]), [member_of(layer) for layer in manifest["layers"]]
    images = [{"Config": config, "Layers": layers, "RepoTags": ["acme/web:single", "acme/web:latest"]}]
    contents = json.dumps(images).encode()
    with tarfile.open(found["docker-archive"], "w") as tar:
        header = tarfile.TarInfo("manifest.json")
        header.size = len(contents)
        tar.addfile(header, io.BytesIO(contents))
        for member in dict.fromkeys([config, *layers]):
            tar.add(LAYOUT / member, member)
    return found


def _in_memory(storage: Path) -> str:
    """Copy a storage to the file system in memory of fsspec, once; return its URL."""
    memory = fsspec.filesystem("memory")
    if not memory.isdir("/spec"):
        memory.put(f"{storage}/", "/spec/", recursive=True)
    return "memory://spec"


def member_of(descriptor: dict[str, Any]) -> str:
    return "blobs/" + descriptor["digest"].replace(":", "/")
