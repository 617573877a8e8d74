"""Bytes that change, digests that differ, mounts and chunk sizes: UPL-09, UPL-11, UPL-13, UPL-14, UPL-15."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dreg_client import errors
from tests.faultserver import RESET, Network, answer, refusal
from tests.hostile.registry import MANIFEST, MANIFESTS
from tests.hostile.secrets import PASSWORD, USER
from tests.hostile.uploads import BASE, CHUNK, GHCR, MANY, SMALL, Fault, Uploads, digest, uploads_at
from tests.hostile.ways import Way, refused

OTHER = digest(b"other")


def test_upl_09_another_digest_than_that_of_the_bytes_is_an_error(way: Way, net: Network) -> None:
    uploads_at(net).fails("PUT", answer(b"", 201, f"Docker-Content-Digest: {OTHER}"))

    outcome = refused(way.push(SMALL), errors.DigestMismatchError)
    assert OTHER in outcome.text


@pytest.mark.parametrize("stated", ["", "Docker-Content-Digest: none", "Docker-Content-Digest: blake3:00"])
def test_upl_09_a_digest_that_cannot_be_compared_is_ignored(way: Way, net: Network, stated: str) -> None:
    uploads_at(net).fails("PUT", answer(b"", 201, *filter(None, [stated])))

    assert way.push(SMALL).kind is None


@pytest.mark.parametrize("status", [200, 202, 204])
def test_upl_09_another_status_than_201_is_confirmed_by_a_head(way: Way, net: Network, status: int) -> None:
    uploads = uploads_at(net).fails("PUT", answer(b"", status), times=2)
    uploads.fails("HEAD", answer(b"", 404)).fails("HEAD", answer(SMALL))
    assert way.push(SMALL).kind is None

    outcome = refused(way.push(SMALL), errors.ProtocolError)
    assert f"status {status} instead of 201" in outcome.text


CHANGES: dict[str, tuple[Callable[[Path], object], type[errors.DregError]]] = {
    "shrinks": (lambda path: path.write_bytes(SMALL[:-1]), errors.SizeMismatchError),
    "grows": (lambda path: path.write_bytes(SMALL + b"."), errors.SizeMismatchError),
    "is emptied": (lambda path: path.write_bytes(b""), errors.SizeMismatchError),
    "changes": (lambda path: path.write_bytes(b"." + SMALL[1:]), errors.DigestMismatchError),
    "disappears": (lambda path: path.unlink(), errors.FileError),
}


@pytest.mark.parametrize(("change", "kind"), CHANGES.values(), ids=CHANGES)
def test_upl_11_a_file_that_changes_is_not_uploaded(
    way: Way, net: Network, tmp_path: Path, change: Callable[[Path], object], kind: type[errors.DregError]
) -> None:
    path = tmp_path / "layer"
    path.write_bytes(SMALL)
    uploads = uploads_at(net)
    opened = answer(b"", 202, f"Location: {BASE}/blobs/uploads/u0")
    uploads.faults["POST"] = [Fault((opened,), also=lambda: change(path))]
    uploads.sessions["u0"] = bytearray()

    refused(way.push(path), kind)
    assert uploads.methods == ["HEAD", "POST", "DELETE"]  # the body of the PUT was not complete
    assert not uploads.blobs
    assert not uploads.sessions


def test_upl_11_bytes_with_another_digest_than_the_given_one_are_not_uploaded(way: Way, net: Network) -> None:
    uploads = uploads_at(net)

    refused(way.push(SMALL, digest=OTHER), errors.DigestMismatchError)
    assert uploads.methods == ["HEAD", "POST", "DELETE"]


def test_upl_11_pieces_with_another_digest_than_the_given_one_are_not_completed(way: Way, net: Network) -> None:
    uploads, way.registry = uploads_at(net, GHCR), GHCR

    refused(way.push(MANY, in_pieces=True, digest=OTHER), errors.DigestMismatchError)
    assert "PUT" not in uploads.methods
    assert not uploads.sessions


def mounted(net: Network, *first: bytes) -> Uploads:
    """A registry that has the blob in no repository, and answers a mount so."""
    uploads = uploads_at(net)
    for piece in first:
        uploads.fails("POST", piece)
    return uploads


def test_upl_13_a_mount_is_confirmed_by_a_head(way: Way, net: Network) -> None:
    uploads = mounted(net, answer(b"", 201)).fails("HEAD", answer(b"", 404))
    uploads.blobs[digest(SMALL)] = SMALL

    assert way.push(SMALL, mount_from="acme/base").kind is None
    query = f"mount=sha256%3A{digest(SMALL)[7:]}&from=acme/base"
    assert uploads.host.asked[1] == f"POST {BASE}/blobs/uploads/?{query}"
    assert set(uploads.methods) == {"HEAD", "POST"}


def test_upl_13_an_upload_that_opens_instead_of_a_mount_is_used(way: Way, net: Network) -> None:
    uploads = uploads_at(net)

    assert way.push(SMALL, mount_from="acme/base").kind is None
    assert uploads.methods == ["HEAD", "POST", "PUT"]


@pytest.mark.parametrize("status", [201, 400, 401, 403, 404, 405, 416])
def test_upl_13_a_mount_that_fails_is_followed_by_an_upload(way: Way, net: Network, status: int) -> None:
    uploads = mounted(net, refusal(status))

    assert way.push(SMALL, mount_from="acme/base").kind is None
    assert uploads.blobs == {digest(SMALL): SMALL}
    assert uploads.methods.count("POST") == 2


@pytest.mark.parametrize("repository", ["other.test:5000/acme/web", "https://other.test/acme/web", "acme/web@x", ""])
def test_upl_13_another_registry_is_never_mounted_from(way: Way, net: Network, repository: str) -> None:
    uploads = uploads_at(net)

    assert way.push(SMALL, mount_from=repository).kind is not None
    assert uploads.host.requests == []


@pytest.mark.parametrize("shortest", ["0", "-1", "abc", "1", "5 MiB", ""])
def test_upl_14_a_chunk_size_that_is_no_number_is_ignored(way: Way, net: Network, shortest: str) -> None:
    uploads, way.registry = uploads_at(net, GHCR), GHCR
    uploads.headers = (f"OCI-Chunk-Min-Length: {shortest}",)

    assert way.push(MANY, in_pieces=True).kind is None
    assert uploads.methods.count("PATCH") == 3


def test_upl_14_chunks_are_as_long_as_the_registry_requires(way: Way, net: Network) -> None:
    uploads, way.registry = uploads_at(net, GHCR), GHCR
    uploads.headers = (f"OCI-Chunk-Min-Length: {CHUNK + 77}",)

    assert way.push(MANY, in_pieces=True).kind is None
    sizes = [len(heard.body) for heard in uploads.host.requests if heard.method == "PATCH"]
    assert sizes == [CHUNK + 77, CHUNK + 77, len(MANY) - 2 * (CHUNK + 77)]
    assert uploads.blobs == {digest(MANY): MANY}


@pytest.mark.parametrize("shortest", [64 * 1024 * 1024 + 1, 10**12, 10**18])
def test_upl_14_what_fits_into_memory_is_sent_at_once_instead_of_huge_chunks(
    way: Way, net: Network, shortest: int
) -> None:
    uploads, way.registry = uploads_at(net, GHCR), GHCR
    uploads.headers = (f"OCI-Chunk-Min-Length: {shortest}",)

    assert way.push(MANY, in_pieces=True).kind is None
    assert uploads.methods == ["POST", "PUT"]
    assert uploads.blobs == {digest(MANY): MANY}


@pytest.mark.parametrize("in_pieces", [True, False])
def test_upl_14_a_request_that_is_too_large_is_not_repeated(way: Way, net: Network, in_pieces: bool) -> None:
    uploads, way.registry = uploads_at(net, GHCR), GHCR
    way.options["retries"] = 5
    for method in ("PATCH", "PUT"):
        uploads.fails(method, refusal(413), times=2)

    outcome = refused(way.push(MANY if in_pieces else SMALL, in_pieces=in_pieces), errors.UploadError)
    assert "limits the size of requests" in outcome.text
    assert uploads.methods.count("PATCH") + uploads.methods.count("PUT") == 1


def test_upl_14_chunks_become_smaller_after_a_refusal(way: Way, net: Network) -> None:
    content = MANY * 2
    uploads = uploads_at(net)
    too_large = refusal("416 Range Not Satisfiable", "SIZE_INVALID")
    uploads.fails("PATCH", too_large, times=2)

    assert way.push(content, in_pieces=True).kind is None
    sizes = [len(heard.body) for heard in uploads.host.requests if heard.method == "PATCH"]
    assert sizes == [4 * CHUNK, 4 * CHUNK, CHUNK, CHUNK, CHUNK, CHUNK, len(content) - 4 * CHUNK]


def test_upl_14_a_registry_without_chunks_gets_the_file_at_once(way: Way, net: Network, tmp_path: Path) -> None:
    uploads = uploads_at(net).fails("PATCH", refusal(405, "UNSUPPORTED"))
    way.environment = {"XDG_STATE_HOME": str(tmp_path / "state")}

    assert way.push(SMALL, resume=True).kind is None
    assert uploads.methods == ["HEAD", "POST", "PATCH", "POST", "PUT"]


def test_upl_15_a_manifest_is_sent_again_after_a_lost_response(way: Way, net: Network) -> None:
    stored = answer(b"", 201, f"Docker-Content-Digest: {digest(MANIFEST)}")
    registry = net.host("registry.test").on(f"{MANIFESTS}/1.4", (RESET,), stored)
    way.options["retries"] = 1

    assert way.put(MANIFEST, "1.4").kind is None
    assert [heard.body for heard in registry.requests] == [MANIFEST, MANIFEST]


def test_upl_15_another_digest_of_a_manifest_is_an_error(way: Way, net: Network) -> None:
    net.host("registry.test").on(f"{MANIFESTS}/1.4", answer(b"", 201, f"Docker-Content-Digest: {OTHER}"))

    refused(way.put(MANIFEST, "1.4"), errors.DigestMismatchError)


def test_upl_01_a_challenge_never_consumes_a_body(way: Way, net: Network) -> None:
    uploads, way.registry = uploads_at(net, GHCR), GHCR
    way.credentials = (USER, PASSWORD)
    needed = refusal("401 Unauthorized", "UNAUTHORIZED", "no", 'WWW-Authenticate: Basic realm="r"')
    uploads.fails("POST", needed)

    assert way.push(MANY, in_pieces=True).kind is None
    bodies = [len(heard.body) for heard in uploads.host.requests if heard.body]
    assert sum(bodies) == len(MANY)


def test_upl_05_a_token_that_expires_during_an_upload_is_replaced(way: Way, net: Network) -> None:
    uploads, way.registry = uploads_at(net, GHCR), GHCR
    tokens = net.host("auth.ghcr.io").on("/token", *(answer(b'{"token":"t%d"}' % n) for n in range(9)))
    needed = (
        'WWW-Authenticate: Bearer realm="https://auth.ghcr.io/token",service="s",scope="repository:acme/web:pull,push"'
    )
    expired = refusal("401 Unauthorized", "UNAUTHORIZED", "expired", needed)
    uploads.fails("POST", expired).fails("PATCH", expired)

    assert way.push(MANY, in_pieces=True).kind is None
    assert uploads.blobs == {digest(MANY): MANY}
    used = [heard.header("authorization") for heard in uploads.host.requests if heard.method == "PATCH"]
    assert len(set(used)) == 2
    assert len(tokens.requests) == 2
