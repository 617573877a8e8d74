"""CVE-2024-3727: containers/image

The digest of a manifest was used in paths and requests without checking its form.

A digest is a type whose values are always well-formed.

MDL-09, LAY-05
"""

import json
from typing import TYPE_CHECKING

import pytest

from dreg_client import Digest, errors
from tests.advisories.scenes import fails
from tests.faultserver import Network
from tests.hostile.registry import MANIFEST, MANIFESTS, document, registry_at
from tests.hostile.ways import Way, refused

if TYPE_CHECKING:
    from tests.layout.conftest import LayoutBuilder

BAD = ["sha256:../../../etc/passwd", "sha256:", "../../../_catalog", "sha256:" + "a" * 63 + "/", "sha256:" + "A" * 64]


@pytest.mark.parametrize("digest", BAD)
def test_a_digest_that_is_none_asks_for_nothing(library_way: Way, net: Network, digest: str) -> None:
    tree = json.loads(MANIFEST)
    tree["config"]["digest"] = digest
    registry = registry_at(net).on(f"{MANIFESTS}/1.4", document(json.dumps(tree).encode()))

    refused(library_way.config("1.4"), errors.InvalidDocumentError)
    assert registry.asked == [f"GET {MANIFESTS}/1.4"]
    fails(errors.InvalidDigestError, lambda: Digest(digest))


@pytest.mark.parametrize("digest", BAD)
def test_a_digest_that_is_none_opens_no_file(build: "LayoutBuilder", digest: str) -> None:
    build.tag("1.4", {**build.image(), "digest": digest})

    fails(errors.InvalidDocumentError, build.layout)
