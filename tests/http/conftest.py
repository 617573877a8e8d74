"""Doors and flavours: a test that asks for one runs once by each."""

import pytest

from dreg_client._async import referrers_tag as by_tasks
from dreg_client._sync import referrers_tag as by_threads
from tests.doors import LIBRARIES, Door
from tests.flavours import FLAVOURS, Flavour


@pytest.fixture(params=[(library, is_async) for library in LIBRARIES for is_async in (False, True)], ids=str)
def door(request: pytest.FixtureRequest) -> Door:
    return Door(*request.param)


@pytest.fixture(params=FLAVOURS)
def flavour(request: pytest.FixtureRequest) -> Flavour:
    return Flavour(request.param)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that would have been waited for other writers of a referrers tag."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(by_tasks, "sleep", sleep)
    monkeypatch.setattr(by_threads, "sleep", waited.append)
    return waited
