"""A registry, and a layout, that know content by sha512: what was asked by a digest is known by that digest."""

import asyncio
import json
import pickle
from collections.abc import Callable
from inspect import isawaitable
from pathlib import Path
from typing import Any

import pytest

from dreg_client import (
    AsyncLayout,
    Descriptor,
    Digest,
    Layout,
    OciManifest,
    RepositoryValidation,
    validate,
    validate_layout,
)
from dreg_client._async.validation import AsyncRepositoryValidation
from tests.doors import Door, repository
from tests.http.documents import CONFIG, LAYER, LAYER_TYPE, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, refusal, served


def sha512(raw: bytes) -> Digest:
    return Digest.of(raw, "sha512")


def described(raw: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": str(sha512(raw)), "size": len(raw)}


def document(media_type: str, **members: Any) -> bytes:
    return json.dumps({"schemaVersion": 2, "mediaType": media_type, **members}).encode()


MANIFEST = document(OCI_MANIFEST, config=described(CONFIG, OCI_CONFIG), layers=[described(LAYER, LAYER_TYPE)])
SIGNATURE = document(
    OCI_MANIFEST,
    artifactType="application/x-signature",
    config=described(b"{}", "application/vnd.oci.empty.v1+json"),
    layers=[described(b"{}", "application/vnd.oci.empty.v1+json")],
    subject=described(MANIFEST, OCI_MANIFEST),
)
INDEX = document(
    OCI_INDEX,
    manifests=[{**described(MANIFEST, OCI_MANIFEST), "platform": {"architecture": "amd64", "os": "linux"}}],
)
DIGEST, WHOLE = sha512(MANIFEST), sha512(INDEX)


class Kept:
    """A registry that has everything by its sha512 digest alone, and takes what is pushed."""

    def __init__(self) -> None:
        self.manifests = {str(sha512(raw)): raw for raw in (MANIFEST, INDEX, SIGNATURE)}
        self.blobs = {str(sha512(raw)): raw for raw in (CONFIG, LAYER)}

    def __call__(self, request: Any) -> Any:
        kind, _, name = request.url.path.removeprefix("/v2/acme/web/").partition("/")
        if request.method == "PUT":
            self.manifests[name] = request.content
            return 201, {}, b""
        if kind == "referrers":
            entries = [described(SIGNATURE, OCI_MANIFEST)] if name == DIGEST else []
            return served(document(OCI_INDEX, manifests=entries), OCI_INDEX)
        if kind == "blobs" and name in self.blobs:
            return served(self.blobs[name], "application/octet-stream")
        if kind != "manifests" or name not in self.manifests:
            return refusal(404, "MANIFEST_UNKNOWN")
        raw = self.manifests[name]
        status, headers, body = served(raw, json.loads(raw)["mediaType"], Docker_Content_Digest=str(sha512(raw)))
        return status, headers, b"" if request.method == "HEAD" else body


def asked(door: Door, action: Callable[[Any], Any]) -> Any:
    return door.run(Kept(), lambda registry: action(repository(registry)))


def test_what_was_read_by_a_sha512_digest_has_that_digest(door: Door) -> None:
    manifest = asked(door, lambda web: web.get_manifest(str(DIGEST)))

    assert manifest.digest == manifest.descriptor.digest == DIGEST
    assert asked(door, lambda web: web.get_manifest(manifest.descriptor)).digest == DIGEST
    assert asked(door, lambda web: web.get_raw_manifest(str(DIGEST))).digest == DIGEST
    assert asked(door, lambda web: web.resolve(str(DIGEST))).digest == DIGEST
    assert asked(door, lambda web: web.check_manifest(str(DIGEST))) == DIGEST
    assert asked(door, lambda web: web.get_config(str(DIGEST))).digest == sha512(CONFIG)
    assert asked(door, lambda web: web.get_config(manifest)).digest == sha512(CONFIG)


def test_another_process_gets_the_same_digest(door: Door) -> None:
    manifest = asked(door, lambda web: web.get_manifest(str(DIGEST)))

    assert pickle.loads(pickle.dumps(manifest)).digest == DIGEST
    assert pickle.loads(pickle.dumps(OciManifest.parse(MANIFEST))).digest == Digest.of(MANIFEST)


def test_an_image_and_its_platforms_have_the_digests_that_they_were_asked_by(door: Door) -> None:
    async def by_task(web: Any) -> Any:
        image = await web.get_image(str(WHOLE))
        return image, await image.get_platform_image("linux/amd64")

    def by_thread(web: Any) -> Any:
        image = web.get_image(str(WHOLE))
        return image, image.get_platform_image("linux/amd64")

    image, amd64 = asked(door, by_task if door.is_async else by_thread)
    assert (image.digest, amd64.digest, amd64.config.digest) == (WHOLE, DIGEST, sha512(CONFIG))


def test_what_refers_to_it_is_found_by_that_digest(door: Door) -> None:
    manifest = asked(door, lambda web: web.get_manifest(str(DIGEST)))

    [found] = asked(door, lambda web: web.referrers(manifest.descriptor, verify="strict"))
    assert found.digest == sha512(SIGNATURE)


@pytest.mark.parametrize("reference", [str(DIGEST), None])
def test_what_was_pushed_by_a_sha512_digest_is_described_by_it(door: Door, reference: str | None) -> None:
    manifest = asked(door, lambda web: web.get_manifest(str(DIGEST)))
    kept = Kept()
    kept.manifests.clear()

    written = door.run(kept, lambda registry: repository(registry).put_manifest(manifest, reference))
    assert written == Descriptor(mediaType=OCI_MANIFEST, digest=DIGEST, size=len(MANIFEST))
    assert door.run(kept, lambda registry: repository(registry).get_manifest(written)).digest == DIGEST


def test_bytes_that_were_pushed_by_a_sha512_digest_are_described_by_it(door: Door) -> None:
    written = asked(door, lambda web: web.put_manifest(MANIFEST, str(DIGEST)))

    assert written.digest == DIGEST
    assert asked(door, lambda web: web.put_manifest(MANIFEST)).digest == Digest.of(MANIFEST)


def test_a_registry_that_states_the_digest_of_what_it_took_is_believed_after_a_check(door: Door) -> None:
    answer = 201, {"Docker-Content-Digest": str(DIGEST)}, b""

    assert (
        door.run(lambda _: answer, lambda registry: repository(registry).put_manifest(MANIFEST, "1")).digest == DIGEST
    )


def test_a_tag_of_it_has_that_digest(door: Door) -> None:
    assert asked(door, lambda web: web.tag(str(DIGEST), "new")) == DIGEST


def test_reports_name_documents_by_the_digests_that_lead_to_them(door: Door) -> None:
    async def by_task(web: Any) -> Any:
        return [found async for found in AsyncRepositoryValidation(web).tag(str(WHOLE))]

    def by_thread(web: Any) -> Any:
        return list(RepositoryValidation(web).tag(str(WHOLE)))

    found = asked(door, by_task if door.is_async else by_thread)
    assert [report.report.digest for report in found] == [WHOLE, DIGEST, sha512(CONFIG)]
    assert validate(MANIFEST, expect=DIGEST).digest == DIGEST
    assert validate(MANIFEST).digest == Digest.of(MANIFEST)


# --- layouts


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    entries = [
        described(INDEX, OCI_INDEX) | {"annotations": {"org.opencontainers.image.ref.name": "1"}},
        described(SIGNATURE, OCI_MANIFEST),
    ]
    (tmp_path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (tmp_path / "index.json").write_bytes(document(OCI_INDEX, manifests=entries))
    (tmp_path / "blobs/sha512").mkdir(parents=True)
    for raw in (INDEX, MANIFEST, SIGNATURE, CONFIG, LAYER, b"{}"):
        (tmp_path / "blobs/sha512" / sha512(raw).encoded).write_bytes(raw)
    return tmp_path


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("reference", ["1", str(WHOLE)])
def test_a_layout_names_its_documents_as_its_index_does(layout: Path, reference: str, *, is_async: bool) -> None:
    def do(action: Callable[[Any], Any]) -> Any:
        if not is_async:
            with Layout(layout) as opened:
                return action(opened)

        async def run() -> Any:
            async with AsyncLayout(layout) as opened:
                done = action(opened)
                return await done if isawaitable(done) else done

        return asyncio.run(run())

    assert do(lambda it: it.get_manifest(reference)).digest == do(lambda it: it.resolve(reference)).digest == WHOLE
    assert do(lambda it: it.get_image(reference)).digest == WHOLE
    assert do(lambda it: it.get_manifest(str(DIGEST))).descriptor.digest == DIGEST
    assert [found.digest for found in do(lambda it: it.referrers(str(DIGEST)))] == [sha512(SIGNATURE)]


def test_the_report_of_a_layout_names_its_documents_as_its_index_does(layout: Path) -> None:
    with Layout(layout) as opened:
        found = [file.report for file in validate_layout(opened)]

    assert [report.digest for report in found[1:4]] == [WHOLE, DIGEST, sha512(CONFIG)]
    assert not any(report.errors for report in found)
