"""A store that is opened as another kind: the error says what it is and what to write."""

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dreg_client import open_image, open_store
from dreg_client.errors import LayoutCorruptError, LayoutError, NotFoundError

if TYPE_CHECKING:
    from tests.layout.conftest import LayoutBuilder

Write = Callable[..., Path]


@pytest.fixture
def oci(fixtures: Path) -> Path:
    return fixtures / "archives/multi.oci.tar"


@pytest.fixture
def docker(fixtures: Path) -> Path:
    return fixtures / "archives/web.docker.tar"


def test_an_archive_of_a_layout_is_not_one_of_docker_save(oci: Path) -> None:
    with pytest.raises(LayoutCorruptError, match=f"open it as oci-archive:{oci}$"):
        open_store(f"docker-archive:{oci}")


def test_an_archive_of_docker_save_is_not_one_of_a_layout(docker: Path) -> None:
    with pytest.raises(LayoutCorruptError, match=f"open it as docker-archive:{docker}$"):
        open_store(f"oci-archive:{docker}")


@pytest.mark.parametrize("compressed", [False, True])
def test_an_archive_is_not_a_directory(oci: Path, docker: Path, tmp_path: Path, compressed: bool) -> None:
    """A compressed archive is not unpacked for a message, so both kinds are named."""
    for archive, kind in ((oci, "oci-archive"), (docker, "docker-archive")):
        path = tmp_path / archive.name
        path.write_bytes(gzip.compress(archive.read_bytes()) if compressed else archive.read_bytes())
        words = f"oci-archive:{path} or docker-archive:{path}" if compressed else f"{kind}:{path}"
        with pytest.raises(NotFoundError, match=f"open it as {words}$"):
            open_store(f"oci:{path}")


def test_a_directory_is_not_an_archive(fixtures: Path) -> None:
    layout = fixtures / "layouts/multi"
    for kind in ("oci-archive", "docker-archive"):
        with pytest.raises(LayoutError, match=f"is a directory; .* oci:{layout}$"):
            open_store(f"{kind}:{layout}")


@pytest.mark.parametrize(("more", "said"), [("version", "skopeo copy dir:"), ("repositories", "tar -C ")])
def test_a_directory_of_another_tool_says_how_to_convert_it(tmp_path: Path, more: str, said: str) -> None:
    (tmp_path / "manifest.json").write_text("[]")
    (tmp_path / more).write_text("{}")

    with pytest.raises(LayoutCorruptError, match=said):
        open_store(f"oci:{tmp_path}")


# --- names with colons


def test_an_entry_whose_name_is_a_whole_reference_is_asked_for_by_it(build: "LayoutBuilder", tmp_path: Path) -> None:
    """Colima, buildah and containerd write such names."""
    entry = build.tag("platform/mysql:8.0", build.image())
    archive = shutil.make_archive(str(tmp_path / "archive"), "tar", build.write())

    for store in (f"oci:{build.path}", f"oci-archive:{archive}"):
        with open_image(f"{store}:platform/mysql:8.0") as image:
            assert (image.tag, image.digest) == ("platform/mysql:8.0", entry["digest"])


def test_a_path_with_colons_is_a_path_first(build: "LayoutBuilder", tmp_path: Path) -> None:
    entry = build.tag("1.4", build.image())
    path = build.write().rename(tmp_path / "with:colon")
    (tmp_path / "with").mkdir()

    with open_image(f"oci:{path}:1.4") as image:
        assert image.digest == entry["digest"]


def test_names_that_are_not_tags_are_mentioned_with_how_to_ask_for_them(build: "LayoutBuilder") -> None:
    build.tag("platform/mysql:8.0", build.image())

    with pytest.raises(NotFoundError, match=r"platform/mysql:8\.0; .* get_image"), build.layout() as layout:
        layout.get_image("8.0")
    with pytest.raises(NotFoundError, match="get_image"):
        open_store(f"oci:{build.path}-missing:platform/mysql:8.0")


def test_a_list_of_docker_images_beside_a_layout_is_both(tarred: Write) -> None:
    index = json.dumps({"schemaVersion": 2, "manifests": []}).encode()
    path = tarred(("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'), ("index.json", index), ("manifest.json", b"[]"))

    for kind in ("oci-archive", "docker-archive"):
        with open_store(f"{kind}:{path}") as store:
            assert store.tags() == ()
