"""A registry that copies are written to; each test uses repositories of its own."""

from collections.abc import Iterator

import pytest

from tests.registries import RunningRegistry, running


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    """Debian's docker-registry, empty at first."""
    with running(tmp_path_factory.mktemp("copies")) as started:
        yield started
