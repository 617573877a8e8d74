"""What the tests of tag plans share: a registry, and stores of both kinds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.registries import RunningRegistry, running
from tests.tagging.stores import Push, pushed


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    with running(tmp_path_factory.mktemp("tagging")) as found:
        yield found


@pytest.fixture(params=["layout", "registry"])
def push(request: pytest.FixtureRequest, tmp_path: Path) -> Push:
    """Write a graph; returns the name of the store."""
    if request.param == "layout":
        return lambda graph: f"oci:{graph.write(tmp_path / 'layout')}"
    return lambda graph: pushed(graph, request.getfixturevalue("registry"), tmp_path)
