"""umoci works with layouts that dreg-client wrote, and dreg-client goes on with what umoci made of them."""

import json
from pathlib import Path

import pytest

from dreg_client import Digest, Layout, copy
from tests.copying.graphs import names
from tests.interop.images import RealGraph
from tests.interop.tools import Tools

TAGS = ("gzip", "plain", "empty", "twice")


@pytest.fixture
def layout(images: Path, tmp_path: Path) -> Path:
    """A layout that dreg-client wrote."""
    copy(f"oci:{images}", f"oci:{tmp_path}/layout", tags=TAGS)
    return tmp_path / "layout"


def test_its_images_are_listed_and_unpacked(layout: Path, tools: Tools, tmp_path: Path) -> None:
    assert sorted(tools.run("umoci", "ls", "--layout", layout).decode().split()) == sorted(TAGS)
    for tag in TAGS:
        tools.run("umoci", "unpack", "--rootless", "--image", f"{layout}:{tag}", tmp_path / tag)
        assert (tmp_path / tag / "rootfs/one").read_text() == "1"


def test_an_image_that_umoci_changed_is_pushed(
    graph: RealGraph, layout: Path, repository: str, tools: Tools, tmp_path: Path
) -> None:
    (tmp_path / "new").write_text("new\n")
    tools.run("umoci", "insert", "--rootless", "--image", f"{layout}:gzip", tmp_path / "new", "/new")
    tools.run("umoci", "tag", "--image", f"{layout}:gzip", "changed")
    copy(f"oci:{layout}", repository, tags=["changed", "twice"])

    assert Digest.of(tools.raw(f"docker://{repository}:changed")) == names(layout)["changed"]
    assert names(layout)["changed"] != graph.tagged["gzip"]["digest"]
    assert names(layout)["twice"] == graph.tagged["twice"]["digest"]
    layers = json.loads(tools.raw(f"docker://{repository}:changed"))["layers"]
    assert layers[:-1] == json.loads(graph.blobs[graph.tagged["gzip"]["digest"]])["layers"]


def test_both_collect_what_is_left_and_keep_the_rest(layout: Path, tools: Tools) -> None:
    with Layout(layout) as opened:
        opened.untag("plain")
    tools.run("umoci", "gc", "--layout", layout)
    tools.run("umoci", "rm", "--image", f"{layout}:empty")
    with Layout(layout) as opened:
        opened.gc()
        assert set(opened.tags()) == {"gzip", "twice"}
        for tag in opened.tags():
            for layer in opened.get_manifest(tag).layers:
                assert opened.has_blob(layer)
    before = sorted((layout / "blobs/sha256").iterdir())
    tools.run("umoci", "gc", "--layout", layout)
    assert sorted((layout / "blobs/sha256").iterdir()) == before
