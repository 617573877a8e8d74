"""Synchronisation of repositories, registries and layouts, with Debian's docker-registry."""

import json
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from dreg_client import Layout, Registry, TagFilter, copy, errors, sync
from tests.copying.graphs import Graph, content, names
from tests.copying.sync_flavours import Syncs, both
from tests.copying.test_registries import Requests
from tests.registries import LAYOUT, RunningRegistry, running

NUMBERS = count()


@pytest.fixture
def there(registry: RunningRegistry) -> str:
    """The name of an empty repository."""
    return f"{registry.address}/syncs/number-{next(NUMBERS)}"


def images(folder: Path, tags: list[str], *, digests: int | None = None) -> Path:
    """A layout with an image for each tag; with `digests`, tags share so many."""
    graph = Graph()
    made = [graph.image([graph.add(b"base"), graph.add(f"{n}".encode())]) for n in range(digests or len(tags))]
    for number, tag in enumerate(tags):
        graph.tag(made[number % len(made)], tag)
    return graph.write(folder)


def tags_of(name: str) -> set[str]:
    host, _, repository = name.partition("/")
    with Registry(f"http://{host}") as opened:
        return {*opened.repository(repository).tags()}


@both
def test_a_layout_arrives_in_a_registry_and_comes_back_the_same(run: Syncs, there: str, tmp_path: Path) -> None:
    pushed = run.sync(f"oci:{LAYOUT}", there)
    pulled = run.sync(there, f"oci:{tmp_path}/back")

    assert content(tmp_path / "back") == content(LAYOUT)
    assert names(tmp_path / "back") == names(LAYOUT)
    for result in (pushed, pulled):
        (done,) = result.repositories
        assert dict(done.copied) == names(LAYOUT)
        assert (result.copied, result.skipped, result.removed) == (4, 0, 0)
        assert not result.failures
    assert done.blobs.count == 14


@both
def test_what_is_there_costs_two_requests_a_tag(run: Syncs, there: str) -> None:
    run.sync(f"oci:{LAYOUT}", there)
    run.sync(there, f"{there}-other")
    requests = Requests()

    again = run.sync(there, f"{there}-other", on_event=requests)

    assert (again.copied, again.skipped) == (0, 4)
    assert len(requests.made("HEAD")) == 2 * 4
    assert len(requests.made("GET")) == 2
    assert len(requests.all) == 2 * 4 + 2


def test_only_what_differs_is_transferred(there: str, tmp_path: Path) -> None:
    sync(f"oci:{images(tmp_path / 'a', ['1', '2'])}", there)
    sync(f"oci:{images(tmp_path / 'b', ['0', '1', '2'])}", there)  # "1" and "2" have other digests now

    with Layout(tmp_path / "b") as layout, Registry(f"http://{there.partition('/')[0]}") as opened:
        repository = opened.repository(there.partition("/")[2])
        assert all(repository.resolve(tag).digest == layout.resolve(tag).digest for tag in ("0", "1", "2"))


def test_many_tags_of_few_digests_cost_two_requests_a_tag(there: str, tmp_path: Path) -> None:
    tags = [f"t{number}" for number in range(1000)]
    sync(f"oci:{images(tmp_path / 'here', tags, digests=50)}", there)
    requests = Requests()

    done = sync(there, f"{there}-other", on_event=requests)

    assert done.copied == 1000
    manifests = [each for each in requests.all if "/manifests/" in each]
    by_tag = [each for each in manifests if "/manifests/sha256:" not in each]
    assert len(by_tag) == 2 * 1000
    gets = [each for each in requests.made("GET") if "/manifests/" in each]
    assert len(gets) == len(set(gets)) == 50
    mounts = [each for each in requests.made("POST") if "mount=" in each or "/blobs/uploads/" in each]
    assert len(mounts) == 101  # fifty layers, the common one, and fifty configs
    assert not [each for each in requests.made("GET") if "/blobs/" in each]
    assert len(requests.all) == 2 * 1000 + 2 * 50 + 2 * 101 + 2  # of manifests and blobs: whether they are there


@both
def test_one_failure_loses_none_of_the_others(run: Syncs, there: str, tmp_path: Path) -> None:
    source = images(tmp_path / "here", ["1", "2", "3"])
    broken = json.loads((source / "blobs" / names(source)["2"].replace(":", "/")).read_bytes())["layers"][1]["digest"]
    path = source / "blobs" / broken.replace(":", "/")
    octets = path.read_bytes()
    path.write_bytes(b"x")

    first = run.sync(f"oci:{source}", there)
    path.write_bytes(octets)
    second = run.sync(f"oci:{source}", there)

    assert (first.copied, second.copied, second.skipped) == (2, 1, 2)
    assert [*first.failures] == [f"oci:{source}:2"]
    assert isinstance(first.failures[f"oci:{source}:2"], errors.DigestMismatchError)
    assert second.repositories[0].blobs.count == 1
    assert tags_of(there) == {"1", "2", "3"}


@both
def test_the_tags_of_a_failed_index_are_lost_with_it(run: Syncs, tmp_path: Path) -> None:
    graph = Graph()
    layers = [graph.add(bytes([number])) for number in range(3)]
    made = [graph.image([layer]) for layer in layers]
    graph.tag(graph.index(made[:2]), "broken")
    graph.tag(graph.index([graph.index(made[:2])]), "outer")
    graph.tag(graph.index(made[1:]), "whole")
    graph.tag(made[0], "image")
    source = graph.write(tmp_path / "here")
    (source / "blobs" / layers[0]["digest"].replace(":", "/")).unlink()

    done = run.sync(f"oci:{source}", f"oci:{tmp_path}/there")

    assert {*done.repositories[0].failed} == {"broken", "outer", "image"}
    assert names(tmp_path / "there").keys() == {"whole"}


def test_tags_are_chosen_by_filters_globs_and_functions(tmp_path: Path) -> None:
    source = images(tmp_path / "here", ["1.3", "1.4", "1.5-rc1", "2.0", "latest"])

    def chosen(tags: object) -> set[str]:
        there = tmp_path / f"there-{next(NUMBERS)}"
        sync(f"oci:{source}", f"oci:{there}", tags=tags)  # type: ignore[arg-type]
        return {*names(there)}

    assert chosen(["1.*"]) == {"1.3", "1.4", "1.5-rc1"}
    assert chosen(TagFilter(include=("1.*", "2.*"), exclude=("*-rc*",))) == {"1.3", "1.4", "2.0"}
    assert chosen(TagFilter(semver="^1.3")) == {"1.3", "1.4"}
    assert chosen(TagFilter(regex=r"[12]\.\d")) == {"1.3", "1.4", "2.0"}
    assert chosen(lambda tag: tag.isalpha()) == {"latest"}


def test_platforms_are_chosen_and_skipped_the_next_time(tmp_path: Path) -> None:
    there = f"oci:{tmp_path}/there"
    options = {"tags": ["1.4"], "platforms": ["linux/amd64", "linux/arm64"]}

    first = sync(f"oci:{LAYOUT}", there, **options)  # type: ignore[arg-type]
    second = sync(f"oci:{LAYOUT}", there, **options)  # type: ignore[arg-type]
    by_copy = copy(f"oci:{LAYOUT}:1.4", f"oci:{tmp_path}/copied", platforms=["linux/amd64", "linux/arm64"])

    assert first.repositories[0].copied["1.4"] == by_copy.digest
    assert (second.copied, second.skipped) == (0, 1)


def test_referrers_that_were_added_later_are_copied(there: str, tmp_path: Path) -> None:
    graph = Graph()
    image = graph.image([graph.add(b"layer")])
    graph.tag(image, "1")
    sync(f"oci:{graph.write(tmp_path / 'before')}", there, referrers=True)
    signature = graph.artifact([graph.add(b"signature")], subject=image)

    done = sync(f"oci:{graph.write(tmp_path / 'after')}", there, referrers=True)

    assert (done.copied, done.skipped) == (0, 1)
    with Registry(f"http://{there.partition('/')[0]}") as opened:
        found = opened.repository(there.partition("/")[2]).referrers(image["digest"])
    assert [each.digest for each in found] == [signature["digest"]]


@both
@pytest.mark.parametrize("into", ["registry", "layout"])
def test_tags_of_signatures_are_counted_once(run: Syncs, into: str, there: str, tmp_path: Path) -> None:
    graph = Graph()
    image = graph.image([graph.add(b"layer")])
    graph.tag(image, "1.4")
    signature_tag = f"{image['digest'].replace(':', '-')}.sig"
    graph.tag(graph.image([graph.add(b"signature")]), signature_tag)
    source = f"oci:{graph.write(tmp_path / 'here')}"
    there = there if into == "registry" else f"oci:{tmp_path}/there"
    arguments: Any = {"tags": ["1.*"], "referrers": True}

    plan = run.plan(source, there, **arguments)
    first = run.sync(source, there, **arguments)
    again = run.sync(source, there, **arguments)
    applied = run.apply(plan)

    assert plan.repositories[0].manifests.count == 2
    assert [*first.repositories[0].copied] == ["1.4", signature_tag]
    assert first.repositories[0].copied[signature_tag] == names(tmp_path / "here")[signature_tag]
    assert (again.copied, again.skipped, again.repositories[0].manifests.count) == (0, 1, 0)
    assert not applied.failures


@both
def test_a_whole_registry_is_mirrored(run: Syncs, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    with running(tmp_path / "a") as source:
        for name in ("acme/web", "acme/old", "solo"):
            sync(f"oci:{LAYOUT}", f"{source.address}/{name}", tags=["single"])
        with running(tmp_path / "b") as other:
            done = run.sync(source.address, f"{other.address}/mirror", repositories=["acme/*"])
            assert tags_of(f"{other.address}/mirror/acme/web") == {"single"}
            again = run.sync(source.address, f"{other.address}/mirror", repositories=["acme/*"])
        folders = run.sync(source.address, f"oci:{tmp_path}/layouts")

        assert [each.source for each in done.repositories] == [f"{source.address}/acme/{it}" for it in ("old", "web")]
        assert (done.copied, again.copied, again.skipped, folders.copied) == (2, 0, 2, 3)
        assert names(tmp_path / "layouts/acme/web").keys() == {"single"}


@both
def test_a_blob_goes_once_to_all_repositories_of_a_registry(run: Syncs, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    with running(tmp_path / "a") as source, running(tmp_path / "b") as into:
        for number in range(6):
            graph = Graph()
            graph.tag(graph.image([graph.add(b"base" * 100_000), graph.add(f"{number}".encode())]), "1")
            sync(f"oci:{graph.write(tmp_path / str(number))}", f"{source.address}/acme/web-{number}")
        plan = run.plan(source.address, into.address)
        done = run.sync(source.address, into.address)

        assert done.copied == 6
        assert (
            sum(each.blobs.count for each in done.repositories) == 1 + 2 * 6
        )  # the base, and a layer and config of each
        assert sum(each.mounted.count for each in done.repositories) == 5
        assert plan.size == done.size


@both
def test_a_registry_that_does_not_mount_gets_all_blobs(run: Syncs, tmp_path: Path) -> None:
    stored: dict[str, set[str]] = {}

    def without_mounts(request: httpx.Request) -> httpx.Response:
        repository, _, rest = request.url.path.removeprefix("/v2/").partition("/blobs/")
        if request.method == "POST":
            return httpx.Response(202, headers={"Location": f"/v2/{repository}/blobs/uploads/1"})
        if request.method == "PUT" and rest:
            request.read()
            stored.setdefault(repository, set()).add(digest := request.url.params["digest"])
            return httpx.Response(201, headers={"Location": f"/v2/{repository}/blobs/{digest}"})
        if request.method == "PUT":
            return httpx.Response(201)
        if request.method == "DELETE":
            return httpx.Response(204)
        return httpx.Response(200 if rest in stored.get(repository, ()) else 404)

    options: Any = {"transport": httpx.MockTransport(without_mounts), "retries": 0}
    for name in ("web", "old"):
        images(tmp_path / "layouts" / name, ["1"])
    done = run.sync(f"oci:{tmp_path}/layouts", "registry.example/", destination_options=options)

    assert done.copied == 2
    assert stored["web"] == stored["old"]
    assert len(stored["web"]) == 3


def test_a_repository_goes_to_the_one_of_the_same_name_in_a_registry(there: str, own_registry: RunningRegistry) -> None:
    sync(f"oci:{LAYOUT}", there, tags=["single"])

    done = sync(there, own_registry.address)

    repository = there.partition("/")[2]
    assert done.repositories[0].destination == f"{own_registry.address}/{repository}"
    assert tags_of(f"{own_registry.address}/{repository}") == {"single"}


def test_open_stores_and_registries_stay_open(registry: RunningRegistry, there: str, tmp_path: Path) -> None:
    name = there.partition("/")[2]
    with Registry(registry.url) as opened, Layout(LAYOUT) as layout:
        first = sync(layout, opened.repository(name), tags=["single"])
        second = sync(opened, f"oci:{tmp_path}/layouts", repositories=[name])

        assert first.repositories[0].source == f"oci:{LAYOUT}"
        assert second.copied == 1
        assert opened.repository(name).tags() == ("single",)
        assert layout.tags()


@pytest.mark.parametrize(
    ("source", "destination", "options", "error", "told"),
    [
        ("oci:{layout}:1.4", "oci:{there}", {}, errors.InvalidReferenceError, "without a tag"),
        ("oci:{layout}", "oci:{there}:1.4", {}, errors.InvalidReferenceError, "without a tag"),
        ("oci:{layout}", "localhost:1", {}, errors.InvalidReferenceError, "localhost:1/NAME"),
        ("oci:{layout}", "docker-archive:{there}", {}, errors.InvalidReferenceError, "docker-archive:FILE:acme/web"),
        ("oci:{there}", "oci:{there}2", {}, errors.NotFoundError, "there"),
        ("localhost:1", "docker-archive:{there}", {"prune": True}, errors.UnsupportedError, "cannot be pruned"),
        ("oci:{layout}", "oci:{there}", {"repositories": ["a"]}, ValueError, "whole registry"),
        ("oci:{layout}", "oci:{there}", {"tags": "1.*"}, TypeError, r"such as \['1\.\*'\]"),
        ("oci:{layout}", "oci:{there}", {"platforms": []}, ValueError, "is empty"),
        ("oci:{layout}", "oci:{there}", {"prune": "yes"}, TypeError, "prune"),
    ],
)
def test_errors_say_what_to_do(
    tmp_path: Path, source: str, destination: str, options: dict[str, object], error: type[Exception], told: str
) -> None:
    ends = (each.format(layout=LAYOUT, there=tmp_path / "there") for each in (source, destination))

    with pytest.raises(error, match=told):
        sync(*ends, **options)  # type: ignore[arg-type]

    assert not (tmp_path / "there").exists()


def test_a_name_that_a_registry_does_not_take_is_a_failure_of_its_own(there: str, tmp_path: Path) -> None:
    done = sync(f"oci:{images(tmp_path / 'here', ['1', 'not a tag'])}", there)

    assert done.copied == 1
    assert isinstance(done.repositories[0].failed["not a tag"], errors.InvalidReferenceError)


@both
def test_a_repository_that_only_the_catalog_has_is_empty(run: Syncs, tmp_path: Path) -> None:
    """Debian's registry lists each repository to which an upload was ever started."""
    with running(tmp_path) as source:
        sync(f"oci:{LAYOUT}", f"{source.address}/acme/web")
        with Registry(source.url) as registry:
            registry.repository("acme/started").push_blob(b"a blob without a manifest")
        done = run.sync(source.address, f"oci:{tmp_path}/mirror")

    assert not done.failures
    assert done.copied > 0
