"""A network of registries that are played, and an image with all that belongs to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.copying.graphs import Graph
from tests.faultserver import Network, network


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Network]:
    (tmp_path / "net").mkdir()
    with network(tmp_path / "net") as up:
        yield up


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    """A layout: an index of two images that share a layer, an SBOM, a signature, and one as cosign tags it."""
    graph = Graph()
    shared = graph.add(b"shared" * 1000)
    entries = [
        {
            **graph.image([shared, graph.add(platform.encode() * 500)], platform),
            "platform": {"os": "linux", "architecture": platform},
        }
        for platform in ("amd64", "arm64")
    ]
    index = graph.index(entries)
    graph.artifact([graph.add(b"sbom")], subject={name: entries[0][name] for name in ("mediaType", "digest", "size")})
    graph.artifact([graph.add(b"signature")], subject=index)
    graph.tag(index, "1.4")
    cosign = graph.image([graph.add(b"cosign", "application/vnd.dev.cosign.simplesigning.v1+json")])
    graph.tag(cosign, f"{index['digest'].replace(':', '-')}.sig")
    return graph.write(tmp_path / "signed")
