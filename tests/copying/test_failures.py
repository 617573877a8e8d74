"""Copies that fail in part: what is copied nevertheless, and what the error says."""

import hashlib
import json
import tarfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from dreg_client import Copied, Copying, Event, Layout, Registry, Tagged, copy, errors, open_store, sync
from dreg_client._sync.copier import Copier
from dreg_client._sync.copy_roots import Root
from dreg_client.copying.options import CopyFlags
from dreg_client.models.descriptor import Descriptor
from tests.copying.flavours import Copy, both
from tests.copying.graphs import CONFIG, INDEX, LAYER, MANIFEST, NAME, Graph, content, names
from tests.registries import LAYOUT, RunningRegistry

AMD64 = ["linux/amd64"]


def layout_without_a_child(folder: Path) -> Path:
    """A layout with the tags `bad`, whose index names a manifest that is missing, and `good`."""
    graph = Graph()
    child = graph.image([graph.add(b"one")])
    graph.tag(graph.index([child]), "bad")
    graph.tag(graph.image([graph.add(b"two")]), "good")
    source = graph.write(folder)
    (source / "blobs" / child["digest"].replace(":", "/")).unlink()
    return source


@both
def test_a_tag_that_cannot_be_copied_does_not_stop_the_others(copied: Copy, tmp_path: Path) -> None:
    source, events = layout_without_a_child(tmp_path / "here"), list[Event]()

    with pytest.raises(errors.NotFoundError) as failure:
        copied(f"oci:{source}", f"oci:{tmp_path}/there", tags="all", on_event=events.append)

    assert names(tmp_path / "there").keys() == {"good"}
    assert "not copied: bad; these tags were already written: good" in str(failure.value)
    assert [each.tag for each in events if isinstance(each, Tagged)] == ["good"]


@both
def test_an_archive_gets_all_tags_or_none(copied: Copy, tmp_path: Path) -> None:
    source = layout_without_a_child(tmp_path / "here")

    with pytest.raises(errors.NotFoundError, match=r"the archive is as before") as failure:
        copied(f"oci:{source}", f"oci-archive:{tmp_path}/there.tar", tags="all")

    assert "tags were already written" not in str(failure.value)
    assert not (tmp_path / "there.tar").exists()


@both
@pytest.mark.parametrize("name", ["acme/web:1:2", "1.4+build"])
def test_names_that_are_not_tags_do_not_stop_the_others(
    copied: Copy, own_registry: RunningRegistry, tmp_path: Path, name: str
) -> None:
    graph, there = Graph(), f"{own_registry.address}/acme/names"
    image = graph.image([graph.add(b"one")])
    graph.tag(image, name)
    graph.tag(image, "good")

    with pytest.raises(errors.InvalidReferenceError, match="tag") as failure:
        copied(f"oci:{graph.write(tmp_path / 'here')}", there, tags="all")

    assert f"not copied: {name}" in str(failure.value)
    with open_store(there) as store:
        assert store.tags() == ("good",)


@both
def test_no_clobber_knows_the_same_image_in_a_docker_archive(copied: Copy, tmp_path: Path) -> None:
    there = f"docker-archive:{tmp_path}/there.tar:acme/web:1"
    copied(f"oci:{LAYOUT}:1.4", there, platforms=AMD64)
    before = (tmp_path / "there.tar").read_bytes()

    copied(f"oci:{LAYOUT}:1.4", there, platforms=AMD64, no_clobber=True)
    with pytest.raises(errors.ConflictError, match="names another manifest"):
        copied(f"oci:{LAYOUT}:1.4", there, platforms=["linux/arm64"], no_clobber=True)

    assert (tmp_path / "there.tar").read_bytes() == before


@both
@pytest.mark.parametrize("diff_ids", [0, 2])
def test_a_docker_archive_takes_no_image_whose_config_has_other_layers(
    copied: Copy, tmp_path: Path, diff_ids: int
) -> None:
    graph = Graph()
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{number:064}" for number in range(diff_ids)]}
    config = graph.add(json.dumps({"os": "linux", "architecture": "amd64", "rootfs": rootfs}).encode(), CONFIG)
    layer = graph.add(b"layer")
    body = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
    graph.tag(graph.add(json.dumps(body).encode(), MANIFEST), "1")

    with pytest.raises(errors.UnsupportedError, match=f"{diff_ids} diff_ids for 1 layers"):
        copied(f"oci:{graph.write(tmp_path / 'here')}:1", f"docker-archive:{tmp_path}/there.tar:acme/web:1")

    assert not (tmp_path / "there.tar").exists()


@both
def test_schema_1_is_not_supported(copied: Copy, tmp_path: Path) -> None:
    graph = Graph()
    legacy = "application/vnd.docker.distribution.manifest.v1+prettyjws"
    graph.tag(graph.index([graph.add(b'{"schemaVersion": 1}', legacy)]), "1")

    with pytest.raises(errors.UnsupportedError, match="schema 1"):
        copied(f"oci:{graph.write(tmp_path / 'here')}:1", f"oci:{tmp_path}/there")


@both
def test_deep_indexes_are_an_error_of_their_tags(copied: Copy, tmp_path: Path) -> None:
    graph = Graph()
    nested = graph.image([])
    for number in range(9):
        nested = graph.index([nested])
        graph.tag(nested, f"n{number}")
    source = graph.write(tmp_path / "here")

    done = sync(f"oci:{source}", f"oci:{tmp_path}/synchronised")
    with pytest.raises(errors.DepthLimitError, match="copy the indexes in it, by their digests"):
        copied(f"oci:{source}", f"oci:{tmp_path}/there", tags="all")

    assert {*done.repositories[0].failed} == {"n8"}
    assert names(tmp_path / "there").keys() == {f"n{number}" for number in range(8)}


@both
def test_an_index_may_name_an_image_twice(copied: Copy, tmp_path: Path) -> None:
    graph = Graph()
    image = graph.image([layer := graph.add(b"layer"), layer])
    graph.tag(graph.index([image, image]), "1")

    done = copied(f"oci:{graph.write(tmp_path / 'here')}:1", f"oci:{tmp_path}/there")

    assert (done.copied.count, done.manifests.count) == (2, 2)
    assert content(tmp_path / "there") == graph.blobs


@both
def test_a_descriptor_with_another_size_is_an_error(copied: Copy, tmp_path: Path) -> None:
    graph = Graph()
    image = graph.image([graph.add(b"layer")])
    graph.tag(graph.index([{**image, "size": image["size"] + 1}]), "1")

    with pytest.raises(errors.SizeMismatchError, match=f"expected {image['size'] + 1}"):
        copied(f"oci:{graph.write(tmp_path / 'here')}:1", f"oci:{tmp_path}/there")

    assert names(tmp_path / "there") == {}


class Stub:
    """A registry with an image in the repository `here`, which mounts nothing.

    Args:
        change: What it does with an answer to PUT.
    """

    def __init__(self, change: Callable[[httpx.Response], httpx.Response] = lambda it: it) -> None:
        self.config, self.layer, self.change = b"{}", b"layer" * 1000, change
        entries = [(CONFIG, self.config), (LAYER, self.layer)]
        config, layer = ({"mediaType": it, "digest": digest(raw), "size": len(raw)} for it, raw in entries)
        body = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
        self.manifest = json.dumps(body).encode()
        self.requests = Counter[str]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.requests[f"{request.method} {path.split('/')[2]} {path.split('/')[3]}"] += 1
        match request.method:
            case "GET" | "HEAD" if path.startswith("/v2/here/manifests/"):
                stated = {"Content-Type": MANIFEST, "Docker-Content-Digest": digest(self.manifest)}
                return httpx.Response(200, headers=stated, content=self.manifest)
            case "GET" if path.startswith("/v2/here/blobs/"):
                return httpx.Response(200, content=self.config if digest(self.config) in path else self.layer)
            case "POST":
                return httpx.Response(202, headers={"Location": "/v2/there/blobs/uploads/1"})
            case "PUT":
                stated = {"Docker-Content-Digest": digest(request.content), "Location": path}
                return self.change(httpx.Response(201, headers=stated))
            case "DELETE":
                return httpx.Response(204)
            case _:
                return httpx.Response(404)

    def opened(self, **options: Any) -> Registry:
        return Registry("registry.test", transport=httpx.MockTransport(self), retries=0, **options)


def digest(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def test_a_single_connection_cannot_read_and_write_a_blob() -> None:
    stub = Stub()
    with stub.opened(connections=1) as registry:
        ends = (registry.repository("here"), "1"), (registry.repository("there"), "1")
        with pytest.raises(errors.UnsupportedError, match="connections=2 or more"):
            copy(*ends)

    assert not stub.requests["GET here blobs"]
    assert not stub.requests["PUT there blobs"]


def test_an_intact_source_is_not_read_again_because_of_what_the_registry_states() -> None:
    def lie(response: httpx.Response) -> httpx.Response:
        response.headers["Docker-Content-Digest"] = f"sha256:{0:064}"
        return response

    stub = Stub(lie)
    with stub.opened() as registry, pytest.raises(errors.DigestMismatchError, match="as stored by the registry"):
        copy((registry.repository("here"), "1"), (registry.repository("there"), "1"))

    assert stub.requests["GET here blobs"] <= 2


def test_a_redirected_upload_says_so() -> None:
    stub = Stub(lambda _: httpx.Response(307, headers={"Location": "/elsewhere"}))
    with stub.opened() as registry, pytest.raises(errors.RegistryError, match="redirect"):
        registry.repository("there").push_blob(stub.layer)


def test_a_manifest_without_its_layers_is_not_worth_another_attempt() -> None:
    body = {"errors": [{"code": "MANIFEST_BLOB_UNKNOWN", "message": "blob unknown to registry"}]}
    stub = Stub(lambda _: httpx.Response(500, json=body))
    with stub.opened() as registry, pytest.raises(errors.ServerError, match="only with all its blobs") as failure:
        registry.repository("there").put_manifest(stub.manifest, "1")

    assert not failure.value.retryable
    assert "again" not in str(failure.value)


@both
def test_sha512_manifests_keep_their_digest_or_are_not_copied(
    copied: Copy, own_registry: RunningRegistry, tmp_path: Path
) -> None:
    """Debian's registry does not store manifests under sha512, so a tag would name another digest."""
    graph, there = Graph(), f"{own_registry.address}/acme/long"
    made = graph.image([graph.add(b"layer")])
    source = graph.write(tmp_path / "here")
    raw = graph.blobs[made["digest"]]
    long = hashlib.sha512(raw).hexdigest()
    (source / "blobs/sha512").mkdir()
    (source / "blobs/sha512" / long).write_bytes(raw)
    entry = {**made, "digest": f"sha512:{long}", "annotations": {NAME: "1"}}
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}
    (source / "index.json").write_text(json.dumps(index))

    with pytest.raises(errors.DregError, match="no tag was written"):
        copied(f"oci:{source}:1", there)
    done = sync(f"oci:{source}", there)

    assert {*done.repositories[0].failed} == {"1"}
    with open_store(there) as store, pytest.raises(errors.NotFoundError):
        store.tags()


@both
def test_what_was_written_is_told_tag_by_tag(copied: Copy, tmp_path: Path) -> None:
    events = list[Event]()
    copied(f"oci:{LAYOUT}", f"oci-archive:{tmp_path}/there.tar", tags="all", on_event=events.append)

    assert {each.tag: each.digest for each in events if isinstance(each, Tagged)} == names(LAYOUT)
    assert any(isinstance(each, Copied) for each in events)
    assert tarfile.is_tarfile(tmp_path / "there.tar")


def test_a_blob_that_was_written_while_another_step_failed_is_in_the_outcome(tmp_path: Path) -> None:
    graph = Graph()
    image = graph.artifact([])
    with Layout(graph.write(tmp_path / "here")) as here, Layout.create(tmp_path / "there") as there:
        destination = there.source.writable
        assert destination is not None

        def emit(event: Event) -> None:
            if isinstance(event, Copying):
                copier.add(Root(Descriptor(**{**image, "size": 1})), "", name="")

        copier = Copier(here.source, destination, CopyFlags(), emit=emit)
        copier.add(Root(Descriptor(**image)), "", name="")
        with pytest.raises(errors.SizeMismatchError) as failure:
            copier.run({})

    assert len(content(tmp_path / "there")) == copier.record.count("copied").count == 1
    assert "1 blob will not be transferred again" in str(failure.value)
