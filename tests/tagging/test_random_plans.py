"""Random plans over docker-registry; another client changes tags before and after they are applied."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dreg_client import Registry, Repository, sync
from dreg_client._sync import referrers_checks, referrers_tag, untag
from tests.foreign.registry import Held
from tests.registries import RunningRegistry, running
from tests.tagging.applying import Applying
from tests.tagging.repositories import Dated, repositories
from tests.tagging.someone import Change, changes
from tests.tagging.watched import Allowed
from tests.tagging.wishes import Wish, wishes

MANIFESTS = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"
NUMBERS = count()


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    with running(tmp_path_factory.mktemp("registry")) as started, pytest.MonkeyPatch.context() as patch:
        for module in (untag, referrers_tag, referrers_checks):
            patch.setattr(module, "sleep", lambda _: None)
        yield started


@dataclass
class Around:
    """Another client, which makes its changes before and after; see `Watch`."""

    place: "OverRegistry"
    schedule: list[Change]
    made: list[Change] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def touched(self) -> set[str]:
        """The tags that it changed."""
        return {tag for change in self.made for tag in change.tags(self.place.graph)}

    def __enter__(self) -> Self:
        self._make([it for it in self.schedule if it.at % 2])
        return self

    def __exit__(self, *_: object) -> None:
        self._make([it for it in self.schedule if not it.at % 2])

    def __call__(self, _: object) -> None:
        """Ignore an event."""

    def _make(self, changes: list[Change]) -> None:
        for change in changes:
            self.place.make(change)
            self.made.append(change)


class OverRegistry(Applying):
    """A repository of docker-registry."""

    def __init__(self, graph: Dated, registry: RunningRegistry, client: Registry, folder: Path) -> None:
        number = next(NUMBERS)
        self.graph, name = graph, f"random/{number}"
        source = f"oci:{graph.write(folder / str(number))}"
        assert not sync(source, f"{registry.address}/{name}", referrers=True).failures
        self.url, self.repository = f"{registry.url}/v2/{name}", client.repository(name)

    @property
    def held(self) -> Held:
        tags = httpx.get(f"{self.url}/tags/list", timeout=30).json()["tags"] or ()
        named = {tag: found for tag in tags if (found := self._digest(tag))}
        documents = {digest: it for digest, it in self.graph.documents.items() if self._digest(digest)}
        lists = {digest: self._read(digest) for tag, digest in named.items() if digest not in documents}
        return Held(manifests={**documents, **lists}, tags=named)

    def _digest(self, reference: str) -> str | None:
        answer = httpx.head(f"{self.url}/manifests/{reference}", headers={"Accept": MANIFESTS}, timeout=30)
        return answer.headers["Docker-Content-Digest"] if answer.status_code == 200 else None

    def _read(self, digest: str) -> tuple[bytes, str]:
        answer = httpx.get(f"{self.url}/manifests/{digest}", headers={"Accept": MANIFESTS}, timeout=30)
        return answer.content, answer.headers["Content-Type"]

    @property
    def store(self) -> Repository:
        return self.repository

    def watch(self, allowed: Allowed, schedule: list[Change]) -> Around:
        return Around(self, schedule)

    def make(self, change: Change) -> None:
        """Make a change by another client."""
        if change.kind == "untag":
            if change.tag in self.repository.tags():
                self.repository.untag(change.tag)
            return
        digest, documents = change.new_digest(self.graph), self.graph.documents
        whole = self.graph.closure([digest])
        for each in whole - documents.keys():
            self.repository.push_blob(self.graph.blobs[each])
        for each in sorted(whole & documents.keys() - {digest}, key=lambda it: len(self.graph.closure([it]))):
            self.repository.put_manifest(documents[each][0], each)
        self.repository.put_manifest(documents[digest][0], digest if change.kind == "refer" else change.tag)


@given(graph=repositories(), wished=wishes, schedule=changes, later=changes, is_repeated=st.booleans())
@settings(max_examples=8, deadline=None, suppress_health_check=[*HealthCheck])
def test_random_plans_are_applied_and_undone(
    registry: RunningRegistry, graph: Dated, wished: list[Wish], schedule: list[Change], later: list[Change],
    is_repeated: bool,
) -> None:  # fmt: skip
    with TemporaryDirectory() as folder, Registry(registry.address) as client:
        place = OverRegistry(graph, registry, client, Path(folder))
        place.apply_and_undo(wished, schedule, later, is_repeated)
