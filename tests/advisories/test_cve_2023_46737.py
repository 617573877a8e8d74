"""CVE-2023-46737, CVE-2024-29902, CVE-2024-29903, CVE-2023-33957, CVE-2023-33958: cosign, notation

An image with a huge number of signatures, or with huge signatures, kept the verifier busy indefinitely.

The number of pages and entries of a list, the size of each page, and the number of descriptors in a document are
limited.

DLD-20, MDL-14
"""

import json

from dreg_client import errors
from tests.faultserver import Drip, Network, answer, head, sentence
from tests.hostile.registry import BASE, DIGEST, OCI_INDEX, OCI_MANIFEST, registry_at
from tests.hostile.ways import Way, refused

PLACE = f"{BASE}/referrers/{DIGEST}"
ENTRY = {"mediaType": OCI_MANIFEST, "digest": str(DIGEST), "size": 7}


def test_signatures_without_an_end_come_to_one(library_way: Way, net: Network) -> None:
    page = sentence({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [ENTRY]})
    registry = registry_at(net).on(
        PLACE, answer(page, "200 OK", f"Content-Type: {OCI_INDEX}", f'Link: <{PLACE}?last=1>; rel="next"')
    )

    refused(library_way.referrers(DIGEST), errors.TooManyPagesError)
    assert len(registry.requests) <= 3


def test_very_many_signatures_on_one_page_are_refused(way: Way, net: Network) -> None:
    page = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [ENTRY] * 10_001}).encode()
    registry_at(net).on(PLACE, answer(page, "200 OK", f"Content-Type: {OCI_INDEX}"))

    refused(way.referrers(DIGEST), errors.DocumentError, errors.LimitExceededError, errors.ProtocolError)


def test_a_page_of_signatures_has_a_limit(library_way: Way, net: Network) -> None:
    start = head("200 OK", f"Content-Type: {OCI_INDEX}", "Transfer-Encoding: chunked")
    registry_at(net).on(PLACE, (start, Drip(b"%x\r\n%b\r\n" % (65536, b" " * 65536))))

    refused(library_way.referrers(DIGEST), errors.ResponseTooLargeError)
