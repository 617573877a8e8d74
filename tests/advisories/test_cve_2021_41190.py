"""CVE-2021-41190, GHSA-mc8v-mgrf-8f4m, GHSA-77vh-xpmg-72qh, GHSA-5j5w-g665-5m35, GHSA-qq97-vm5h-rrhg,
GHSA-xmmx-7jpf-fx42: OCI specifications, moby, containerd and others

One client could read a document as an index and another could read it as a manifest, with the same digest and
signature.

A document with members of both kinds is rejected, and its `mediaType` must equal the type that it was served as.

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
