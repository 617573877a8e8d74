"""quay #1310, moby #17595: quay, moby

A store sent compressed configs and layers although the client had not requested compression. Clients hashed the
decompressed bytes instead of the received ones, or the reverse.

Nothing is decompressed in transit. Bytes that match the digest as received are accepted. Otherwise they are
decompressed once, and accepted only if the result matches.

TRN-21
"""

import gzip
from pathlib import Path

import pytest

from dreg_client import Digest, errors
from tests.faultserver import Network, answer
from tests.hostile.registry import BASE, BLOB, CONFIG, LAYER, LAYER_DIGEST, registry_at
from tests.hostile.ways import Way, refused


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip"])
def test_a_config_that_comes_packed_is_proven(library_way: Way, net: Network, encoding: str) -> None:
    place = f"{BASE}/blobs/{Digest.of(CONFIG)}"
    registry_at(net).on(place, answer(gzip.compress(CONFIG), "200 OK", f"Content-Encoding: {encoding}"))

    assert library_way.config("1.4").value.raw == CONFIG


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "br"])
def test_a_layer_whose_own_bytes_prove_is_left_as_it_is(
    library_way: Way, net: Network, tmp_path: Path, encoding: str
) -> None:
    packed = gzip.compress(LAYER)
    place = f"{BASE}/blobs/{Digest.of(packed)}"
    registry_at(net).on(place, answer(packed, "200 OK", f"Content-Encoding: {encoding}"))

    assert library_way.blob(Digest.of(packed), tmp_path / "layer").error is None
    assert (tmp_path / "layer").read_bytes() == packed


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "br"])
def test_what_proves_neither_way_is_refused(way: Way, net: Network, tmp_path: Path, encoding: str) -> None:
    registry_at(net).on(BLOB, answer(gzip.compress(b"else"), "200 OK", f"Content-Encoding: {encoding}"))

    refused(way.blob(LAYER_DIGEST, tmp_path / "layer"), errors.ContentEncodingError, errors.IntegrityError)
    assert not (tmp_path / "layer").exists()
