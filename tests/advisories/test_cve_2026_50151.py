"""CVE-2026-50151: oras-go

A registry answered the start of an upload with a URL on another host, which received the credential.

Requests that change something go to the origin of the registry only. The URL of an upload must be on that origin too,
unless `upload_hosts` names its host, which gets no credential.

UPL-01, TRN-12
"""

import pytest

from dreg_client import errors
from tests.advisories.scenes import listening, shown
from tests.faultserver import Network, answer, challenge, redirect
from tests.hostile.registry import MANIFEST, MANIFESTS, registry_at
from tests.hostile.ways import Way, refused


@pytest.mark.parametrize("status", [307, 308])
def test_what_is_written_does_not_go_elsewhere(way: Way, net: Network, status: int) -> None:
    registry = registry_at(net).on(
        f"{MANIFESTS}/new", challenge("Basic"), redirect("https://elsewhere.test/upload", status), method="PUT"
    )
    elsewhere = listening(net, "elsewhere.test")

    refused(shown(way).tag("1.4", "new"), errors.CrossOriginError)
    assert not elsewhere.requests
    assert [heard.body for heard in registry.requests if heard.method == "PUT"] == [MANIFEST, MANIFEST]


def test_the_place_of_what_was_written_is_not_asked(library_way: Way, net: Network) -> None:
    taken = answer(b"", "201 Created", "Location: https://elsewhere.test/upload")
    registry_at(net).on(f"{MANIFESTS}/new", challenge("Basic"), taken, method="PUT")
    elsewhere = listening(net, "elsewhere.test")

    assert shown(library_way).tag("1.4", "new").error is None
    assert not elsewhere.requests
