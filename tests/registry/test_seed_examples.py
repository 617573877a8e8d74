"""What the README of earlier versions shows runs as it is written, but for the address."""

from collections.abc import Iterator

import pytest

from dreg_client import Digest, Image, Manifest, Platform, Registry, Repository
from tests.registries import LAYOUT, RunningRegistry


@pytest.fixture
def registry(own_registry: RunningRegistry) -> Iterator[Registry]:
    own_registry.push(LAYOUT, "1.4", "testns/testrepo:multi")
    own_registry.push(LAYOUT, "single", "testns/testrepo:single")
    own_registry.push(LAYOUT, "single", "other/repo:1")
    with Registry.build_with_manual_client(f"{own_registry.url}/v2/") as opened:
        yield opened


def test_namespaces_and_repositories(registry: Registry) -> None:
    assert set(registry.namespaces()) == {"testns", "other"}
    assert set(registry.repositories()) == {"testns/testrepo", "other/repo"}
    assert set(registry.repositories("testns")) == {"testns/testrepo"}
    assert registry.repository("testrepo", "testns") is registry.repository("testns/testrepo")
    with pytest.raises(KeyError, match="no namespace 'nobody'"):
        registry.repositories("nobody")


def test_a_repository(registry: Registry) -> None:
    repo = registry.repository("testns/testrepo")
    assert isinstance(repo, Repository)
    assert repo.name == "testns/testrepo"
    assert sorted(repo.tags()) == ["multi", "single"]

    manifest = repo.get_manifest("single")
    assert isinstance(manifest, Manifest)
    repo.delete_manifest(manifest.digest)
    assert repo.tags() == ("multi",)


def test_blobs(registry: Registry) -> None:
    repo = registry.repository("testns/testrepo")
    layer = repo.get_manifest("single").layers[0]  # type: ignore[union-attr]

    assert Digest.of(repo.get_blob(str(layer.digest))) == layer.digest
    repo.delete_blob(str(layer.digest))
    assert not repo.has_blob(layer.digest)


def test_an_image(registry: Registry) -> None:
    image = registry.repository("testns/testrepo").get_image("multi")

    assert isinstance(image, Image)
    assert (image.repo, image.tag) == ("testns/testrepo", "multi")
    assert image.platforms == {
        Platform.from_name("linux/amd64"),
        Platform.from_name("linux/arm64"),
        Platform.from_name("linux/arm/v7"),
    }
    assert image.get_platform_image(Platform.from_name("linux/amd64")).config.platform == Platform.from_name(
        "linux/amd64"
    )


@pytest.mark.parametrize("ending", ["", "/", "/v2", "/v2/"])
def test_the_address_may_end_in_any_way(own_registry: RunningRegistry, ending: str) -> None:
    with Registry(own_registry.url + ending) as registry:
        registry.ping()
        assert registry.url == own_registry.url
        assert registry.repositories() == {}
        assert registry.namespaces() == ()
