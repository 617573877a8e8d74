"""A storage tells what the server tells that wrote it: Debian's docker-registry (distribution 2.8)."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from dreg_client import Descriptor, Registry, RegistryStorage, Repository, Store, copy, errors, open_store, sync
from dreg_client.copying.digest_tags import is_referrers_tag
from dreg_client.models.legacy import LegacyManifest
from tests.commands import run_limited
from tests.registries import LAYOUT, RunningRegistry, running
from tests.storage.signing import sign

LONG = "/".join("abcdefghijklmnopqrstuvwxyz" * 4)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    with running(tmp_path_factory.mktemp("server"), schema1=True) as registry:
        registry.push_all(LAYOUT, "acme/web")
        registry.push_all(LAYOUT, "acme/web/nested")
        registry.push_all(LAYOUT, "acme/web-1")
        registry.push(LAYOUT, "single", f"{LONG}:single")
        registry.put_blob("acme/blobs-alone")
        registry.push(LAYOUT, "single", "acme/signed:1")
        sign(registry, "acme/signed", "1")
        yield registry


@pytest.fixture
def both(server: RunningRegistry) -> Iterator[tuple[Registry, RegistryStorage]]:
    with Registry(server.url) as registry, RegistryStorage(server.root / "storage") as storage:
        yield registry, storage


def test_the_catalog_is_the_same_in_the_same_order(both: tuple[Registry, RegistryStorage]) -> None:
    registry, storage = both
    names = [*storage.catalog()]

    assert names == [*registry.catalog()] == [*storage.repositories()]
    assert {"acme/web", "acme/web/nested", "acme/blobs-alone", LONG} <= {*names}
    assert [*storage.repositories("acme")] == [*registry.repositories("acme")]
    with pytest.raises(errors.UnknownNamespaceError, match=r"its namespaces are: a, acme$"):
        storage.repositories("none")


def test_tags_manifests_and_configs_are_the_same(both: tuple[Registry, RegistryStorage]) -> None:
    registry, storage = both
    for name, stored in storage.repositories().items():
        if name != "acme/blobs-alone":
            assert sorted(registry.repository(name).tags()) == [*stored.tags()]
            for tag in stored.tags():
                _check_same(registry.repository(name), stored, tag)


def _check_same(served: Repository, stored: Store, tag: str) -> None:
    assert stored.resolve(tag) == served.resolve(tag)
    assert stored.get_manifest(tag) == served.get_manifest(tag)
    assert stored.get_raw_manifest(tag) == served.get_raw_manifest(tag)
    descriptor = stored.resolve(tag)
    assert stored.referrers(descriptor) == served.referrers(descriptor)
    if getattr(stored.get_manifest(tag), "config", None) and not tag.startswith(("sha256-", "artifact")):
        assert stored.get_config(tag) == served.get_config(tag)


def test_a_repository_of_blobs_alone_has_no_tags(both: tuple[Registry, RegistryStorage]) -> None:
    registry, storage = both
    assert storage.repository("acme/blobs-alone").tags() == ()
    with pytest.raises(errors.NotFoundError):
        registry.repository("acme/blobs-alone").tags()


def test_signatures_are_found_by_their_subject_and_under_the_referrers_tag(
    server: RunningRegistry, both: tuple[Registry, RegistryStorage]
) -> None:
    served, stored = (each.repository("acme/signed") for each in both)
    [found] = stored.referrers(stored.resolve("1"))

    assert found == served.referrers(served.resolve("1"))[0]
    assert found.artifact_type == "application/vnd.example.signature"
    assert stored.referrers(stored.resolve("1"), "application/vnd.example.other") == ()
    subject, storage = stored.resolve("1").digest, server.root / "storage"
    list_of_it = storage / f"docker/registry/v2/repositories/acme/signed/_manifests/tags/{subject.replace(':', '-')}"
    hidden = list_of_it.rename(storage / "hidden")
    try:
        assert [each.digest for each in stored.referrers(subject)] == [found.digest]
    finally:
        hidden.rename(list_of_it)


def test_schema_1_has_the_digest_that_the_server_states(server: RunningRegistry) -> None:
    """The server signs it anew for each request; the storage has what the digest is of."""
    command = ["skopeo", "copy", "--quiet", "--dest-tls-verify=false", "--format", "v2s1", f"oci:{LAYOUT}:single"]
    run_limited([*command, f"docker://{server.address}/old/web:1"], check=True, capture_output=True)

    with RegistryStorage(server.root / "storage") as storage, Registry(server.url) as registry:
        stored, served = storage.repository("old/web"), registry.repository("old/web")
        assert stored.resolve("1").digest == served.resolve("1").digest
        manifest, theirs = stored.get_manifest("1", legacy=True), served.get_manifest("1", legacy=True)
        assert isinstance(manifest, LegacyManifest)
        assert isinstance(theirs, LegacyManifest)
        assert manifest.layers == theirs.layers


def test_deleted_manifests_and_their_tags_are_gone(own_registry: RunningRegistry) -> None:
    own_registry.push_all(LAYOUT, "acme/web")
    with Registry(own_registry.url) as registry, RegistryStorage(own_registry.root / "storage") as storage:
        served, stored = registry.repository("acme/web"), storage.repository("acme/web")
        single, artifact = stored.resolve("single"), stored.resolve("artifact")
        served.delete_manifest(single.digest)
        _delete(own_registry, f"acme/web/blobs/{served.get_manifest(artifact).layers[0].digest}")  # type: ignore[union-attr]

        assert [*stored.tags()] == sorted(served.iter_tags())
        assert "single" not in stored.tags()
        for reference in ("single", single.digest):
            with pytest.raises(errors.NotFoundError):
                stored.get_manifest(reference)
        assert single.digest not in {each.digest for each in stored.source.untagged() or ()}
        assert not stored.has_blob(stored.get_manifest("artifact").layers[0].digest)  # type: ignore[union-attr]


def test_a_file_among_tags_is_listed_as_a_tag_and_makes_deletions_fail(own_registry: RunningRegistry) -> None:
    """So it is an error (STO-07), unlike other files."""
    own_registry.push(LAYOUT, "single", "acme/web:1")
    tags = own_registry.root / "storage/docker/registry/v2/repositories/acme/web/_manifests/tags"
    (tags / "a-file").touch()

    with Registry(own_registry.url) as registry:
        assert {*registry.repository("acme/web").iter_tags()} == {"1", "a-file"}
    with pytest.raises(urllib.error.HTTPError, match="500"):
        _delete(own_registry, f"acme/web/manifests/{(tags / '1/current/link').read_text()}")


def _delete(registry: RunningRegistry, path: str) -> None:
    request = urllib.request.Request(f"{registry.url}/v2/{path}", method="DELETE")  # noqa: S310 (our own)
    urllib.request.urlopen(request, timeout=30).close()  # noqa: S310 (as above)


def test_what_another_repository_has_is_not_found(both: tuple[Registry, RegistryStorage]) -> None:
    """As from the server: a repository has only what it has a link to, although the bytes are there."""
    elsewhere = both[1].repository("acme/web").resolve("1.4")
    for repository in (each.repository("acme/signed") for each in both):
        for reference in (elsewhere, elsewhere.digest):
            with pytest.raises(errors.NotFoundError):
                repository.get_manifest(reference)
    layer = both[1].repository("acme/web").get_manifest("artifact").layers[0]  # type: ignore[union-attr]
    assert not both[1].repository("acme/blobs-alone").has_blob(layer)


def test_a_storage_is_copied_to_another_registry_whole(server: RunningRegistry, own_registry: RunningRegistry) -> None:
    """With signatures, children of indexes, and under the same names; only schema 1 cannot be copied."""
    done = sync(f"registry-storage:{server.root / 'storage'}", own_registry.address, referrers=True)

    assert {each.source.partition("/storage/")[2] for each in done.repositories if each.failed} <= {"old/web"}
    with Registry(own_registry.url) as registry, RegistryStorage(server.root / "storage") as storage:
        names = [name for name, each in storage.repositories().items() if each.tags() and name != "old/web"]
        for name in names:
            copied, stored = registry.repository(name), storage.repository(name)
            assert sorted(copied.tags()) == [*stored.tags()]
            tags = [tag for tag in stored.tags() if not is_referrers_tag(tag)]  # those are written anew
            assert [*map(copied.resolve, tags)] == [*map(stored.resolve, tags)]
        signed = registry.repository("acme/signed")
        assert len(signed.referrers(signed.resolve("1"))) == 1


def test_copies_read_a_storage_and_never_write_one(server: RunningRegistry, tmp_path: Path) -> None:
    name = f"registry-storage:{server.root / 'storage'}/acme/signed"
    done = copy(f"{name}:1", f"oci:{tmp_path / 'signed'}", referrers=True)

    assert done.digests
    with open_store(f"oci:{tmp_path / 'signed'}") as layout, open_store(name) as stored:
        found: Descriptor = layout.resolve("1")
        assert found.digest == stored.resolve("1").digest
        assert len(layout.referrers(found)) == 1
    with pytest.raises(errors.UnsupportedError, match="the storage of a registry is only read; change it through"):
        copy(f"oci:{tmp_path / 'signed'}:1", f"{name}:2")
