"""CVE-2025-43859: h11

What ends a chunk was not looked at, so that two readers of one connection could see different answers in it.

A chunk that does not end as it must ends the connection, and is not asked for again.

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
