"""CVE-2025-59348, CVE-2025-59410: Dragonfly

Pieces of a file were verified with MD5 or not at all, and TLS certificates were not checked.

Only sha256 and sha512 are accepted for verification. Content with another digest is not requested.

REF-09
"""

from pathlib import Path

import pytest

from dreg_client import errors
from tests.faultserver import Network
from tests.hostile.registry import registry_at
from tests.hostile.ways import Way, refused


@pytest.mark.parametrize("digest", ["md5:" + "a" * 32, "sha1:" + "a" * 40, "blake3:" + "a" * 64])
def test_a_digest_that_proves_nothing_is_not_asked_for(
    library_way: Way, net: Network, tmp_path: Path, digest: str
) -> None:
    registry = registry_at(net)

    refused(library_way.blob(digest, tmp_path / "layer"), errors.UnsupportedDigestError)
    refused(library_way.manifest(digest), errors.UnsupportedDigestError)
    assert not registry.requests
