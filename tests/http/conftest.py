"""Doors and flavours: a test that asks for one runs once by each."""

import pytest

from tests.doors import LIBRARIES, Door
from tests.flavours import FLAVOURS, Flavour


@pytest.fixture(params=[(library, is_async) for library in LIBRARIES for is_async in (False, True)], ids=str)
def door(request: pytest.FixtureRequest) -> Door:
    return Door(*request.param)


@pytest.fixture(params=FLAVOURS)
def flavour(request: pytest.FixtureRequest) -> Flavour:
    return Flavour(request.param)
