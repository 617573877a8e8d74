"""A layout with an image of every kind that people move, with layers that can be unpacked; written without our code."""

import gzip
import io
import json
import tarfile
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from tests.copying.graphs import CONFIG, LAYER, MANIFEST, Descriptor, Graph

DOCKER = "application/vnd.docker."
SCHEMA_2 = f"{DOCKER}distribution.manifest.v2+json"
LIST = f"{DOCKER}distribution.manifest.list.v2+json"
DOCKER_CONFIG = f"{DOCKER}container.image.v1+json"
DOCKER_LAYER = f"{DOCKER}image.rootfs.diff.tar.gzip"
FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
IN_TOTO = "application/vnd.in-toto+json"
SIGNATURE = "application/vnd.dev.cosign.simplesigning.v1+json"

IMAGES = ("gzip", "zstd", "plain", "empty", "twice", "docker", "foreign")
"""Images of one platform."""
INDEXES = ("index", "docker-list", "attested")
"""Indexes of images."""
REST = ("nested", "artifact")
"""What skopeo does not copy, but shows."""


def tar_of(**files: str) -> bytes:
    """A layer with some files."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, text in files.items():
            header = tarfile.TarInfo(name)
            header.size = len(text)
            tar.addfile(header, io.BytesIO(text.encode()))
    return made.getvalue()


def zstd(raw: bytes) -> bytes:
    """A frame of blocks that are not compressed (RFC 8878, section 3.1.1)."""
    blocks = [raw[start : start + 0x20000] for start in range(0, len(raw), 0x20000)]
    frame = b"\x28\xb5\x2f\xfd\xa0" + len(raw).to_bytes(4, "little")
    for number, block in enumerate(blocks, 1):
        frame += (len(block) << 3 | (number == len(blocks))).to_bytes(3, "little") + block
    return frame


PACKINGS: dict[str, tuple[str, Any]] = {
    "plain": (LAYER, bytes),
    "gzip": (f"{LAYER}+gzip", lambda raw: gzip.compress(raw, mtime=0)),
    "zstd": (f"{LAYER}+zstd", zstd),
    "docker": (DOCKER_LAYER, lambda raw: gzip.compress(raw, mtime=0)),
    "foreign": (FOREIGN, lambda raw: gzip.compress(raw, mtime=0)),
}


@dataclass
class RealGraph(Graph):
    """Images with layers that can be unpacked.

    Attributes:
        configs: The digests of the configs, by the names of images.
        tagged: What was made, by name.
    """

    configs: dict[str, str] = field(default_factory=dict)
    tagged: dict[str, Descriptor] = field(default_factory=dict)

    def unpackable(
        self, tars: list[bytes], packing: str = "gzip", platform: str = "amd64", **of_layers: Any
    ) -> Descriptor:
        """An image of some layers; its manifest is Docker's if the packing is."""
        media_type, pack = PACKINGS[packing]
        is_docker = packing == "docker"
        diff_ids = [f"sha256:{sha256(raw).hexdigest()}" for raw in tars]
        rootfs = {"type": "layers", "diff_ids": diff_ids}
        history = [{"created": "2024-01-01T00:00:00Z", "created_by": f"COPY {number}"} for number in range(len(tars))]
        settings = {"Env": ["PATH=/bin"], "Labels": {"packing": packing}}
        document = {"created": "2024-01-01T00:00:00Z", "os": "linux", "architecture": platform, "config": settings}
        body = json.dumps({**document, "rootfs": rootfs, "history": history}).encode()
        config = self.add(body, DOCKER_CONFIG if is_docker else CONFIG)
        layers = [{**self.add(pack(raw), media_type), **of_layers} for raw in tars]
        kind = SCHEMA_2 if is_docker else MANIFEST
        made = self._document(kind, [config, *layers], config=config, layers=layers)
        self.configs[made["digest"]] = config["digest"]
        return made

    def name(self, name: str, made: Descriptor) -> None:
        self.tagged[name] = made
        self.tag(made, name)

    def docker_list(self) -> Descriptor:
        entries = self.of_platforms("docker")
        return self._document(LIST, entries, manifests=entries)

    def of_platforms(self, packing: str = "gzip") -> list[Descriptor]:
        made = {platform: self.unpackable([tar_of(a=platform)], packing, platform) for platform in ("amd64", "arm64")}
        return [{**it, "platform": {"os": "linux", "architecture": platform}} for platform, it in made.items()]


def every_kind() -> RealGraph:
    """A graph with an image of every kind, each under its name."""
    graph, first, second = RealGraph(), tar_of(one="1"), tar_of(two="2" * 5000)
    for packing in ("gzip", "zstd", "plain", "docker"):
        graph.name(packing, graph.unpackable([first, second, tar_of(own=packing)], packing))
    graph.name("empty", graph.unpackable([first, tar_of()]))
    graph.name("twice", graph.unpackable([first, second, first]))
    graph.name("foreign", graph.unpackable([tar_of(windows="yes")], "foreign"))
    graph.name("index", graph.index(graph.of_platforms()))
    graph.name("docker-list", graph.docker_list())
    graph.name("attested", _attested(graph))
    graph.name("nested", graph.index([graph.tagged["index"], graph.tagged["gzip"]]))
    graph.name("artifact", graph.artifact([graph.add(b"a thing", "application/vnd.example.thing")]))
    graph.name(f"{graph.tagged['index']['digest'].replace(':', '-')}.sig", graph.image([graph.add(b"{}", SIGNATURE)]))
    return graph


def _attested(graph: RealGraph) -> Descriptor:
    """An index as buildkit writes it: each attestation is an entry for the platform unknown/unknown."""
    entries = graph.of_platforms()
    for image in entries[:]:
        statement = graph.add(json.dumps({"subject": image["digest"]}).encode(), IN_TOTO)
        made = graph.image(
            [{**statement, "annotations": {"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"}}]
        )
        notes = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image["digest"]}
        entries.append({**made, "annotations": notes, "platform": {"os": "unknown", "architecture": "unknown"}})
    return graph.index(entries)
