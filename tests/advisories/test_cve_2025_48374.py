"""CVE-2025-48374, CVE-2024-31216: zot, flux

Passwords and tokens were written to a log.

No secret appears in a log, a message or an error, at any log level. Every test in `tests/advisories` and
`tests/hostile` fails if a secret appears.

AUT-25
"""

from pathlib import Path

import pytest

from dreg_client import errors
from tests.advisories.scenes import asked, shown
from tests.faultserver import Network, answer, challenge, redirect, sentence
from tests.hostile.registry import BLOB, LAYER_DIGEST, registry_at
from tests.hostile.secrets import REFRESH, SIGNED, TOKEN, Watch
from tests.hostile.ways import Way, refused

ENDS = [
    answer(b"", "403 Forbidden"),
    answer(b"x"),
    answer(f"<Error>{SIGNED} {TOKEN}</Error>".encode(), "500 No"),
    b"nonsense\r\n\r\n",
]


@pytest.mark.parametrize("end", ENDS, ids=["refused", "other bytes", "a fault", "nonsense"])
def test_no_secret_is_told(way: Way, net: Network, tmp_path: Path, watch: Watch, end: bytes) -> None:
    registry = registry_at(net).on(
        BLOB,
        challenge('Bearer realm="https://registry.test/token",service="s"'),
        redirect(f"https://cdn.test/layer?X-Amz-Signature={SIGNED}&token={TOKEN}"),
    )
    given = sentence({"token": TOKEN, "refresh_token": REFRESH})
    registry.on("/token", answer(given, "200 OK", "Content-Type: application/json"))
    cdn = net.host("cdn.test").on("/layer", end)

    outcome = refused(shown(way).blob(LAYER_DIGEST, tmp_path / "layer"), errors.DregError)
    watch.see(outcome.error or outcome.text)
    assert cdn.requests[0].query["X-Amz-Signature"] == [SIGNED]
    assert f"Bearer {TOKEN}" in registry.secrets


def test_the_watch_sees_what_loggers_are_told(library_way: Way, net: Network, watch: Watch) -> None:
    """So that a log that nobody looked at is no proof."""
    registry_at(net)
    asked(library_way, lambda repository: repository.tags())

    assert any("registry.test" in line for line in watch.heard)
