"""GHSA-vh4v-2xq2-g5cg: oras-go

The same host name on another port counted as the same server and received the credential.

An origin consists of scheme, host and port.

TRN-02
"""

from pathlib import Path

from tests.advisories.scenes import OURS, listening, luring, shown
from tests.faultserver import Network, answer
from tests.hostile.registry import LAYER, LAYER_DIGEST
from tests.hostile.ways import Way


def test_another_port_is_another_origin(way: Way, net: Network, tmp_path: Path) -> None:
    luring(net, "https://registry.test:8443/layer")
    other = listening(net, "registry.test", port=8443)

    assert shown(way).blob(LAYER_DIGEST, tmp_path / "layer").error is None
    assert {name for name, _ in other.requests[0].headers} <= OURS


def test_a_port_that_is_written_out_is_the_same_origin(library_way: Way, net: Network, tmp_path: Path) -> None:
    """The other half of the rule: a registry that names its own port has not moved."""
    registry = luring(net, "https://registry.test:443/elsewhere")
    registry.on("/elsewhere", answer(LAYER))

    assert shown(library_way).blob(LAYER_DIGEST, tmp_path / "layer").error is None
    assert [heard.header("authorization") is not None for heard in registry.requests] == [False, True, True]
