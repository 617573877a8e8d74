"""A layout that is watched while a plan is applied or undone, and that another client changes between any two changes.

Layouts check each condition while they are locked, so there is no moment in which another client may not change them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Self

from dreg_client import Layout
from dreg_client.protocol.events import Changed, Event
from tests.copying.graphs import names
from tests.foreign.registry import Held
from tests.tagging.repositories import Dated
from tests.tagging.someone import Change
from tests.tagging.watched import Allowed


def held_by(folder: Path) -> Held:
    """What a layout holds."""
    blobs = {f"sha256:{path.name}": path.read_bytes() for path in (folder / "blobs/sha256").iterdir()}
    documents = {digest: json.loads(raw) for digest, raw in blobs.items() if raw.startswith(b"{")}
    manifests = {digest: (blobs[digest], it["mediaType"]) for digest, it in documents.items() if "mediaType" in it}
    return Held(blobs, manifests, names(folder))


def make(change: Change, folder: Path, graph: Dated) -> None:
    """Make a change by another client, which opens the layout itself."""
    with Layout(folder) as layout:
        if change.kind == "untag":
            if change.tag in layout.tags():
                layout.untag(change.tag)
            return
        digest = change.new_digest(graph)
        documents = graph.documents
        for each in graph.closure([digest]) - documents.keys():
            layout.push_blob(graph.blobs[each])
        for each in graph.closure([digest]) & documents.keys() - {digest}:
            layout.put_manifest(documents[each][0], each)
        layout.put_manifest(documents[digest][0], digest if change.kind == "refer" else change.tag)


@dataclass
class LayoutWatch:
    """What is watched, and what another client does meanwhile; see `Watch`.

    Pass it as `on_event`: each event is a moment for changes of another client.
    """

    folder: Path
    graph: Dated
    allowed: Allowed
    schedule: list[Change]
    made: list[Change] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    count: int = 0
    lock: Lock = field(default_factory=Lock)

    @property
    def touched(self) -> set[str]:
        """The tags that another client changed."""
        return {tag for change in self.made for tag in change.tags(self.graph)}

    def __enter__(self) -> Self:
        self._make_due()
        return self

    def __exit__(self, *_: object) -> None:
        self._compare()
        for change in self.schedule:
            self._make(change)

    def __call__(self, event: Event) -> None:
        if isinstance(event, Changed):
            with self.lock:
                self._compare()
                self.count += 1
                self._make_due()

    def _make_due(self) -> None:
        # A plan has few changes, so that what would come late comes between them.
        for change in [it for it in self.schedule if it.at % 4 <= self.count]:
            self.schedule.remove(change)
            self._make(change)
            self._compare(change.tags(self.graph))
        self._seen = names(self.folder)

    def _make(self, change: Change) -> None:
        make(change, self.folder, self.graph)
        self.made.append(change)

    def _compare(self, besides: set[str] | None = None) -> None:
        """Compare the tags with those of the moment before."""
        now, seen = names(self.folder), getattr(self, "_seen", names(self.folder))
        for tag in {*seen, *now} - (besides or set()):
            step = seen.get(tag), now.get(tag)
            if step[0] != step[1] and step != self.allowed.tags.get(tag):
                self.faults.append(f"{tag}: {step}; allowed: {self.allowed.tags.get(tag)}")
        self._seen = now
        if missing := incomplete(now, held_by(self.folder)):
            self.faults.append(f"incomplete: {missing}")


def incomplete(tags: Mapping[str, str], held: Held) -> dict[str, set[str]]:
    """What is missing of what tags lead to."""
    found = {tag: {digest, *held.named(digest)} - held.manifests.keys() for tag, digest in tags.items()}
    return {tag: missing for tag, missing in found.items() if missing}
