"""After any failure of `sync`, everything else is there, and the next run sends only what is missing."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreg_client import Planned, SyncPlan, errors, sync
from tests.commands import start_limited
from tests.copying.graphs import NAME, Graph, content, graphs, names
from tests.copying.sync_flavours import Syncs, both
from tests.copying.test_prune import Listing, layout_of, page, signature_tag, tags_of
from tests.registries import ROOT, RunningRegistry, running


def tagged(graph: Graph) -> dict[str, str]:
    return {it["annotations"][NAME]: it["digest"] for it in graph.entries if "annotations" in it}


@settings(max_examples=60)
@given(graphs(), st.data())
def test_a_missing_blob_fails_exactly_the_tags_that_lead_to_it(graph: Graph, data: st.DataObject) -> None:
    tags = tagged(graph)
    lost = data.draw(st.sampled_from(sorted(graph.closure(tags.values()))))
    expected = {tag for tag, digest in tags.items() if lost in graph.closure([digest])}
    with TemporaryDirectory() as folder:
        source, there = graph.write(Path(folder) / "here"), Path(folder) / "there"
        (source / "blobs" / lost.replace(":", "/")).unlink()

        first = sync(f"oci:{source}", f"oci:{there}")
        (source / "blobs" / lost.replace(":", "/")).write_bytes(graph.blobs[lost])
        kept = content(there) if (there / "blobs/sha256").exists() else {}
        second = sync(f"oci:{source}", f"oci:{there}")

        assert {*first.repositories[0].failed} == expected
        assert graph.closure(digest for tag, digest in tags.items() if tag not in expected) <= kept.keys()
        assert second.copied == len(expected)
        assert names(there) == tags
        assert content(there).keys() == graph.closure(tags.values())
        assert second.repositories[0].blobs.count <= len(content(there).keys() - kept.keys())


@both
def test_a_registry_that_is_gone_ends_the_repository_at_once(run: Syncs, tmp_path: Path) -> None:
    source = layout_of(tmp_path / "here", *map(str, range(20)))
    seen: list[str] = []

    def refuse_writes(request: httpx.Request) -> httpx.Response:
        seen.append(request.method)
        if request.method in {"POST", "PUT"}:
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(404)

    options: Any = {"transport": httpx.MockTransport(refuse_writes), "retries": 0}
    done = run.sync(source, "registry.example/acme/web", destination_options=options)

    assert done.copied == 0
    assert {*done.repositories[0].failed} == {*map(str, range(20))}
    assert all(isinstance(each, errors.TransportError) for each in done.failures.values())
    assert seen.count("POST") <= 8  # those that were under way


@pytest.mark.parametrize(
    "failing", [httpx.ConnectError("refused"), httpx.Response(429, headers={"Retry-After": "900"})]
)
@both
def test_a_registry_that_is_gone_is_not_asked_for_its_other_repositories(
    run: Syncs, failing: httpx.ConnectError | httpx.Response, tmp_path: Path
) -> None:
    repositories = [f"web-{number}" for number in range(50)]
    asked: list[str] = []

    def go_away(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/_catalog"):
            return httpx.Response(200, content=json.dumps({"repositories": repositories}).encode())
        asked.append(request.url.path)
        if isinstance(failing, httpx.Response):
            return failing
        raise failing

    options: Any = {"transport": httpx.MockTransport(go_away), "retries": 0}
    done = run.sync("registry.example/", f"oci:{tmp_path}/there", source_options=options)

    assert len(asked) <= 4  # those that were under way
    assert [*done.failures] == [f"registry.example/{name}" for name in repositories]
    last = done.repositories[-1].failure
    assert isinstance(last, errors.ConnectError | errors.RateLimitedError)
    assert "this was not tried, because the registry had already failed" in str(last)


@both
def test_a_destination_that_is_gone_removes_nothing_and_ends_the_other_repositories(run: Syncs, tmp_path: Path) -> None:
    seen: list[str] = []

    def read_only(request: httpx.Request) -> httpx.Response:
        seen.append(request.method)
        if request.method in {"POST", "PUT", "DELETE"}:
            raise httpx.ConnectError("refused", request=request)
        return readable(request)

    readable = Listing(["old"], lambda _: page("old"))
    for number in range(20):
        layout_of(tmp_path / f"here/web-{number}", "new")
    options: Any = {"transport": httpx.MockTransport(read_only), "retries": 0}
    done = run.sync(f"oci:{tmp_path}/here", "registry.example/", prune=True, destination_options=options)

    assert "DELETE" not in seen
    assert seen.count("POST") <= 4 * 2  # the blobs of four repositories
    assert len(done.failures) == 20
    assert all(isinstance(each, errors.ConnectError) for each in done.failures.values())
    assert any("not everything could be copied" in each.not_pruned for each in done.repositories)


@both
def test_a_registry_that_goes_away_is_not_asked_to_remove_each_tag(run: Syncs, tmp_path: Path) -> None:
    tags = [str(number) for number in range(20)]
    readable, deleted = Listing(tags, lambda _: page(*tags)), list[str]()

    def go_away(request: httpx.Request) -> httpx.Response:
        if request.method != "DELETE":
            return readable(request)
        deleted.append(request.url.path)
        raise httpx.ConnectError("refused", request=request)

    options = {"transport": httpx.MockTransport(go_away), "retries": 0}
    source = layout_of(tmp_path / "here", "0")
    done = run.sync(source, "registry.example/acme/web", prune=True, destination_options=options)

    assert len(deleted) == 1
    assert {*done.repositories[0].failed} == {*tags[1:]}
    assert all(isinstance(each, errors.ConnectError) for each in done.failures.values())


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that never responds."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        yield f"localhost:{listening.getsockname()[1]}"


@both
def test_a_deadline_limits_the_whole_sync(run: Syncs, silent: str, tmp_path: Path) -> None:
    there = f"oci:{tmp_path}/there"
    layout_of(tmp_path / "here", "1")
    planned = run.plan(f"oci:{tmp_path}/here", there).repositories[0]
    plan = SyncPlan(repositories=(planned.model_copy(update={"source": f"{silent}/acme/web"}),))

    for call in (run.sync, run.plan):
        with pytest.raises(errors.DeadlineError, match=r"at its deadline of 0\.3 s; allow more with deadline="):
            call(f"{silent}/acme/web", there, deadline=0.3)
    done = run.apply(plan, deadline=0.3)

    assert isinstance(done.repositories[0].failure, errors.DeadlineError)


@both
def test_tags_that_are_not_compared_at_the_deadline_are_failures(run: Syncs, tmp_path: Path) -> None:
    """A server may respond to each request in time, but not to all of them."""
    tags = [str(number) for number in range(40)]
    clock = Event()

    def slowly(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/tags/list"):
            return httpx.Response(200, content=json.dumps({"tags": tags}).encode())
        clock.wait(0.05)
        return httpx.Response(404)

    options: Any = {"transport": httpx.MockTransport(slowly), "retries": 0}
    done = run.sync("registry.example/acme/web", f"oci:{tmp_path}/there", source_options=options, deadline=0.1)

    assert {*done.repositories[0].failed} == {*tags}
    assert isinstance(done.repositories[0].failed["39"], errors.DeadlineError)


def test_a_denied_repository_is_a_failure_among_many(tmp_path: Path) -> None:
    def deny(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/_catalog"):
            return httpx.Response(200, content=b'{"repositories": ["a", "b"]}')
        if "/a/" in request.url.path:
            return httpx.Response(403)
        return httpx.Response(200, content=b'{"name": "b", "tags": []}')

    options: Any = {"transport": httpx.MockTransport(deny), "retries": 0}
    done = sync("registry.example/", f"oci:{tmp_path}/there", source_options=options)

    assert [*done.failures] == ["registry.example/a"]
    assert [each.source for each in done.repositories] == ["registry.example/a", "registry.example/b"]


def test_a_repository_cannot_be_written_among_the_files_of_another_layout(tmp_path: Path) -> None:
    repositories = ["a", "a/b", "a/blobs/sha256/" + "0" * 64, "a/index.json", "a/../../outside", "/etc/outside"]

    def hostile(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/_catalog"):
            return httpx.Response(200, content=json.dumps({"repositories": repositories}).encode())
        return httpx.Response(200, content=b'{"tags": []}')

    options: Any = {"transport": httpx.MockTransport(hostile), "retries": 0}
    done = sync("registry.example/", f"oci:{tmp_path}/there", source_options=options)

    assert {*done.failures} == {f"registry.example/{name}" for name in repositories[2:4]}
    assert all(isinstance(each, errors.UnsafePathError) for each in done.failures.values())
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("oci-layout")} == {
        "there/a/oci-layout",
        "there/a/b/oci-layout",
    }
    assert (tmp_path / "there/a/index.json").is_file()


SLOW = """
import sys
from threading import Lock
from dreg_client._sync import copier
from dreg_client._sync._compat import sleep
tag, turn, tags = copier.Copier._tag, Lock(), int(sys.argv.pop(1))
def slowly(self, step):
    with turn:
        if len(self.record.tagged) == tags:
            print("begun", file=sys.stderr, flush=True)
            sleep(60)
        return tag(self, step)
copier.Copier._tag = slowly
from dreg_client.cli import main
main()
"""


@pytest.mark.parametrize("into", ["registry", "layout"])
def test_after_a_kill_the_next_run_sends_only_what_is_missing(into: str, tmp_path: Path) -> None:
    source = layout_of(tmp_path / "here", *map(str, range(6)))
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    (tmp_path / "registry").mkdir()
    with running(tmp_path / "registry") as registry:
        there = f"{registry.address}/acme/web" if into == "registry" else f"oci:{tmp_path}/there"
        tags = 3 if into == "registry" else 1  # a layout writes the first tag at once, and collects the others
        command = [sys.executable, "-c", SLOW, str(tags), "sync", source, there]
        with start_limited(command, stderr=subprocess.PIPE, env=environment, text=True) as process:
            assert process.stderr is not None
            assert process.stderr.readline() == "begun\n"
            process.kill()

        done = sync(source, there)

        assert (done.skipped, done.copied) == (tags, 6 - tags)
        assert done.repositories[0].blobs.count == 0
        assert (tags_of(there) if into == "registry" else {*names(tmp_path / "there")}) == {*map(str, range(6))}


def test_the_blobs_of_all_repositories_are_counted_together(registry: RunningRegistry, tmp_path: Path) -> None:
    found: list[Planned] = []
    with running(tmp_path) as other:
        for name in ("a", "b"):
            sync(layout_of(tmp_path / name, name), f"{other.address}/{name}")

        done = sync(
            other.address,
            f"oci:{tmp_path}/there",
            on_event=lambda event: found.append(event) if isinstance(event, Planned) else None,
        )

    assert found[-1] == Planned(4, done.size)
    assert [each.blobs for each in found] == sorted(each.blobs for each in found)


@both
def test_the_tag_of_a_signature_that_cannot_be_compared_fails_alone(run: Syncs, tmp_path: Path) -> None:
    graph = Graph()
    graph.tag(graph.image([graph.add(b"kept")]), "kept")
    source = f"oci:{graph.write(tmp_path / 'source')}"
    signatures = [signature_tag(f"sha256:{number * 64}") for number in "01"]
    held = Listing(["kept", *signatures], lambda _: page("kept", *signatures))
    removed: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        reference = request.url.path.rpartition("/")[2]
        if request.method == "DELETE":
            removed.append(reference)
            return httpx.Response(202)
        return httpx.Response(500) if reference == signatures[0] else held(request)

    options = {"transport": httpx.MockTransport(answer), "retries": 0}
    done = run.sync(source, "registry.example/acme/web", prune=True, destination_options=options)

    (repository,) = done.repositories
    assert repository.failed.keys() == {signatures[0]}
    assert repository.failure is None
    assert repository.skipped == 1
    assert repository.removed == (signatures[1],)
    assert removed == [signatures[1]]
