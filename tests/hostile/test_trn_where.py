"""Where answers may lead, and what goes along: TRN-01 to TRN-13."""

from pathlib import Path

import pytest

from dreg_client import errors
from tests.faultserver import Network, answer, challenge, redirect
from tests.hostile.registry import BLOB, LAYER, LAYER_DIGEST, registry_at
from tests.hostile.secrets import PASSWORD, SIGNED, USER
from tests.hostile.ways import Way, refused


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_trn_01_nothing_of_ours_goes_to_a_cdn(way: Way, net: Network, tmp_path: Path, status: int) -> None:
    registry = registry_at(net).on(
        BLOB, challenge("Basic"), redirect(f"https://cdn.test/layer?sig={SIGNED}", status, "Set-Cookie: a=b")
    )
    cdn = net.host("cdn.test").on("/layer", answer(LAYER))
    way.credentials = (USER, PASSWORD)

    assert way.blob(LAYER_DIGEST, tmp_path / "layer").error is None
    assert (tmp_path / "layer").read_bytes() == LAYER
    assert len(registry.secrets) == 1
    [heard] = cdn.requests
    assert heard.query == {"sig": [SIGNED]}
    assert {name for name, _ in heard.headers} <= {"host", "user-agent", "accept", "accept-encoding", "range"}


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.1.2.3"])
def test_trn_05_the_address_that_is_dialled_is_looked_at(way: Way, net: Network, tmp_path: Path, address: str) -> None:
    registry = registry_at(net).on(BLOB, redirect("https://near.test/layer"))
    near = net.host("near.test", address=address).on("/layer", answer(LAYER))

    refused(way.blob(LAYER_DIGEST, tmp_path / "layer"), errors.BlockedAddressError)
    assert not near.requests
    assert len(registry.requests) == 1
    assert not (tmp_path / "layer").exists()
