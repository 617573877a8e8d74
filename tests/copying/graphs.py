"""Random images, indexes, artifacts and referrers in a layout, written without our own code."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
NAME = "org.opencontainers.image.ref.name"

Descriptor = dict[str, Any]


@dataclass
class Graph:
    """What a layout holds.

    Attributes:
        blobs: All content, by digest.
        named: What each manifest names, by digest.
        subjects: The digest of the subject of each referrer.
        entries: The entries of `index.json`.
    """

    blobs: dict[str, bytes] = field(default_factory=dict)
    named: dict[str, list[str]] = field(default_factory=dict)
    subjects: dict[str, str] = field(default_factory=dict)
    entries: list[Descriptor] = field(default_factory=list)

    def add(self, octets: bytes, media_type: str = LAYER) -> Descriptor:
        digest = f"sha256:{sha256(octets).hexdigest()}"
        self.blobs[digest] = octets
        return {"mediaType": media_type, "digest": digest, "size": len(octets)}

    def _document(self, media_type: str, named: Iterable[Descriptor], **members: Any) -> Descriptor:
        body = {"schemaVersion": 2, "mediaType": media_type, **members}
        made = self.add(json.dumps(body).encode(), media_type)
        self.named[made["digest"]] = [it["digest"] for it in named]
        if "subject" in members:
            self.subjects[made["digest"]] = members["subject"]["digest"]
            self.entries.append(made)
        return made

    def image(self, layers: list[Descriptor], architecture: str = "amd64", **members: Any) -> Descriptor:
        config: dict[str, Any] = {
            "os": "linux",
            "architecture": architecture,
            "rootfs": {"type": "layers", "diff_ids": [it["digest"] for it in layers]},
        }
        config = self.add(json.dumps(config).encode(), CONFIG)
        return self._document(MANIFEST, [config, *layers], config=config, layers=layers, **members)

    def artifact(self, layers: list[Descriptor], **members: Any) -> Descriptor:
        config = self.add(b"{}", "application/vnd.oci.empty.v1+json")
        members["artifactType"] = "application/vnd.example.thing"
        return self._document(MANIFEST, [config, *layers], config=config, layers=layers, **members)

    def signature(self, text: str, **members: Any) -> Descriptor:
        """A signature as cosign writes it: its config is that of an image, but states no platform."""
        config, layer = (
            self.add(b"{}", CONFIG),
            self.add(text.encode(), "application/vnd.dev.cosign.simplesigning.v1+json"),
        )
        return self._document(MANIFEST, [config, layer], config=config, layers=[layer], **members)

    def index(self, entries: list[Descriptor], **members: Any) -> Descriptor:
        return self._document(INDEX, entries, manifests=entries, **members)

    def tag(self, made: Descriptor, name: str) -> None:
        self.entries.append({**made, "annotations": {NAME: name}})

    def closure(self, roots: Iterable[str], *, referrers: bool = False) -> set[str]:
        """The digests of all that some manifests name, in turn; with the manifests that refer to these."""
        found, ahead = set[str](), [*roots]
        while ahead:
            digest = ahead.pop()
            if digest not in found:
                found.add(digest)
                ahead += self.named.get(digest, ())
                ahead += [each for each, subject in self.subjects.items() if referrers and subject == digest]
        return found

    def write(self, folder: Path) -> Path:
        """Write the layout."""
        (folder / "blobs/sha256").mkdir(parents=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        for digest, octets in self.blobs.items():
            (folder / "blobs" / digest.replace(":", "/")).write_bytes(octets)
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": self.entries}
        (folder / "index.json").write_text(json.dumps(index))
        return folder


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Images that share layers, indexes over images, artifacts and indexes, and referrers; one or two are tagged."""
    graph = Graph()
    layers = [graph.add(bytes([number]) * draw(st.integers(1, 50))) for number in range(draw(st.integers(1, 4)))]
    made: list[Descriptor] = []
    for number in range(draw(st.integers(1, 6))):
        chosen = draw(st.lists(st.sampled_from(layers), max_size=3))
        # No two are the same document.
        members: dict[str, Any] = {"annotations": {"number": str(number)}}
        if made and draw(st.booleans()):
            members["subject"] = draw(st.sampled_from(made))
        kind = draw(st.sampled_from(["image", "artifact", "index"]))
        if kind == "index":
            made.append(graph.index(draw(st.lists(st.sampled_from([*made, *layers]), max_size=4)), **members))
        else:
            made.append((graph.image if kind == "image" else graph.artifact)(chosen, **members))
    graph.tag(made[-1], "last")
    if draw(st.booleans()):
        graph.tag(draw(st.sampled_from(made)), "other")
    return graph


def content(layout: Path) -> dict[str, bytes]:
    """The blobs of a layout, each checked against its name."""
    found = {f"sha256:{path.name}": path.read_bytes() for path in (layout / "blobs/sha256").iterdir()}
    assert all(digest == f"sha256:{sha256(octets).hexdigest()}" for digest, octets in found.items())
    return found


def names(layout: Path) -> dict[str, str]:
    """The names in a layout, and the digests that they stand for."""
    entries = json.loads((layout / "index.json").read_text())["manifests"]
    return {it["annotations"][NAME]: it["digest"] for it in entries if NAME in it.get("annotations", {})}
