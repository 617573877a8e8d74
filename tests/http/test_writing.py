"""Writing: bytes as they are, checked before they are sent; and deleting what was named, nothing else."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from dreg_client import Descriptor, Digest, errors
from tests.doors import Door, repository
from tests.http.documents import (
    DIGEST,
    INDEX,
    LAYER_DIGEST,
    MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Answer,
    described,
    image,
    refusal,
    served,
)


class Taking:
    """A registry that takes what is written, and says so as it likes."""

    def __init__(self, **headers: str) -> None:
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.taken: dict[str, bytes] = {}

    def __call__(self, request: Any) -> Any:
        if request.method != "PUT":
            return image(request)
        self.taken[request.url.path.rpartition("/")[2]] = request.content
        return 201, self.headers, b""


def test_row_42_a_manifest_is_written_byte_for_byte_as_what_it_says_it_is(door: Door) -> None:
    taking = Taking(Docker_Content_Digest=str(DIGEST))
    written = door.run(taking, lambda registry: repository(registry).put_manifest(MANIFEST, "new"))

    assert (written.digest, written.size, written.media_type) == (DIGEST, len(MANIFEST), OCI_MANIFEST)
    assert taking.taken == {"new": MANIFEST}
    assert door.seen[0].headers["content-type"] == OCI_MANIFEST


def test_dst_27_the_media_type_is_sent_without_parameters(door: Door) -> None:
    media_type = f"{OCI_MANIFEST}; charset=utf-8"
    written = door.run(Taking(), lambda registry: repository(registry).put_manifest(MANIFEST, media_type=media_type))

    assert written.media_type == door.seen[0].headers["content-type"] == OCI_MANIFEST


def test_row_42_without_a_tag_a_manifest_is_written_by_its_digest(door: Door) -> None:
    taking = Taking()
    door.run(taking, lambda registry: repository(registry).put_manifest(MANIFEST))

    assert taking.taken == {str(DIGEST): MANIFEST}


@pytest.mark.parametrize("raw", [b"{}", b"[", MANIFEST.replace(b'"size": 1600', b'"size": -1')])
def test_what_is_no_manifest_is_not_sent(door: Door, raw: bytes) -> None:
    with pytest.raises(errors.DocumentError):
        door.run(Taking(), lambda registry: repository(registry).put_manifest(raw, "new"))
    assert door.seen == []


def test_another_digest_than_that_of_the_bytes_is_not_sent(door: Door) -> None:
    with pytest.raises(errors.DigestMismatchError):
        door.run(Taking(), lambda registry: repository(registry).put_manifest(MANIFEST, str(LAYER_DIGEST)))
    assert door.seen == []


def test_upl_15_a_registry_that_took_other_bytes_is_found_out(door: Door) -> None:
    taking = Taking(Docker_Content_Digest=str(LAYER_DIGEST))

    with pytest.raises(errors.DigestMismatchError):
        door.run(taking, lambda registry: repository(registry).put_manifest(MANIFEST, "new"))


def test_tagging_is_one_get_and_a_put_a_tag_of_the_same_bytes(door: Door) -> None:
    taking = Taking()

    assert door.run(taking, lambda registry: repository(registry).tag("1.4", "1", "latest")) == DIGEST
    assert taking.taken == {"1": MANIFEST, "latest": MANIFEST}
    assert [request.method for request in door.seen] == ["GET", "PUT", "PUT"]


@pytest.mark.parametrize("tag", ["a b", "", "x/y", "-x", "t?x=1", "t" * 129, str(DIGEST)])
def test_row_6_a_tag_that_is_none_is_refused_before_anything_is_sent(door: Door, tag: str) -> None:
    with pytest.raises((errors.InvalidReferenceError, errors.InvalidDigestError)):
        door.run(Taking(), lambda registry: repository(registry).tag("1.4", "ok", tag))
    assert door.seen == []


def test_untag_deletes_the_tag(door: Door) -> None:
    door.run(lambda _: 202, lambda registry: repository(registry).untag("1.4"))

    assert door.asked == ["DELETE https://registry.example/v2/acme/web/manifests/1.4"]


def test_row_40_a_tag_is_no_digest(door: Door) -> None:
    for action in ("delete_manifest", "delete_blob"):
        with pytest.raises(errors.InvalidDigestError):
            door.run(Taking(), lambda registry, action=action: getattr(repository(registry), action)("1.4"))
    assert door.seen == []


def deleting(request: Any) -> int:
    """A registry that deletes whatever it is told to, and has nothing to read."""
    return 202 if request.method == "DELETE" else 404


@pytest.mark.parametrize("action", ["delete_manifest", "delete_blob"])
@pytest.mark.parametrize(
    ("status", "error"),
    [(404, errors.NotFoundError), (405, errors.UnsupportedError), (401, errors.UnauthorizedError)],
)
def test_row_40_upl_19_a_deletion_that_fails_says_why(
    door: Door, action: str, status: int, error: type[Exception]
) -> None:
    door.run(deleting, lambda registry: getattr(repository(registry), action)(DIGEST))
    with pytest.raises(error) as refused:
        door.run(
            lambda _: refusal(status, "UNSUPPORTED", "set up otherwise"),
            lambda registry: getattr(repository(registry), action)(DIGEST),
        )
    assert "set up otherwise" in str(refused.value)


def test_what_a_registry_does_not_have_or_do_is_said_in_a_sentence(door: Door) -> None:
    with pytest.raises(errors.NotFoundError) as missing:
        door.run(lambda _: 404, lambda registry: repository(registry).delete_manifest(DIGEST))
    with pytest.raises(errors.DeniedError) as denied:
        door.run(lambda _: 403, lambda registry: registry.ping())
    with pytest.raises(errors.DeniedError) as named:
        door.run(lambda _: 403, lambda registry: repository(registry).get_manifest("1.4"))
    assert f"registry.example has no manifest acme/web@{DIGEST} (404)" in str(missing.value)
    assert "access denied: cannot read the registry API (/v2/) (403)" in str(denied.value)
    assert "access denied: cannot read acme/web:1.4 (403)" in str(named.value)


def test_q_16_a_registry_that_keeps_tagged_manifests_says_so(door: Door) -> None:
    answer = refusal(400, "GOOGLE_MANIFEST_DANGLING_TAG", "tagged")

    with pytest.raises(errors.RegistryError, match="GOOGLE_MANIFEST_DANGLING_TAG"):
        door.run(lambda _: answer, lambda registry: repository(registry).delete_manifest(DIGEST))


def test_schema_1_can_be_tagged_anew(door: Door) -> None:
    raw = json.dumps(
        {"schemaVersion": 1, "name": "a", "tag": "b", "architecture": "c", "fsLayers": [], "history": []}
    ).encode()
    media_type = "application/vnd.docker.distribution.manifest.v1+json"
    taking = Taking()

    def registry(request: Any) -> Any:
        return served(raw, media_type) if request.method == "GET" else taking(request)

    assert door.run(registry, lambda registry: repository(registry).tag("old", "new")) == Digest.of(raw)
    assert (taking.taken, door.seen[-1].headers["content-type"]) == ({"new": raw}, media_type)


@pytest.mark.parametrize("subject", [None, described(MANIFEST, OCI_MANIFEST)], ids=["no subject", "subject"])
def test_a_document_with_minor_errors_is_tagged_as_it_is_with_strict_false(
    door: Door, subject: dict[str, Any] | None
) -> None:
    bundle = "application/vnd.dev.sigstore.bundle+json;version=0.2"
    members = {**json.loads(MANIFEST), "artifactType": bundle, **({"subject": subject} if subject else {})}
    raw = json.dumps(members).encode()
    taking = Taking(OCI_Subject=str(DIGEST))

    def registry(request: Any) -> Any:
        return served(raw, OCI_MANIFEST) if request.method == "GET" else taking(request)

    def tag(registry: Any) -> Any:
        return repository(registry).tag("old", "new")

    with pytest.raises(errors.InvalidDocumentError, match="strict=False"):
        door.run(registry, tag)
    assert taking.taken == {}
    assert door.run(registry, tag, strict=False) == Digest.of(raw)
    assert taking.taken == {"new": raw}


def test_a_descriptor_names_what_is_tagged_and_deleted(door: Door) -> None:
    named = Descriptor(mediaType=OCI_MANIFEST, digest=DIGEST, size=len(MANIFEST))
    taking = Taking()

    assert door.run(taking, lambda registry: repository(registry).tag(named, "1")) == DIGEST
    door.run(deleting, lambda registry: repository(registry).delete_manifest(named))
    door.run(lambda _: 202, lambda registry: repository(registry).delete_blob(named))
    changes = [asked for asked in door.asked if not asked.startswith("GET ")]
    assert [asked.rpartition("/")[2] for asked in changes] == ["1", DIGEST, DIGEST]
    assert door.asked[0].endswith(DIGEST)


# --- statuses that confirm no change, and the HEAD that may

PAGE = (200, {"Content-Type": "text/html"}, b"<html>log in</html>")
CHANGES: dict[str, Callable[[Any], Any]] = {
    "put_manifest": lambda web: web.put_manifest(MANIFEST, "new"),
    "put_manifest by digest": lambda web: web.put_manifest(MANIFEST),
    "tag": lambda web: web.tag("1.4", "new"),
    "untag": lambda web: web.untag("gone"),
    "delete_manifest": lambda web: web.delete_manifest("sha256:" + "a" * 64),
    "delete_blob": lambda web: web.delete_blob("sha256:" + "a" * 64),
}

DELETIONS = [CHANGES[name] for name in ("untag", "delete_manifest", "delete_blob")]


def after_a_change(status: int, found: Answer | int) -> Callable[[Any], Any]:
    """A registry that answers a change by a status, and then says what is there; before, it has only `1.4`."""
    changed = list[str]()

    def registry(request: Any) -> Any:
        if request.method in {"PUT", "DELETE"}:
            changed.append(request.url.path)
            return status
        if request.url.path.endswith("/1.4"):
            return image(request)
        return found if changed else 404

    return registry


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("status", [200, 203, 204])
def test_a_change_with_another_status_than_is_specified_is_done_if_a_head_confirms_it(
    door: Door, change: Callable[[Any], Any], status: int
) -> None:
    is_deletion = change in DELETIONS
    there = (200, {"Content-Type": OCI_MANIFEST, "Content-Length": "9", "Docker-Content-Digest": str(DIGEST)}, b"")
    door.run(
        after_a_change(status, 404 if is_deletion else there),
        lambda registry: change(repository(registry)),
        mirrors=["https://mirror.example"],
    )

    assert any(request.method == "HEAD" for request in door.seen)
    assert {request.url.host for request in door.seen if request.method != "GET"} == {"registry.example"}, (
        "a mirror may be behind"
    )


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("found", [PAGE, (200, {}, b""), served(INDEX, OCI_INDEX), 401, 500], ids=str)
def test_a_change_that_nothing_confirms_is_an_error(door: Door, change: Callable[[Any], Any], found: Any) -> None:
    with pytest.raises(errors.ProtocolError, match=r"was not (written|deleted): (PUT|DELETE) returned status 200"):
        door.run(after_a_change(200, found), lambda registry: change(repository(registry)))


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_page_for_every_request_is_no_success(door: Door, change: Callable[[Any], Any]) -> None:
    with pytest.raises(errors.DregError):
        door.run(lambda _: PAGE, lambda registry: change(repository(registry)))
