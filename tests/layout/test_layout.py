"""A layout on disk as a store: names, documents, configs and blobs (image-layout.md)."""

import json
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dreg_client import Descriptor, Digest, DregError, ImageConfig, Index, Layout, LegacyManifest, OciManifest
from dreg_client.errors import (
    ConflictError,
    DigestMismatchError,
    InvalidDigestError,
    InvalidDocumentError,
    MediaTypeMismatchError,
    NotAnImageError,
    NotFoundError,
    ResponseTooLargeError,
    SizeMismatchError,
    UnsupportedDigestError,
    UnsupportedMediaTypeError,
)

if TYPE_CHECKING:
    from tests.layout.conftest import LayoutBuilder

MEBIBYTE = 1 << 20
CONTAINERD = "io.containerd.image.name"
SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"


@pytest.fixture(scope="module")
def multi(fixtures: Path) -> Layout:
    return Layout(fixtures / "layouts" / "multi")


# --- names


def test_tags_are_the_names_of_the_entries_in_their_order(multi: Layout) -> None:
    assert multi.tags() == ("1.4", "single", "nested", "artifact")


def test_a_tag_resolves_to_its_entry(multi: Layout) -> None:
    assert multi.resolve("1.4") == multi.index.manifests[0]
    assert multi.check_manifest("1.4") == multi.index.manifests[0].digest


def test_a_digest_resolves_to_its_entry_or_to_a_document_within_an_index(multi: Layout) -> None:
    index = multi.get_manifest("1.4")
    assert isinstance(index, Index)
    child = index.manifests[1]

    assert multi.resolve(multi.index.manifests[1].digest) == multi.index.manifests[1]
    found = multi.resolve(child.digest)
    assert (found.media_type, found.digest, found.size) == (child.media_type, child.digest, child.size)
    assert multi.get_manifest(child.digest) == multi.get_manifest(child)


def test_no_name_stands_for_the_only_image(fixtures: Path) -> None:
    layout = Layout(fixtures / "layouts" / "windows")

    assert layout.resolve("") == layout.resolve("1.4")


def test_no_name_is_refused_where_there_are_several_images(multi: Layout) -> None:
    with pytest.raises(ConflictError) as caught:
        multi.resolve("")

    assert "single " + multi.resolve("single").digest in str(caught.value)


def test_no_name_stands_for_equal_entries(build: "LayoutBuilder") -> None:
    entry = build.image()
    build.tag("a", entry)
    build.tag("b", entry)

    assert build.layout().resolve("").digest == entry["digest"]


def test_an_empty_layout_says_so(build: "LayoutBuilder") -> None:
    with pytest.raises(NotFoundError, match="has no images"):
        build.layout().resolve("")


def test_an_unknown_tag_is_told_with_the_tags_that_there_are(multi: Layout) -> None:
    with pytest.raises(NotFoundError) as caught:
        multi.resolve("1.5")

    assert "available: 1.4, single, nested, artifact" in str(caught.value)
    assert multi.check_manifest("1.5") is None
    assert multi.check_manifest("sha256:" + "0" * 64) is None


@pytest.mark.parametrize(
    "name",
    ["docker.io/acme/web:1.4", "web 1.4", "../../etc/passwd", "a" * 10_240, "\x1b[31mred", "名前", "@0", "web:latest"],
    ids=ascii,
)
def test_lay_15_any_text_is_a_name_and_is_never_a_path(build: "LayoutBuilder", name: str) -> None:
    """D-06: free text, looked up exactly."""
    entry = build.tag(name, build.image())
    build.tag("good", build.image("linux/arm64"))
    layout = build.layout()

    assert layout.resolve(name).digest == entry["digest"]
    assert layout.tags() == (name, "good")
    with pytest.raises(NotFoundError) as caught:
        layout.resolve(name + "x")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000
    with pytest.raises(ConflictError) as conflict:
        layout.resolve("")
    assert str(conflict.value).isprintable()


def test_a_name_that_looks_like_a_digest_is_a_name_first(build: "LayoutBuilder") -> None:
    entry = build.image()
    build.tag("sha256:" + "0" * 64, entry)

    assert build.layout().resolve("sha256:" + "0" * 64).digest == entry["digest"]


def test_lay_16_one_name_of_two_images_is_a_conflict_and_digests_work(build: "LayoutBuilder") -> None:
    first, second = build.tag("1.4", build.image()), build.tag("1.4", build.image("linux/arm64"))
    layout = build.layout()

    with pytest.raises(ConflictError) as caught:
        layout.get_manifest("1.4")
    assert first["digest"] in str(caught.value)
    assert second["digest"] in str(caught.value)
    assert layout.get_manifest(second["digest"]).digest == second["digest"]
    assert layout.tags() == ("1.4",)


def test_containerds_name_tells_equal_tags_apart(build: "LayoutBuilder") -> None:
    """D-06; `docker save` of two images writes it so."""
    for name, platform in (("web", "linux/amd64"), ("api", "linux/arm64")):
        build.tag("1.4", build.image(platform))
        build.entries[-1]["annotations"][CONTAINERD] = f"docker.io/acme/{name}:1.4"
    layout = build.layout()

    assert layout.resolve("docker.io/acme/api:1.4") == layout.index.manifests[1]
    with pytest.raises(ConflictError, match=r"docker\.io/acme/web:1\.4"):
        layout.resolve("1.4")


def test_containerds_name_decides_between_entries_of_the_name_that_is_asked_for(build: "LayoutBuilder") -> None:
    build.tag("1.4", build.image())
    entry = build.tag("1.4", build.image("linux/arm64"))
    build.entries[-1]["annotations"][CONTAINERD] = "1.4"

    assert build.layout().resolve("1.4").digest == entry["digest"]


def test_what_was_added_is_seen_after_refresh(build: "LayoutBuilder") -> None:
    layout = build.layout()
    build.tag("new", build.image())
    build.write()

    assert layout.tags() == ()
    layout.refresh()
    assert layout.tags() == ("new",)


# --- documents


def test_a_manifest_keeps_the_bytes_of_its_file(multi: Layout, fixtures: Path) -> None:
    manifest = multi.get_manifest("single")

    assert isinstance(manifest, OciManifest)
    assert manifest.raw == (fixtures / "layouts/multi/blobs/sha256" / manifest.digest.encoded).read_bytes()
    assert multi.get_raw_manifest("single").raw == manifest.raw


def test_a_config_is_read_by_name_or_by_its_manifest(multi: Layout) -> None:
    config = multi.get_config("single")

    assert isinstance(config, ImageConfig)
    manifest = multi.get_manifest("single")
    assert isinstance(manifest, OciManifest)
    assert multi.get_config(manifest).raw == config.raw
    assert config.digest == manifest.config.digest


@pytest.mark.parametrize("tag", ["artifact", "1.4"])
def test_what_is_no_image_has_no_config(multi: Layout, tag: str) -> None:
    with pytest.raises(NotAnImageError):
        multi.get_config(tag)


def test_schema_1_is_read_only_when_it_is_asked_for(build: "LayoutBuilder") -> None:
    legacy = {"schemaVersion": 1, "name": "acme/web", "tag": "1", "fsLayers": [], "signatures": [{}]}
    entry = build.tag("old", build.document(legacy, SCHEMA1))
    layout = build.layout()

    with pytest.raises(UnsupportedMediaTypeError) as caught:
        layout.get_manifest("old")
    assert caught.value.digest == entry["digest"]
    assert isinstance(layout.get_manifest("old", legacy=True), LegacyManifest)


def test_a_broken_document_is_refused_by_its_digest_and_given_raw(build: "LayoutBuilder") -> None:
    broken = b'{"schemaVersion": 2, "layers": "none", "layers": []}'
    entry = build.tag("broken", build.blob(broken, "application/vnd.oci.image.manifest.v1+json"))
    layout = build.layout()

    with pytest.raises(InvalidDocumentError) as caught:
        layout.get_manifest("broken")
    assert caught.value.source == entry["digest"]
    assert layout.get_raw_manifest("broken").raw == broken
    assert layout.get_raw_manifest(entry["digest"]).raw == broken


def test_a_config_that_is_broken_says_which_it_is(build: "LayoutBuilder") -> None:
    config = build.document({"os": "linux"}, "application/vnd.oci.image.config.v1+json")
    build.tag("1.4", build.manifest(config))

    with pytest.raises(InvalidDocumentError) as caught:
        build.layout().get_config("1.4")
    assert caught.value.source == config["digest"]


@pytest.mark.parametrize("body", [b"[]", b"null", b'{"schemaVersion":2,"manifests":[]}'], ids=ascii)
def test_mdl_17_a_config_that_is_something_else_is_refused(build: "LayoutBuilder", body: bytes) -> None:
    build.tag("1.4", build.manifest(build.blob(body, "application/vnd.oci.image.config.v1+json")))

    with pytest.raises(InvalidDocumentError):
        build.layout().get_config("1.4")


def test_mdl_17_a_config_of_2_gib_is_not_read(build: "LayoutBuilder") -> None:
    config = build.config()
    with build.file(config).open("r+b") as file:
        file.truncate(2 << 30)
    build.tag("1.4", build.manifest({**config, "size": 2 << 30}))

    with pytest.raises(ResponseTooLargeError) as caught:
        build.layout().get_config("1.4")
    assert (caught.value.size, caught.value.limit) == (2 << 30, 4 * MEBIBYTE)


def test_mdl_08_a_size_of_9_eib_is_believed_by_nobody(build: "LayoutBuilder") -> None:
    body = b'{"some": 1}'
    build.tag("1.4", {**build.blob(body, "application/vnd.oci.image.manifest.v1+json"), "size": 9 << 60 >> 1})
    layout = build.layout()

    tracemalloc.start()
    with pytest.raises(SizeMismatchError) as caught:
        layout.get_manifest("1.4")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.actual == len(body)
    assert peak < MEBIBYTE


@pytest.mark.parametrize("difference", [-1, 1])
def test_gen_11_a_size_that_is_off_by_one_is_told(build: "LayoutBuilder", difference: int) -> None:
    entry = build.image()
    build.tag("1.4", {**entry, "size": entry["size"] + difference})

    with pytest.raises(SizeMismatchError):
        build.layout().get_manifest("1.4")


def test_lay_07_other_bytes_are_told_for_documents_and_blobs(build: "LayoutBuilder") -> None:
    entry, other = build.tag("1.4", build.image()), build.blob(b"right")
    for descriptor in (entry, other):
        body = bytearray(build.file(descriptor).read_bytes())
        body[-2] ^= 1
        build.file(descriptor).write_bytes(body)
    layout = build.layout()

    with pytest.raises(DigestMismatchError):
        layout.get_manifest("1.4")
    with pytest.raises(DigestMismatchError):
        layout.get_blob(other["digest"])
    with pytest.raises(DigestMismatchError):
        layout.resolve(other["digest"])


def test_an_empty_file_in_the_place_of_a_document_is_a_mismatch(build: "LayoutBuilder") -> None:
    entry = build.blob(b"{}")
    build.file(entry).write_bytes(b"")

    with pytest.raises(DigestMismatchError):
        build.layout().get_manifest(entry["digest"])


def test_mdl_16_a_child_of_another_type_than_its_descriptor_says_is_refused(build: "LayoutBuilder") -> None:
    entry = build.image()
    build.tag("1.4", {**entry, "mediaType": "application/vnd.oci.image.index.v1+json"})

    with pytest.raises(MediaTypeMismatchError):
        build.layout().get_manifest("1.4")


def test_a_digest_that_nothing_computes_proves_nothing(build: "LayoutBuilder") -> None:
    body = b'{"schemaVersion":2,"manifests":[]}'
    (build.path / "blobs/blake3").mkdir(parents=True)
    (build.path / "blobs/blake3" / ("0" * 64)).write_bytes(body)
    media_type = "application/vnd.oci.image.index.v1+json"
    build.tag("1.4", {"mediaType": media_type, "digest": "blake3:" + "0" * 64, "size": len(body)})
    layout = build.layout()

    for ask in (layout.get_manifest, layout.get_raw_manifest):
        with pytest.raises(UnsupportedDigestError):
            ask("1.4")
    with pytest.raises(UnsupportedDigestError):
        layout.get_blob("blake3:" + "0" * 64)


def test_a_digest_of_what_is_no_manifest_is_told_so(multi: Layout) -> None:
    manifest = multi.get_manifest("single")
    assert isinstance(manifest, OciManifest)

    for digest in (manifest.config.digest, manifest.layers[0].digest):
        with pytest.raises(DregError):
            multi.get_manifest(digest)


# --- blobs


def test_a_blob_is_given_up_to_a_limit(build: "LayoutBuilder") -> None:
    body = bytes(3 * MEBIBYTE)
    digest = build.blob(body)["digest"]
    layout = build.layout()

    assert layout.get_blob(digest, limit=len(body)) == body
    with pytest.raises(ResponseTooLargeError):
        layout.get_blob(digest, limit=len(body) - 1)


def test_a_blob_is_there_or_not(multi: Layout) -> None:
    assert multi.has_blob(multi.resolve("1.4").digest)
    missing = Digest("sha256:" + "0" * 64)
    assert not multi.has_blob(missing)
    with pytest.raises(NotFoundError):
        multi.get_blob(missing)
    assert not multi.has_blob(Digest("other:" + "a" * 500))
    with pytest.raises(InvalidDigestError):
        multi.get_blob("sha256:../../etc/passwd")


def test_a_stream_is_checked_at_its_end(build: "LayoutBuilder") -> None:
    body = b"x" * (2 * MEBIBYTE + 1)
    digest = build.blob(body)["digest"]
    layout = build.layout()

    with layout.stream_blob(digest) as chunks:
        assert b"".join(chunks) == body
    build.file({"digest": digest}).write_bytes(body[:-1] + b"y")
    seen = []
    with layout.stream_blob(digest) as chunks, pytest.raises(DigestMismatchError):
        seen.extend(chunks)
    assert body.startswith(b"".join(seen))
    assert 0 < len(b"".join(seen)) < len(body)


def test_an_empty_blob_is_a_blob(build: "LayoutBuilder") -> None:
    assert build.layout().get_blob(build.blob(b"")["digest"]) == b""


def test_a_descriptor_is_as_good_as_a_name(multi: Layout) -> None:
    entry = multi.resolve("single")

    assert isinstance(entry, Descriptor)
    assert multi.get_manifest(entry).digest == entry.digest


def test_an_index_may_have_more_entries_than_one_that_is_pushed(build: "LayoutBuilder") -> None:
    """IDX-10: `index.json` is never pushed, so it is bound by 64 MiB alone."""
    entry = build.image()
    build.entries = [{**entry, "annotations": {"org.opencontainers.image.ref.name": str(n)}} for n in range(12_000)]

    assert len(build.layout().tags()) == 12_000


def test_index_json_of_64_mib_is_read_and_one_byte_more_is_not(build: "LayoutBuilder") -> None:
    path = build.write()
    body = json.dumps({"schemaVersion": 2, "manifests": []}).encode()
    (path / "index.json").write_bytes(body + b" " * (64 * MEBIBYTE - len(body)))
    assert Layout(path).tags() == ()

    with (path / "index.json").open("ab") as file:
        file.write(b" ")
    with pytest.raises(DregError, match="67108865 bytes"):
        Layout(path)
