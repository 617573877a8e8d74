"""CVE-2025-24882, GHSA-qv35-3gw6-8q4j: regclient

A registry could respond to a request by digest with another manifest. The client trusted the digest in the response
header.

A digest in a response is not trusted. The bytes are hashed and compared with the requested digest.

DLD-07
"""

import pytest

from dreg_client import Digest, errors
from tests.faultserver import Network
from tests.hostile.registry import DIGEST, MANIFEST, MANIFESTS, OCI_MANIFEST, document, registry_at
from tests.hostile.ways import Way, refused

OTHER = MANIFEST.replace(b'"size": 1600', b'"size": 1601')
OTHERS = Digest.of(OTHER)


@pytest.mark.parametrize(
    "claim", [f"Docker-Content-Digest: {DIGEST}", f"Docker-Content-Digest: {OTHERS}", "X-No: claim"]
)
def test_another_manifest_under_a_pinned_digest_is_refused(way: Way, net: Network, claim: str) -> None:
    registry_at(net).on(f"{MANIFESTS}/{DIGEST}", document(OTHER, OCI_MANIFEST, claim))

    refused(way.manifest(str(DIGEST)), errors.DigestMismatchError)
