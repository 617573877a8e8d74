"""Every store reads documents with readable errors if it was opened with `strict=False`, and rejects them otherwise."""

import asyncio
import io
import json
import tarfile
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from inspect import isawaitable
from pathlib import Path
from typing import Any

import httpx
import pytest

from dreg_client import (
    AsyncLayout,
    AsyncRegistry,
    Digest,
    Layout,
    Registry,
    aopen_image,
    aopen_store,
    errors,
    open_image,
    open_store,
)
from dreg_client._sync.layout import open_oci_archive
from dreg_client._sync.validation import RepositoryValidation, validate_layout
from dreg_client.values.media_type import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST

REF_NAME = "org.opencontainers.image.ref.name"
BUNDLE = "application/vnd.dev.sigstore.bundle+json;version=0.2"
LAYER = b"a layer"


def json_of(value: object) -> bytes:
    return json.dumps(value).encode()


def described(body: bytes, media_type: str, **members: object) -> dict[str, object]:
    return {"mediaType": media_type, "digest": Digest.of(body), "size": len(body), **members}


ROOTFS = {"type": "layers", "diff_ids": [Digest.of(LAYER)]}
CONFIG = json_of({"os": "linux", "architecture": "amd64", "created": "yesterday", "rootfs": ROOTFS})
MANIFEST = json_of(
    {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": described(CONFIG, OCI_CONFIG),
        "layers": [described(LAYER, "text/plain; charset=utf-8")],
    }
)
ARTIFACT = json_of(
    {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": BUNDLE,
        "config": described(CONFIG, OCI_CONFIG),
        "layers": [described(LAYER, BUNDLE)],
        "subject": described(MANIFEST, OCI_MANIFEST),
    }
)
INDEX = json_of(
    {
        "schemaVersion": 2,
        "manifests": [
            described(MANIFEST, OCI_MANIFEST, annotations={REF_NAME: "1", "note": None}),
            described(ARTIFACT, OCI_MANIFEST, annotations={REF_NAME: "2"}),
        ],
    }
)


def blob_files() -> dict[str, bytes]:
    return {f"blobs/sha256/{Digest.of(body).encoded}": body for body in (CONFIG, LAYER, MANIFEST, ARTIFACT)}


LAYOUT_FILES = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": INDEX, **blob_files()}
SAVED_FILES = {
    "manifest.json": json_of([{"Config": "config.json", "RepoTags": ["acme/web:1"], "Layers": ["layer.tar"]}]),
    "config.json": CONFIG,
    "layer.tar": LAYER,
}


def tar_of(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, body in files.items():
            header = tarfile.TarInfo(name)
            header.size = len(body)
            tar.addfile(header, io.BytesIO(body))
    return path


def answer(request: httpx.Request) -> httpx.Response:
    place = request.url.path.removeprefix("/v2/acme/web/")
    named = {"manifests/1": MANIFEST, "manifests/2": ARTIFACT}
    named |= {f"{kind}/{Digest.of(body)}": body for kind in ("manifests", "blobs") for body in blob_files().values()}
    if place not in named:
        return httpx.Response(404)
    headers = {"Content-Type": OCI_MANIFEST} if place.startswith("manifests/") else {}
    return httpx.Response(200, content=named[place], headers=headers)


@pytest.fixture
def names(tmp_path: Path) -> dict[str, str]:
    for name, body in LAYOUT_FILES.items():
        file = tmp_path / "layout" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
    return {
        "registry": "registry.example/acme/web",
        "oci": f"oci:{tmp_path / 'layout'}",
        "oci-archive": f"oci-archive:{tar_of(tmp_path / 'oci.tar', LAYOUT_FILES)}",
        "docker-archive": f"docker-archive:{tar_of(tmp_path / 'docker.tar', SAVED_FILES)}",
    }


@pytest.fixture(params=[(kind, way) for kind in ("registry", "oci", "oci-archive", "docker-archive") for way in "st"])
def store(request: pytest.FixtureRequest, names: dict[str, str]) -> "Opened":
    kind, way = request.param
    return Opened(names[kind], is_async=way == "t")


class Opened:
    """A store that is opened with some options for each call, by threads or by async tasks."""

    def __init__(self, name: str, *, is_async: bool) -> None:
        self.name, self.is_async = name, is_async
        self.is_saved = name.startswith("docker-archive")
        self.tag = "acme/web:1" if self.is_saved else "1"
        self.given: dict[str, Any] = {} if ":" in name else {"transport": httpx.MockTransport(answer)}

    def do(self, action: Callable[[Any], Any], **options: Any) -> Any:
        opener: Any = aopen_store if self.is_async else open_store
        return self.within(lambda: opener(self.name, **self.given, **options), action)

    def image(self, action: Callable[[Any], Any], **options: Any) -> Any:
        opener: Any = aopen_image if self.is_async else open_image
        return self.within(lambda: opener(f"{self.name}:{self.tag}", **self.given, **options), action)

    def within(self, opener: Callable[[], Any], action: Callable[[Any], Any]) -> Any:
        if self.is_async:
            return asyncio.run(_done(opener, action))
        with opener() as opened:
            return action(opened)


async def _done(opener: Callable[[], AbstractAsyncContextManager[Any]], action: Callable[[Any], Any]) -> Any:
    async with opener() as opened:
        result = action(opened)
        return await result if isawaitable(result) else result


def test_a_store_is_strict_unless_it_is_told_otherwise(store: Opened) -> None:
    with pytest.raises(errors.InvalidDocumentError):
        store.do(lambda it: it.get_config(store.tag))
    with pytest.raises(errors.InvalidDocumentError):
        store.image(lambda it: it)


def test_what_is_read_has_its_problems(store: Opened) -> None:
    manifest = store.do(lambda it: it.get_manifest(store.tag), strict=False)
    config = store.do(lambda it: it.get_config(store.tag), strict=False)

    # The manifest of a docker-archive is written by dreg-client.
    assert [it.path for it in manifest.problems] == ([] if store.is_saved else ["$.layers[0].mediaType"])
    assert [it.path for it in config.problems] == ["$.created"]
    assert config.raw == CONFIG


def test_an_image_is_opened_with_its_problems(store: Opened) -> None:
    image = store.image(lambda it: it.get_platform_image("linux/amd64"), strict=False)

    assert image.config.created is None
    assert [it.rule for it in image.config.problems] == ["TIM-01"]


def test_what_refers_to_an_image_is_listed_with_its_type_as_it_is_written(names: dict[str, str]) -> None:
    for is_async in (False, True):
        found = Opened(names["oci"], is_async=is_async).do(lambda it: it.referrers(Digest.of(MANIFEST)), strict=False)

        assert [(it.digest, it.artifact_type) for it in found] == [(Digest.of(ARTIFACT), BUNDLE)]


@pytest.mark.parametrize("strict", [True, False])
def test_a_referrer_with_readable_errors_is_verified_and_listed(tmp_path: Path, *, strict: bool) -> None:
    """Its subject is beyond doubt, so a strict store does not hide a signature either."""
    index = json_of({"schemaVersion": 2, "manifests": [described(ARTIFACT, OCI_MANIFEST)]})
    archive = tar_of(tmp_path / "layout.tar", {**LAYOUT_FILES, "index.json": index})
    for is_async in (False, True):
        store = Opened(f"oci-archive:{archive}", is_async=is_async)
        for verify in (True, "strict"):
            found = store.do(lambda it, how=verify: it.referrers(Digest.of(MANIFEST), verify=how), strict=strict)
            assert [it.digest for it in found] == [Digest.of(ARTIFACT)]


def test_an_index_of_a_layout_has_its_problems(names: dict[str, str]) -> None:
    path = names["oci"].removeprefix("oci:")
    with pytest.raises(errors.InvalidDocumentError):
        Layout(path)

    with Layout(path, strict=False) as layout:
        layout.refresh()
        assert [it.path for it in layout.index.problems] == ["$.manifests[0].annotations.note"]
        assert layout.tags() == ("1", "2")


def test_a_layout_takes_it_itself(names: dict[str, str]) -> None:
    async def read() -> Any:
        async with AsyncLayout(path, strict=False) as layout:
            return await layout.get_config("1")

    path = names["oci"].removeprefix("oci:")
    with Layout(path, strict=False) as layout:
        assert layout.get_config("1") == asyncio.run(read())


@pytest.mark.parametrize("make", [Registry, Registry.build_with_manual_client])
def test_a_registry_hands_it_to_its_repositories(make: Callable[..., AbstractContextManager[Any]]) -> None:
    transport = httpx.MockTransport(answer)

    with make("https://registry.example", transport=transport, strict=False) as registry:
        assert registry.repository("acme/web").get_manifest("2").artifact_type == BUNDLE


@pytest.mark.parametrize("make", [AsyncRegistry, AsyncRegistry.build_with_manual_client])
def test_an_async_registry_hands_it_to_its_repositories(make: Callable[..., AsyncRegistry]) -> None:
    async def read() -> Any:
        async with make("https://registry.example", transport=httpx.MockTransport(answer), strict=False) as registry:
            return await registry.repository("acme/web").get_manifest("2")

    assert asyncio.run(read()).artifact_type == BUNDLE


def test_an_entry_whose_type_is_empty_or_has_a_parameter_is_read_by_its_bytes() -> None:
    index = json_of(
        {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [
                described(MANIFEST, media_type, platform={"os": "linux", "architecture": name})
                for media_type, name in (("", "amd64"), (f"{OCI_MANIFEST}; charset=utf-8", "arm64"))
            ],
        }
    )

    def serve(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/index"):
            return httpx.Response(200, content=index, headers={"Content-Type": OCI_INDEX})
        return answer(request)

    with Registry("https://registry.example", transport=httpx.MockTransport(serve), strict=False) as registry:
        web = registry.repository("acme/web")
        found: Any = web.get_manifest("index")
        assert [web.get_manifest(entry).raw for entry in found.manifests] == [MANIFEST, MANIFEST]
        assert "linux/arm64" in map(str, web.get_image("index").platforms)


def test_validation_of_a_layout_reports_readable_errors_and_what_is_below_them(names: dict[str, str]) -> None:
    with Layout(names["oci"].removeprefix("oci:"), strict=False) as layout:
        found = {it.name.rpartition("/")[2]: it.report.errors for it in validate_layout(layout)}

    assert [it.rule for it in found["index.json"]] == ["ANN-01"]
    assert [it.rule for it in found[Digest.of(MANIFEST).encoded]] == ["MED-01"]
    assert [it.rule for it in found[Digest.of(CONFIG).encoded]] == ["TIM-01"]


def test_validation_of_a_repository_reports_readable_errors_and_what_is_below_them() -> None:
    with Registry("https://registry.example", transport=httpx.MockTransport(answer)) as registry:
        reports = [it.report for it in RepositoryValidation(registry.repository("acme/web")).tag("1")]

    assert [[it.rule for it in report.errors] for report in reports] == [["MED-01"], ["TIM-01"]]


def without_types() -> tuple[bytes, bytes]:
    """Return a manifest whose config has an empty media type, and an index whose entry has one."""
    manifest = json_of({**json.loads(MANIFEST), "config": described(CONFIG, "")})
    return manifest, json_of({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [described(manifest, "")]})


def broken_places(manifest: bytes, index: bytes) -> list[tuple[bytes, list[str]]]:
    return [
        (index, ["$.manifests[0].mediaType"]),
        (manifest, ["$.config.mediaType", "$.layers[0].mediaType"]),
        (CONFIG, ["$.created"]),
    ]


def test_validation_of_a_layout_reports_what_is_named_with_an_empty_type(tmp_path: Path) -> None:
    manifest, index = without_types()
    files = {**LAYOUT_FILES, "index.json": json_of({"schemaVersion": 2, "manifests": [described(index, OCI_INDEX)]})}
    files |= {f"blobs/sha256/{Digest.of(raw).encoded}": raw for raw in (manifest, index)}

    for strict in (True, False):
        with open_oci_archive(tar_of(tmp_path / "layout.tar", files), strict=strict) as layout:
            found = {it.name.rpartition("/")[2]: it.report for it in validate_layout(layout)}
        for raw, paths in broken_places(manifest, index):
            assert sorted(it.path for it in found[Digest.of(raw).encoded].errors) == paths


def test_validation_of_a_repository_reports_what_is_named_with_an_empty_type() -> None:
    manifest, index = without_types()

    def serve(request: httpx.Request) -> httpx.Response:
        for raw, media_type in ((index, OCI_INDEX), (manifest, OCI_MANIFEST)):
            if request.url.path.endswith(("/index" if raw is index else "/manifest", Digest.of(raw).encoded)):
                return httpx.Response(200, content=raw, headers={"Content-Type": media_type})
        return answer(request)

    for strict in (True, False):
        with Registry("https://registry.example", transport=httpx.MockTransport(serve), strict=strict) as registry:
            reports = [it.report for it in RepositoryValidation(registry.repository("acme/web")).tag("index")]
        expected = [paths for _, paths in broken_places(manifest, index)]
        assert [sorted(it.path for it in report.errors) for report in reports] == expected


def test_the_number_of_layers_is_compared_with_a_config_that_has_readable_errors() -> None:
    rootfs = {"type": "layers", "diff_ids": []}
    config = json_of({"os": "linux", "architecture": "amd64", "created": "yesterday", "rootfs": rootfs})
    manifest = json_of({**json.loads(MANIFEST), "config": described(config, OCI_CONFIG)})

    def serve(request: httpx.Request) -> httpx.Response:
        body = config if str(Digest.of(config)) in request.url.path else manifest
        return httpx.Response(200, content=body, headers={"Content-Type": OCI_MANIFEST} if body is manifest else {})

    with Registry("https://registry.example", transport=httpx.MockTransport(serve)) as registry:
        report = next(RepositoryValidation(registry.repository("acme/web")).tag("1")).report

    assert "CFG-21" in {it.rule for it in report.problems}


@pytest.mark.parametrize("is_async", [False, True])
def test_a_malformed_manifest_hides_no_referrer_of_a_layout(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, *, is_async: bool
) -> None:
    good, of_another = (json.loads(ARTIFACT) for _ in range(2))
    good |= {"artifactType": "a/b", "layers": [described(LAYER, "a/b")]}
    of_another |= {"subject": described(LAYER, "a/b"), "layers": "none"}
    broken = {**good, "layers": [{**described(LAYER, "a/b"), "size": -1}]}
    manifests = [json_of(document) for document in (broken, of_another, json.loads(ARTIFACT), good)]
    entries = [described(raw, OCI_MANIFEST) for raw in manifests]
    files = {**LAYOUT_FILES, "index.json": json_of({"schemaVersion": 2, "manifests": entries})}
    files |= {f"blobs/sha256/{Digest.of(raw).encoded}": raw for raw in manifests}
    store = Opened(f"oci-archive:{tar_of(tmp_path / 'layout.tar', files)}", is_async=is_async)

    found = store.do(lambda it: it.referrers(Digest.of(MANIFEST)))

    assert [it.digest for it in found] == [Digest.of(manifests[number]) for number in (0, 2, 3)]
    warned = [record.getMessage() for record in caplog.records if "is malformed" in record.getMessage()]
    assert [f"{it.digest} is malformed" in text for it, text in zip(found, warned[:2], strict=False)] == [True, True]
    assert all(str(found[2].digest) not in text for text in warned)


def test_a_config_whose_type_is_empty_is_read_as_one(tmp_path: Path) -> None:
    manifest = json_of({**json.loads(MANIFEST), "config": described(CONFIG, "")})
    index = json_of({"schemaVersion": 2, "manifests": [described(manifest, OCI_MANIFEST)]})
    name = f"blobs/sha256/{Digest.of(manifest).encoded}"
    archive = tar_of(tmp_path / "layout.tar", {**LAYOUT_FILES, "index.json": index, name: manifest})

    with open_store(f"oci-archive:{archive}", strict=False) as store:
        assert store.get_config(Digest.of(manifest)).raw == CONFIG
