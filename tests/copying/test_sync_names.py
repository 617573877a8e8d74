"""Synchronisation of archives, of directories of layouts, and of layouts with several repositories."""

import json
from itertools import count
from pathlib import Path

import pytest

from dreg_client import Layout, SyncPlan, apply_sync, errors, open_store, plan_sync, sync
from tests.copying.graphs import CONFIG, MANIFEST, Graph, names
from tests.copying.sync_flavours import Syncs, both
from tests.copying.test_prune import layout_of, tags_of
from tests.registries import LAYOUT, RunningRegistry, running

NUMBERS = count()
PLATFORM = ["linux/amd64"]


@pytest.fixture
def there(registry: RunningRegistry) -> str:
    """The name of an empty repository."""
    return f"{registry.address}/named/number-{next(NUMBERS)}"


def many(folder: Path, *tags: str) -> str:
    """A layout whose images have full names, two of each repository."""
    return layout_of(folder, *(tags or ("acme/web:1", "acme/web:2", "localhost:5000/acme/old:1")))


def loadable(folder: Path, *tags: str) -> str:
    """A layout with an image for each tag, whose config has the diff ids of its layers, as docker-archives need."""
    graph = Graph()
    for tag in tags:
        layer = graph.add(tag.encode())
        rootfs = {"type": "layers", "diff_ids": [layer["digest"]]}
        config = graph.add(json.dumps({"os": "linux", "architecture": "amd64", "rootfs": rootfs}).encode(), CONFIG)
        document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
        graph.tag(graph.add(json.dumps(document).encode(), MANIFEST), tag)
    return f"oci:{graph.write(folder)}"


def saved(name: str) -> set[str]:
    with open_store(name) as store:
        return {*store.tags()}


@both
def test_a_docker_archive_goes_to_a_repository_under_its_tags(run: Syncs, there: str, tmp_path: Path) -> None:
    archive = f"docker-archive:{tmp_path}/web.tar"
    assert run.sync(loadable(tmp_path / "here", "acme/web:1.4", "acme/web:1.5"), archive).copied == 2

    first = run.sync(archive, there, tags=["1.4"])
    second = run.sync(archive, there)

    assert (first.copied, second.copied, second.skipped) == (1, 1, 1)
    assert tags_of(there) == {"1.4", "1.5"}
    assert not second.failures


@both
def test_an_archive_of_several_repositories_goes_to_a_whole_registry(run: Syncs, tmp_path: Path) -> None:
    source = many(tmp_path / "here")
    (tmp_path / "registry").mkdir()
    with running(tmp_path / "registry") as into:
        done = run.sync(source, into.address)
        again = run.sync(source, into.address)
        one = run.sync(f"{source}:acme/web", f"{into.address}/only/web")

        assert (done.copied, again.copied, again.skipped, one.copied) == (3, 0, 3, 2)
        assert tags_of(f"{into.address}/acme/web") == tags_of(f"{into.address}/only/web") == {"1", "2"}
        assert tags_of(f"{into.address}/acme/old") == {"1"}
        assert [each.source for each in done.repositories] == [
            f"{source}:acme/web",
            f"{source}:localhost:5000/acme/old",
        ]


def test_several_repositories_do_not_become_one(there: str, tmp_path: Path) -> None:
    source = many(tmp_path / "here")

    with pytest.raises(
        errors.InvalidReferenceError, match=r"it has acme/web, localhost:5000/acme/old; name one of them"
    ):
        sync(source, there)
    with pytest.raises(errors.InvalidReferenceError, match="without a tag"):
        sync(f"{source}:acme/other", there)


@both
@pytest.mark.parametrize("kind", ["oci-archive", "docker-archive"])
def test_a_whole_registry_is_carried_over_in_an_archive(run: Syncs, kind: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    archive = f"{kind}:{tmp_path}/all.tar"
    with running(tmp_path / "a") as source, running(tmp_path / "b") as into:
        sync(loadable(tmp_path / "web", "1.3", "1.4"), f"{source.address}/acme/web")
        sync(loadable(tmp_path / "solo", "latest"), f"{source.address}/solo")

        written = run.sync(source.address, archive)
        octets = (tmp_path / "all.tar").read_bytes()
        again = run.sync(source.address, archive)
        read = run.sync(archive, into.address)

        assert saved(archive) == {f"{source.address}/acme/web:{tag}" for tag in ("1.3", "1.4")} | {
            f"{source.address}/solo:latest"
        }
        assert (written.copied, read.copied) == (3, 3)
        assert not {**written.failures, **again.failures, **read.failures}
        assert (tmp_path / "all.tar").read_bytes() == octets
        assert tags_of(f"{into.address}/acme/web") == {"1.3", "1.4"}
        assert tags_of(f"{into.address}/solo") == {"latest"}


@both
def test_an_archive_is_synchronised_and_pruned(run: Syncs, there: str, tmp_path: Path) -> None:
    sync(layout_of(tmp_path / "before", "1", "2"), there)
    archive = f"oci-archive:{tmp_path}/web.tar"

    first = run.sync(there, archive)
    written = (tmp_path / "web.tar").stat()
    same = run.sync(there, archive)
    unchanged = (tmp_path / "web.tar").stat()
    second = run.sync(layout_of(tmp_path / "after", "2", "3"), archive, prune=True)

    assert (first.copied, same.copied, same.skipped) == (2, 0, 2)
    assert (unchanged.st_ino, unchanged.st_mtime_ns) == (written.st_ino, written.st_mtime_ns)
    assert (second.copied, second.skipped, second.removed) == (1, 1, 1)
    assert saved(archive) == {"2", "3"}


@both
def test_an_image_that_fails_does_not_keep_an_archive_from_being_written(run: Syncs, tmp_path: Path) -> None:
    source = layout_of(tmp_path / "here", "1", "2", "3")
    folder = tmp_path / "here"
    manifest = folder / "blobs" / names(folder)["2"].replace(":", "/")
    layer = json.loads(manifest.read_bytes())["layers"][0]["digest"]
    (folder / "blobs" / layer.replace(":", "/")).write_bytes(b"x")
    archive = f"oci-archive:{tmp_path}/web.tar"

    done = run.sync(source, archive)

    assert [*done.failures] == [f"{source}:2"]
    assert saved(archive) == {"1", "3"}


def test_a_repository_in_a_docker_archive_has_its_full_name(there: str, tmp_path: Path) -> None:
    sync(loadable(tmp_path / "here", "1"), there)

    sync(there, f"docker-archive:{tmp_path}/a.tar")
    sync(there, f"docker-archive:{tmp_path}/b.tar:localhost:5001/acme/web")

    assert saved(f"docker-archive:{tmp_path}/a.tar") == {f"{there}:1"}
    assert saved(f"docker-archive:{tmp_path}/b.tar") == {"localhost:5001/acme/web:1"}
    with pytest.raises(errors.InvalidReferenceError, match="docker-archive:FILE:acme/web"):
        sync(f"oci:{tmp_path}/here", f"docker-archive:{tmp_path}/c.tar")
    with pytest.raises(errors.UnsupportedError, match="cannot be pruned"):
        sync(there, f"docker-archive:{tmp_path}/a.tar", prune=True)


def test_an_index_needs_a_platform_in_a_docker_archive(tmp_path: Path) -> None:
    archive = f"docker-archive:{tmp_path}/web.tar:acme/web"

    failed = sync(f"oci:{LAYOUT}", archive, tags=["1.4"])
    done = sync(f"oci:{LAYOUT}", archive, tags=["1.4"], platforms=PLATFORM)

    assert isinstance(failed.repositories[0].failed["1.4"], errors.UnsupportedError)
    assert "choose one with platforms=" in str(failed.repositories[0].failed["1.4"])
    assert done.copied == 1
    assert saved(archive) == {"docker.io/acme/web:1.4"}


@both
def test_a_directory_of_layouts_goes_back_to_a_registry(run: Syncs, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    folders = f"oci:{tmp_path}/layouts"
    with running(tmp_path / "a") as source, running(tmp_path / "b") as into:
        for name in ("acme/web", "acme/web/tools", "solo"):
            sync(f"oci:{LAYOUT}", f"{source.address}/{name}", tags=["single"])
        run.sync(source.address, folders, repositories=["acme/web/tools"])
        planned = run.plan(source.address, folders)
        run.sync(source.address, folders)
        assert not [each.failures for each in planned.repositories if each.failures]

        done = run.sync(folders, f"{into.address}/mirror", repositories=["acme/*"])
        plain = run.sync(folders, into.address)

        assert [each.source for each in done.repositories] == [f"{folders}/acme/web", f"{folders}/acme/web/tools"]
        assert (done.copied, plain.copied) == (2, 3)
        assert tags_of(f"{into.address}/mirror/acme/web/tools") == tags_of(f"{into.address}/solo") == {"single"}


def test_a_whole_registry_goes_to_one_layout_that_exists(there: str, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with Layout.create(tmp_path / "one"), running(tmp_path / "a") as source:
        sync(layout_of(tmp_path / "here", "1"), f"{source.address}/acme/web")

        done = sync(source.address, f"oci:{tmp_path}/one")

        assert done.copied == 1
        assert names(tmp_path / "one").keys() == {f"{source.address}/acme/web:1"}
    assert sync(f"oci:{tmp_path}/one", there).copied == 1
    assert tags_of(there) == {"1"}


@both
def test_plans_of_named_repositories_are_applied(run: Syncs, tmp_path: Path) -> None:
    source = many(tmp_path / "here")
    (tmp_path / "registry").mkdir()
    with running(tmp_path / "registry") as into:
        plan = SyncPlan.from_json(run.plan(source, into.address).to_json())
        pushed = run.apply(plan)
        archive = f"oci-archive:{tmp_path}/all.tar"
        back = SyncPlan.from_json(run.plan(into.address, archive).to_json())
        assert not (tmp_path / "all.tar").exists()
        saved_again = run.apply(back)

        assert (pushed.copied, saved_again.copied) == (3, 3)
        assert not {**pushed.failures, **saved_again.failures}
        assert saved(archive) == {f"{into.address}/acme/{name}" for name in ("web:1", "web:2", "old:1")}


def test_hostile_names_in_an_archive_stay_names(tmp_path: Path) -> None:
    source = many(tmp_path / "here", "../../etc/passwd:1", "acme/web:1", "UPPER/case:1")
    (tmp_path / "registry").mkdir()
    with running(tmp_path / "registry") as into:
        done = sync(source, into.address)

        assert done.copied == 1
        assert {*done.failures} == {f"{source}:../../etc/passwd", f"{source}:UPPER/case"}
        assert all(isinstance(each, errors.InvalidReferenceError) for each in done.failures.values())


def test_a_plan_of_an_archive_writes_nothing(tmp_path: Path) -> None:
    plan = plan_sync(f"oci:{LAYOUT}", f"oci-archive:{tmp_path}/web.tar")

    assert [*tmp_path.iterdir()] == []
    assert apply_sync(plan).copied == 4
    assert [each.name for each in tmp_path.iterdir()] == ["web.tar"]


def test_a_layout_has_signatures_of_each_repository(there: str, tmp_path: Path) -> None:
    graph = Graph()
    image = graph.image([graph.add(b"layer")])
    signature = graph.artifact([graph.add(b"signature")])
    graph.tag(image, "acme/web:1")
    graph.tag(signature, f"acme/web:{image['digest'].replace(':', '-')}.sig")
    source = graph.write(tmp_path / "here")

    done = sync(f"oci:{source}", there, tags=["1"], referrers=True)

    assert done.copied == 2
    assert tags_of(there) == {"1", f"{image['digest'].replace(':', '-')}.sig"}
