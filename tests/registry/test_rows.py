"""Rows of behaviour, on a real registry: each by its number."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dreg_client import Digest, Image, OciIndex, OciManifest, Registry, errors
from tests.registries import EMPTY_INDEX, LAYOUT, RunningRegistry

DIGEST_OF_1_4 = "sha256:59ae20ad8bc24ece2d55cb0c44cf1c3d181bf8e17856f5c42e1f04473a2cfa9f"


@pytest.fixture
def registry(open_registry: RunningRegistry) -> Iterator[Registry]:
    with Registry(open_registry.url) as opened:
        yield opened


def test_row_1_namespaces_are_the_first_parts_and_library_for_none(registry: Registry) -> None:
    assert set(registry.namespaces()) == {"acme", "spec", "testns", "library"}


def test_row_1_an_empty_catalog_is_read_once(own_registry: RunningRegistry) -> None:
    events: list[object] = []
    with Registry(own_registry.url, on_event=events.append) as registry:
        assert registry.namespaces() == registry.namespaces() == ()
        assert registry.repositories() == {}
        assert len(events) == 1
        registry.refresh()
        assert len(events) == 2


def test_row_2_repositories_are_read_only_and_an_unknown_namespace_is_a_key_error(registry: Registry) -> None:
    found = registry.repositories("acme")

    assert set(found) == {"acme/web", "acme/old"}
    with pytest.raises(TypeError):
        found["x"] = found["acme/web"]  # type: ignore[index]
    with pytest.raises(errors.UnknownNamespaceError, match="its namespaces are: ") as refused:
        registry.repositories("nobody")
    assert isinstance(refused.value, KeyError)


def test_row_2_refresh_forgets_what_vanished(own_registry: RunningRegistry) -> None:
    own_registry.put_blob("a/b")
    with Registry(own_registry.url) as registry:
        before = registry.repositories()["a/b"]
        own_registry.put_blob("c/d")
        assert set(registry.repositories()) == {"a/b"}
        registry.refresh()
        assert set(registry.repositories()) == {"a/b", "c/d"}
        assert registry.repositories()["a/b"] is before


def test_row_4_a_repository_is_named_without_a_request(registry: Registry) -> None:
    assert registry.repository("a/b") is registry.repository("b", "a")
    assert registry.repository("a/b/c").name == "a/b/c"
    with pytest.raises(ValueError, match="namespace"):
        registry.repository("a/b", "c")


def test_row_5_a_name_stays_whatever_the_catalog_has(registry: Registry) -> None:
    assert registry.repository("solo").name == "solo"
    registry.refresh()
    assert registry.repository("solo").name == "solo"
    assert registry.repository("solo").tags() == ("1",)


@pytest.mark.parametrize(
    "name", ["//evil/x", "../x", "a/../b", "A/b", "a b", "t?x=1", "", "x" * 256, "a%2fb", "/a", "a/"]
)
def test_row_6_a_name_that_is_none_is_refused_before_any_request(name: str) -> None:
    with Registry("http://localhost:1", retries=0) as registry, pytest.raises(errors.InvalidReferenceError):
        registry.repository(name)


def test_row_8_whether_it_is_up(registry: Registry, password_registry: RunningRegistry) -> None:
    registry.ping()
    assert registry.is_up()
    with Registry(password_registry.url) as guarded, pytest.raises(errors.UnauthorizedError):
        guarded.ping()
    with Registry("http://localhost:1", retries=0) as nobody:
        assert not nobody.is_up()
        with pytest.raises(errors.ConnectError):
            nobody.ping()
    with Registry(f"{registry.url}/deeper") as elsewhere, pytest.raises(errors.NotFoundError):
        elsewhere.ping()


def test_row_18_row_19_bytes_are_kept_and_go_back_as_they_came(own_registry: RunningRegistry) -> None:
    own_registry.push(LAYOUT, "1.4", "acme/web:1.4")
    with Registry(own_registry.url) as registry:
        web = registry.repository("acme/web")
        index = web.get_manifest("1.4")
        assert isinstance(index, OciIndex)
        web.put_manifest(index, "again")
        assert web.get_manifest("again").raw == index.raw
        assert web.get_raw_manifest("again").digest == index.digest


def test_row_22_check_manifest(registry: Registry) -> None:
    web = registry.repository("acme/web")

    assert web.check_manifest("1.4") == web.check_manifest(DIGEST_OF_1_4) == DIGEST_OF_1_4
    assert web.check_manifest("none") is None
    assert registry.repository("no/such").check_manifest("1") is None


def test_row_23_a_tag_has_three_digests(registry: Registry) -> None:
    web = registry.repository("acme/web")
    amd64 = web.get_image("1.4").get_platform_image("linux/amd64")

    assert web.resolve("1.4").digest == DIGEST_OF_1_4
    assert amd64.digest == amd64.manifest.digest != DIGEST_OF_1_4
    assert amd64.manifest.config.digest == Digest.of(web.get_blob(amd64.manifest.config))


def test_row_38_one_platform_is_a_manifest_and_no_list_is_invented(registry: Registry) -> None:
    image = registry.repository("acme/web").get_image("1.3")

    assert isinstance(image, Image)
    assert isinstance(image.manifest, OciManifest)
    assert (image.index, len(image.platforms)) == (None, 1)


def test_row_39_a_blob_by_bytes_by_stream_and_by_range(registry: Registry, tmp_path: Path) -> None:
    web = registry.repository("acme/web")
    layer = web.get_manifest("1.3").layers[0]  # type: ignore[union-attr]
    whole = web.get_blob(layer)

    with web.stream_blob(layer) as chunks:
        assert b"".join(chunks) == whole
    verifier = layer.digest.verifier()
    verifier.update(whole[:100])
    with web.stream_blob(layer, start=100, verifier=verifier) as chunks:
        assert b"".join(chunks) == whole[100:]
    unfed = layer.digest.verifier()
    with web.stream_blob(layer, start=100, verifier=unfed) as chunks, pytest.raises(errors.DigestMismatchError):
        list(chunks)
    assert web.download_blob(layer, tmp_path / "layer") == layer
    assert (tmp_path / "layer").read_bytes() == whole


def test_row_39_a_download_goes_on_across_processes(registry: Registry, tmp_path: Path) -> None:
    web = registry.repository("acme/web")
    layer = web.get_manifest("1.3").layers[0]  # type: ignore[union-attr]
    whole = web.get_blob(layer)
    part = tmp_path / f".sha256-{layer.digest.encoded}.part"

    for kept in (whole[:100], b"", whole, b"other bytes than the blob's", whole + b"more"):
        part.write_bytes(kept)
        web.download_blob(layer, tmp_path / "layer", resume=True)
        assert [path.name for path in tmp_path.iterdir()] == ["layer"]
        assert (tmp_path / "layer").read_bytes() == whole
        part.write_bytes(kept)
        web.download_blob(layer.digest, tmp_path / "layer", resume=True)
        assert (tmp_path / "layer").read_bytes() == whole


def test_row_40_deleting(own_registry: RunningRegistry) -> None:
    own_registry.push(LAYOUT, "single", "acme/web:1.3")
    with Registry(own_registry.url) as registry:
        web = registry.repository("acme/web")
        digest = web.resolve("1.3").digest
        with pytest.raises(errors.InvalidDigestError):
            web.delete_manifest("1.3")
        web.delete_manifest(digest)
        assert web.tags() == ()
        with pytest.raises(errors.NotFoundError) as gone:
            web.delete_manifest(digest)
        assert gone.value.status == 404
        assert gone.value.said


def test_row_40_where_deleting_is_not_set_up(tmp_path: Path) -> None:
    from tests.registries import running

    with running(tmp_path, delete=False) as own, Registry(own.url) as registry:
        own.put("a/b", "1", EMPTY_INDEX)
        repository = registry.repository("a/b")
        with pytest.raises(errors.UnsupportedError, match="UNSUPPORTED"):
            repository.delete_manifest(repository.resolve("1").digest)
        with pytest.raises(errors.UnsupportedError, match="deletes neither tags nor digests"):
            repository.untag("1")
        assert repository.tags() == ("1",)


def test_row_42_tagging_and_untagging(own_registry: RunningRegistry) -> None:
    own_registry.push(LAYOUT, "1.4", "acme/web:1.4")
    with Registry(own_registry.url) as registry:
        web = registry.repository("acme/web")
        assert web.tag("1.4", "1", "latest") == DIGEST_OF_1_4
        assert set(web.tags()) == {"1.4", "1", "latest"}
        assert {web.resolve(tag).digest for tag in web.tags()} == {DIGEST_OF_1_4}
        web.untag("latest")  # this registry deletes by digest alone
        assert set(web.tags()) == {"1.4", "1"}
        assert {web.resolve(tag).digest for tag in web.tags()} == {DIGEST_OF_1_4}
        with pytest.raises(errors.NotFoundError):
            web.untag("latest")
        with pytest.raises(errors.UnsupportedError, match="placeholder"):
            web.untag("1", placeholder=False)
        assert set(web.tags()) == {"1.4", "1"}


DOCKER = {
    "application/vnd.oci.image.index.v1+json": "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json": "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.config.v1+json": "application/vnd.docker.container.image.v1+json",
    "application/vnd.oci.image.layer.v1.tar+gzip": "application/vnd.docker.image.rootfs.diff.tar.gzip",
}


def test_row_42_the_only_tag_of_each_kind_is_deleted_and_the_manifest_stays(own_registry: RunningRegistry) -> None:
    own_registry.push(LAYOUT, "1.4", "acme/web:index")
    own_registry.push(LAYOUT, "single", "acme/web:manifest")
    with Registry(own_registry.url) as registry:
        web = registry.repository("acme/web")
        text = web.get_raw_manifest("manifest").raw.decode()
        for ours, its in DOCKER.items():
            text = text.replace(ours, its)
        docker = web.put_manifest(text.encode(), "docker")
        entry = {"mediaType": docker.media_type, "digest": str(docker.digest), "size": docker.size}
        platform = {"platform": {"architecture": "amd64", "os": "linux"}}
        of_list = {"schemaVersion": 2, "mediaType": next(iter(DOCKER.values())), "manifests": [{**entry, **platform}]}
        web.put_manifest(json.dumps(of_list).encode(), "list")
        for tag in ("index", "manifest", "docker", "list"):
            before = web.get_raw_manifest(tag)
            web.untag(tag)
            assert tag not in web.tags()
            assert web.get_raw_manifest(before.digest).raw == before.raw


@pytest.mark.parametrize("count", [1, 2])
def test_row_42_an_index_with_deleted_manifests_is_neither_tagged_nor_untagged(
    own_registry: RunningRegistry, count: int
) -> None:
    own_registry.push(LAYOUT, "1.4", "acme/web:1.4")
    with Registry(own_registry.url) as registry:
        web = registry.repository("acme/web")
        index = web.get_manifest("1.4")
        assert isinstance(index, OciIndex)
        missing = [entry.digest for entry in index.manifests[:count]]
        for digest in missing:
            web.delete_manifest(digest)
        for refused in (lambda: web.tag("1.4", "1"), lambda: web.untag("1.4")):
            with pytest.raises(errors.UnsupportedError) as caught:
                refused()
            text = str(caught.value)
            assert [text.count(said) for said in (*missing, "blob unknown to registry")] == [1] * (count + 1)
            assert f"delete_manifest on {own_registry.address}/acme/web@{index.digest}" in text
        assert web.get_raw_manifest("1.4").raw == index.raw
        assert web.tags() == ("1.4",)
        web.delete_manifest(index.digest)
        assert web.tags() == ()


def test_row_43_without_the_api_the_tag_is_read(own_registry: RunningRegistry) -> None:
    own_registry.push(LAYOUT, "single", "acme/web:1.3")
    with Registry(own_registry.url) as registry:
        web = registry.repository("acme/web")
        subject = web.resolve("1.3")
        assert web.referrers(subject.digest) == ()
        signature = {"mediaType": subject.media_type, "digest": str(subject.digest), "size": subject.size}
        web.put_manifest(
            json.dumps({**EMPTY_INDEX, "manifests": [{**signature, "artifactType": "application/x-sig"}]}).encode(),
            f"sha256-{subject.digest.encoded}",
        )
        assert [entry.artifact_type for entry in web.referrers(subject.digest)] == ["application/x-sig"]
        assert web.referrers(subject.digest, "application/x-other") == ()


def test_row_45_importing_changes_nothing_and_nothing_of_the_library_s_own_escapes(registry: Registry) -> None:
    from dreg_client import DregError
    from dreg_client.errors import ClosedError

    with pytest.raises(DregError):
        Registry("http://localhost:1", retries=0).ping()
    registry.close()
    with pytest.raises(ClosedError, match="closed"):
        registry.ping()


# --- pages


def copies(folder: Path, names: list[str]) -> None:
    """Copy a folder of a registry's storage: to push as many takes seconds."""
    for name in names[1:]:
        shutil.copytree(folder, folder.with_name(name.rpartition("/")[2]))


def test_row_3_250_repositories_come_in_pages(own_registry: RunningRegistry) -> None:
    names = [f"many/r{number:03}" for number in range(250)]
    own_registry.put_blob(names[0])
    copies(own_registry.root / f"storage/docker/registry/v2/repositories/{names[0]}", names)
    events: list[object] = []
    with Registry(own_registry.url, on_event=events.append) as registry:
        assert list(registry.repositories()) == names
        assert len(events) == 3, "pages of 100, this registry's own choice"
        assert list(registry.catalog(n=7, last="many/r199")) == names[200:]


def test_row_10_1000_tags_come_in_pages(own_registry: RunningRegistry) -> None:
    tags = [f"t{number:04}" for number in range(1000)]
    own_registry.put("many/tags", tags[0], EMPTY_INDEX)
    copies(own_registry.root / f"storage/docker/registry/v2/repositories/many/tags/_manifests/tags/{tags[0]}", tags)
    with Registry(own_registry.url) as registry:
        assert sorted(registry.repository("many/tags").tags()) == tags
