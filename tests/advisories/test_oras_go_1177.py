"""oras-go #1177, serverless-registry #134, kaniko #298, go-containerregistry #56, oras-go #949: oras-go,
serverless-registry, kaniko, go-containerregistry

Lengths and digests in headers did not match the content, in responses to HEAD or in all responses, and clients trusted
them.

Only the bytes are trusted. A header that contradicts them is an error, and a header that cannot be parsed is ignored.

DLD-04, DLD-06
"""

from pathlib import Path

import pytest

from dreg_client import errors
from tests.advisories.scenes import asked
from tests.faultserver import Network, answer
from tests.hostile.registry import (
    BLOB,
    DIGEST,
    LAYER,
    LAYER_DIGEST,
    MANIFEST,
    MANIFESTS,
    OCI_MANIFEST,
    document,
    registry_at,
)
from tests.hostile.ways import Way, refused


def test_head_may_say_another_length_than_get(library_way: Way, net: Network) -> None:
    claims = (f"Content-Type: {OCI_MANIFEST}", f"Docker-Content-Digest: {DIGEST}")
    registry_at(net).on(f"{MANIFESTS}/1.4", answer(b"", "200 OK", *claims, length=7), method="HEAD")

    assert library_way.resolve("1.4").error is None
    assert library_way.manifest("1.4").value.raw == MANIFEST


@pytest.mark.parametrize(
    ("claim", "is_refused"), [("nonsense", False), (f"md5:{'a' * 32}", False), (str(LAYER_DIGEST), True)]
)
def test_a_digest_in_a_header_is_a_claim(library_way: Way, net: Network, claim: str, is_refused: bool) -> None:
    registry_at(net).on(f"{MANIFESTS}/1.4", document(MANIFEST, OCI_MANIFEST, f"Docker-Content-Digest: {claim}"))
    outcome = library_way.manifest("1.4")

    assert (outcome.kind is errors.DigestMismatchError) == is_refused
    assert is_refused or outcome.value.digest == DIGEST


@pytest.mark.parametrize("body", [LAYER + b"x", LAYER[:-1]])
def test_a_blob_of_another_size_than_its_descriptor_says_is_refused(
    library_way: Way, net: Network, tmp_path: Path, body: bytes
) -> None:
    registry_at(net).on(BLOB, answer(body))

    def download(repository: object) -> object:
        from dreg_client import parse_manifest

        layer = parse_manifest(MANIFEST).layers[0]  # type: ignore[union-attr]
        return repository.download_blob(layer, tmp_path / "layer")  # type: ignore[attr-defined]

    refused(asked(library_way, download), errors.SizeMismatchError)
    assert not (tmp_path / "layer").exists()
