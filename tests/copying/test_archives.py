"""Copies to archives: as a whole or not at all, and the same bytes for the same images."""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Layout, acopy, copy, open_image, open_store
from dreg_client.errors import (
    ConflictError,
    DigestMismatchError,
    InvalidReferenceError,
    LayoutError,
    NotAnImageError,
    UnsupportedError,
)
from tests.commands import run_limited
from tests.layout.writing import WAYS, Writer, sha256
from tests.registries import LAYOUT, ROOT, RunningRegistry

MULTI = f"oci:{LAYOUT}"
AMD64 = ["linux/amd64"]
KINDS = ("oci-archive", "docker-archive")


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """Threads or tasks."""
    found: str = request.param
    return found


def copied(way: str, source: str, destination: str, **options: Any) -> Any:
    if way == "threads":
        return copy(source, destination, **options)
    return asyncio.run(_acopied(source, destination, options))


async def _acopied(source: str, destination: str, options: dict[str, Any]) -> Any:
    return await acopy(source, destination, **options)


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def tool(*command: str | Path) -> "subprocess.CompletedProcess[bytes]":
    return run_limited([*map(str, command)], capture_output=True, check=True)


def manifest_json(path: Path) -> Any:
    with tarfile.open(path) as tar:
        member = tar.extractfile("manifest.json")
        assert member
        return json.loads(member.read())


# --- oci-archive


def test_an_index_is_copied_with_its_digest(way: str, tmp_path: Path) -> None:
    archive = tmp_path / "web.tar"
    result = copied(way, f"{MULTI}:1.4", f"oci-archive:{archive}:1.4")

    with open_store(f"oci-archive:{archive}") as store:
        assert store.tags() == ("1.4",)
        assert store.resolve("1.4").digest == result.digests["1.4"] == Layout(LAYOUT).resolve("1.4").digest
    raw = tool("skopeo", "inspect", "--raw", f"oci-archive:{archive}:1.4").stdout
    assert sha256(raw) == result.digests["1.4"]
    tool("skopeo", "copy", "--all", f"oci-archive:{archive}:1.4", f"dir:{tmp_path / 'out'}")


def test_images_that_an_archive_has_are_kept_and_not_sent_again(way: str, tmp_path: Path) -> None:
    archive = tmp_path / "web.tar"
    copied(way, f"{MULTI}:1.4", f"oci-archive:{archive}:1.4")
    more = copied(way, f"{MULTI}:single", f"oci-archive:{archive}:single")
    before = digest_of(archive)
    again = copied(way, f"{MULTI}:1.4", f"oci-archive:{archive}:1.4")

    assert more.skipped.count > 0
    assert again.copied.count == 0
    assert digest_of(archive) == before
    with open_store(f"oci-archive:{archive}") as store:
        assert store.tags() == ("1.4", "single")


def test_an_archive_drops_what_no_image_needs(way: str, tmp_path: Path) -> None:
    archive, alone = tmp_path / "web.tar", tmp_path / "alone.tar"
    copied(way, f"{MULTI}:1.4", f"oci-archive:{archive}:latest")
    copied(way, f"{MULTI}:single", f"oci-archive:{archive}:latest")
    copied(way, f"{MULTI}:single", f"oci-archive:{alone}:latest")

    assert digest_of(archive) == digest_of(alone)


def test_the_same_images_give_the_same_bytes(way: str, tmp_path: Path) -> None:
    first, second = tmp_path / "first.tar", tmp_path / "second.tar"
    copied(way, MULTI, f"oci-archive:{first}", tags="all")
    for tag in ("single", "nested", "artifact", "1.4"):
        copied(way, f"{MULTI}:{tag}", f"oci-archive:{second}:{tag}")

    assert digest_of(first) == digest_of(second)
    with tarfile.open(first) as tar:
        members = tar.getmembers()
    assert [it.name for it in members] == sorted(it.name for it in members)
    assert {(it.mtime, it.uid, it.gid, it.mode) for it in members} == {(0, 0, 0, 0o644)}


def test_a_digest_may_be_long(tmp_path: Path) -> None:
    writer = Writer("threads", tmp_path / "layout")
    digest = writer.image()
    sha512 = "sha512:" + hashlib.sha512(writer.file(digest).read_bytes()).hexdigest()
    writer.put_manifest(writer.file(digest).read_bytes(), sha512)
    copy(f"oci:{writer.path}@{sha512}", f"oci-archive:{tmp_path / 'web.tar'}")

    with open_store(f"oci-archive:{tmp_path / 'web.tar'}") as store:
        assert store.get_manifest(sha512).digest == sha512


# --- docker-archive


def test_one_platform_is_copied_with_the_digest_of_its_config(way: str, tmp_path: Path) -> None:
    archive = tmp_path / "web.tar"
    copied(way, f"{MULTI}:1.4", f"docker-archive:{archive}:acme/web:1.4", platforms=AMD64)

    with open_image(f"docker-archive:{archive}:acme/web:1.4") as image, open_image(f"{MULTI}:1.4") as original:
        saved = image.get_platform_image("linux/amd64").manifest
        expected = original.get_platform_image("linux/amd64").manifest
        assert saved.config.digest == expected.config.digest
        assert [it.digest for it in saved.layers] == [it.digest for it in expected.layers]
    assert manifest_json(archive)[0]["RepoTags"] == ["docker.io/acme/web:1.4"]
    tool("skopeo", "copy", f"docker-archive:{archive}:acme/web:1.4", f"dir:{tmp_path / 'out'}")
    written = json.loads((tmp_path / "out/manifest.json").read_bytes())
    assert written["config"]["digest"] == saved.config.digest


def test_several_images_are_in_one_archive_and_the_same_bytes(way: str, tmp_path: Path) -> None:
    first, second = tmp_path / "first.tar", tmp_path / "second.tar"
    images = [("1.4", AMD64), ("single", None)]
    for archive, order in ((first, images), (second, images[::-1])):
        for tag, platforms in order:
            copied(way, f"{MULTI}:{tag}", f"docker-archive:{archive}:acme/web:{tag}", platforms=platforms)

    assert digest_of(first) == digest_of(second)
    with open_store(f"docker-archive:{first}") as store:
        assert store.tags() == ("docker.io/acme/web:1.4", "docker.io/acme/web:single")
    for tag in ("1.4", "single"):
        tool("skopeo", "inspect", f"docker-archive:{first}:acme/web:{tag}")


def test_a_name_is_moved_and_an_image_without_one_is_dropped(way: str, tmp_path: Path) -> None:
    archive, alone = tmp_path / "web.tar", tmp_path / "alone.tar"
    copied(way, f"{MULTI}:1.4", f"docker-archive:{archive}:web", platforms=AMD64)
    copied(way, f"{MULTI}:single", f"docker-archive:{archive}:docker.io/library/web:latest")
    copied(way, f"{MULTI}:single", f"docker-archive:{alone}:web:latest")

    assert digest_of(archive) == digest_of(alone)
    copied(way, f"{MULTI}:single", f"docker-archive:{archive}:web:2")
    assert manifest_json(archive)[0]["RepoTags"] == ["docker.io/library/web:2", "docker.io/library/web:latest"]
    assert len(manifest_json(archive)) == 1


def test_an_archive_of_docker_save_is_extended(fixtures: Path, tmp_path: Path) -> None:
    old = next((fixtures / "archives").glob("*.tar"))
    archive = tmp_path / "web.tar"
    archive.write_bytes(old.read_bytes())
    with open_store(f"docker-archive:{archive}") as store:
        before = {tag: store.get_manifest(tag).digest for tag in store.tags()}
    copy(f"{MULTI}:single", f"docker-archive:{archive}:acme/new:1")

    with open_store(f"docker-archive:{archive}") as store:
        assert {tag: store.get_manifest(tag).digest for tag in before} == before
        assert "docker.io/acme/new:1" in store.tags()


def test_an_index_needs_a_platform_and_an_artifact_is_no_image(way: str, tmp_path: Path) -> None:
    archive = tmp_path / "web.tar"
    with pytest.raises(UnsupportedError, match="choose it with platforms="):
        copied(way, f"{MULTI}:1.4", f"docker-archive:{archive}:acme/web:1.4")
    with pytest.raises(NotAnImageError):
        copied(way, f"{MULTI}:artifact", f"docker-archive:{archive}:acme/web:artifact")
    with pytest.raises(InvalidReferenceError, match="a name with a repository"):
        copied(way, MULTI, f"docker-archive:{archive}", tags=["single"])
    with pytest.raises(UnsupportedError, match="omit referrers=True"):
        copied(way, f"{MULTI}:single", f"docker-archive:{archive}:acme/web:1.4", referrers=True)
    assert list(tmp_path.iterdir()) == []


def test_an_image_without_a_name_is_the_only_one(way: str, tmp_path: Path) -> None:
    copied(way, f"{MULTI}:single", f"docker-archive:{tmp_path / 'web.tar'}")

    assert manifest_json(tmp_path / "web.tar")[0]["RepoTags"] is None
    with open_image(f"docker-archive:{tmp_path / 'web.tar'}") as image:
        assert image.platforms


def test_the_only_image_is_copied_under_its_name(way: str, registry: RunningRegistry, tmp_path: Path) -> None:
    archive, there = f"docker-archive:{tmp_path / 'web.tar'}", f"{registry.address}/archives/only-{way}"
    copied(way, f"{MULTI}:single", f"{archive}:acme/web:1.4")

    assert copied(way, archive, there).tagged == ("1.4",)
    assert copied(way, f"{archive}:@0", f"{there}-by-position").tagged == ("1.4",)
    assert copied(way, archive, f"oci:{tmp_path / 'layout'}").tagged == ("docker.io/acme/web:1.4",)
    copied(way, archive, f"docker-archive:{tmp_path / 'second.tar'}")
    assert digest_of(tmp_path / "second.tar") == digest_of(tmp_path / "web.tar")


@pytest.mark.parametrize("kind", KINDS)
def test_all_names_of_an_archive_become_tags_of_a_repository(
    way: str, kind: str, registry: RunningRegistry, tmp_path: Path
) -> None:
    archive, there = f"{kind}:{tmp_path / 'web.tar'}", f"{registry.address}/archives/all-{way}-{kind}"
    for tag in ("1.3", "1.4"):
        copied(way, f"{MULTI}:single", f"{archive}:docker.io/acme/web:{tag}")

    assert set(copied(way, archive, there, tags="all").tagged) == {"1.3", "1.4"}
    copied(way, f"{MULTI}:1.4", f"{archive}:docker.io/acme/api:1.3", platforms=AMD64)
    with pytest.raises(ConflictError, match=r"api:1\.3' and .*web:1\.3' would both become the tag 1\.3"):
        copied(way, archive, there, tags="all")


# --- failures


@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_that_fails_leaves_the_archive_as_it_was(way: str, kind: str, tmp_path: Path) -> None:
    archive = tmp_path / "out/web.tar"
    archive.parent.mkdir()
    copied(way, f"{MULTI}:single", f"{kind}:{archive}:acme/web:1")
    before = archive.read_bytes()
    writer = Writer("threads", tmp_path / "broken")
    writer.image("1.4", (b"layer " * 1000,))
    layer = writer.file(sha256(b"layer " * 1000))
    layer.write_bytes(layer.read_bytes()[:-1] + b"x")

    with pytest.raises(DigestMismatchError):
        copied(way, f"oci:{writer.path}:1.4", f"{kind}:{archive}:acme/web:2")
    assert archive.read_bytes() == before
    assert list(archive.parent.iterdir()) == [archive]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_no_archive_is_not_replaced(way: str, kind: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(LayoutError):
        copied(way, f"{MULTI}:single", f"{kind}:{tmp_path / 'notes.txt'}:acme/web:1")
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_that_another_process_changes_meanwhile_is_not_replaced(kind: str, tmp_path: Path) -> None:
    archive, other = tmp_path / "web.tar", tmp_path / "other.tar"
    copy(f"{MULTI}:single", f"{kind}:{archive}:acme/web:1")
    copy(f"{MULTI}:single", f"{kind}:{other}:acme/web:2")

    def replace(_: object) -> None:
        if other.exists():
            other.rename(archive)

    with pytest.raises(ConflictError, match="was changed by another process, so it was not replaced"):
        copy(f"{MULTI}:1.4", f"{kind}:{archive}:acme/web:3", platforms=AMD64, on_event=replace)
    with open_store(f"{kind}:{archive}") as store:
        assert len(store.tags()) == 1
    assert list(tmp_path.iterdir()) == [archive]


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_that_is_a_link_is_replaced_where_it_is(kind: str, tmp_path: Path) -> None:
    (tmp_path / "link.tar").symlink_to(tmp_path / "web.tar")
    copy(f"{MULTI}:single", f"{kind}:{tmp_path / 'link.tar'}:acme/web:1")

    assert (tmp_path / "link.tar").is_symlink()
    assert (tmp_path / "web.tar").is_file()


KILLED = """
import os, signal, sys
left = int(sys.argv[3])
def dying(function):
    def count(*arguments, **options):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return count
for name in ("write", "fsync", "rename", "mkdir", "unlink", "copy_file_range"):
    setattr(os, name, dying(getattr(os, name)))
from dreg_client import copy
copy(sys.argv[1], sys.argv[2])
"""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("call", [1, 3, 10, 20, 30, 40, 50])
def test_lay_11_a_copy_that_is_killed_leaves_the_old_archive(kind: str, call: int, tmp_path: Path) -> None:
    archive = tmp_path / "web.tar"
    copy(f"{MULTI}:single", f"{kind}:{archive}:acme/web:old")
    before = archive.read_bytes()
    new = f"{kind}:{archive}:acme/web:new"
    command = [sys.executable, "-c", KILLED, f"{MULTI}:single", new, str(call)]
    run_limited(command, check=False, cwd=ROOT, env={**os.environ})

    with open_store(f"{kind}:{archive}") as store:
        assert archive.read_bytes() == before or len(store.tags()) == 2
    copy(f"{MULTI}:single", new)
    with open_store(f"{kind}:{archive}") as store:
        assert len(store.tags()) == 2
    assert list(tmp_path.iterdir()) == [archive]


@pytest.mark.parametrize("kind", KINDS)
def test_the_directory_of_a_new_archive_is_created(kind: str, tmp_path: Path) -> None:
    archive = tmp_path / "new/folder/web.tar"

    copy(f"{MULTI}:single", f"{kind}:{archive}:acme/web:1", dry_run=True)
    assert not (tmp_path / "new").exists()
    copy(f"{MULTI}:single", f"{kind}:{archive}:acme/web:1")
    assert [*archive.parent.iterdir()] == [archive]


def test_a_directory_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(LayoutError, match=r"/file: cannot be created: it is not a directory"):
        copy(f"{MULTI}:single", f"oci-archive:{tmp_path / 'file/web.tar'}")
