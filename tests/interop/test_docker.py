"""Docker loads what dreg-client writes, where its daemon runs."""

from pathlib import Path

import pytest

from dreg_client import copy
from tests.commands import run_limited
from tests.interop.images import RealGraph
from tests.interop.tools import Tools


def has_daemon() -> bool:
    try:
        return run_limited(["docker", "info"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif("not has_daemon()", reason="no Docker daemon runs here")
@pytest.mark.parametrize("name", ["gzip", "plain", "empty", "twice", "docker"])
def test_a_docker_archive_is_loaded(graph: RealGraph, images: Path, tools: Tools, tmp_path: Path, name: str) -> None:
    tag = f"dreg-interop/web:{name}"
    copy(f"oci:{images}:{name}", f"docker-archive:{tmp_path}/web.tar:{tag}")
    tools.run("docker", "load", "--quiet", "--input", tmp_path / "web.tar")
    try:
        found = tools.run("docker", "image", "inspect", "--format", "{{.Id}}", tag).decode().strip()
        assert found == graph.configs[graph.tagged[name]["digest"]]
    finally:
        tools.run("docker", "image", "rm", tag)
