"""Doors: every test that asks for one runs four times."""

import pytest

from tests.doors import LIBRARIES, Door


@pytest.fixture(params=[(library, is_async) for library in LIBRARIES for is_async in (False, True)], ids=str)
def door(request: pytest.FixtureRequest) -> Door:
    return Door(*request.param)
