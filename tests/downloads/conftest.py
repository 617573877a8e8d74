"""A client for each kind of caller: every test that asks for one runs three times."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.downloads.kinds import KINDS, opened
from tests.raw_server import RawServer


@pytest.fixture(params=KINDS)
def client(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Opens a client of a server; what is done with its repository, one after another, is on the same connections."""

    def open_client(server: RawServer, **options: Any) -> Any:
        return opened(request.param, server, **options)

    return open_client
