"""Layouts are written: blobs, manifests, names, and what takes them away."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dreg_client import AsyncLayout, Descriptor, Digest, Layout, RawManifest, open_store
from dreg_client.errors import (
    DigestMismatchError,
    DregError,
    InvalidDocumentError,
    InvalidReferenceError,
    LayoutError,
    NotFoundError,
    SizeMismatchError,
)
from tests.commands import run_limited
from tests.layout.conftest import LayoutBuilder, build, tarred
from tests.layout.writing import OCI, WAYS, Writer, sha256

__all__ = ["build", "tarred"]
ABSENT = "sha256:" + "0" * 64


@pytest.fixture(params=WAYS)
def writer(request: pytest.FixtureRequest, tmp_path: Path) -> Writer:
    """An empty layout, and a way to write it."""
    return Writer(request.param, tmp_path / "new/layout")


class Stated:
    """Content whose digest and size are as a test states them."""

    is_repeatable = True

    def __init__(self, octets: bytes, digest: str | None = None, size: int | None = None) -> None:
        self.octets, self.digest, self.size = octets, Digest(digest) if digest else None, size

    def chunks(self, start: int = 0) -> Any:
        return _Chunks(self.octets[start:])


class _Chunks:
    """An iterator of both kinds, and its context manager."""

    def __init__(self, octets: bytes) -> None:
        self.rest = [octets[at : at + 1000] for at in range(0, len(octets), 1000)]

    def __enter__(self) -> Any:
        return iter(self.rest)

    def __exit__(self, *_: object) -> None: ...

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    def __aiter__(self) -> Any:
        return self

    async def __anext__(self) -> bytes:
        if not self.rest:
            raise StopAsyncIteration
        return self.rest.pop(0)


def push(writer: Writer, content: Stated) -> Descriptor:
    pushed: Descriptor = writer.run(lambda layout: layout.destination.push_blob(content))
    return pushed


# --- create


@pytest.mark.parametrize("kind", [Layout, AsyncLayout])
def test_a_layout_is_created_in_a_new_or_an_empty_directory(kind: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "a/b", tmp_path / "empty"):
        kind.create(path)

        assert json.loads((path / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
        assert Layout(path).tags() == ()
        assert sorted(it.name for it in path.iterdir()) == ["blobs", "index.json", "oci-layout"]


def test_a_layout_that_exists_is_opened(writer: Writer) -> None:
    writer.image("1.4")

    assert Layout.create(writer.path).tags() == ("1.4",)


def test_a_directory_with_other_files_is_not_made_a_layout(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(LayoutError, match=r"is not an image layout, and is not empty \(it contains notes\.txt\)"):
        Layout.create(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_blobs_without_an_index_are_not_given_an_empty_one(writer: Writer) -> None:
    writer.image("1.4")
    (writer.path / "index.json").unlink()

    with pytest.raises(LayoutError, match=r"blobs without index\.json"):
        Layout.create(writer.path)


def test_a_layout_whose_creation_was_killed_is_completed(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (tmp_path / ".index.json.0123456789abcdef.part").write_text("{")

    assert Layout.create(tmp_path).tags() == ()


def test_a_file_is_not_made_a_layout(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")

    with pytest.raises(LayoutError, match="cannot be created: it is not a directory"):
        Layout.create(tmp_path / "file")


# --- blobs


@pytest.mark.parametrize("octets", [b"", b"x", b"layer" * 1_000_000])
def test_a_blob_is_written_under_its_digest(writer: Writer, octets: bytes) -> None:
    pushed = writer.push_blob(octets)

    assert pushed == Descriptor(mediaType="application/octet-stream", digest=Digest(sha256(octets)), size=len(octets))
    assert writer.file(pushed.digest).read_bytes() == octets
    assert writer.files() == {pushed.digest.encoded}


def test_a_blob_that_exists_is_not_written_again(writer: Writer) -> None:
    file = writer.file(writer.push_blob(b"layer").digest)
    before = file.stat()
    writer.push_blob(b"layer")

    assert file.stat().st_ino == before.st_ino


def test_a_blob_may_come_from_a_path_a_file_or_an_iterator(writer: Writer, tmp_path: Path) -> None:
    octets, path = b"layer" * 1000, tmp_path / "source"
    path.write_bytes(octets)
    with path.open("rb") as file:
        sources = (path, str(path), file, bytearray(octets), iter([octets[:2000], octets[2000:]]))
        for source in sources:
            pushed = writer.push_blob(source, digest=sha256(octets), media_type=OCI + "layer.v1.tar")
            assert (pushed.digest, pushed.size, pushed.media_type) == (sha256(octets), 5000, OCI + "layer.v1.tar")
            writer.file(pushed.digest).unlink()

    with pytest.raises(DigestMismatchError):
        writer.push_blob(path, digest=ABSENT)
    assert writer.files() == set()


def test_content_of_unknown_digest_is_hashed_while_it_is_written(writer: Writer) -> None:
    octets = b"layer" * 10_000

    for _ in range(2):
        assert push(writer, Stated(octets)).digest == sha256(octets)
        assert writer.files() == {sha256(octets).removeprefix("sha256:")}


def test_content_may_have_another_algorithm(writer: Writer) -> None:
    digest = Digest.of(b"layer", "sha512")

    assert push(writer, Stated(b"layer", digest)).digest == digest
    assert writer.file(digest).read_bytes() == b"layer"


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (Stated(b"other bytes", sha256(b"layer")), DigestMismatchError),
        (Stated(b"layer" * 1000, sha256(b"layer" * 1000), 4999), SizeMismatchError),
        (Stated(b"layer", sha256(b"layer"), 6), SizeMismatchError),
    ],
)
def test_wrong_content_is_not_written(writer: Writer, content: Stated, error: type[DregError]) -> None:
    with pytest.raises(error):
        push(writer, content)
    assert writer.files() == set()


# --- manifests and names


def test_what_was_written_is_read(writer: Writer) -> None:
    digest = writer.image("1.4")

    with open_store(f"oci:{writer.path}") as store:
        assert store.tags() == ("1.4",)
        assert store.resolve("1.4").digest == digest
        assert store.get_image("1.4").platforms[0].os == "linux"
    assert writer.entries() == [(digest, "1.4")]


def test_a_manifest_without_a_tag_is_listed_without_a_name(writer: Writer) -> None:
    digest = writer.image()

    assert writer.entries() == [(digest, None)]
    writer.tag(digest, "1.4")
    assert writer.entries() == [(digest, "1.4")]
    writer.tag("1.4", "latest")
    assert writer.entries() == [(digest, "1.4"), (digest, "latest")]


def test_a_tag_is_moved_and_its_old_image_stays_until_gc(writer: Writer) -> None:
    old = writer.image("1.4")
    new = writer.image("1.4", (b"other",))

    assert writer.entries() == [(new, "1.4")]
    assert writer.check_manifest(old) == old
    assert old.removeprefix("sha256:") in {blob.encoded for blob in writer.gc().blobs}
    assert writer.check_manifest(old) is None


def test_writing_the_same_again_changes_nothing(writer: Writer) -> None:
    writer.image("1.4")
    before = (writer.path / "index.json").stat()
    writer.image("1.4")

    assert (writer.path / "index.json").stat().st_mtime_ns == before.st_mtime_ns


def test_tags_are_moved_by_later_ones_in_the_same_block(writer: Writer) -> None:
    one, other = writer.image(), writer.image(layers=(b"other",))
    with Layout(writer.path) as layout:
        with layout.writing():
            layout.tag(one, *[f"t{number}" for number in range(20)])
            layout.tag(other, "t7")
            assert layout.resolve("t19").digest == one
            assert layout.resolve("t7").digest == other
        assert len(layout.tags()) == 20

    assert writer.entries().count((other, "t7")) == 1
    assert (one, "t7") not in writer.entries()


def test_tags_that_were_written_before_a_failure_stay(writer: Writer) -> None:
    image = writer.image()
    with pytest.raises(KeyError), Layout(writer.path) as layout, layout.writing():  # noqa: PT012 (what fails is ours)
        layout.tag(image, "a", "b", "c")
        raise KeyError

    assert writer.entries() == [(image, "a"), (image, "b"), (image, "c")]


def test_tags_that_cannot_be_written_are_not_shown(writer: Writer) -> None:
    image = writer.image()
    with Layout(writer.path) as layout:
        with pytest.raises(InvalidDocumentError), layout.writing():  # noqa: PT012 (the end of `writing` fails)
            layout.tag(image, "a")
            writer.path.joinpath("index.json").write_text("{}")
            layout.tag(image, "b")
            assert layout.tags() == ("a", "b")
        assert layout.tags() == ("a",)


def test_a_name_of_containerd_stays_when_its_tag_is_moved(build: LayoutBuilder) -> None:
    names = {"io.containerd.image.name": "docker.io/b/y:1.0", "org.opencontainers.image.ref.name": "1.0"}
    build.entries.append({**build.image(), "annotations": names})
    other = build.image("linux/arm64")
    layout = build.layout()
    layout.tag(other["digest"], "1.0")

    assert layout.resolve("1.0").digest == other["digest"]
    assert layout.resolve("docker.io/b/y:1.0").digest == build.entries[0]["digest"]


@pytest.mark.parametrize("missing", ["layer", "config", "manifest"])
def test_a_manifest_whose_content_is_missing_is_not_written(writer: Writer, missing: str) -> None:
    digest = writer.image()
    before = writer.entries()
    manifest = json.loads(writer.file(digest).read_bytes())
    if missing == "layer":
        manifest["layers"][0]["digest"] = ABSENT
    elif missing == "config":
        manifest["config"]["digest"] = ABSENT
    else:
        entry = {**writer.described(digest), "digest": ABSENT}
        manifest = {"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": [entry]}

    with pytest.raises(NotFoundError, match=rf"has no (blob|manifest) {ABSENT}; sha256:\w+ names it; push it first"):
        writer.document(manifest, "1.4")
    assert writer.entries() == before


def test_content_with_urls_and_a_subject_may_be_missing(writer: Writer) -> None:
    subject = {"mediaType": OCI + "manifest.v1+json", "digest": ABSENT, "size": 2}
    digest = writer.image(subject=subject)
    manifest = json.loads(writer.file(digest).read_bytes())
    manifest["layers"][0] |= {"digest": ABSENT, "urls": ["https://mirror.example/layer"]}

    assert writer.check_manifest(writer.document(manifest, "foreign"))
    assert digest in [it.digest for it in writer.referrers(ABSENT)]


@pytest.mark.parametrize("tag", ["", "../web", "a b", "\x1b[31m", "x" * 5000])
def test_a_name_that_breaks_the_grammar_is_not_written(writer: Writer, tag: str) -> None:
    digest = writer.image()

    with pytest.raises(InvalidReferenceError):
        writer.tag(digest, "1.4", tag)
    with pytest.raises(InvalidReferenceError):
        writer.put_manifest(writer.file(digest).read_bytes(), tag)
    assert writer.entries() == [(digest, None)]


def test_a_wrong_digest_and_a_wrong_document_are_not_written(writer: Writer) -> None:
    digest = writer.image()
    raw = writer.file(digest).read_bytes()

    with pytest.raises(DigestMismatchError):
        writer.put_manifest(raw, ABSENT)
    with pytest.raises(InvalidDocumentError):
        writer.put_manifest(raw.replace(b'"layers"', b'"Layers"'), "1.4")
    assert writer.entries() == [(digest, None)]


def test_what_other_tools_wrote_into_the_index_stays(build: LayoutBuilder) -> None:
    build.tag("odd name", {**build.image(), "x-member": [1.5, None]})
    image = build.image("linux/arm64")
    index = json.loads((build.write() / "index.json").read_bytes())
    (build.path / "index.json").write_text(json.dumps({**index, "annotations": {"org.example": "kept"}}, indent=3))
    layout = Layout(build.path)
    layout.tag(image["digest"], "1.4")

    found = json.loads((build.path / "index.json").read_bytes())
    assert found["annotations"] == {"org.example": "kept"}
    assert found["manifests"][:-1] == index["manifests"]
    assert layout.tags() == ("odd name", "1.4")


# --- sessions


def an_index(path: Path) -> list[RawManifest]:
    """Two images and the index of them, in another layout."""
    other = Writer("threads", path)
    first, second = other.image(layers=(b"1",)), other.image(layers=(b"2",))
    written = (first, second, other.index(first, second))
    return [RawManifest(other.file(it).read_bytes(), other.described(it)["mediaType"]) for it in written]


def test_children_that_are_written_by_digest_are_not_listed(writer: Writer, tmp_path: Path) -> None:
    manifests = an_index(tmp_path / "other")

    def write(layout: Layout) -> None:
        with layout.writing():
            for manifest in manifests:
                layout.destination.push_manifest(manifest, manifest.digest)
            assert writer.entries() == []

    async def write_by_task(layout: AsyncLayout) -> None:
        async with layout.writing():
            for manifest in manifests:
                await layout.destination.push_manifest(manifest, manifest.digest)
            assert writer.entries() == []

    writer.run(write if writer.way == "threads" else write_by_task)
    assert writer.entries() == [(manifests[-1].digest, None)]


# --- other tools


def test_skopeo_and_umoci_read_what_was_written(writer: Writer, tmp_path: Path) -> None:
    digest = writer.image("1.4")
    writer.tag("1.4", "acme/web:2")

    for name in ("1.4", "acme/web:2"):
        raw = tool("skopeo", "inspect", "--raw", f"oci:{writer.path}:{name}").stdout
        assert sha256(raw) == digest
    tool("skopeo", "copy", f"oci:{writer.path}:1.4", f"dir:{tmp_path / 'out'}")
    assert tool("umoci", "ls", "--layout", str(writer.path)).stdout.split() == [b"1.4", b"acme/web:2"]


def tool(*command: str) -> "subprocess.CompletedProcess[bytes]":
    return run_limited(command, capture_output=True, check=True)
