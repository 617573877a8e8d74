"""CVE-2025-66471, CVE-2025-66418, CVE-2026-21441, CVE-2026-44432, CVE-2017-14992: urllib3, docker

A small body that was compressed once or several times used a lot of memory when it was decompressed.

Compressed responses are not requested, and are not decompressed in transit. Content that must be decompressed is
decompressed once, with a size limit.

TRN-21
"""

import gzip
from pathlib import Path

import pytest

from dreg_client import errors
from tests.advisories.scenes import memory
from tests.faultserver import Network, answer
from tests.hostile.registry import BLOB, LAYER_DIGEST, MANIFESTS, OCI_MANIFEST, TAGS, registry_at
from tests.hostile.ways import Way, refused

BOMB = gzip.compress(bytes(64 << 20))
TWICE = gzip.compress(BOMB)
MOST = 60 << 20


@pytest.mark.parametrize(("body", "encoding"), [(BOMB, "gzip"), (TWICE, "gzip, gzip"), (TWICE, "gzip")])
@pytest.mark.parametrize("http", ["httpx", "httpx2"])
def test_a_bomb_takes_no_memory(
    library_way: Way, net: Network, tmp_path: Path, body: bytes, encoding: str, http: str
) -> None:
    said = ("200 OK", f"Content-Encoding: {encoding}")
    registry = registry_at(net).on(f"{MANIFESTS}/1.4", answer(body, *said, f"Content-Type: {OCI_MANIFEST}"))
    registry.on(TAGS, answer(body, *said)).on(BLOB, answer(body, *said))
    library_way.options["http"] = http

    with memory(MOST):
        refused(library_way.manifest("1.4"), errors.DregError)
        refused(library_way.tags(), errors.DregError)
        refused(library_way.blob(LAYER_DIGEST, tmp_path / "layer"), errors.ContentEncodingError, errors.IntegrityError)
    assert not (tmp_path / "layer").exists()
    assert {heard.header("accept-encoding") for heard in registry.requests} == {"identity"}
