"""CVE-2024-52005: git

Messages of a server reached the terminal unchanged. They could move the cursor, rename the window, or fake output.

Text from servers is shown with its control characters escaped.

CLI-01
"""

import pytest

from tests.faultserver import Network, refusal
from tests.hostile.registry import TAGS, registry_at
from tests.hostile.ways import Way

STEERS = "\x1b[2J\x1b]0;owned\x07\rgone\x9b31m\x7f"


@pytest.mark.parametrize("code", ["DENIED", STEERS])
def test_a_message_steers_no_terminal(net: Network, code: str) -> None:
    registry_at(net).on(TAGS, refusal("403 No", code, STEERS, 'Warning: 299 - "\x1b[31mred"', "X-Steer: \x1b[2J"))
    told = Way("command line", net).tags()

    assert told.exit_code == 3
    for sign in ("\x1b", "\x07", "\r", "\x9b", "\x7f"):
        assert sign not in told.text
    assert "\\x1b" in told.text
