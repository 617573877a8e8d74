"""Hostile registries, archives and plans, when repositories are mirrored."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from dreg_client import SyncPlan, errors, sync
from dreg_client.copying.plan_model import MAX_PLAN
from tests.commands import run_limited
from tests.copying.graphs import CONFIG, MANIFEST, Graph, content, names
from tests.copying.sync_flavours import Syncs, both
from tests.copying.test_prune import layout_of
from tests.registries import ROOT


class Mirrored:
    """A registry with the repositories `a`, `b` and `c`, each with the tags `1` and `2`, and what it does otherwise.

    Attributes:
        otherwise: Is called first; its response is sent unless it is None.
        made: The requests.
    """

    def __init__(self, otherwise: Any) -> None:
        graph = Graph()
        self.tags = {tag: graph.image([graph.add(tag.encode())])["digest"] for tag in ("1", "2")}
        self.blobs, self.otherwise = graph.blobs, otherwise
        self.made: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.made.append(f"{request.method} {path}")
        if (response := self.otherwise(request)) is not None:
            return response  # type: ignore[no-any-return]
        if path.endswith("/_catalog"):
            return httpx.Response(200, content=b'{"repositories": ["a", "b", "c"]}')
        if path.endswith("/tags/list"):
            return httpx.Response(200, content=json.dumps({"name": "x", "tags": [*self.tags]}).encode())
        digest = path.rpartition("/")[2]
        digest = self.tags.get(digest, digest)
        if digest not in self.blobs:
            return httpx.Response(404)
        headers = {"Docker-Content-Digest": digest} | ({"Content-Type": MANIFEST} if "/manifests/" in path else {})
        return httpx.Response(200, headers=headers, content=self.blobs[digest])

    @property
    def options(self) -> Any:
        return {"transport": httpx.MockTransport(self), "retries": 0}


@both
@pytest.mark.parametrize("status", [200, 401, 403, 500])
def test_copy_80_a_repository_whose_list_fails_loses_none_of_the_others(
    run: Syncs, status: int, tmp_path: Path
) -> None:
    def fails(request: httpx.Request) -> httpx.Response | None:
        if request.url.path == "/v2/b/tags/list":
            return httpx.Response(status, content=b'{"tags": ["1", "2"')
        return None

    for name in ("a", "b", "c"):
        sync(layout_of(tmp_path / f"old-{name}", "0"), f"oci:{tmp_path}/there/{name}")
    registry = Mirrored(fails)

    done = run.sync("registry.example/", f"oci:{tmp_path}/there", prune=True, source_options=registry.options)

    assert [*done.failures] == ["registry.example/b"]
    assert {name: {*names(tmp_path / "there" / name)} for name in ("a", "b", "c")} == {
        "a": {"1", "2"},
        "b": {"0"},
        "c": {"1", "2"},
    }


@both
def test_copy_81_a_tag_that_moves_during_the_run_is_copied_as_it_was_compared(run: Syncs, tmp_path: Path) -> None:
    moved: list[str] = []

    def moves(request: httpx.Request) -> None:
        if request.method == "GET" and "/manifests/sha256:" in request.url.path and not moved:
            moved.append(registry.tags["1"])
            registry.tags["1"] = registry.tags["2"]

    registry = Mirrored(moves)
    before = dict(registry.tags)

    done = run.sync("registry.example/a", f"oci:{tmp_path}/there", source_options=registry.options)
    again = run.sync("registry.example/a", f"oci:{tmp_path}/there", source_options=registry.options)

    assert moved
    assert dict(done.repositories[0].copied) == before
    assert not done.failures
    assert dict(again.repositories[0].copied) == {"1": before["2"]}
    assert names(tmp_path / "there") == {"1": before["2"], "2": before["2"]}


class LyingRegistry:
    """A registry that claims to mount blobs, and accepts only manifests whose blobs it has.

    Attributes:
        stored: The digests of blobs, by repository.
        tagged: The tags that were written.
    """

    def __init__(self) -> None:
        self.stored: dict[str, set[str]] = {"a": set(), "b": set()}
        self.tagged: set[str] = set()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        repository, _, rest = request.url.path.removeprefix("/v2/").partition("/")
        reference = rest.rpartition("/")[2]
        place = {"Location": f"/v2/{repository}/blobs/uploads/1"}
        if request.method == "POST":
            return httpx.Response(201 if "mount" in request.url.params else 202, headers=place)
        if request.method == "PUT" and rest.startswith("blobs/"):
            request.read()
            self.stored[repository].add(request.url.params["digest"])
            return httpx.Response(201, headers=place)
        if request.method == "PUT":
            document = json.loads(request.read())
            if not {each["digest"] for each in (document["config"], *document["layers"])} <= self.stored[repository]:
                return httpx.Response(400, content=b'{"errors": [{"code": "MANIFEST_BLOB_UNKNOWN"}]}')
            self.tagged.add(f"{repository}:{reference}")
            return httpx.Response(201)
        return httpx.Response(200 if reference in self.stored[repository] else 404)


def test_copy_82_a_blob_that_a_registry_claims_to_have_mounted_is_sent(tmp_path: Path) -> None:
    (tmp_path / "layouts").mkdir()
    for name in ("a", "b"):
        layout_of(tmp_path / "layouts" / name, "1")
    registry = LyingRegistry()
    options: Any = {"transport": httpx.MockTransport(registry), "retries": 0}

    done = sync(f"oci:{tmp_path}/layouts", "registry.example/", destination_options=options)

    assert not done.failures
    assert registry.tagged == {"a:1", "b:1"}
    assert registry.stored["a"] == registry.stored["b"]


@both
def test_copy_83_a_list_that_repeats_a_tag_costs_it_once(run: Syncs, tmp_path: Path) -> None:
    def repeats(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("/tags/list"):
            return httpx.Response(200, content=json.dumps({"name": "a", "tags": ["1", "2"] * 500}).encode())
        return None

    registry = Mirrored(repeats)

    done = run.sync("registry.example/a", f"oci:{tmp_path}/there", source_options=registry.options)

    assert (done.copied, done.skipped) == (2, 0)
    assert len([each for each in registry.made if each.startswith("HEAD /v2/a/manifests/")]) == 2


def test_copy_84_names_in_an_archive_are_not_paths_or_other_registries(tmp_path: Path) -> None:
    hostile = ["../../etc/passwd:1", "evil.example/../a:1", "UPPER/case:1", "a//b:1", "a\x1b]0;x\x07/b:1", "acme/web:1"]
    source = layout_of(tmp_path / "here", *hostile)
    hosts: list[str] = []
    registry = Mirrored(lambda request: hosts.append(request.url.host))

    done = sync(source, "registry.example/", destination_options=registry.options)

    assert {*hosts} <= {"registry.example"}
    assert {urls.split("/v2/")[1].split("/blobs/")[0].split("/manifests/")[0] for urls in registry.made} <= {
        "acme/web",
        "acme/web/tags/list",
    }
    assert len(done.failures) == len(hostile)  # the registry above does not accept uploads
    assert sum(isinstance(each, errors.InvalidReferenceError) for each in done.failures.values()) == len(hostile) - 1


ENDS = '"source": "a", "destination": "b"'
PLANS = {
    "no JSON": "{",
    "too deep": "[" * 100_000,
    "a digest that is none": f'{{"repositories": [{{{ENDS}, "skips": [{{"tag": "1", "digest": "x"}}]}}]}}',
    "another version": '{"version": 2}',
    "unknown members": '{"credentials": {}}',
    "numbers as strings": f'{{"repositories": [{{{ENDS}, "blobs": {{"count": "1"}}}}]}}',
}


@pytest.mark.parametrize("text", PLANS.values(), ids=PLANS)
def test_copy_85_a_plan_that_is_not_valid_changes_nothing(text: str) -> None:
    with pytest.raises(errors.ConfigError, match="is not a valid plan"):
        SyncPlan.from_json(text)


@pytest.mark.parametrize("kind", ["endless", "directory"])
def test_copy_85_a_plan_that_is_not_a_file_is_an_error(kind: str, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    if kind == "directory":
        plan.mkdir()
    else:
        with plan.open("wb") as file:
            file.truncate(MAX_PLAN + 1)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "dreg_client.cli", "sync", "--plan", str(plan)]

    done = run_limited(command, env=environment, capture_output=True, text=True)

    assert done.returncode in {2, 4, 5}
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


@both
def test_copy_86_a_plan_cannot_write_outside_of_what_it_names(run: Syncs, tmp_path: Path) -> None:
    source = layout_of(tmp_path / "here", "1", "../../x")
    plan = run.plan(source, "registry.example/acme/web", destination_options=Mirrored(lambda _: None).options)

    assert not plan.repositories[0].copies
    assert [each.tag for each in plan.repositories[0].skips] == ["1"]
    assert [each.tag for each in plan.repositories[0].failures] == ["../../x"]


@both
def test_copy_87_an_archive_whose_image_fails_is_complete_without_it(run: Syncs, tmp_path: Path) -> None:
    def cut(request: httpx.Request) -> httpx.Response | None:
        is_layer = request.method == "GET" and request.url.path.endswith(layer)
        return httpx.Response(200, content=b"other bytes") if is_layer else None

    registry = Mirrored(cut)
    layer = json.loads(registry.blobs[registry.tags["2"]])["layers"][0]["digest"]
    archive = tmp_path / "web.tar"

    done = run.sync("registry.example/a", f"oci-archive:{archive}", source_options=registry.options)

    assert [*done.failures] == ["registry.example/a:2"]
    sync(f"oci-archive:{archive}", f"oci:{tmp_path}/back")
    assert names(tmp_path / "back").keys() == {"1"}
    assert layer not in content(tmp_path / "back")
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith((".", "web"))] == ["web.tar"]


def test_copy_88_a_directory_of_layouts_is_read_without_following_links(tmp_path: Path) -> None:
    layout_of(tmp_path / "outside/secret", "1")
    layout_of(tmp_path / "layouts/web", "1")
    (tmp_path / "layouts/link").symlink_to(tmp_path / "outside")
    (tmp_path / "layouts/loop").symlink_to(tmp_path / "layouts")

    done = sync(f"oci:{tmp_path}/layouts", f"oci:{tmp_path}/there")

    assert [each.source for each in done.repositories] == [f"oci:{tmp_path}/layouts/web"]


def test_copy_89_a_config_that_does_not_fit_keeps_a_docker_archive_readable(tmp_path: Path) -> None:
    graph = Graph()
    layer = graph.add(b"layer")
    for tag, diff_ids in (("good", [layer["digest"]]), ("bad", [])):
        config = {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": diff_ids}}
        stored = graph.add(json.dumps(config).encode(), CONFIG)
        body = {"schemaVersion": 2, "mediaType": MANIFEST, "config": stored, "layers": [layer]}
        graph.tag(graph.add(json.dumps(body).encode(), MANIFEST), f"acme/web:{tag}")
    archive = f"docker-archive:{tmp_path}/web.tar"

    done = sync(f"oci:{graph.write(tmp_path / 'here')}", archive)
    back = sync(archive, f"oci:{tmp_path}/back")

    assert [*done.failures] == [f"oci:{tmp_path}/here:acme/web:bad"]
    assert "diff_ids" in str(done.failures[f"oci:{tmp_path}/here:acme/web:bad"])
    assert back.copied == 1
