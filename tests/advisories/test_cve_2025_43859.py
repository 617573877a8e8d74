"""CVE-2025-43859: h11

The end of a chunk was not checked, so two programs that read the same connection could see different responses.

A chunk with an invalid end closes the connection, and the request is not repeated.

TRN-28
"""

from pathlib import Path

import pytest

from dreg_client import errors
from tests.faultserver import END, Network, head
from tests.hostile.registry import BASE, MANIFEST, MANIFESTS, OCI_MANIFEST, TAGS, listed, registry_at
from tests.hostile.ways import Way, refused


@pytest.mark.parametrize("end", [b"xx", b"\n\n", b"\r\r", b"\0\0"])
@pytest.mark.parametrize("http", ["httpx", "httpx2"])
def test_a_chunk_ends_as_it_must(library_way: Way, net: Network, tmp_path: Path, end: bytes, http: str) -> None:
    start = head("200 OK", f"Content-Type: {OCI_MANIFEST}", "Transfer-Encoding: chunked")
    said = start + b"%x\r\n%b%b0\r\n\r\n" % (len(MANIFEST), MANIFEST, end)
    registry = registry_at(net).on(f"{MANIFESTS}/1.4", (said, END)).on(TAGS, listed("1.4"))
    library_way.options["http"] = http

    refused(library_way.manifest("1.4"), errors.ProtocolError)
    assert registry.asked == [f"GET {BASE}/manifests/1.4"]
