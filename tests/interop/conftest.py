"""A registry, a layout of images of every kind, and other people's tools."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.interop.images import RealGraph, every_kind
from tests.interop.tools import Tools
from tests.registries import RunningRegistry, running

_NUMBERS = count()


@pytest.fixture(scope="session")
def graph() -> RealGraph:
    return every_kind()


@pytest.fixture(scope="session")
def images(graph: RealGraph, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layout; nobody changes it."""
    return graph.write(tmp_path_factory.mktemp("images") / "layout")


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    """Debian's docker-registry, empty at first."""
    with running(tmp_path_factory.mktemp("interop")) as started:
        yield started


@pytest.fixture(scope="session")
def origin(registry: RunningRegistry, images: Path) -> str:
    """The name of a repository with the images, written by a client that is not ours."""
    registry.push_all(images, "interop/origin")
    return f"{registry.address}/interop/origin"


@pytest.fixture
def repository(registry: RunningRegistry) -> str:
    """The name of an empty repository."""
    return f"{registry.address}/interop/number-{next(_NUMBERS)}"


@pytest.fixture
def tools() -> Iterator[Tools]:
    with TemporaryDirectory(prefix="dreg", ignore_cleanup_errors=True) as home:  # podman wants short paths
        yield Tools(Path(home))
