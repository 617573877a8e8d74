"""CVE-2026-49349: regclient

A registry redirected the client to another host, which received the credential.

A credential belongs to one origin, and the headers of every request are built from scratch, whatever the method.

UPL-01, TRN-01, TRN-12
"""

from pathlib import Path

import pytest

from dreg_client import errors
from tests.advisories.scenes import BASIC, OURS, listening, luring, shown
from tests.faultserver import Network, challenge, redirect
from tests.hostile.registry import DIGEST, LAYER_DIGEST, MANIFESTS, registry_at
from tests.hostile.ways import Way, refused


def test_a_host_that_a_reader_is_sent_to_sees_nothing_of_ours(way: Way, net: Network, tmp_path: Path) -> None:
    registry = luring(net, "https://elsewhere.test/layer")
    elsewhere = listening(net, "elsewhere.test")

    assert shown(way).blob(LAYER_DIGEST, tmp_path / "layer").error is None
    assert registry.secrets == [BASIC]
    assert {name for name, _ in elsewhere.requests[0].headers} <= OURS


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_host_that_a_deletion_is_sent_to_is_not_asked(library_way: Way, net: Network, status: int) -> None:
    registry = registry_at(net).on(
        f"{MANIFESTS}/{DIGEST}", challenge("Basic"), redirect("https://elsewhere.test/x", status), method="DELETE"
    )
    elsewhere = listening(net, "elsewhere.test")

    refused(shown(library_way).delete(DIGEST), errors.DregError)
    assert not elsewhere.requests
    assert len(registry.secrets) == 1
