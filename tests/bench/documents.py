"""Documents as image builders write them: the same in every run, with no duplicate digest in a document."""

from collections.abc import Iterator
from itertools import count

import orjson

from dreg_client.values.digest import Digest
from dreg_client.values.media_type import (
    DOCKER_CONFIG,
    DOCKER_LAYER_GZIP,
    DOCKER_MANIFEST,
    DOCKER_MANIFEST_LIST,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER_GZIP,
    OCI_MANIFEST,
)

_PLATFORMS = [{"architecture": name, "os": "linux"} for name in ("amd64", "arm64", "s390x", "ppc64le")]
_ANNOTATIONS = {
    "org.opencontainers.image.created": "2024-05-20T08:00:00Z",
    "org.opencontainers.image.revision": "6b2c8f1d0a9e4c7b5d3f2a1e0c9b8a7d6e5f4c3b",
}


def descriptor(media_type: str, number: int) -> dict[str, object]:
    """Return a descriptor with the digest of that number."""
    return {"mediaType": media_type, "digest": Digest.of(str(number).encode()), "size": 32_654 + number}


def manifest(layers: int, first: int = 0, *, docker: bool = False) -> dict[str, object]:
    """Return an image manifest."""
    own, config_type, layer_type = (
        (DOCKER_MANIFEST, DOCKER_CONFIG, DOCKER_LAYER_GZIP) if docker else (OCI_MANIFEST, OCI_CONFIG, OCI_LAYER_GZIP)
    )
    return {
        "schemaVersion": 2,
        "mediaType": own,
        "config": descriptor(config_type, first),
        "layers": [descriptor(layer_type, first + number) for number in range(1, layers + 1)],
    }


def index(entries: int, first: int = 0, *, docker: bool = False) -> dict[str, object]:
    """Return an index, or a manifest list, with one platform for each entry."""
    own, entry_type = (DOCKER_MANIFEST_LIST, DOCKER_MANIFEST) if docker else (OCI_INDEX, OCI_MANIFEST)
    listed = [
        {**descriptor(entry_type, first + number), "platform": _PLATFORMS[number % len(_PLATFORMS)]}
        for number in range(entries)
    ]
    return {"schemaVersion": 2, "mediaType": own, "manifests": listed}


def config(steps: int) -> dict[str, object]:
    """Return an image config with a history."""
    entry = {"created": "2024-05-20T08:00:00.123456789Z", "created_by": "RUN /bin/sh -c make # buildkit"}
    return {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": ["PATH=/bin"], "Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": [Digest.of(str(step).encode()) for step in range(steps)]},
        "history": [entry] * steps,
    }


def mixed() -> Iterator[bytes]:
    """Manifests of 1 to 12 layers, every other one Docker's; among ten documents two indexes, two with annotations."""
    for number in count():
        first, size, docker = number * 16, 1 + number * 7 % 12, number % 2 == 1
        match number % 10:
            case 3 | 6:
                tree = index(1 + size % 4, first, docker=docker)
            case 0 | 4:
                tree = {**manifest(size, first), "annotations": _ANNOTATIONS}
            case _:
                tree = manifest(size, first, docker=docker)
        yield orjson.dumps(tree) + b"\n"
