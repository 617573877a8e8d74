"""What skopeo and umoci write is read as they read it themselves: real processes, byte for byte."""

import io
import json
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from dreg_client import DockerArchive, ImageConfig, Layout, OciManifest, Platform, parse_document, parse_manifest
from dreg_client._sync.layout import open_oci_archive
from dreg_client._sync.store import Store
from dreg_client._sync.validation import validate_layout
from dreg_client.errors import LayoutError
from tests.commands import run_limited


def run(*command: str | Path) -> bytes:
    """The output of a command; `.ci/setup dev` installs skopeo and umoci."""
    done = run_limited(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def copy(*arguments: str) -> None:
    run("skopeo", "copy", "--quiet", "--insecure-policy", *arguments)


@pytest.fixture(scope="module")
def multi(fixtures: Path) -> str:
    return f"oci:{fixtures}/layouts/multi"


def agrees(store: Store, reference: str, name: str) -> None:
    """The store shows the manifest and the config that skopeo shows."""
    image = store.get_image(reference)
    (found,) = image.get_platform_images()
    raw = run("skopeo", "inspect", "--raw", name)
    seen = parse_manifest(raw)
    told = json.loads(run("skopeo", "inspect", "--no-tags", name))

    assert not hasattr(seen, "manifests")
    assert found.config.raw == run("skopeo", "inspect", "--config", "--raw", name)
    assert [layer.digest for layer in found.layers] == told["Layers"]
    assert (found.config.os, found.config.architecture) == (told["Os"], told["Architecture"])
    if isinstance(found.manifest, OciManifest):
        assert found.manifest.raw == raw
        assert found.digest == told["Digest"]
    for layer in found.layers:
        assert len(store.get_blob(layer.digest)) == layer.size


def clean(layout: Layout) -> bool:
    return not [report for report in validate_layout(layout, complete=True) if report.report.problems]


# --- skopeo


def test_a_layout_that_skopeo_copied_whole_is_the_same_image(multi: str, tmp_path: Path) -> None:
    copy("--all", f"{multi}:1.4", f"oci:{tmp_path}/new:stable")
    layout = Layout(tmp_path / "new")
    image, origin = layout.get_image("stable"), Layout(multi[4:]).get_image("1.4")

    assert image.index is not None
    assert image.index.raw == run("skopeo", "inspect", "--raw", f"oci:{tmp_path}/new:stable")
    assert image.digest == origin.digest
    assert image.platforms == origin.platforms
    assert image.get_platform_images() == origin.get_platform_images()
    assert clean(layout)


@pytest.mark.parametrize("platform", ["linux/amd64", "linux/arm64", "linux/arm/v7"])
def test_skopeo_chooses_the_same_image_for_a_platform(multi: str, platform: str) -> None:
    system, architecture, *variant = platform.split("/")
    overrides = ["--override-os", system, "--override-arch", architecture]
    overrides += ["--override-variant", *variant] if variant else []
    found = Layout(multi[4:]).get_image("1.4").get_platform_image(platform)

    assert run("skopeo", *overrides, "inspect", "--config", "--raw", f"{multi}:1.4") == found.config.raw
    assert found.platform == Platform.from_name(platform)


def test_one_image_that_skopeo_copied_is_read_as_skopeo_does(multi: str, tmp_path: Path) -> None:
    copy(f"{multi}:single", f"oci:{tmp_path}/one:1")
    layout = Layout(tmp_path / "one")

    agrees(layout, "1", f"oci:{tmp_path}/one:1")
    assert clean(layout)


def test_several_images_that_skopeo_copied_into_one_layout_are_apart(multi: str, tmp_path: Path) -> None:
    for tag in ("1.4", "single", "artifact"):
        copy("--all", f"{multi}:{tag}", f"oci:{tmp_path}/many:{tag}")
    copy(f"{multi}:single", f"oci:{tmp_path}/many")
    layout, origin = Layout(tmp_path / "many"), Layout(multi[4:])

    assert layout.tags() == ("1.4", "single", "artifact")
    assert [layout.resolve(tag).digest for tag in layout.tags()] == [
        origin.resolve(tag).digest for tag in layout.tags()
    ]
    assert clean(layout)


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_layers_that_skopeo_packed_anew_are_read(multi: str, tmp_path: Path, compression: str) -> None:
    copy("--dest-decompress", f"{multi}:single", f"dir:{tmp_path}/plain")
    options = ["--dest-compress-format", compression, "--format", "oci"]
    copy(*options, f"dir:{tmp_path}/plain", f"oci:{tmp_path}/{compression}:1")

    agrees(Layout(tmp_path / compression), "1", f"oci:{tmp_path}/{compression}:1")
    assert clean(Layout(tmp_path / compression))


@pytest.mark.parametrize("tag", ["1.4", ""])
def test_an_oci_archive_of_skopeo_is_read_in_place(multi: str, tmp_path: Path, tag: str) -> None:
    name = f"oci-archive:{tmp_path}/web.tar" + (f":{tag}" if tag else "")
    copy(f"{multi}:single", name)

    with open_oci_archive(tmp_path / "web.tar") as archive:
        agrees(archive, tag, name)
        assert archive.tags() == ((tag,) if tag else ())
        assert clean(archive)


def test_an_oci_archive_of_all_platforms_is_read_in_place(multi: str, tmp_path: Path) -> None:
    copy("--all", f"{multi}:1.4", f"oci-archive:{tmp_path}/web.tar:1.4")

    with open_oci_archive(tmp_path / "web.tar") as archive:
        assert archive.get_image("1.4").digest == Layout(multi[4:]).resolve("1.4").digest
        assert len(archive.get_image("1.4").get_platform_images()) == 3
        assert clean(archive)


def test_a_docker_archive_of_skopeo_is_read_in_place(multi: str, tmp_path: Path) -> None:
    name = f"docker-archive:{tmp_path}/web.tar:acme/web:1.4"
    copy(f"{multi}:single", name)

    with DockerArchive(tmp_path / "web.tar") as archive:
        for reference in ("", "acme/web:1.4", "docker.io/acme/web:1.4", "@0"):
            agrees(archive, reference, name)


@pytest.mark.parametrize("name", ["legacy", "modern", "web"])
def test_docker_archives_of_any_age_are_read_as_skopeo_does(fixtures: Path, name: str) -> None:
    path = fixtures / "archives" / f"{name}.docker.tar"

    with DockerArchive(path) as archive:
        agrees(archive, "", f"docker-archive:{path}")


def test_a_directory_that_skopeo_wrote_holds_what_the_layout_holds(multi: str, tmp_path: Path) -> None:
    """`dir:` is no layout: its files are the documents, which validate as such."""
    copy("--all", f"{multi}:1.4", f"dir:{tmp_path}/dir")
    layout = Layout(multi[4:])

    assert (tmp_path / "dir/manifest.json").read_bytes() == layout.get_manifest("1.4").raw
    for found in layout.get_image("1.4").get_platform_images():
        stored = (tmp_path / "dir" / f"{found.digest.encoded}.manifest.json").read_bytes()
        assert parse_manifest(stored).digest == found.digest
        config = (tmp_path / "dir" / found.config.digest.encoded).read_bytes()
        assert parse_document(config, kind="image-config") == found.config


# --- umoci


@pytest.fixture
def umoci(tmp_path: Path) -> Path:
    """A layout with one image of two layers, made step by step."""
    layout, content = tmp_path / "umoci", tmp_path / "content"
    content.mkdir()
    (content / "index.html").write_text("It works\n")
    run("umoci", "init", "--layout", layout)
    run("umoci", "new", "--image", f"{layout}:1.4")
    run("umoci", "insert", "--rootless", "--image", f"{layout}:1.4", content, "/srv")
    run("umoci", "insert", "--rootless", "--image", f"{layout}:1.4", content / "index.html", "/index.html")
    return layout


def test_a_layout_that_umoci_just_made_is_empty(tmp_path: Path) -> None:
    run("umoci", "init", "--layout", tmp_path / "new")
    layout = Layout(tmp_path / "new")

    assert layout.tags() == ()
    told = [problem.rule for report in validate_layout(layout) for problem in report.report.problems]
    assert told == ["GEN-10"], "umoci writes null for no manifests"


def test_an_image_of_umoci_is_read_as_skopeo_does(umoci: Path) -> None:
    layout = Layout(umoci)
    (found,) = layout.get_image("1.4").get_platform_images()

    agrees(layout, "1.4", f"oci:{umoci}:1.4")
    assert len(found.layers) == 2
    assert [step.layer for step in found.steps] == list(found.layers)
    assert clean(layout)


def test_what_umoci_left_behind_is_named_to_pedants_alone(umoci: Path) -> None:
    """umoci keeps the documents of each step until `umoci gc`."""
    left = [
        report.name
        for report in validate_layout(Layout(umoci), pedantic=True)
        if "LYT-08" in {problem.rule for problem in report.report.problems}
    ]
    assert left
    run("umoci", "gc", "--layout", umoci)

    files = {str(path.relative_to(umoci)) for path in umoci.glob("blobs/*/*")}
    assert not files & set(left)
    assert clean(Layout(umoci))


def test_an_image_that_umoci_unpacked_and_packed_again_is_read(umoci: Path, tmp_path: Path) -> None:
    run("umoci", "unpack", "--rootless", "--image", f"{umoci}:1.4", tmp_path / "bundle")
    (tmp_path / "bundle/rootfs/srv/new").write_text("new\n")
    (tmp_path / "bundle/rootfs/index.html").unlink()
    run("umoci", "repack", "--image", f"{umoci}:1.5", tmp_path / "bundle")
    layout = Layout(umoci)

    agrees(layout, "1.5", f"oci:{umoci}:1.5")
    first, second = (layout.get_image(tag).get_platform_images()[0] for tag in ("1.4", "1.5"))
    assert second.layers[: len(first.layers)] == first.layers
    with tarfile.open(fileobj=io.BytesIO(layout.get_blob(second.layers[-1].digest))) as layer:
        assert {".wh.index.html", "srv/new"} <= {name.removeprefix("./") for name in layer.getnames()}
    assert clean(layout)


def test_a_config_that_umoci_changed_is_read(umoci: Path) -> None:
    run("umoci", "config", "--image", f"{umoci}:1.4", "--config.env", "A=b", "--config.label", "c=d", "--os", "linux")
    config = Layout(umoci).get_config("1.4")

    assert isinstance(config, ImageConfig)
    assert config.config is not None
    assert config.config.env == ("A=b",)
    assert config.config.labels == {"c": "d"}
    assert config.history[-1].empty_layer is True
    agrees(Layout(umoci), "1.4", f"oci:{umoci}:1.4")


def test_tags_of_umoci_are_ours(umoci: Path) -> None:
    run("umoci", "tag", "--image", f"{umoci}:1.4", "stable")
    listed = run("umoci", "ls", "--layout", umoci).decode().split()

    assert sorted(Layout(umoci).tags()) == sorted(listed) == ["1.4", "stable"]
    assert Layout(umoci).resolve("stable") == Layout(umoci).index.manifests[-1]


# --- tar


def test_a_layout_that_tar_packed_from_the_inside_is_read(multi: str, tmp_path: Path) -> None:
    for number, options in enumerate(([], ["--format=posix"], ["--format=v7"], ["-z"], ["-J"], ["-j"])):
        path = tmp_path / f"{number}.tar"
        run("tar", *options, "-cf", path, "-C", multi[4:], ".")
        with open_oci_archive(path) as archive:
            assert clean(archive)


def test_a_sparse_file_and_a_hard_link_that_tar_packed_are_refused(multi: str, tmp_path: Path) -> None:
    for number, options in enumerate(([], ["--format=posix"])):
        layout = tmp_path / f"layout{number}"
        shutil.copytree(multi[4:], layout)
        (layout / "sparse").write_bytes(b"")
        os.truncate(layout / "sparse", 1 << 20)
        run("tar", "-S", *options, "-cf", tmp_path / "sparse.tar", "-C", layout, ".")
        with pytest.raises(LayoutError, match="sparse"):
            open_oci_archive(tmp_path / "sparse.tar")
        (layout / "sparse").unlink()
        (layout / "link").hardlink_to(layout / "index.json")
        run("tar", *options, "-cf", tmp_path / "link.tar", "-C", layout, ".")
        with pytest.raises(LayoutError, match="link"):
            open_oci_archive(tmp_path / "link.tar")
