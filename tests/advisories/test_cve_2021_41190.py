"""CVE-2021-41190, GHSA-mc8v-mgrf-8f4m, GHSA-77vh-xpmg-72qh, GHSA-5j5w-g665-5m35, GHSA-qq97-vm5h-rrhg,
GHSA-xmmx-7jpf-fx42: OCI specifications, moby, containerd and others

One document could be read as an index by one client and as a manifest by the next, under one digest and one signature.

A document that has members of both is refused, and what it says of itself must be what it is served as.

MDL-01, MDL-02
"""

import json

import pytest

from dreg_client import errors
from tests.faultserver import Network
from tests.hostile.registry import INDEX, MANIFEST, MANIFESTS, OCI_INDEX, OCI_MANIFEST, document, registry_at
from tests.hostile.ways import Way, refused

BOTH = {**json.loads(INDEX), **json.loads(MANIFEST)}


@pytest.mark.parametrize("served", [OCI_INDEX, OCI_MANIFEST])
@pytest.mark.parametrize("said", [OCI_INDEX, OCI_MANIFEST, None])
def test_a_document_of_two_kinds_is_none(library_way: Way, net: Network, served: str, said: str | None) -> None:
    tree = {**BOTH, "mediaType": said} if said else {name: it for name, it in BOTH.items() if name != "mediaType"}
    registry_at(net).on(f"{MANIFESTS}/1.4", document(json.dumps(tree).encode(), served))

    refused(library_way.manifest("1.4"), errors.AmbiguousDocumentError, errors.MediaTypeMismatchError)


@pytest.mark.parametrize(("raw", "served"), [(MANIFEST, OCI_INDEX), (INDEX, OCI_MANIFEST)])
def test_a_document_is_what_it_is_served_as(way: Way, net: Network, raw: bytes, served: str) -> None:
    registry_at(net).on(f"{MANIFESTS}/1.4", document(raw, served))

    refused(way.manifest("1.4"), errors.MediaTypeMismatchError)
