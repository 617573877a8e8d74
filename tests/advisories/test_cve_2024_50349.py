"""CVE-2024-50349: git

The password prompt showed the host name as written, including control characters, so it could look like another host.

An invalid host is rejected before anything is shown. Prompts show the parsed host.

CLI-03
"""

import pytest

from tests.advisories.scenes import on_a_terminal


@pytest.mark.parametrize(
    "host", ["evil.test\r\x1b[2Kregistry.test", "evil.test\x1b]0;registry.test\x07", "evil.test%0dregistry.test"]
)
def test_a_host_that_would_steer_the_terminal_is_not_asked_about(host: str) -> None:
    code, seen = on_a_terminal("login", host)

    assert code == 2
    assert b"User for" not in seen
    assert b"Password" not in seen
    assert b"\x1b" not in seen
    assert b"\r" not in seen.replace(b"\r\n", b"")
