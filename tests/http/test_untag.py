"""Deleting a tag and nothing else, where a registry deletes by digest alone ("Deleting tags")."""

import _thread
import json
import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

from dreg_client import Digest, errors
from dreg_client._async import untag as untag_of_tasks
from dreg_client._sync import untag as untag_of_threads
from dreg_client.protocol.untag import ANNOTATION
from tests.by_digest import ByDigest
from tests.doors import Door, repository
from tests.http.documents import INDEX, MANIFEST, OCI_INDEX, OCI_MANIFEST, described, refusal, served

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
STEPS = ["DELETE tag", "GET tag", "DELETE absent", "HEAD tag", "PUT tag", "DELETE digest", "HEAD tag", "GET tag"]
DOCUMENTS = {
    "OCI manifest": (MANIFEST, OCI_MANIFEST),
    "OCI index": (INDEX, OCI_INDEX),
    "Docker manifest": (MANIFEST.replace(OCI_MANIFEST.encode(), DOCKER_MANIFEST.encode()), DOCKER_MANIFEST),
    "Docker list": (INDEX.replace(OCI_INDEX.encode(), DOCKER_LIST.encode()), DOCKER_LIST),
}


def untag(door: Door, registry: Callable[..., Any], **options: Any) -> None:
    def answer(request: Any) -> Any:
        if isinstance(registry, ByDigest):
            media_type = request.headers.get("content-type", "")
            return registry.answer(request.method, request.url.path, request.content, media_type)
        return registry(request)

    given = {"placeholder": options.pop("placeholder")} if "placeholder" in options else {}
    door.run(answer, lambda opened: repository(opened).untag("1.4", **given), **options)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> ByDigest:
    made = ByDigest()
    wait_no_longer(monkeypatch, lambda: None)
    return made


def wait_no_longer(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object]) -> None:
    """A function in place of the second that is waited for a request that may come late."""

    async def of_tasks(_: float) -> None:
        meanwhile()

    monkeypatch.setattr(untag_of_tasks, "sleep", of_tasks)
    monkeypatch.setattr(untag_of_threads, "sleep", lambda _: meanwhile())


# --- what is done


@pytest.mark.parametrize(("raw", "media_type"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_placeholder_is_deleted_by_its_digest_and_other_tags_stay(door: Door, raw: bytes, media_type: str) -> None:
    registry = ByDigest(raw, media_type)
    untag(door, registry)

    assert registry.asked == STEPS
    assert registry.tags == {"latest": registry.digest}
    assert registry.manifests == {registry.digest: (raw, media_type)}


def test_the_placeholder_has_the_same_blobs_and_refers_to_nothing(door: Door) -> None:
    signed = {"subject": described(b"{}", OCI_MANIFEST), "annotations": {"a": "b"}}
    registry = ByDigest(json.dumps({**json.loads(MANIFEST), **signed}).encode())
    untag(door, registry)
    written = next(request for request in door.seen if request.method == "PUT")
    placeholder = json.loads(written.content)

    assert written.headers["content-type"] == OCI_MANIFEST
    assert placeholder["annotations"].pop(ANNOTATION)
    assert placeholder == {**json.loads(MANIFEST), "annotations": {"a": "b"}}


def test_no_two_placeholders_have_the_same_digest(door: Door) -> None:
    for _ in range(2):
        untag(door, ByDigest())
    first, second = [request.content for request in door.seen if request.method == "PUT"]

    assert first != second


@pytest.mark.parametrize("refused", [400, 405, 501, refusal(415, "UNSUPPORTED")])
def test_a_registry_that_does_not_delete_tags_says_so_by_various_statuses(door: Door, refused: Any) -> None:
    registry = ByDigest(faults={"DELETE tag": refused})
    untag(door, registry)

    assert registry.tags == {"latest": registry.digest}


def test_tags_are_not_listed_and_mirrors_are_not_asked(door: Door) -> None:
    untag(door, ByDigest(), mirrors=["https://mirror.example"])

    assert {request.url.host for request in door.seen} == {"registry.example"}
    assert not any("/tags/" in asked for asked in door.asked)


# --- what is not done


@pytest.mark.parametrize("refused", [400, 405, 501, refusal(415, "UNSUPPORTED")])
def test_without_a_placeholder_one_request_says_that_tags_are_not_deleted(
    door: Door, registry: ByDigest, refused: Any
) -> None:
    registry.faults["DELETE tag"] = refused

    with pytest.raises(errors.UnsupportedError, match=r"nothing was changed.*placeholder=False"):
        untag(door, registry, placeholder=False)
    assert registry.asked == ["DELETE tag"]


def test_a_tag_that_is_not_there_is_not_found(door: Door, registry: ByDigest) -> None:
    del registry.tags["1.4"]

    with pytest.raises(errors.NotFoundError):
        untag(door, registry)
    assert registry.asked == STEPS[:2]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (405, errors.UnsupportedError),
        (400, errors.UnsupportedError),
        (500, errors.UnsupportedError),
        (200, errors.UnsupportedError),
        (202, errors.UnsupportedError),
        (401, errors.UnauthorizedError),
        (403, errors.DeniedError),
        (429, errors.RateLimitedError),
    ],
)
def test_nothing_is_written_where_an_absent_digest_is_not_answered_by_404(
    door: Door, registry: ByDigest, status: int, error: type[Exception]
) -> None:
    registry.faults["DELETE absent"] = status

    with pytest.raises(error):
        untag(door, registry)
    assert "PUT tag" not in registry.asked
    assert registry.tags["1.4"] == registry.digest


@pytest.mark.parametrize("changed", ["to another manifest", "to nothing"])
def test_a_tag_that_another_client_changes_is_a_conflict(door: Door, registry: ByDigest, changed: str) -> None:
    def answer(request: Any) -> Any:
        if request.method == "DELETE" and ":" in request.url.path:
            registry.tags.pop("1.4")
            if changed == "to another manifest":
                registry.write("1.4", INDEX, OCI_INDEX)
        return registry.answer(request.method, request.url.path, request.content)

    with pytest.raises(errors.ConflictError, match=registry.digest):
        untag(door, answer)
    assert "PUT tag" not in registry.asked


@pytest.mark.parametrize("signed", [False, True])
def test_a_manifest_of_schema_1_stays_as_it_is(door: Door, signed: bool) -> None:
    members = {"schemaVersion": 1, "name": "a", "tag": "b", "architecture": "c", "fsLayers": [], "history": []}
    media_type = f"application/vnd.docker.distribution.manifest.v1+{'prettyjws' if signed else 'json'}"
    registry = ByDigest(json.dumps({**members, **({"signatures": []} if signed else {})}).encode(), media_type)

    with pytest.raises(errors.UnsupportedError, match="schema 1"):
        untag(door, registry)
    assert registry.asked == STEPS[:2]


@pytest.mark.parametrize("raw", [b"", b"down for maintenance", b"{}", b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}'])
def test_what_is_not_a_manifest_has_no_placeholder(door: Door, raw: bytes) -> None:
    registry = ByDigest(raw, "application/json")

    with pytest.raises(errors.UnsupportedError, match="nothing was changed"):
        untag(door, registry)
    assert registry.asked == STEPS[:2]


# --- what is put back


@pytest.mark.parametrize(
    ("status", "error"), [(400, errors.RegistryError), (403, errors.DeniedError), (500, errors.ServerError)]
)
def test_a_placeholder_that_is_rejected_changes_nothing(
    door: Door, registry: ByDigest, status: int, error: type[Exception]
) -> None:
    registry.faults["PUT tag"] = status

    with pytest.raises(error, match=f"acme/web:1.4 still names {registry.digest}"):
        untag(door, registry)
    assert registry.tags["1.4"] == registry.digest


@pytest.mark.parametrize("code", ["MANIFEST_BLOB_UNKNOWN", "MANIFEST_UNKNOWN", "BLOB_UNKNOWN"])
def test_an_index_whose_manifests_are_gone_is_unsupported_and_the_error_names_them(door: Door, code: str) -> None:
    registry = ByDigest(INDEX, OCI_INDEX)
    registry.faults["PUT tag"] = refusal(400, code)
    missing = json.loads(INDEX)["manifests"][0]["digest"]

    with pytest.raises(
        errors.UnsupportedError,
        match=rf"nothing was changed.*{missing}.*{code}.*use delete_manifest on registry.example/acme/web@sha256:",
    ) as caught:
        untag(door, registry)
    assert f"acme/web:1.4 still names {registry.digest}" in str(caught.value)
    assert registry.tags["1.4"] == registry.digest


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (200, errors.ProtocolError),
        (400, errors.RegistryError),
        (403, errors.DeniedError),
        (404, errors.NotFoundError),
        (405, errors.UnsupportedError),
        (500, errors.ServerError),
        (served(b"", Docker_Content_Digest="sha256:x"), errors.ProtocolError),
    ],
)
def test_a_placeholder_that_cannot_be_deleted_gives_way_to_the_original(
    door: Door, registry: ByDigest, answer: Any, error: type[Exception]
) -> None:
    registry.faults["DELETE digest"] = answer

    with pytest.raises(error, match=f"acme/web:1.4 names {registry.digest} again"):
        untag(door, registry)
    assert registry.tags["1.4"] == registry.digest
    assert registry.manifests[registry.digest] == (MANIFEST, OCI_MANIFEST)


def test_what_another_client_wrote_meanwhile_is_kept(door: Door, registry: ByDigest) -> None:
    def answer(request: Any) -> Any:
        given = registry.answer(request.method, request.url.path, request.content, OCI_MANIFEST)
        if request.method == "PUT":
            registry.write("1.4", INDEX, OCI_INDEX)
            registry.faults["DELETE digest"] = 500
        return given

    with pytest.raises(errors.ServerError, match=f"acme/web:1.4 now names {Digest.of(INDEX)}, which is neither"):
        untag(door, answer)
    assert registry.manifests[registry.tags["1.4"]][0] == INDEX
    assert registry.asked.count("PUT tag") == 1


def test_an_original_that_cannot_be_put_back_is_told_with_the_command_that_does(door: Door, registry: ByDigest) -> None:
    def answer(request: Any) -> Any:
        given = registry.answer(request.method, request.url.path, request.content, OCI_MANIFEST)
        if request.method == "PUT":
            registry.faults |= {"DELETE digest": 500, "PUT tag": 503}
        return given

    with pytest.raises(
        errors.ServerError, match=f"restore the original: dreg tag registry.example/acme/web@{registry.digest} 1.4"
    ):
        untag(door, answer)


def test_a_tag_that_is_gone_though_the_deletion_failed_is_deleted(door: Door, registry: ByDigest) -> None:
    def answer(request: Any) -> Any:
        given = registry.answer(request.method, request.url.path, request.content, OCI_MANIFEST)
        return refusal(500, "UNKNOWN") if registry.asked[-1] == "DELETE digest" else given

    untag(door, answer)

    assert registry.tags == {"latest": registry.digest}


def test_a_placeholder_that_is_written_late_gives_way_to_the_original(
    door: Door, registry: ByDigest, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[bytes] = []

    def answer(request: Any) -> Any:
        if request.method == "PUT" and not held:
            held.append(request.content)
            return refusal(504, "UNKNOWN")
        return registry.answer(request.method, request.url.path, request.content, OCI_MANIFEST)

    wait_no_longer(monkeypatch, lambda: registry.write("1.4", held[0], OCI_MANIFEST))
    with pytest.raises(errors.ServerError, match=f"acme/web:1.4 names {registry.digest} again"):
        untag(door, answer)
    assert registry.tags["1.4"] == registry.digest


class BrokenTransportError(Exception):
    """What a caller's own transport raises."""


def breaking(registry: ByDigest, after: str) -> Callable[[Any], Any]:
    """A transport that breaks for good once a request was answered; `after` is named as in `ByDigest.asked`."""

    def answer(request: Any) -> Any:
        if after in registry.asked:
            raise BrokenTransportError("cannot go on")
        return registry.answer(request.method, request.url.path, request.content, OCI_MANIFEST)

    return answer


UNKNOWN = (
    r"acme/web:1.4 may now name a placeholder, because it could not be restored \(cannot go on\); "
    r"to restore the original: dreg tag "
)


def test_a_failure_stays_the_error_if_the_original_cannot_be_put_back_whatever_the_reason(
    door: Door, registry: ByDigest
) -> None:
    registry.faults["DELETE digest"] = 403

    with pytest.raises(errors.DeniedError, match=UNKNOWN):
        untag(door, breaking(registry, "DELETE digest"))
    assert registry.tags["1.4"] != registry.digest


def test_a_tag_is_not_said_to_be_deleted_if_nobody_knows(
    door: Door, registry: ByDigest, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(BrokenTransportError) as raised:
        untag(door, breaking(registry, "PUT tag"))

    told = "\n".join([*raised.value.__notes__, caplog.text])
    assert re.search(UNKNOWN, told)
    assert "was deleted" not in told
    assert registry.tags["1.4"] != registry.digest


def test_a_failure_stays_the_error_if_there_is_no_thread_left(
    monkeypatch: pytest.MonkeyPatch, registry: ByDigest
) -> None:
    def no_thread(*_: object) -> int:
        raise RuntimeError("can't start new thread")

    def answer(request: Any) -> Any:
        given = registry.answer(request.method, request.url.path, request.content, OCI_MANIFEST)
        if registry.asked[-1] == "DELETE digest":
            monkeypatch.setattr(_thread, "start_new_thread", no_thread)
            return 403
        return given

    with pytest.raises(errors.DeniedError, match=r"may now name a placeholder.*can't start new thread"):
        untag(Door("httpx", is_async=False), answer)


def test_a_probe_whose_response_was_lost_is_answered_by_the_next_one(door: Door, registry: ByDigest) -> None:
    lost: list[str] = []

    def answer(request: Any) -> Any:
        given = registry.answer(request.method, request.url.path, request.content, OCI_MANIFEST)
        if registry.asked[-1] == "DELETE absent" and not lost:
            lost.append(request.url.path)
            raise import_module(door.library).ReadError("connection lost")
        return given

    untag(door, answer, retries=1)

    assert registry.asked == [*STEPS[:3], *STEPS[2:]]
    assert registry.tags == {"latest": registry.digest}
