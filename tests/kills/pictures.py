"""The images of the kills: an old version and a new one, which share layers; two platforms, and a signature."""

import random
from pathlib import Path
from typing import Any, Final

from tests.copying.graphs import Graph

OLD, NEW = "1.4", "1.5"
PLATFORMS: Final = ("amd64", "arm64")


def _layers(graph: Graph, *seeds: int, size: int) -> list[dict[str, Any]]:
    return [graph.add(random.Random(seed).randbytes(size)) for seed in seeds]  # noqa: S311 (no secret)


def _index(graph: Graph, size: int, *own: int) -> dict[str, Any]:
    shared = _layers(graph, 1, 2, size=size)
    images = [
        {
            **graph.image([*shared, *_layers(graph, number, size=size // 3)], each),
            "platform": {"os": "linux", "architecture": each},
        }
        for each, number in zip(PLATFORMS, own, strict=True)
    ]
    return graph.index(images)


def write_old(folder: Path, size: int) -> Path:
    """What a destination has before: `1.4`, which the new images move, and `stable`."""
    graph = Graph()
    index = _index(graph, size, 3, 4)
    graph.tag(index, OLD)
    graph.tag(index, "stable")
    return graph.write(folder)


def write_new(folder: Path, size: int) -> Path:
    """The source: two tags of images that share layers with the old ones, and a signature of one of them."""
    graph = Graph()
    index = _index(graph, size, 5, 6)
    graph.tag(index, OLD)
    graph.tag(graph.image(_layers(graph, 1, 5, 7, size=size), annotations={"number": "2"}), NEW)
    graph.artifact(_layers(graph, 8, size=100), subject=index)
    return graph.write(folder)


def write_garbage(folder: Path, size: int) -> Path:
    """A layout with blobs and manifests that no tag leads to."""
    graph = Graph()
    _index(graph, size, 10, 11)
    _layers(graph, *range(20, 40), size=100)
    graph.artifact(_layers(graph, 9, size=100), subject={"mediaType": "a/b", "digest": "sha256:" + "0" * 64, "size": 2})
    graph.tag(_index(graph, size, 3, 4), OLD)
    graph.tag(graph.image(_layers(graph, 1, 7, size=size), annotations={"number": "2"}), NEW)
    return graph.write(folder)
