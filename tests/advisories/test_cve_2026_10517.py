"""CVE-2026-10517: claircore

The URLs in a manifest were downloaded when the image was analysed, from inside the network of that service.

URLs in a document are data and are never requested.

MDL-19
"""

import json

import pytest

from dreg_client import Digest
from tests.advisories.scenes import asked, listening
from tests.faultserver import Network
from tests.hostile.registry import MANIFEST, MANIFESTS, document, registry_at
from tests.hostile.ways import Way

FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"


@pytest.mark.parametrize("media_type", [FOREIGN, "application/vnd.oci.image.layer.v1.tar+gzip"])
def test_addresses_of_a_manifest_are_asked_by_nobody(way: Way, net: Network, media_type: str) -> None:
    tree = json.loads(MANIFEST)
    tree["layers"][0] |= {
        "mediaType": media_type,
        "urls": ["https://foreign.test/layer", "http://169.254.169.254/latest", "file:///etc/passwd"],
    }
    raw = json.dumps(tree).encode()
    registry_at(net).on(f"{MANIFESTS}/1.4", document(raw)).on(f"{MANIFESTS}/{Digest.of(raw)}", document(raw))
    hosts = [listening(net, "foreign.test"), listening(net, "near.test", scheme="http", address="169.254.169.254")]

    if way.name == "command line":
        for command in ("inspect", "validate", "history"):
            assert not way.command(command, "registry.test/acme/web:1.4").exit_code
    else:
        assert asked(way, lambda it: it.get_image("1.4")).error is None
    assert not any(host.connections for host in hosts)
