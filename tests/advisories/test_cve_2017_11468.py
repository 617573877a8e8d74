"""CVE-2017-11468, CVE-2023-2253, CVE-2020-1702, CVE-2023-25153, CVE-2024-3056: distribution, containers/image,
containerd, podman

Documents and lists of any length were read into memory.

Every response body has a size limit, and nothing is read past it.

DLD-20
"""

from dreg_client import errors
from tests.advisories.scenes import guarded, memory
from tests.faultserver import Drip, Network, head
from tests.hostile.registry import MANIFESTS, OCI_MANIFEST, TAGS, registry_at
from tests.hostile.ways import Way, refused

PIECE = b"%x\r\n%b\r\n" % (65536, b" " * 65536)
MOST = 20 << 20


def endless(media_type: str) -> tuple[bytes, Drip]:
    return head("200 OK", f"Content-Type: {media_type}", "Transfer-Encoding: chunked"), Drip(PIECE)


def test_a_manifest_without_an_end_is_read_to_its_limit(way: Way, net: Network) -> None:
    registry_at(net).on(f"{MANIFESTS}/1.4", endless(OCI_MANIFEST))

    with memory(MOST):
        refused(way.manifest("1.4"), errors.ResponseTooLargeError)


def test_neither_does_a_list_of_tags(library_way: Way, net: Network) -> None:
    registry_at(net).on(TAGS, endless("application/json"))

    with memory(MOST):
        refused(library_way.tags(), errors.ResponseTooLargeError)


def test_neither_does_a_token(library_way: Way, net: Network) -> None:
    guarded(net, "https://registry.test/token").on("/token", endless("application/json"))

    with memory(MOST):
        refused(library_way.tags(), errors.ResponseTooLargeError)
