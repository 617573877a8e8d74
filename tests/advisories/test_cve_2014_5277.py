"""CVE-2014-5277, PYSEC-2014-80: docker, docker-py

If HTTPS failed, the client fell back to HTTP and sent the password unencrypted.

A host is contacted with one scheme only. A TLS error or a missing response is an error.

TRN-17
"""

import pytest
import trustme

from dreg_client import errors
from tests.advisories.scenes import listening, shown
from tests.faultserver import Network
from tests.faultserver.network import shown as certificate
from tests.hostile.registry import registry_at
from tests.hostile.ways import Way, refused


@pytest.mark.parametrize("port", [443, 5000])
def test_a_certificate_that_does_not_hold_is_an_error(way: Way, net: Network, port: int) -> None:
    registry_at(net, port=port, certificate=certificate("registry.test", ca=trustme.CA()))
    plain = listening(net, "registry.test", scheme="http")
    way.registry = f"registry.test:{port}"

    refused(shown(way).tags(), errors.TLSError)
    assert not plain.connections


def test_where_nobody_listens_http_is_not_tried(way: Way, net: Network) -> None:
    plain = listening(net, "registry.test", scheme="http")

    refused(shown(way).tags(), errors.ConnectError)
    assert not plain.connections
