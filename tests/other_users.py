"""Files of other users, which only root can make."""

import os

import pytest

OTHERS = 65534
"""The number of a user that is not the one of the tests."""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
