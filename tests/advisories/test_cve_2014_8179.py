"""CVE-2014-8179: docker

The client verified one part of a response and used another, so an attacker could add anything to the rest.

The bytes that are hashed are the bytes that are parsed, once. A member that occurs twice is rejected.

MDL-04
"""

import pytest

from dreg_client import errors
from tests.faultserver import Network
from tests.hostile.registry import DIGEST, MANIFEST, MANIFESTS, OCI_MANIFEST, document, registry_at
from tests.hostile.ways import Way, refused

MEMBERS = [b'"layers": []', b'"config": {}', b'"schemaVersion": 2', f'"mediaType": "{OCI_MANIFEST}"'.encode()]


@pytest.mark.parametrize("name", MEMBERS)
def test_a_member_beside_itself_is_refused(library_way: Way, net: Network, name: bytes) -> None:
    for raw in (MANIFEST.replace(b"{", b"{" + name + b",", 1), MANIFEST.rstrip(b"}") + b"," + name + b"}"):
        registry_at(net).on(f"{MANIFESTS}/1.4", document(raw))

        refused(library_way.manifest("1.4"), errors.AmbiguousDocumentError)


def test_what_is_read_is_what_was_hashed(library_way: Way, net: Network) -> None:
    """Whoever asked twice, once for the digest and once for the document, would get another one."""
    registry = registry_at(net).on(
        f"{MANIFESTS}/{DIGEST}", document(MANIFEST), document(MANIFEST.replace(b'"size": 1600', b'"size": 1601'))
    )

    assert library_way.manifest(str(DIGEST)).value.raw == MANIFEST
    assert len(registry.requests) == 1
