"""Untagging on registries that do not do what they accepted, or do not store the bytes that they were sent."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from dreg_client import Digest, errors
from tests.by_digest import ByDigest
from tests.doors import Door
from tests.http.documents import INDEX, OCI_INDEX, OCI_MANIFEST
from tests.http.test_untag import STEPS, untag, wait_no_longer

LOOKED = [*STEPS[:-2], "HEAD tag", "HEAD tag"]


def answered(registry: ByDigest, request: Any) -> Any:
    return registry.answer(request.method, request.url.path, request.content, OCI_MANIFEST)


# --- a deletion that is accepted


def test_a_deletion_that_is_accepted_and_not_carried_out_is_an_error_and_the_original_is_put_back(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, waits = ByDigest(faults={"DELETE digest": 202}), list[None]()
    wait_no_longer(monkeypatch, lambda: waits.append(None))

    with pytest.raises(
        errors.ProtocolError,
        match=f"accepted the deletion of sha256:.*not carried it out.*acme/web:1.4 names {registry.digest} again",
    ):
        untag(door, registry)
    assert registry.tags["1.4"] == registry.digest
    assert registry.asked == [*LOOKED, "HEAD tag", "PUT tag"]
    assert len(waits) == 1


def test_a_deletion_that_is_carried_out_a_moment_later_is_done(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = ByDigest(faults={"DELETE digest": 202})
    wait_no_longer(monkeypatch, lambda: registry.tags.pop("1.4"))
    untag(door, registry)

    assert registry.asked == [*LOOKED, "GET tag"]
    assert registry.tags == {"latest": registry.digest}


def test_a_tag_that_dangles_after_the_deletion_is_gone(door: Door) -> None:
    registry, dangling = ByDigest(), dict[str, str]()

    def answer(request: Any) -> Any:
        dangling.update(registry.tags)
        given = answered(registry, request)
        registry.tags = dangling | registry.tags
        return given

    untag(door, answer)

    assert registry.tags["1.4"] not in registry.manifests


def test_a_tag_that_another_client_writes_after_the_deletion_is_a_conflict(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = ByDigest()
    wait_no_longer(monkeypatch, lambda: None)

    def answer(request: Any) -> Any:
        given = answered(registry, request)
        if registry.asked[-1] == "DELETE digest":
            registry.write("1.4", INDEX, OCI_INDEX)
        return given

    with pytest.raises(errors.ConflictError, match=f"acme/web:1.4 now names {Digest.of(INDEX)}"):
        untag(door, answer)
    assert registry.tags["1.4"] == Digest.of(INDEX)


# --- a registry that changes what it stores


def changing(registry: ByDigest, *, states_digest: bool) -> Callable[[Any], Any]:
    """A registry that writes the JSON of what it takes in a form of its own, except for what it has already."""

    def answer(request: Any) -> Any:
        content = request.content
        if request.method == "PUT" and content != registry.raw:
            content = json.dumps(json.loads(content), indent=1, sort_keys=True).encode()
        status, headers, said = registry.answer(request.method, request.url.path, content, OCI_MANIFEST)
        return status, headers if states_digest or request.method != "PUT" else {}, said

    return answer


def test_a_registry_that_changes_what_it_stores_is_told_apart_and_the_original_is_put_back(door: Door) -> None:
    registry = ByDigest()

    with pytest.raises(
        errors.DigestMismatchError,
        match=f"registry changes manifests that it stores.*acme/web:1.4 names {registry.digest} again",
    ) as raised:
        untag(door, changing(registry, states_digest=True))
    assert "another client" not in str(raised.value)
    assert registry.tags["1.4"] == registry.digest


def test_an_original_that_is_back_is_told_so_though_the_registry_states_another_digest(door: Door) -> None:
    registry = ByDigest()

    def answer(request: Any) -> Any:
        status, headers, said = answered(registry, request)
        return status, {**headers, "Docker-Content-Digest": str(Digest.of(b""))} if status == 201 else headers, said

    with pytest.raises(errors.DigestMismatchError, match=f"acme/web:1.4 names {registry.digest} again"):
        untag(door, answer)
    assert registry.tags["1.4"] == registry.digest


def test_a_registry_that_changes_what_it_stores_and_does_not_say_so_leaves_the_command_that_restores(
    door: Door,
) -> None:
    registry = ByDigest()

    with pytest.raises(errors.NotFoundError) as raised:
        untag(door, changing(registry, states_digest=False))
    told = str(raised.value)
    assert f"acme/web:1.4 now names {registry.tags['1.4']}, which is neither the original nor the placeholder" in told
    assert "or the registry changes manifests that it stores" in told
    assert told.endswith(f"dreg tag registry.example/acme/web@{registry.digest} 1.4")
