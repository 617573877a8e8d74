"""A client for each kind of caller: every test that asks for one runs four times."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.doors import LIBRARIES
from tests.raw_server import RawServer
from tests.transport.clients import by_task, by_thread


@pytest.fixture(params=[(library, is_async) for library in LIBRARIES for is_async in (False, True)], ids=str)
def client(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Opens a registry on a server; what is done with its repository, one after another, is on the same connections."""
    library, is_async = request.param

    def opened(server: RawServer, **options: Any) -> Any:
        return (by_task if is_async else by_thread)(server, library, {"retries": 0, **options})

    return opened
