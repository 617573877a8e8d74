"""What another client does to a repository while a plan is applied."""

from dataclasses import dataclass
from typing import Literal

from hypothesis import strategies as st

from tests.foreign.registry import Held
from tests.tagging.repositories import TAGS, Dated, list_referrers

Kind = Literal["tag", "untag", "push", "refer", "index"]


@dataclass(frozen=True)
class Change:
    """A change by another client.

    Attributes:
        kind: `tag` an image (again), `untag`, `push` a new image with a tag, or a new referrer or an index of an image.
        tag: The tag.
        image: The number of an image.
        at: The number of the request before which it happens, at the earliest.
    """

    kind: Kind
    tag: str
    image: int
    at: int

    def tags(self, graph: Dated) -> set[str]:
        """The tags that it changes."""
        return set() if self.kind == "refer" else {self.tag}

    def needs(self, graph: Dated) -> set[str]:
        """The manifests that are needed from then on."""
        if self.kind in {"untag", "push"}:
            return set()
        digest = self.digest(graph)
        return graph.closure([digest], referrers=True) | {graph.subjects.get(digest, digest)}

    def digest(self, graph: Dated) -> str:
        """The image that it is about."""
        return str(graph.made[self.image % len(graph.made)]["digest"])

    def new_digest(self, graph: Dated) -> str:
        """What it pushes, which is added to the content."""
        digest, number = self.digest(graph), 100 + len(graph.made)
        match self.kind:
            case "push":
                return str(graph.dated([graph.add(b"new")], number, "2024-06-01T00:00:00Z")["digest"])
            case "refer":
                return str(graph.referrer(graph.described(digest), number)["digest"])
            case "index":
                return str(graph.index_of([graph.described(digest)], number)["digest"])
            case _:
                return digest


changes = st.lists(
    st.builds(
        Change, st.sampled_from(["tag", "tag", "untag", "push", "refer", "index"]), st.sampled_from(TAGS),
        st.integers(0, 20), st.integers(0, 40),
    ),
    max_size=4,
)  # fmt: skip


def make(change: Change, held: Held, graph: Dated, *, lists_referrers: bool) -> None:
    """Make a change in what a registry holds. What it needs is pushed again if it is gone."""
    if change.kind == "untag":
        held.tags.pop(change.tag, None)
        return
    digest = change.new_digest(graph)
    push(held, graph, digest)
    if change.kind != "refer":
        held.tags[change.tag] = digest
    elif not lists_referrers:
        list_referrers(held, graph.subjects[digest])


def push(held: Held, graph: Dated, digest: str) -> None:
    """Push a manifest with all that it names, unless it is there."""
    documents = graph.documents
    for each in graph.closure([digest]):
        held.blobs[each] = graph.blobs[each]
        if each in documents:
            held.manifests[each] = documents[each]
