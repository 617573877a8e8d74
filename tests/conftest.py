"""What several rooms of the tests share."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """The folder of real and broken documents, layouts and archives."""
    return Path(__file__).parent.parent / "fixtures"
