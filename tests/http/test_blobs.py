"""Blobs: proven by their digest, in memory, in a file, packed or not."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Digest, errors
from tests.doors import Door, repository
from tests.http.documents import (
    CONFIG,
    LAYER,
    LAYER_DIGEST,
    MANIFEST,
    OCI_MANIFEST,
    described,
    image,
    served,
)


def always(answer: Any) -> Any:
    return lambda _: answer


def blob(registry: Any) -> Any:
    return repository(registry).get_blob(LAYER_DIGEST)


def test_row_39_a_blob_is_proven(door: Door) -> None:
    assert door.run(image, blob) == LAYER
    with pytest.raises(errors.NotFoundError):
        door.run(always(404), blob)


def test_dld_05_other_bytes_are_asked_for_once_more_past_all_caches(door: Door) -> None:
    answers = [served(b"x" * len(LAYER)), served(LAYER)]

    assert door.run(lambda _: answers.pop(0), blob) == LAYER
    assert door.seen[1].headers["cache-control"] == "no-cache"

    door.seen.clear()
    with pytest.raises(errors.DigestMismatchError):
        door.run(always(served(b"x" * len(LAYER))), blob)
    assert len(door.seen) == 2


def test_d_01_a_blob_that_comes_packed_is_unpacked_where_that_is_what_was_asked_for(door: Door) -> None:
    packed = gzip.compress(LAYER)

    assert door.run(always(served(packed, Content_Encoding="gzip")), blob) == LAYER
    with pytest.raises(errors.ContentEncodingError):
        door.run(always(served(gzip.compress(b"else"), Content_Encoding="gzip")), blob)


def test_d_01_a_blob_whose_own_bytes_are_gzip_is_left_as_it_is(door: Door) -> None:
    packed = gzip.compress(LAYER)
    answer = always(served(packed, Content_Encoding="gzip"))

    assert door.run(answer, lambda registry: repository(registry).get_blob(Digest.of(packed))) == packed
    assert len(door.seen) == 1


def test_d_01_a_config_and_a_manifest_may_come_packed_too(door: Door) -> None:
    def packed(request: Any) -> Any:
        status, headers, body = image(request)  # type: ignore[misc]
        octets = gzip.compress(body)
        return status, {**headers, "Content-Encoding": "gzip", "Content-Length": str(len(octets))}, octets

    def read(registry: Any) -> Any:
        return repository(registry).get_config("1.4")

    assert door.run(packed, read).digest == Digest.of(CONFIG)
    with pytest.raises(errors.ContentEncodingError):
        door.run(lambda _: served(gzip.compress(MANIFEST)[:-9], Content_Encoding="gzip"), read)
    with pytest.raises(errors.ContentEncodingError):
        door.run(lambda _: served(gzip.compress(b" " * 5_000_000), Content_Encoding="gzip"), read)
    with pytest.raises(errors.ContentEncodingError):
        door.run(lambda _: served(MANIFEST, Content_Encoding="br"), read)


def test_q_01_how_many_pulls_are_left_is_told(door: Door) -> None:
    told: list[Any] = []
    limits = {"RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": "76;w=21600"}

    def limited(request: Any) -> Any:
        status, headers, body = image(request)  # type: ignore[misc]
        return status, {**headers, **limits}, body

    door.run(limited, lambda registry: repository(registry).resolve("1.4"), on_event=told.append)
    [counted] = [event for event in told if type(event).__name__ == "Counted"]
    assert (counted.limit, counted.remaining, counted.window) == (100, 76, 21600)


def test_dld_04_a_length_that_is_not_the_descriptor_s_is_refused_before_the_body(door: Door) -> None:
    from dreg_client import Descriptor

    descriptor = Descriptor.model_validate({**described(LAYER, "application/x"), "size": len(LAYER) - 1})

    with pytest.raises(errors.SizeMismatchError):
        door.run(image, lambda registry: repository(registry).get_blob(descriptor))


def test_a_blob_over_its_limit_is_refused(door: Door) -> None:
    with pytest.raises(errors.ResponseTooLargeError):
        door.run(image, lambda registry: repository(registry).get_blob(LAYER_DIGEST, limit=len(LAYER) - 1))


@pytest.mark.parametrize("status", [400, 403, 404, 405, 500, 501])
def test_q_27_a_blob_that_head_denies_is_asked_for_by_its_first_byte(door: Door, status: int) -> None:
    def proxy(request: Any) -> Any:
        return status if request.method == "HEAD" else (206, {"Content-Range": "bytes 0-0/9"}, b"x")

    def has(registry: Any) -> Any:
        return repository(registry).has_blob(LAYER_DIGEST)

    assert door.run(proxy, has) is True
    assert door.seen[-1].headers["range"] == "bytes=0-0"
    assert door.run(always(404), has) is False


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "request rejected: cannot check the"),
        (405, "checking for the"),
        (500, "server error: cannot check the"),
    ],
)
def test_an_error_of_has_blob_says_what_was_asked(door: Door, status: int, words: str) -> None:
    with pytest.raises(errors.RegistryError, match=f"{words}.*blob {LAYER_DIGEST} in acme/web"):
        door.run(always(status), lambda registry: repository(registry).has_blob(LAYER_DIGEST))


def test_a_blob_lands_in_a_file_whole_or_not_at_all(door: Door, tmp_path: Path) -> None:
    target = tmp_path / "layer"
    target.write_bytes(b"what was there")

    with pytest.raises(errors.DigestMismatchError):
        door.run(
            always(served(b"x" * len(LAYER))), lambda registry: repository(registry).download_blob(LAYER_DIGEST, target)
        )
    assert [path.name for path in tmp_path.iterdir()] == ["layer"]
    assert target.read_bytes() == b"what was there"

    landed = door.run(image, lambda registry: repository(registry).download_blob(LAYER_DIGEST, target))
    assert (landed.digest, landed.size, target.read_bytes()) == (LAYER_DIGEST, len(LAYER), LAYER)
    assert target.stat().st_mode & 0o777 == 0o644


def test_a_config_of_the_wrong_bytes_is_refused(door: Door) -> None:
    def other(request: Any) -> Any:
        return served(b"{}" + b" " * (len(CONFIG) - 2)) if "/blobs/" in str(request.url) else image(request)

    with pytest.raises(errors.DigestMismatchError):
        door.run(other, lambda registry: repository(registry).get_config("1.4"))


def test_row_32_an_artifact_has_no_config(door: Door) -> None:
    raw = json.dumps(
        {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": described(b"{}", "application/x"), "layers": []}
    ).encode()

    with pytest.raises(errors.NotAnImageError):
        door.run(always(served(raw)), lambda registry: repository(registry).get_config("1.4"))
