"""opa #6580, renovate #3877, oras-java #334: opa, renovate, oras-java

Blob storage with signed URLs rejects requests that also have the token of the registry ("only one auth mechanism
allowed"). Clients sent the token to the storage, so downloads failed.

The headers of every request are built from scratch, so the token is not sent to the storage.

TRN-01
"""

from pathlib import Path

from tests.faultserver import Network, Piece, answer, challenge, redirect, sentence
from tests.faultserver.hosts import Heard
from tests.hostile.registry import BLOB, LAYER, LAYER_DIGEST, registry_at
from tests.hostile.secrets import SIGNED, TOKEN
from tests.hostile.ways import Way


def test_a_signed_address_is_asked_by_its_signature_alone(way: Way, net: Network, tmp_path: Path) -> None:
    registry = registry_at(net).on(
        BLOB,
        challenge('Bearer realm="https://registry.test/token",service="s"'),
        redirect(f"https://bucket.test/layer?X-Amz-Algorithm=A&X-Amz-Signature={SIGNED}"),
    )
    registry.on("/token", answer(sentence({"token": TOKEN}), "200 OK", "Content-Type: application/json"))
    bucket = net.host("bucket.test").on("/layer", _store)

    assert way.blob(LAYER_DIGEST, tmp_path / "layer").error is None
    assert (tmp_path / "layer").read_bytes() == LAYER
    assert bucket.requests[0].query["X-Amz-Signature"] == [SIGNED]
    assert registry.secrets == [f"Bearer {TOKEN}"]


def _store(heard: Heard) -> Piece:
    if heard.header("authorization"):
        return answer(b"<Error>Only one auth mechanism allowed</Error>", "400 Bad Request")
    return answer(LAYER)
