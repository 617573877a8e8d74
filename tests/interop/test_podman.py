"""Images go to podman's store and come back: through a registry, and in archives of both kinds."""

import json
from pathlib import Path

import pytest

from dreg_client import Digest, copy, open_store
from tests.copying.graphs import names
from tests.interop.images import RealGraph
from tests.interop.tools import Tools

LOADED = ("gzip", "plain", "empty", "twice", "docker")


def config_of(name: str) -> str:
    """The digest of an image's config, as dreg-client reads it."""
    store, _, tag = name.rpartition(":")
    with open_store(store) as opened:
        return str(opened.get_config(tag).digest)


def test_several_images_in_one_docker_archive_are_loaded(
    graph: RealGraph, images: Path, tools: Tools, tmp_path: Path
) -> None:
    archive = f"docker-archive:{tmp_path}/web.tar"
    for name in LOADED:
        copy(f"oci:{images}:{name}", f"{archive}:localhost/acme/web:{name}")
    copy(f"oci:{images}:index", f"{archive}:localhost/acme/web:index", platforms=["linux/amd64"])
    tools.podman("load", "--quiet", "--input", tmp_path / "web.tar")

    for name in LOADED:
        assert tools.image_id(f"localhost/acme/web:{name}") == graph.configs[graph.tagged[name]["digest"]]
    assert json.loads(tools.podman("image", "inspect", "localhost/acme/web:index"))[0]["Architecture"] == "amd64"


@pytest.mark.parametrize("name", ["gzip", "zstd", "twice"])
def test_an_oci_archive_is_loaded(graph: RealGraph, images: Path, tools: Tools, tmp_path: Path, name: str) -> None:
    copy(f"oci:{images}:{name}", f"oci-archive:{tmp_path}/web.tar:localhost/acme/web:{name}")
    loaded = tools.podman("load", "--quiet", "--input", tmp_path / "web.tar").decode()

    assert tools.image_id(loaded.split()[-1]) == graph.configs[graph.tagged[name]["digest"]]


def test_what_was_pushed_is_pulled(graph: RealGraph, images: Path, repository: str, tools: Tools) -> None:
    copy(f"oci:{images}", repository, tags=["gzip", "zstd", "docker", "attested"])

    for name in ("gzip", "zstd", "docker"):
        tools.podman("pull", "--quiet", "--tls-verify=false", f"{repository}:{name}")
        assert tools.image_id(f"{repository}:{name}") == graph.configs[graph.tagged[name]["digest"]]
        digest = tools.podman("image", "inspect", "--format", "{{.Digest}}", f"{repository}:{name}").decode().strip()
        assert digest == graph.tagged[name]["digest"]
    tools.podman("pull", "--quiet", "--tls-verify=false", "--arch", "amd64", f"{repository}:attested")


def test_what_podman_pushes_and_saves_is_copied(
    graph: RealGraph, images: Path, repository: str, tools: Tools, tmp_path: Path
) -> None:
    copy(f"oci:{images}:gzip", f"docker-archive:{tmp_path}/in.tar:localhost/acme/web:1")
    tools.podman("load", "--quiet", "--input", tmp_path / "in.tar")
    config = graph.configs[graph.tagged["gzip"]["digest"]]
    pushed = tmp_path / "digest"
    tools.podman("push", "--quiet", "--tls-verify=false", "--digestfile", pushed, "localhost/acme/web:1", repository)
    for kind in ("oci-archive", "docker-archive"):
        tools.podman("save", "--quiet", "--format", kind, "-o", tmp_path / f"{kind}.tar", "localhost/acme/web:1")

    done = copy(repository, f"oci:{tmp_path}/back:pushed")
    assert done.digest == Digest(pushed.read_text().strip())
    for kind in ("oci-archive", "docker-archive"):
        copy(f"{kind}:{tmp_path}/{kind}.tar", f"oci:{tmp_path}/back:{kind}")
        shown = tools.skopeo("inspect", "--raw", "--config", f"{kind}:{tmp_path}/{kind}.tar")
        assert config_of(f"oci:{tmp_path}/back:{kind}") == Digest.of(shown)
    # For an oci-archive, podman converts the config to OCI's media type, which changes its bytes.
    assert config_of(f"oci:{tmp_path}/back:docker-archive") == config
    assert {*names(tmp_path / "back")} == {"pushed", "oci-archive", "docker-archive"}


def test_several_images_that_podman_saved_are_copied_by_name(
    graph: RealGraph, images: Path, tools: Tools, tmp_path: Path
) -> None:
    for name in ("gzip", "twice"):
        copy(f"oci:{images}:{name}", f"docker-archive:{tmp_path}/in.tar:localhost/acme/web:{name}")
    tools.podman("load", "--quiet", "--input", tmp_path / "in.tar")
    both = [f"localhost/acme/web:{name}" for name in ("gzip", "twice")]
    tools.podman("save", "--quiet", "--multi-image-archive", "-o", tmp_path / "out.tar", *both)

    for name in ("gzip", "twice"):
        copy(f"docker-archive:{tmp_path}/out.tar:localhost/acme/web:{name}", f"oci:{tmp_path}/back:{name}")
        assert config_of(f"oci:{tmp_path}/back:{name}") == graph.configs[graph.tagged[name]["digest"]]
