"""The storage of Debian's docker-registry with the images of the examples, and one that the tests write themselves."""

from pathlib import Path

import pytest

from tests.registries import running
from tests.storage.planted import Tree, copied


@pytest.fixture(scope="session")
def _seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("seeded")
    with running(root) as registry:
        registry.seed()
    return root / "storage"


@pytest.fixture
def stored(_seeded: Path, tmp_path: Path) -> Tree:
    """A copy of a storage that docker-registry has written a week ago."""
    return copied(_seeded, tmp_path / "stored").age()


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A storage with one image of two layers, in the form of distribution 3."""
    made = Tree(tmp_path / "storage")
    made.put_image("acme/web", "1.4", b"layer one", b"layer two")
    return made
