"""What a registry states of a manifest: read without models, by the rules of descriptors."""

import copy
import pickle
from dataclasses import replace

import pytest
from pydantic import ValidationError

from dreg_client import errors
from dreg_client.models.descriptor import Descriptor
from dreg_client.protocol import blobs, manifests
from dreg_client.protocol.content import RawManifest
from dreg_client.protocol.messages import Headers, Response
from dreg_client.values import media_type as types
from dreg_client.values.digest import Digest
from dreg_client.values.reference import RepositoryName, Tag

WEB = RepositoryName("acme/web")
TAG = Tag("1.4")
SOME = Digest.of(b"some")
EMPTY = Digest.of(b"")


def head(status: int = 200, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(
        status, Headers(named.items()), url="https://registry.example/v2/", registry="https://registry.example"
    )


def stated(digest: str = SOME, size: str = "4", media_type: str = types.OCI_MANIFEST) -> Response:
    return head(docker_content_digest=digest, content_length=size, content_type=media_type)


def read(response: Response, name: manifests.TagOrDigest = TAG) -> manifests.ManifestHead | None:
    return manifests.manifest_head(response, manifests.manifest_request("HEAD", WEB, name), name)


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_raw_manifest_always_has_the_digest_of_its_bytes(algorithm: str) -> None:
    digest = Digest.of(b"some", algorithm)

    assert RawManifest(b"some", types.OCI_MANIFEST, digest).digest == digest
    assert RawManifest(b"some", types.OCI_MANIFEST).digest == SOME
    with pytest.raises(errors.DigestMismatchError):
        RawManifest(b"other", types.OCI_MANIFEST, digest)
    with pytest.raises(errors.UnsupportedDigestError):
        RawManifest(b"some", types.OCI_MANIFEST, Digest(f"blake3:{SOME.encoded}"))


def test_a_raw_manifest_can_be_pickled_and_copied() -> None:
    found = RawManifest(b"some", types.OCI_MANIFEST, SOME)

    assert pickle.loads(pickle.dumps(found)) == copy.copy(found) == replace(found) == found


def test_head_states_type_digest_and_size() -> None:
    found = read(stated())

    assert found == manifests.ManifestHead(types.OCI_MANIFEST, SOME, 4)
    assert found is not None
    assert found.descriptor == Descriptor(mediaType=types.OCI_MANIFEST, digest=SOME, size=4)


@pytest.mark.parametrize("digest", [SOME, EMPTY, Digest.of(b"", "sha512"), Digest.of(b"some", "sha512")])
@pytest.mark.parametrize("size", [0, 1, 2**63 - 1, 2**63, 10**19 - 1])
@pytest.mark.parametrize(
    "media_type",
    [
        *sorted(types.KNOWN),
        "application/x",
        "application",
        "a/b/c",
        "a b/c",
        "x" * 127 + "/" + "y" * 127,
        "x" * 128 + "/y",
    ],
)
def test_head_states_what_a_descriptor_can_hold_and_nothing_else(digest: Digest, size: int, media_type: str) -> None:
    try:
        wanted = Descriptor.model_validate({"mediaType": media_type, "digest": digest, "size": size})
    except ValidationError:
        wanted = None
    if size == 0:
        wanted = None  # a valid descriptor, but of no manifest
    found = read(stated(digest, str(size), media_type))

    assert (found.descriptor if found else None) == wanted


@pytest.mark.parametrize("status", [400, 403, 404, 405, 406, 410, 500, 501])
def test_dld_21_after_these_statuses_get_is_sent(status: int) -> None:
    assert read(head(status)) is None


@pytest.mark.parametrize("media_type", ["", "text/html", "application/json", "text/plain"])
def test_dld_21_what_says_too_little_states_nothing(media_type: str) -> None:
    assert read(stated(media_type=media_type)) is None
    assert read(stated(size="")) is None
    assert read(stated(digest="")) is None
    assert read(stated(), Digest.of(b"other")) is None


def test_other_statuses_of_head_are_errors() -> None:
    with pytest.raises(errors.UnauthorizedError):
        read(head(401))
    with pytest.raises(errors.RateLimitedError):
        read(head(429))


def test_what_was_written_has_the_digest_of_what_was_sent() -> None:
    request = manifests.put_request(WEB, TAG, b"some", types.OCI_MANIFEST)

    assert manifests.written_digest(head(201), request, TAG) == SOME
    with pytest.raises(errors.DigestMismatchError):
        manifests.written_digest(head(201, docker_content_digest=EMPTY), request, TAG)


def test_a_blob_is_proven_by_head_only_where_that_names_its_digest() -> None:
    request = blobs.blob_request("HEAD", WEB, SOME)

    assert blobs.head_proves(head(docker_content_digest=SOME), request, SOME)
    assert not blobs.head_proves(head(docker_content_digest=EMPTY), request, SOME)
    assert not blobs.head_proves(head(404), request, SOME)
    with pytest.raises(errors.UnauthorizedError):
        blobs.head_proves(head(401), request, SOME)


@pytest.mark.parametrize(("status", "there"), [(404, False), (206, True), (200, True)])
def test_trn_24_else_its_first_byte_tells(status: int, there: bool) -> None:
    request = blobs.first_byte_request(WEB, SOME)

    response = head(status, content_range="bytes 0-0/4") if status == 206 else head(status)
    assert blobs.has_first_byte(response, request, SOME, head(200)) is there


@pytest.mark.parametrize("of", ["sha256", "sha512"])
def test_tag_23_only_an_empty_blob_has_no_first_byte(of: str) -> None:
    empty = Digest.of(b"", of)
    request = blobs.first_byte_request(WEB, empty)

    assert blobs.has_first_byte(head(416), request, empty, head(404))
    with pytest.raises(errors.RegistryError, match="416"):
        blobs.has_first_byte(head(416), request, Digest.of(b"x", of), head(404))


@pytest.mark.parametrize("stated", ["", "bytes 1-1/4", "bytes */4", "bytes 0-0", "items 0-0/4"])
def test_tag_23_another_part_is_not_the_first_byte(stated: str) -> None:
    request = blobs.first_byte_request(WEB, SOME)

    with pytest.raises(errors.ProtocolError, match="first byte"):
        blobs.has_first_byte(head(206, content_range=stated), request, SOME, head(404))


def test_trn_24_something_of_two_lengths_is_no_blob() -> None:
    request = blobs.first_byte_request(WEB, SOME)

    with pytest.raises(errors.ProtocolError, match="5 bytes according to HEAD"):
        blobs.has_first_byte(head(206, content_range="bytes 0-0/4"), request, SOME, head(200, content_length="5"))
