"""What dreg-client writes is read by skopeo with the same digests, and what skopeo writes by dreg-client."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from dreg_client import Digest, copy
from tests.copying.graphs import content, names
from tests.interop.images import IMAGES, INDEXES, REST, SIGNATURE, RealGraph, tar_of
from tests.interop.tools import Tools


@dataclass(frozen=True)
class Place:
    """A store to write to.

    Attributes:
        ours: Its name for dreg-client.
        theirs: Its name for skopeo.
        names: The images in it that skopeo reads. In layouts, it finds none of Docker's media types.
    """

    ours: str
    theirs: str
    names: tuple[str, ...]


@pytest.fixture(params=["registry", "oci", "oci-archive"])
def place(request: pytest.FixtureRequest, tmp_path: Path, repository: str) -> Place:
    names = (*IMAGES, *INDEXES)
    if request.param == "registry":
        return Place(repository, f"docker://{repository}", names)
    name = f"{request.param}:{tmp_path / 'there'}"
    return Place(name, name, tuple(each for each in names if "docker" not in each))


def test_all_that_dreg_writes_is_read_by_skopeo(
    graph: RealGraph, images: Path, place: Place, tools: Tools, tmp_path: Path
) -> None:
    copy(f"oci:{images}", place.ours, tags="all")

    for name, made in graph.tagged.items():
        if name in (*place.names, *REST):
            assert Digest.of(tools.raw(f"{place.theirs}:{name}")) == made["digest"], name
    for name in place.names:
        tools.skopeo("copy", f"{place.theirs}:{name}", f"dir:{tmp_path}/out-{name}")
        written = {
            Digest.of(path.read_bytes()) for path in (tmp_path / f"out-{name}").iterdir() if path.name != "version"
        }
        assert written == graph.closure([graph.tagged[name]["digest"]]), name


def test_all_that_skopeo_writes_is_read_by_dreg(
    graph: RealGraph, origin: str, place: Place, tools: Tools, tmp_path: Path
) -> None:
    for name in place.names:
        tools.skopeo("copy", f"docker://{origin}:{name}", f"{place.theirs}:{name}")
        copy(f"{place.ours}:{name}", f"oci:{tmp_path}/back")  # skopeo replaces the image of an archive

    assert names(tmp_path / "back") == {name: graph.tagged[name]["digest"] for name in place.names}
    expected = graph.closure(names(tmp_path / "back").values())
    assert content(tmp_path / "back") == {digest: graph.blobs[digest] for digest in expected}


def test_one_image_of_several_in_an_archive_is_read_by_its_name(
    graph: RealGraph, images: Path, tools: Tools, tmp_path: Path
) -> None:
    for name in ("gzip", "zstd", "index"):
        copy(f"oci:{images}:{name}", f"oci-archive:{tmp_path}/web.tar:{name}")

    for name in ("gzip", "zstd", "index"):
        tools.skopeo("copy", f"oci-archive:{tmp_path}/web.tar:{name}", f"dir:{tmp_path}/{name}")
        assert Digest.of((tmp_path / name / "manifest.json").read_bytes()) == graph.tagged[name]["digest"]


@pytest.mark.parametrize("name", ["gzip", "plain", "empty", "twice", "docker"])
def test_a_docker_archive_of_dreg_has_the_same_config_and_layers(
    graph: RealGraph, images: Path, tools: Tools, tmp_path: Path, name: str
) -> None:
    archive = f"docker-archive:{tmp_path}/web.tar"
    copy(f"oci:{images}:{name}", f"{archive}:acme/web:1")

    told = json.loads(tools.skopeo("inspect", f"{archive}:acme/web:1"))
    config = tools.skopeo("inspect", "--raw", "--config", f"{archive}:acme/web:1")
    assert Digest.of(config) == graph.configs[graph.tagged[name]["digest"]]
    assert len(told["Layers"]) == len(json.loads(config)["rootfs"]["diff_ids"])
    tools.run("skopeo", "--insecure-policy", "copy", "--quiet", f"{archive}:acme/web:1", f"dir:{tmp_path}/out")


@pytest.mark.parametrize("name", ["gzip", "twice", "docker"])
def test_a_docker_archive_of_skopeo_is_copied_with_its_config(
    graph: RealGraph, origin: str, repository: str, tools: Tools, tmp_path: Path, name: str
) -> None:
    archive = f"docker-archive:{tmp_path}/web.tar:acme/web:1"
    tools.run(
        "skopeo", "--insecure-policy", "copy", "--quiet", "--src-tls-verify=false", f"docker://{origin}:{name}", archive
    )
    copy(archive, f"{repository}:1")

    config = tools.skopeo("inspect", "--raw", "--config", f"docker://{repository}:1")
    assert Digest.of(config) == graph.configs[graph.tagged[name]["digest"]]
    tools.skopeo("copy", f"docker://{repository}:1", f"dir:{tmp_path}/out")


def test_referrers_and_signatures_of_cosign_are_found_by_their_tags(
    repository: str, tools: Tools, tmp_path: Path
) -> None:
    graph = RealGraph()
    image = graph.unpackable([tar_of(one="1")])
    sbom = graph.artifact([graph.add(b"sbom")], subject=image)
    graph.name("1", image)
    tag = image["digest"].replace(":", "-")
    graph.name(f"{tag}.sig", graph.image([graph.add(b"{}", SIGNATURE)]))
    copy(f"oci:{graph.write(tmp_path / 'signed')}:1", repository, referrers=True)

    [listed] = json.loads(tools.raw(f"docker://{repository}:{tag}"))["manifests"]
    assert (listed["digest"], listed["size"]) == (sbom["digest"], sbom["size"])
    assert Digest.of(tools.raw(f"docker://{repository}@{sbom['digest']}")) == sbom["digest"]
    assert Digest.of(tools.raw(f"docker://{repository}:{tag}.sig")) == graph.tagged[f"{tag}.sig"]["digest"]
