"""Random repositories: images that share blobs, indexes, nested indexes, signatures of both kinds, and several tags."""

import json
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.copying.graphs import CONFIG, INDEX, MANIFEST, Descriptor, Graph
from tests.foreign.registry import Held

TAGS = ("1.0.0", "1.0.1", "1.1.0", "v2", "latest", "dev", "nightly-1", "nightly-2", "nightly-3", "pr-7")
"""All tags that repositories and plans of tests have."""
DATES = ("1970-01-01T00:00:00Z", None, *(f"20{year}-05-0{day}T10:00:00Z" for year in (23, 24) for day in (1, 2, 3)))
"""When images were made; the first two are unknown."""


@dataclass(repr=False)
class Dated(Graph):
    """A graph of images with dates."""

    made: list[Descriptor] = field(default_factory=list)

    def __repr__(self) -> str:
        named = {digest[:15]: [each[:15] for each in self.named[digest] if each in self.named] for digest in self.named}
        return f"<{named}, subjects {self.subjects}, tags {self.tags}>"

    def _repr_pretty_(self, printer: Any, _: object) -> None:
        printer.text(repr(self))

    def dated(self, layers: list[Descriptor], number: int, created: str | None) -> Descriptor:
        """An image that was made then. No two with different numbers are the same."""
        config: dict[str, Any] = {
            "os": "linux",
            "architecture": "arm64" if number % 2 else "amd64",
            "rootfs": {"type": "layers", "diff_ids": [it["digest"] for it in layers]},
        }
        config |= {"created": created} if created else {}
        config = self.add(json.dumps(config).encode(), CONFIG)
        members: dict[str, Any] = {"annotations": {"number": str(number)}}
        return self._kept(self._document(MANIFEST, [config, *layers], config=config, layers=layers, **members))

    def index_of(self, entries: list[Descriptor], number: int) -> Descriptor:
        """An index of manifests."""
        return self._kept(self.index(entries, annotations={"number": str(number)}))

    def referrer(self, subject: Descriptor, number: int) -> Descriptor:
        """A signature or SBOM as the specification has it."""
        subject = {name: subject[name] for name in ("mediaType", "digest", "size")}
        return self._kept(self.artifact([], subject=subject, annotations={"number": str(number)}))

    def _kept(self, made: Descriptor) -> Descriptor:
        self.made.append(made)
        return made

    @property
    def tags(self) -> dict[str, str]:
        """The tags, and what they name."""
        key = "org.opencontainers.image.ref.name"
        return {it["annotations"][key]: it["digest"] for it in self.entries if key in it.get("annotations", {})}

    @property
    def documents(self) -> dict[str, tuple[bytes, str]]:
        """All manifests and indexes, with their media types."""
        return {digest: (self.blobs[digest], json.loads(self.blobs[digest])["mediaType"]) for digest in self.named}

    def described(self, digest: str) -> Descriptor:
        """The descriptor of a manifest."""
        raw, media_type = self.documents[digest]
        return {"mediaType": media_type, "digest": digest, "size": len(raw)}

    def held(self, *, lists_referrers: bool) -> Held:
        """What a registry holds after all of it was pushed."""
        found = Held(dict(self.blobs), dict(self.documents), dict(self.tags))
        for subject in dict.fromkeys(self.subjects.values()) if not lists_referrers else ():
            list_referrers(found, subject)
        return found


def list_referrers(held: Held, subject: str) -> None:
    """Write the referrers tag of a manifest, as clients do it for registries that have no list of referrers."""
    entries = []
    for digest in held.referrers(subject):
        raw, media_type = held.manifests[digest]
        kind = json.loads(raw)["artifactType"]
        entries.append({"mediaType": media_type, "digest": digest, "size": len(raw), "artifactType": kind})
    graph = Graph()
    index = graph.index(entries)
    held.manifests[index["digest"]] = graph.blobs[index["digest"]], INDEX
    held.tags[subject.replace(":", "-")] = index["digest"]


@st.composite
def repositories(draw: st.DrawFn) -> Dated:
    """A repository. Everything that has no tag is a child, a referrer, or was left behind."""
    graph = Dated()
    layers = [graph.add(bytes([number]) * (number + 1)) for number in range(draw(st.integers(1, 3)))]
    for number in range(draw(st.integers(1, 5))):
        graph.dated(draw(st.lists(st.sampled_from(layers), max_size=2)), number, draw(st.sampled_from(DATES)))
    for number in range(draw(st.integers(0, 2))):  # the second one may have the first one
        graph.index_of(draw(st.lists(st.sampled_from(graph.made), min_size=1, max_size=3)), number)
    plain = [*graph.made]
    for number in range(draw(st.integers(0, 2))):
        graph.referrer(draw(st.sampled_from(graph.made)), number)
    for tag in draw(st.lists(st.sampled_from(TAGS), min_size=1, max_size=6, unique=True)):
        graph.tag(draw(st.sampled_from(plain)), tag)
    for subject in draw(st.lists(st.sampled_from(plain), max_size=2, unique_by=lambda it: it["digest"])):
        signature = graph.signature(f"signature of {subject['digest']}")
        graph.tag(signature, f"{subject['digest'].replace(':', '-')}.sig")
    return graph
