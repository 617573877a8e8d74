"""Archives as stores: a layout in a tar, and what `docker save` writes."""

import bz2
import gzip
import io
import json
import lzma
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dreg_client import Digest, DockerArchive, Layout, open_image, open_store
from dreg_client._sync.layout import open_oci_archive
from dreg_client._sync.opening import open_layout
from dreg_client._sync.validation import validate_layout
from dreg_client.errors import (
    ClosedError,
    ConflictError,
    DigestMismatchError,
    InvalidDocumentError,
    InvalidReferenceError,
    LayoutCorruptError,
    NotFoundError,
    UnsupportedError,
)
from dreg_client.values.store_name import StoreName

if TYPE_CHECKING:
    from tests.layout.conftest import Json

Write = Callable[..., Path]
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"
COMPRESSIONS = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}


@pytest.fixture
def archives(fixtures: Path) -> Path:
    return fixtures / "archives"


def saved(*images: "Json") -> tuple[str, bytes]:
    return "manifest.json", json.dumps(list(images)).encode()


def config(*layers: bytes, **members: object) -> bytes:
    diff_ids = [Digest.of(layer) for layer in layers]
    rootfs = {"type": "layers", "diff_ids": diff_ids}
    return json.dumps({"os": "linux", "architecture": "amd64", "rootfs": rootfs, **members}).encode()


# --- a layout in a tar


def test_a_layout_in_a_tar_is_the_layout(archives: Path, fixtures: Path) -> None:
    archive, directory = open_oci_archive(archives / "multi.oci.tar"), Layout(fixtures / "layouts" / "skopeo")

    assert archive.tags() == directory.tags() == ("1.4",)
    image, other = archive.get_image("1.4"), directory.get_image("1.4")
    assert (image.digest, image.platforms) == (other.digest, other.platforms)
    assert image.get_platform_images() == other.get_platform_images()
    for layer in image.get_platform_images()[0].layers:
        assert archive.get_blob(layer.digest) == directory.get_blob(layer.digest)
    archive.close()


def test_a_layout_in_a_tar_is_validated_as_one_in_a_directory(archives: Path, fixtures: Path) -> None:
    with open_oci_archive(archives / "multi.oci.tar") as archive:
        reports = list(validate_layout(archive, complete=True, jobs=4))

    assert reports == list(validate_layout(Layout(fixtures / "layouts" / "skopeo"), complete=True))
    assert not any(report.report.problems for report in reports)


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_a_compressed_archive_is_read(archives: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / "multi.tar.any"
    path.write_bytes(COMPRESSIONS[name]((archives / "multi.oci.tar").read_bytes()))

    with open_oci_archive(path) as archive:
        assert archive.get_image("1.4").get_platform_images()
        assert archive.name == str(path)


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_a_compressed_archive_may_be_of_several_streams(archives: Path, tmp_path: Path, name: str) -> None:
    whole, path = (archives / "multi.oci.tar").read_bytes(), tmp_path / "multi.tar.any"
    padding = bytes(8) if name == "xz" else b""
    path.write_bytes(b"".join(COMPRESSIONS[name](part) + padding for part in (whole[:5000], whole[5000:])))

    with open_oci_archive(path) as archive:
        assert archive.get_image("1.4")


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("prefix", ["./", "", ".//./"])
def test_members_may_be_written_as_tar_does_from_the_inside(
    fixtures: Path, tmp_path: Path, form: int, prefix: str
) -> None:
    """`tar -C layout -cf layout.tar .` gives `./index.json`, and directories."""
    path = tmp_path / "layout.tar"
    with tarfile.open(path, "w", format=form) as archive:
        archive.add(fixtures / "layouts/multi", prefix or "blobs", recursive=False)
        for file in sorted((fixtures / "layouts/multi").rglob("*")):
            header = archive.gettarinfo(file, prefix + str(file.relative_to(fixtures / "layouts/multi")))
            header.mtime += 0.25
            header.uid, header.uname = 1_000_000, "bücher"
            archive.addfile(header, io.BytesIO(file.read_bytes()) if header.isreg() else None)

    with open_oci_archive(path) as archive:
        assert len(archive.get_image("1.4").get_platform_images()) == 3
        assert not [report for report in validate_layout(archive) if report.report.problems]


def test_long_names_and_further_files_are_read(tarred: Write) -> None:
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        path = tarred(
            ("a" * 300, b"further"),
            ("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'),
            ("index.json", b'{"schemaVersion":2,"manifests":[]}'),
            ("blobs/other/" + "b" * 200, b"long"),
            form=form,
        )
        with open_oci_archive(path) as archive:
            assert list(archive.files.names("blobs")) == ["blobs/other/" + "b" * 200]
            assert archive.files.read("a" * 300, limit=100) == b"further"


def test_several_threads_read_one_archive(archives: Path) -> None:
    with open_oci_archive(archives / "multi.oci.tar") as archive:
        digests = [layer.digest for found in archive.get_image("1.4").get_platform_images() for layer in found.layers]
        wrong: list[object] = []

        def read() -> None:
            wrong.extend(digest for digest in digests * 5 if Digest.of(archive.get_blob(digest)) != digest)

        threads = [threading.Thread(target=read) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong


def test_an_archive_that_was_closed_says_so(archives: Path) -> None:
    with open_image(f"docker-archive:{archives}/web.docker.tar") as image:
        seen = image.get_platform_images()
    assert image.get_platform_images() == seen, "it was read already"
    with open_image(f"oci-archive:{archives}/multi.oci.tar") as image:
        pass
    with pytest.raises(ClosedError, match="is closed"):
        image.get_platform_images()


# --- what docker save writes


@pytest.mark.parametrize(
    ("name", "layers", "tag"),
    [
        ("legacy.docker.tar", 4, "acme/web:1.4"),
        ("modern.docker.tar", 2, "acme/web:1.4"),
        ("web.docker.tar", 3, "docker.io/acme/web:1.4"),
    ],
)
@pytest.mark.parametrize("asked", ["", "acme/web:1.4", "docker.io/acme/web:1.4", "@0"])
def test_an_archive_of_docker_save_is_an_image(archives: Path, name: str, layers: int, tag: str, asked: str) -> None:
    with DockerArchive(archives / name) as archive:
        image = archive.get_image(asked)
        (found,) = image.get_platform_images()

        assert archive.tags() == (tag,)
        assert [str(platform) for platform in image.platforms] == ["linux/amd64"]
        assert len(found.layers) == layers
        for layer, diff_id in zip(found.layers, found.config.rootfs.diff_ids, strict=True):
            assert (layer.digest, layer.media_type) == (diff_id, DOCKER_LAYER)
            assert len(archive.get_blob(layer.digest)) == layer.size
            assert archive.has_blob(layer.digest)
        assert archive.get_config(asked).raw == archive.get_blob(found.config.digest)


def test_the_manifest_of_an_archive_is_the_same_each_time(archives: Path) -> None:
    with DockerArchive(archives / "web.docker.tar") as one, DockerArchive(archives / "web.docker.tar") as other:
        entry = one.resolve("")

        assert other.get_manifest(entry).raw == one.get_manifest("").raw
        assert one.get_image(entry.digest).tag is None
        assert one.get_image(one.get_config("").digest).digest == entry.digest
        assert not one.has_blob(Digest("sha256:" + "0" * 64))
        with pytest.raises(NotFoundError):
            one.get_manifest(entry.model_validate({**entry.model_dump(), "digest": "sha256:" + "0" * 64}))


def test_a_modern_archive_is_a_layout_too(archives: Path) -> None:
    with open_oci_archive(archives / "modern.docker.tar") as archive:
        assert archive.resolve("1.4") == archive.resolve("docker.io/acme/web:1.4")
        assert not [report for report in validate_layout(archive) if report.report.problems]


def several(tarred: Write) -> Path:
    """Three images of two layers: two with a name, one without."""
    layers = [b"layer one", b"layer two", b"layer three"]
    images = [("a", ["acme/web:1.4", "acme/web:latest"]), ("b", ["acme/api:1.4"]), ("c", None)]
    members = [(f"{number}.tar", layer) for number, layer in enumerate(layers)]
    members += [(f"{name}.json", config(layers[0], layers[number])) for number, (name, _) in enumerate(images)]
    entries = [
        {"Config": f"{name}.json", "RepoTags": tags, "Layers": ["0.tar", f"./{number}.tar"]}
        for number, (name, tags) in enumerate(images)
    ]
    return tarred(*members, saved(*entries))


def test_of_several_images_one_is_asked_for_by_name_place_or_digest(tarred: Write) -> None:
    with DockerArchive(several(tarred)) as archive:
        assert archive.tags() == ("acme/web:1.4", "acme/web:latest", "acme/api:1.4")
        digests = [archive.resolve(f"@{place}").digest for place in range(3)]
        assert len(set(digests)) == 3
        assert archive.resolve("acme/web").digest == archive.resolve("acme/web:1.4").digest == digests[0]
        assert archive.resolve(archive.get_config("@2").digest).digest == digests[2]
        for wrong in ("@3", "@²", "@99999999999999999999", "acme/other", "sha256:" + "0" * 64, "not a name at all"):
            with pytest.raises(NotFoundError, match=r'@0 "acme/web:1\.4", @1 "acme/api:1\.4", @2'):
                archive.resolve(wrong)
        with pytest.raises(ConflictError, match="@2"):
            archive.resolve("")


def test_a_name_that_looks_like_a_digest_of_an_unknown_algorithm_is_a_name(tarred: Write) -> None:
    """Such as `alpine:latest`; digests may have any algorithm."""
    path = tarred(
        saved({"Config": "c", "RepoTags": ["alpine:latest"], "Layers": ["1"]}), ("c", config(b"1")), ("1", b"1")
    )
    with DockerArchive(path) as archive:
        assert archive.get_manifest("alpine:latest") == archive.get_manifest("docker.io/library/alpine:latest")
    with open_image(f"docker-archive:{path}:alpine:latest") as image:
        assert len(image.get_platform_images()[0].layers) == 1


def test_one_name_of_two_images_is_a_conflict(tarred: Write) -> None:
    layer = b"layer"
    entries = [{"Config": f"{name}.json", "RepoTags": ["acme/web:1"], "Layers": ["l"]} for name in "aab"]
    members = [("l", layer), ("a.json", config(layer)), ("b.json", config(layer, author="other"))]

    with DockerArchive(tarred(*members, saved(*entries[:2]))) as archive:
        assert archive.resolve("acme/web:1").digest == archive.resolve("").digest
    with DockerArchive(tarred(*members, saved(*entries))) as archive, pytest.raises(ConflictError, match="@2"):
        archive.resolve("acme/web:1")


def test_layers_may_be_compressed_and_named_as_anyone_likes(tarred: Write) -> None:
    """jib, kaniko and Bazel write `DIGEST.tar.gz`; Docker with containerd's store writes blobs by their digest."""
    layer = gzip.compress(b"layer")
    named = "blobs/sha256/" + Digest.of(layer).encoded
    raw = config(b"layer", b"layer")
    entry = {"Config": "sha256:" + "0" * 64, "RepoTags": [], "Layers": ["0.tar.gz", named]}
    path = tarred(("0.tar.gz", layer), (named, layer), ("sha256:" + "0" * 64, raw), saved(entry))

    with DockerArchive(path) as archive:
        (found,) = archive.get_image("").get_platform_images()
        assert [entry.digest for entry in found.layers] == [Digest.of(layer)] * 2
        assert {entry.media_type for entry in found.layers} == {DOCKER_LAYER + ".gzip"}
        assert archive.get_blob(found.layers[0].digest) == layer


@pytest.mark.parametrize("names", [("config", "repoTags", "layers"), ("CONFIG", "repotags", "layerS")], ids=" ".join)
def test_members_may_be_spelled_in_any_case_with_a_warning(
    tarred: Write, caplog: pytest.LogCaptureFixture, names: tuple[str, str, str]
) -> None:
    """Jib before 2.3 wrote `config`, `repoTags` and `layers`."""
    entry = dict(zip(names, ("c", ["acme/web:1"], ["l"]), strict=True))
    path = tarred(("c", config(b"l")), ("l", b"l"), saved(entry))

    with DockerArchive(path) as archive:
        assert archive.tags() == ("acme/web:1",)
        assert len(archive.get_image("acme/web:1").get_platform_images()[0].layers) == 1
    assert all(f"{name!r} is read as" in caplog.text for name in names)
    assert str(path) in caplog.text


def test_an_image_without_layers_is_one(tarred: Write) -> None:
    """Go writes an empty list as null."""
    entry = {"Config": "c.json", "RepoTags": None, "Layers": None}

    with DockerArchive(tarred(("c.json", config()), saved(entry))) as archive:
        assert archive.get_image("").get_platform_images()[0].layers == ()


def test_an_archive_of_nothing_says_so(tarred: Write) -> None:
    with DockerArchive(tarred(saved())) as archive, pytest.raises(NotFoundError, match="has no images"):
        archive.resolve("")


def test_layers_that_are_links_to_later_members_are_read(archives: Path) -> None:
    """`docker save` of old packed a directory by name."""
    with tarfile.open(archives / "legacy.docker.tar") as archive:
        assert any(member.issym() for member in archive)
    with DockerArchive(archives / "legacy.docker.tar") as archive:
        layers = archive.get_image("").get_platform_images()[0].layers
    assert layers[1] == layers[3]


# --- what does not fit


def test_a_layer_of_other_bytes_than_its_diff_id_is_told_when_it_is_read(tarred: Write) -> None:
    entry = {"Config": "c.json", "RepoTags": None, "Layers": ["l"]}

    with DockerArchive(tarred(("c.json", config(b"right")), ("l", b"wrong"), saved(entry))) as archive:
        layer = archive.get_image("").get_platform_images()[0].layers[0]
        with pytest.raises(DigestMismatchError):
            archive.get_blob(layer.digest)


NO_LIST = "has a manifest.json that is not a list of images with Config and Layers"
MISFITS = {
    "more layers than diff_ids": (
        [("c", config()), saved({"Config": "c", "Layers": ["l"]})],
        "0 diff_ids for 1 layers",
    ),
    "a layer is missing": ([("c", config(b"l")), saved({"Config": "c", "Layers": ["l"]})], "has no l, to which"),
    "a layer outside": ([("c", config(b"l")), saved({"Config": "c", "Layers": ["../l"]})], r"has no \.\./l, to which"),
    "a layer of nothing": (
        [("c", config(b"l")), ("l", b""), saved({"Config": "c", "Layers": ["l"]})],
        "empty layer: l",
    ),
    "a config outside": ([saved({"Config": "/etc/passwd", "Layers": []})], "has no /etc/passwd, to which"),
    "no layers": ([saved({"Config": "c"})], NO_LIST),
    "no config": ([saved({"Layers": []})], NO_LIST),
    "braces of its own": ([("manifest.json", b'[],"other":[]')], NO_LIST),
    "no objects": ([("manifest.json", b"[1]")], NO_LIST),
    "no JSON": ([("manifest.json", b"{")], NO_LIST),
    "a name twice but for its case": ([saved({"Config": "a", "config": "b", "Layers": []})], "only in letter case"),
    "a name twice": ([("manifest.json", b'[{"Config":"a","Config":"b","Layers":[]}]')], NO_LIST),
    "no manifest.json": ([("index.json", b"{}")], "has no manifest.json"),
}


@pytest.mark.parametrize(("members", "said"), MISFITS.values(), ids=MISFITS.keys())
def test_an_archive_that_does_not_fit_together_is_refused(tarred: Write, members: list[object], said: str) -> None:
    path = tarred(*members)

    with pytest.raises(LayoutCorruptError, match=said), DockerArchive(path) as archive:
        archive.resolve("")


def test_a_config_that_is_none_says_where_it_is(tarred: Write) -> None:
    path = tarred(("c.json", b"{}"), saved({"Config": "c.json", "Layers": []}))

    with DockerArchive(path) as archive, pytest.raises(InvalidDocumentError, match=r"archive\.tar, c\.json"):
        archive.resolve("")


# --- names of stores


@pytest.mark.parametrize(
    "text",
    [
        "oci:{}/layouts/multi:single",
        "oci-archive:{}/archives/multi.oci.tar",
        "oci-archive:{}/archives/multi.oci.tar:1.4",
        "docker-archive:{}/archives/web.docker.tar",
        "docker-archive:{}/archives/web.docker.tar:acme/web:1.4",
        "docker-archive:{}/archives/web.docker.tar:@0",
    ],
)
def test_an_image_is_opened_by_one_line_of_text(fixtures: Path, text: str) -> None:
    with open_image(text.format(fixtures)) as image:
        assert "linux/amd64" in map(str, image.platforms)
    with open_store(text.format(fixtures)) as store:
        assert store.tags()


def test_an_image_is_opened_by_its_digest(fixtures: Path) -> None:
    digest = Layout(fixtures / "layouts/multi").resolve("single").digest

    with open_image(f"oci:{fixtures}/layouts/multi@{digest}") as image:
        assert (image.digest, image.tag) == (digest, None)


def test_what_is_no_store_here_is_refused(fixtures: Path) -> None:
    with pytest.raises(UnsupportedError, match="oci:PATH"):
        open_layout(StoreName.parse("registry.example/acme/web:1.4"))
    with pytest.raises(InvalidReferenceError):
        open_store("oci:")
    with pytest.raises(NotFoundError):
        open_store(f"docker-archive:{fixtures}/missing.tar")
