"""CVE-2019-10214: containers/image

Turning off certificate checks for a registry also turned them off for its token server.

`insecure` applies to the host of the registry only. Every other host must have a valid certificate.

TRN-18
"""

from pathlib import Path

import trustme

from dreg_client import errors
from tests.advisories.scenes import guarded, listening, luring, shown
from tests.faultserver import Network
from tests.faultserver.network import shown as certificate
from tests.hostile.registry import LAYER_DIGEST
from tests.hostile.ways import Way, refused

STRANGER = trustme.CA()


def test_a_token_server_inherits_nothing(way: Way, net: Network) -> None:
    way.registry = "registry.acme.test"
    guarded(net, "https://auth.acme.test/token", way.registry, certificate=certificate(way.registry, ca=STRANGER))
    tokens = listening(net, "auth.acme.test", certificate=certificate("auth.acme.test", ca=STRANGER))
    shown(way).options["insecure"] = True

    refused(way.tags(), errors.TLSError)
    assert not tokens.requests


def test_neither_does_a_host_that_has_the_blob(library_way: Way, net: Network, tmp_path: Path) -> None:
    luring(net, "https://cdn.test/layer")
    cdn = listening(net, "cdn.test", certificate=certificate("cdn.test", ca=STRANGER))
    shown(library_way).options["insecure"] = True

    refused(library_way.blob(LAYER_DIGEST, tmp_path / "layer"), errors.TLSError)
    assert not cdn.requests
