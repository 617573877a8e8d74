"""Copies from and to a registry; what we write is read by skopeo, and what skopeo writes is read by us."""

import json
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from dreg_client import Answered, Copied, Copying, Digest, Event, Layout, Planned, Registry, copy, errors
from tests.commands import run_limited
from tests.copying.flavours import Copy, both
from tests.copying.graphs import Graph, content, graphs, names
from tests.registries import LAYOUT, RunningRegistry

NUMBERS = count()
OLD = names(LAYOUT)["1.4"]


@pytest.fixture
def there(registry: RunningRegistry) -> str:
    """The name of an empty repository."""
    return f"{registry.address}/copies/number-{next(NUMBERS)}"


class Requests:
    """The requests that copies make: a listener."""

    def __init__(self) -> None:
        self.all: list[str] = []

    def __call__(self, event: Event) -> None:
        if isinstance(event, Answered):
            self.all.append(f"{event.method} {event.url.partition('/v2/')[2]}")

    def made(self, method: str) -> list[str]:
        return [each for each in self.all if each.startswith(method)]


def read_by_skopeo(name: str, *arguments: str) -> bytes:
    command = ["skopeo", "inspect", "--tls-verify=false", "--raw", *arguments, f"docker://{name}"]
    return run_limited(command, capture_output=True, check=True).stdout


@both
def test_a_layout_arrives_in_a_registry_and_comes_back_the_same(copied: Copy, there: str, tmp_path: Path) -> None:
    pushed = copied(f"oci:{LAYOUT}", there, tags="all")
    pulled = copied(there, f"oci:{tmp_path}/back", tags="all")

    assert content(tmp_path / "back") == content(LAYOUT)
    assert names(tmp_path / "back") == names(LAYOUT) == dict(pushed.digests) == dict(pulled.digests)
    for tag, digest in names(LAYOUT).items():
        assert Digest.of(read_by_skopeo(f"{there}:{tag}")) == digest


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graphs())
def test_what_a_registry_got_is_exactly_the_closure(registry: RunningRegistry, graph: Graph) -> None:
    there = f"{registry.address}/copies/number-{next(NUMBERS)}"
    with TemporaryDirectory() as folder:
        source, back = graph.write(Path(folder, "a")), Path(folder, "b")
        graph.subjects.clear()
        root = names(source)["last"]
        requests = Requests()

        copy(f"oci:{source}:last", there)
        copy(f"{there}:last", f"oci:{back}")
        again = copy(f"oci:{source}:last", there, on_event=requests)

        assert content(back).keys() == graph.closure([root])
        assert again.is_unchanged
        assert requests.all == [f"HEAD {there.partition('/')[2]}/manifests/last"]


def test_the_same_copy_again_costs_two_requests(there: str) -> None:
    copy(f"oci:{LAYOUT}:1.4", there)
    copy(f"{there}:1.4", f"{there}-other")
    requests = Requests()

    copy(f"{there}:1.4", f"{there}-other", on_event=requests)

    assert len(requests.all) == 2
    assert len(requests.made("HEAD")) == 2


def test_nothing_is_fetched_or_sent_twice(there: str, tmp_path: Path) -> None:
    sent, fetched = Requests(), Requests()

    copy(f"oci:{LAYOUT}", there, tags="all", on_event=sent)
    copy(there, f"oci:{tmp_path}/back", tags="all", on_event=fetched)

    assert len(sent.made("PUT")) == len(set(sent.made("PUT")))
    gets = [each for each in fetched.made("GET") if "tags/list" not in each]
    assert len(gets) == len(set(gets)) == len(content(LAYOUT))


def test_blobs_are_mounted_between_repositories_of_one_registry(there: str) -> None:
    copy(f"oci:{LAYOUT}:1.4", there)
    requests = Requests()

    done = copy(f"{there}:1.4", f"{there}-other", on_event=requests)

    assert done.mounted.count == 10
    assert done.copied.count == done.skipped.count == 0
    assert not [each for each in requests.made("GET") if "/blobs/" in each]


def test_open_stores_are_copied_and_stay_open(registry: RunningRegistry, there: str) -> None:
    name = there.partition("/")[2]
    with Registry(registry.url) as opened, Layout(LAYOUT) as layout:
        repository = opened.repository(name)
        done = copy((layout, "single"), (repository, "renamed"))
        copy((repository, "renamed"), (opened.repository(f"{name}-other"), "again"))

        assert repository.tags() == ("renamed",)
        assert opened.repository(f"{name}-other").resolve("again").digest == done.digest


def test_the_tags_of_an_open_repository_are_read_again_after_a_copy(registry: RunningRegistry, there: str) -> None:
    with Registry(registry.url) as opened, Layout(LAYOUT) as layout:
        repository = opened.repository(there.partition("/")[2])
        copy((layout, "single"), repository)
        assert repository.tags() == ("single",)
        copy((layout, "1.4"), repository)
        assert set(repository.tags()) == {"single", "1.4"}


def test_several_platforms_are_read_by_skopeo(there: str) -> None:
    done = copy(f"oci:{LAYOUT}:1.4", f"{there}:two", platforms=["linux/amd64", "linux/arm64"])

    raw = read_by_skopeo(f"{there}:two")
    assert Digest.of(raw) == done.digest == done.mapping[Digest(OLD)]
    for platform in ("amd64", "arm64"):
        read_by_skopeo(f"{there}:two", "--config", "--override-os=linux", f"--override-arch={platform}")


def test_referrers_are_found_again(there: str, tmp_path: Path) -> None:
    graph = Graph()
    image = graph.image([graph.add(b"layer")])
    index = graph.index([{**image, "platform": {"os": "linux", "architecture": "amd64"}}])
    of_image = graph.artifact([graph.add(b"sbom")], subject=image)
    of_index = graph.artifact([graph.add(b"signature")], subject=index)
    graph.tag(index, "1")
    source = graph.write(tmp_path / "here")

    copy(f"oci:{source}:1", there, referrers=True)
    copy(f"{there}:1", f"oci:{tmp_path}/back", referrers=True)

    assert content(tmp_path / "back") == content(source)
    with Layout(tmp_path / "back") as layout:
        assert [it.digest for it in layout.referrers(image["digest"])] == [of_image["digest"]]
        assert [it.digest for it in layout.referrers(index["digest"])] == [of_index["digest"]]


def test_without_a_tag_the_destination_gets_that_of_the_source(there: str, tmp_path: Path) -> None:
    assert copy(f"oci:{LAYOUT}:single", there).digests.keys() == {"single"}
    assert copy(f"{there}:single", f"oci:{tmp_path}/a").digests.keys() == {"single"}
    digest = names(LAYOUT)["single"]
    assert copy(f"{there}@{digest}", f"{there}-other").digests.keys() == {digest}
    graph = Graph()
    graph.entries.append(graph.image([]))
    assert copy(f"oci:{graph.write(tmp_path / 'unnamed')}", there).digests.keys() == {"latest"}


def test_an_archive_of_docker_is_copied_with_a_manifest(there: str, fixtures: Path) -> None:
    done = copy(f"docker-archive:{fixtures}/archives/web.docker.tar", there)

    config = json.loads(read_by_skopeo(there + ":" + next(iter(done.digests)), "--config"))
    assert config["rootfs"]["type"] == "layers"


@both
def test_a_wrong_blob_fails_and_nothing_is_tagged(copied: Copy, there: str, tmp_path: Path) -> None:
    graph = Graph()
    layers = [graph.add(bytes([number]) * 100) for number in range(8)]
    graph.tag(graph.image(layers), "1")
    source = graph.write(tmp_path / "here")
    (source / "blobs" / layers[3]["digest"].replace(":", "/")).write_bytes(b"x" * 100)

    with pytest.raises(errors.DigestMismatchError, match="no tag was written"):
        copied(f"oci:{source}:1", there)

    with Registry(f"http://{there.partition('/')[0]}") as opened:
        repository = opened.repository(there.partition("/")[2])
        assert repository.check_manifest("1") is None
        assert not repository.has_blob(layers[3]["digest"])
    (source / "blobs" / layers[3]["digest"].replace(":", "/")).write_bytes(bytes([3]) * 100)
    done = copied(f"oci:{source}:1", there)
    assert done.copied.count >= 1
    assert done.copied.count + done.skipped.count == 9


def test_a_registry_that_wants_missing_layers_says_so_once(there: str, tmp_path: Path) -> None:
    graph = Graph()
    foreign = graph.add(b"windows", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")
    config = graph.add(b"{}", "application/vnd.docker.container.image.v1+json")
    members = {"config": config, "layers": [{**foreign, "urls": ["https://windows.example/layer"]}]}
    docker = "application/vnd.docker.distribution.manifest.v2+json"
    body = json.dumps({"schemaVersion": 2, "mediaType": docker, **members}).encode()
    graph.tag(graph.add(body, docker), "1")
    source = graph.write(tmp_path / "here")
    (source / "blobs" / foreign["digest"].replace(":", "/")).unlink()
    requests = Requests()

    with pytest.raises(errors.RegistryError, match=r"only with all its blobs .* the source lacks") as failed:
        copy(f"oci:{source}:1", there, on_event=requests)

    assert "try again" not in str(failed.value)
    assert len([each for each in requests.made("PUT") if "/manifests/" in each]) == 1


def test_events_tell_what_was_found_passed_on_and_copied(there: str) -> None:
    events: list[Any] = []

    done = copy(f"oci:{LAYOUT}:1.4", there, on_event=events.append)

    [*_, planned] = [each for each in events if isinstance(each, Planned)]
    assert planned == Planned(done.copied.count, done.copied.size)
    assert sum(each.octets for each in events if isinstance(each, Copying)) == done.copied.size
    ended = [each for each in events if isinstance(each, Copied)]
    assert len([each for each in ended if not each.is_manifest]) == done.copied.count
    assert {each.outcome for each in ended} == {"copied"}


def test_schema_1_is_a_clear_error(open_registry: RunningRegistry, fixtures: Path, tmp_path: Path) -> None:
    source = Graph().write(tmp_path / "here")
    raw = (fixtures / "valid/docker-schema-1-signed.json").read_bytes()
    digest = Digest.of(raw)
    (source / "blobs" / digest.replace(":", "/")).write_bytes(raw)
    media_type = "application/vnd.docker.distribution.manifest.v1+prettyjws"
    entry = {"mediaType": media_type, "digest": digest, "size": len(raw)}
    (source / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))

    with pytest.raises(errors.UnsupportedError, match="schema 1, which cannot be copied"):
        copy(f"oci:{source}", f"oci:{tmp_path}/there")


@pytest.mark.parametrize("connections", [1, 2, 8])
def test_few_connections_are_enough(registry: RunningRegistry, there: str, tmp_path: Path, connections: int) -> None:
    name = there.partition("/")[2]
    with Registry(registry.url, connections=connections) as opened, Layout(LAYOUT) as layout:
        repository = opened.repository(name)
        copy(layout, repository, tags="all")
        copy((repository, "1.4"), opened.repository(f"{name}-other"))
        copy(repository, f"oci:{tmp_path}/back", tags="all")

    assert content(tmp_path / "back") == content(LAYOUT)


@pytest.mark.parametrize("tag", ["", "signature"])
def test_a_referrer_that_an_earlier_copy_wrote_but_did_not_list_is_listed(
    registry: RunningRegistry, there: str, tmp_path: Path, tag: str
) -> None:
    graph = Graph()
    image = graph.image([graph.add(b"layer")])
    signature = graph.artifact([graph.add(b"signature")], subject=image)
    graph.tag(image, "1")
    if tag:
        graph.tag(signature, tag)
    source, name = graph.write(tmp_path / "here"), there.partition("/")[2]
    for digest in graph.closure([signature["digest"]]) - {signature["digest"]}:
        registry.put_blob(name, graph.blobs[digest])
    registry.put_raw(name, signature["digest"], graph.blobs[signature["digest"]], signature["mediaType"])

    if tag:
        copy(f"oci:{source}:{tag}", f"{there}:{tag}")
    else:
        copy(f"oci:{source}:1", there, referrers=True)
    requests = Requests()
    again = copy(f"oci:{source}:1", there, referrers=True, on_event=requests)

    with Registry(registry.url) as opened:
        assert [it.digest for it in opened.repository(name).referrers(image["digest"])] == [signature["digest"]]
    if not tag:
        assert again.is_unchanged
        assert not requests.made("PUT")
