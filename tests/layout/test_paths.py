"""Paths with colons and names with digests: what is there decides, and the digest does."""

import os
import shutil
from pathlib import Path

import pytest

from dreg_client import Digest, DockerArchive, Layout, open_image, open_store
from dreg_client.errors import InvalidReferenceError, NotFoundError
from dreg_client.values.store_name import StoreName, reference_of
from tests.commands import run_dreg

LAYOUT = Path("fixtures/layouts/multi").absolute()
SAVED = Path("fixtures/archives/web.docker.tar").absolute()
PACKED = Path("fixtures/archives/multi.oci.tar").absolute()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a layout and two archives that have colons in their names, and one layout without."""
    for name in ("we:ird", "L"):
        shutil.copytree(LAYOUT, tmp_path / name)
    shutil.copy(SAVED, tmp_path / "a:saved.tar")
    shutil.copy(PACKED, tmp_path / "a:packed.tar")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", ["oci:we:ird", "oci-archive:a:packed.tar", "docker-archive:a:saved.tar"])
def test_a_path_with_a_colon_is_the_path_of_what_is_there(name: str) -> None:
    with open_store(name) as store:
        assert store.tags()
        tag = store.tags()[0]
    with open_image(f"{name}:{tag}") as image:
        assert image.digest
    assert run_dreg(["tags", name], environment=os.environ).returncode == 0


@pytest.mark.usefixtures("here")
def test_of_a_tag_and_a_digest_the_digest_counts() -> None:
    with Layout("L") as layout, DockerArchive("a:saved.tar") as saved:
        wanted = layout.resolve("1.4").digest
        written = saved.resolve("").digest
    for name, digest in (
        (f"oci:L:single@{wanted}", wanted),
        (f"oci:we:ird:single@{wanted}", wanted),
        (f"docker-archive:a:saved.tar:other:1@{written}", written),
    ):
        with open_image(name) as image:
            assert image.digest == digest
        assert run_dreg(["resolve", name], environment=os.environ).stdout.decode().strip() == digest
    packed = StoreName.parse(f"oci-archive:web.tar:1.4@{wanted}")
    assert (packed.path, reference_of(packed)) == ("web.tar", wanted)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", ["oci:L@x", "oci:L:y", "oci-archive:a:packed.tar", "oci-archive:a@packed.tar"])
@pytest.mark.parametrize("form", [":{tag}", "@{digest}", ":@{digest}", ":{tag}@{digest}"])
def test_the_longest_path_there_is_wins_in_all_forms_of_names(here: Path, name: str, form: str) -> None:
    for path in ("L@x", "L:y"):
        shutil.copytree(LAYOUT, here / path)
    for path in ("a", "a@packed.tar"):
        shutil.copy(PACKED, here / path)
    path = name.partition(":")[2]
    with open_store(name) as store:
        wanted = store.resolve("1.4").digest

    with open_image(name + form.format(tag="1.4", digest=wanted)) as image:
        assert image.digest == wanted
    with open_store(name) as store, pytest.raises(NotFoundError, match=f'^{path} has no tag "none"; available: 1.4'):
        store.resolve("none")
    given = name + form.format(tag="1.4", digest=wanted)
    checked = run_dreg(["validate", given, "--format", "json"], environment=os.environ)
    assert checked.returncode == 0, checked.stderr
    with pytest.raises(NotFoundError, match=f"^{path} has no"):
        open_image(f"{name}:none")


def test_a_saved_archive_of_a_path_with_signs_is_found_in_all_forms(here: Path) -> None:
    for path in ("s@x.tar", "s:x.tar"):
        shutil.copy(SAVED, here / path)
        with open_store(f"docker-archive:{path}") as store:
            tag = store.tags()[0]
        for form in ("", f":{tag}", ":@0"):
            with open_image(f"docker-archive:{path}{form}") as image:
                assert image.digest
        with pytest.raises(InvalidReferenceError, match="not by @DIGEST"):
            open_image(f"docker-archive:{path}@{Digest.of(b'x')}")


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("behind", ["", ":1.4", f"@{Digest.of(b'x')}"])
@pytest.mark.parametrize(("path", "kind"), [("L", "oci"), ("we:ird", "oci"), ("a:saved.tar", "docker-archive")])
def test_the_path_of_a_store_is_not_taken_for_a_repository(path: str, kind: str, behind: str) -> None:
    for opening in (open_store, open_image):
        with pytest.raises(InvalidReferenceError, match=f"before a path, such as {kind}:{path}{behind}$"):
            opening(path + behind)


def test_a_folder_that_is_no_layout_may_have_the_name_of_a_repository(here: Path) -> None:
    (here / "ubuntu").mkdir()
    with open_store("ubuntu") as store:
        assert store.address == "docker.io/library/ubuntu"
    with open_store("docker://L/x") as store:
        assert store.address.endswith("x")
