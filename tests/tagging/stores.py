"""Repositories with dated images, in a layout or in Debian's docker-registry."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from dreg_client import sync
from dreg_client.protocol.events import Answered, Event
from tests.copying.graphs import CONFIG, MANIFEST, Descriptor, Graph
from tests.registries import RunningRegistry

_NUMBERS = count()
NOW = datetime(2024, 6, 1, tzinfo=UTC)
Push = Callable[[Graph], str]
"""Writes a graph to a store; returns the name of the store."""


@dataclass
class Dated(Graph):
    """A graph of images with dates."""

    def dated(self, created: str | None = None, layer: str = "base", architecture: str = "amd64") -> Descriptor:
        """An image; no two with different arguments are the same."""
        config: dict[str, Any] = {
            "os": "linux",
            "architecture": architecture,
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{64 * '0'}"]},
        }
        config |= {"created": created} if created else {}
        made, content = self.add(json.dumps(config).encode(), CONFIG), self.add(layer.encode())
        return self._document(MANIFEST, [made, content], config=made, layers=[content])

    def tagged(self, tag: str, created: str | None = None, layer: str = "base") -> str:
        """Tag an image; return its digest."""
        made = self.dated(created, layer)
        self.tag(made, tag)
        return str(made["digest"])


def nightlies(count: int) -> Dated:
    """A graph of nightly builds, one a day, the first one on 2024-05-01."""
    graph = Dated()
    for number in range(1, count + 1):
        graph.tagged(f"nightly-{number}", f"2024-05-{number:02}T00:00:00Z", layer=f"build {number}")
    return graph


def subject_of(made: Descriptor) -> Descriptor:
    return {name: made[name] for name in ("mediaType", "digest", "size")}


def digest_tag_of(made: Descriptor, suffix: str = ".sig") -> str:
    return made["digest"].replace(":", "-") + suffix


def pushed(graph: Graph, registry: RunningRegistry, tmp_path: Path) -> str:
    """Copy a graph to a new repository; return the name of the repository."""
    number = next(_NUMBERS)
    name = f"{registry.address}/tagging/number-{number}"
    result = sync(f"oci:{graph.write(tmp_path / f'pushed-{number}')}", name, referrers=True)
    assert not result.failures
    return name


@dataclass
class Requests:
    """The requests of a planner: a listener."""

    all: list[str] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        if isinstance(event, Answered):
            self.all.append(f"{event.method} {event.url.partition('/v2/')[2].split('/', 2)[-1]}")

    def made(self, start: str) -> list[str]:
        return [each for each in self.all if each.startswith(start)]
