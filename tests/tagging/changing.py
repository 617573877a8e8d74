"""Plans that are applied by threads and by asyncio, to repositories whose state is read by another client."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from dreg_client import ChangesResult, Digest, RepositoryTagPlan, TagPlan, aapply_plan, apply_plan, aundo, copy, undo
from tests.copying.graphs import Descriptor, Graph, names
from tests.registries import RunningRegistry


class Doing:
    """The two functions.

    Attributes:
        apply: `apply_plan`, or `aapply_plan` in an event loop of its own.
        undo: `undo`.
    """

    apply: Callable[..., ChangesResult]
    undo: Callable[..., Any]

    def __init__(self, apply: Any, undo: Any) -> None:
        self.apply, self.undo = apply, undo


def by_tasks(function: Any) -> Any:
    async def run(*arguments: Any, **named: Any) -> Any:
        return await function(*arguments, **named)

    return lambda *arguments, **named: asyncio.run(run(*arguments, **named))


THREADS = Doing(apply_plan, undo)
TASKS = Doing(by_tasks(aapply_plan), by_tasks(aundo))
both = pytest.mark.parametrize("run", [THREADS, TASKS], ids=["threads", "asyncio"])


class Place:
    """A repository, or a layout.

    Attributes:
        name: Its name in a plan.
    """

    name: str

    def tags(self) -> dict[str, str]:
        """All tags with their digests."""
        raise NotImplementedError

    def has(self, digest: str) -> bool:
        """Whether it has a manifest."""
        raise NotImplementedError

    def plan(self, *changes: Any) -> TagPlan:
        """A plan with some changes."""
        return TagPlan(repositories=(RepositoryTagPlan(repository=self.name, changes=changes),))


class LayoutPlace(Place):
    def __init__(self, folder: Path) -> None:
        self.folder, self.name = folder, f"oci:{folder}"

    def tags(self) -> dict[str, str]:
        return names(self.folder)

    def has(self, digest: str) -> bool:
        return (self.folder / "blobs" / digest.replace(":", "/")).exists()


class RegistryPlace(Place):
    def __init__(self, registry: RunningRegistry, repository: str) -> None:
        self.url, self.name = f"{registry.url}/v2/{repository}", f"{registry.address}/{repository}"

    def tags(self) -> dict[str, str]:
        answer = httpx.get(f"{self.url}/tags/list", timeout=30)
        tags = (answer.json()["tags"] or ()) if answer.status_code == 200 else ()
        found = {tag: self._digest(tag) for tag in tags}
        return {tag: digest for tag, digest in found.items() if digest is not None}

    def has(self, digest: str) -> bool:
        return self._digest(digest) is not None

    def _digest(self, reference: str) -> str | None:
        accept = {"Accept": "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"}
        answer = httpx.head(f"{self.url}/manifests/{reference}", headers=accept, timeout=30)
        return answer.headers["Docker-Content-Digest"] if answer.status_code == 200 else None


def filled(place: Place, graph: Graph, folder: Path) -> Place:
    """Write images to a place."""
    if isinstance(place, LayoutPlace):
        graph.write(place.folder)
    else:
        copy(f"oci:{graph.write(folder)}", place.name, tags="all", referrers=True)
    return place


class Images:
    """An image for each name, and an index with two of them.

    Attributes:
        graph: What is written.
        made: The descriptors, by name.
    """

    def __init__(self, *single: str, **indexes: list[str]) -> None:
        self.graph = Graph()
        self.made: dict[str, Descriptor] = {}
        for name in single:
            self.made[name] = self.graph.image([self.graph.add(name.encode())])
        for name, entries in indexes.items():
            self.made[name] = self.graph.index([self.made[each] for each in entries], annotations={"name": name})

    def tag(self, name: str, *tags: str) -> None:
        for tag in tags:
            self.graph.tag(self.made[name], tag)

    def sign(self, name: str) -> Digest:
        """Add a referrer; return its digest."""
        made = self.graph.artifact([self.graph.add(b"signature")], subject=self.made[name])
        self.made[f"signature of {name}"] = made
        return Digest(made["digest"])

    def __getitem__(self, name: str) -> Digest:
        return Digest(self.made[name]["digest"])


def lines_of(journal: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in journal.read_text().splitlines()]
