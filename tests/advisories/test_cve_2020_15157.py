"""CVE-2020-15157: containerd

A layer could name its own URLs. If such a host required authentication, it received the
credential of the registry.

URLs in a document are never requested. A credential is used only for a challenge of the registry itself.

AUT-10, MDL-19
"""

import json
from pathlib import Path

from dreg_client import Digest, errors
from tests.advisories.scenes import listening, luring, shown
from tests.faultserver import Network, challenge, refusal
from tests.hostile.registry import BLOB, LAYER_DIGEST, MANIFEST, MANIFESTS, document, registry_at
from tests.hostile.ways import Way, refused


def test_an_address_of_a_layer_is_not_asked(way: Way, net: Network, tmp_path: Path) -> None:
    tree = json.loads(MANIFEST)
    tree["layers"][0]["urls"] = ["https://foreign.test/layer"]
    raw = json.dumps(tree).encode()
    registry = registry_at(net).on(f"{MANIFESTS}/{Digest.of(raw)}", document(raw)).on(BLOB, refusal("404 No"))
    foreign = listening(net, "foreign.test")

    assert shown(way).manifest(str(Digest.of(raw))).error is None
    refused(way.blob(LAYER_DIGEST, tmp_path / "layer"), errors.NotFoundError)
    assert not foreign.requests
    assert registry.requests


def test_a_challenge_of_another_host_is_not_answered(way: Way, net: Network, tmp_path: Path) -> None:
    luring(net, "https://foreign.test/layer")
    foreign = listening(net, "foreign.test")
    foreign.on("/layer", challenge('Bearer realm="https://foreign.test/token"'))

    refused(shown(way).blob(LAYER_DIGEST, tmp_path / "layer"), errors.UnauthorizedError)
    assert foreign.asked == ["GET /layer"]
    assert not foreign.secrets
