"""Push, copy and sync to the registries that people use, as they are known to behave."""

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

import pytest

from dreg_client import Digest, Registry, copy, errors
from tests.copying.graphs import content, names
from tests.faultserver import Network
from tests.foreign.registry import PlayedRegistry, played
from tests.foreign.traits import MIB, PROFILES
from tests.foreign.ways import WAYS, copied, synced
from tests.interop.images import RealGraph, tar_of

LARGE = Random(5).randbytes(33 * MIB + 5)  # noqa: S311 (any bytes will do)
in_one_way = pytest.mark.parametrize(("profile", "way"), [*zip(PROFILES, cycle(WAYS), strict=False)])
"""What the ways share decides how a registry is understood, so each registry is asked in one of them."""


def pieces(raw: bytes) -> Iterator[bytes]:
    return (raw[start : start + MIB] for start in range(0, len(raw), MIB))


def holds(registry: PlayedRegistry, repository: str, layout: Path) -> None:
    """The repository has the content of the layout, byte for byte, and its tags; perhaps referrers tags besides."""
    held, expected = registry.held[repository], content(layout)
    found = {**held.blobs, **{digest: raw for digest, (raw, _) in held.manifests.items()}}
    assert {digest: found.get(digest) for digest in expected} == expected
    assert names(layout).items() <= held.tags.items()


@in_one_way
def test_all_of_a_layout_is_copied_there_and_back(
    net: Network, signed: Path, tmp_path: Path, profile: str, way: str
) -> None:
    registry = played(net, profile)
    there = f"{registry.name}/acme/web"
    copied(way, net, f"oci:{signed}", there, tags="all", referrers=True)
    holds(registry, "acme/web", signed)
    copied(way, net, f"{there}:1.4", f"oci:{tmp_path}/back", referrers=True)

    assert content(tmp_path / "back").items() >= content(signed).items()
    assert names(tmp_path / "back")["1.4"] == names(signed)["1.4"]


@in_one_way
def test_it_is_copied_to_another_repository_of_the_registry(net: Network, signed: Path, profile: str, way: str) -> None:
    registry = played(net, profile)
    copied("threads", net, f"oci:{signed}", f"{registry.name}/acme/web", tags="all", referrers=True)
    sent = len(registry.made("PUT", "/blobs/"))
    copied(way, net, f"{registry.name}/acme/web:1.4", f"{registry.name}/acme/other", referrers=True)

    holds_all = {*registry.held["acme/web"].blobs} == {*registry.held["acme/other"].blobs}
    assert holds_all
    assert registry.held["acme/other"].tags["1.4"] == names(signed)["1.4"]
    if registry.traits.mounts in {"yes", "named"} and registry.traits.has_heads:  # a mount is checked by HEAD
        assert len(registry.made("PUT", "/blobs/")) == sent


@in_one_way
def test_it_is_synchronised_and_the_second_run_sends_nothing(
    net: Network, signed: Path, profile: str, way: str
) -> None:
    registry = played(net, profile)
    first = synced(way, net, f"oci:{signed}", f"{registry.name}/acme/web")
    holds(registry, "acme/web", signed)
    before = len([heard for heard in registry.host.requests if heard.method not in {"GET", "HEAD"}])
    second = synced(way, net, f"oci:{signed}", f"{registry.name}/acme/web")

    assert first == (2, 0)
    assert second == (0, 2)
    assert len([heard for heard in registry.host.requests if heard.method not in {"GET", "HEAD"}]) == before


@pytest.mark.parametrize(
    ("profile", "source"),
    [
        *((profile, "iterator") for profile, traits in PROFILES.items() if traits.takes_chunks),
        *((profile, "bytes") for profile in ("ghcr", "artifactory", "gar")),
    ],
)
def test_a_large_blob_is_pushed(net: Network, profile: str, source: str) -> None:
    registry = played(net, profile)
    with Registry(registry.host.url, ca_file=str(net.ca_file)) as client:
        found = client.repository("acme/web").push_blob(LARGE if source == "bytes" else pieces(LARGE))

    assert found.digest == Digest.of(LARGE)
    assert Digest.of(registry.held["acme/web"].blobs[str(found.digest)]) == found.digest


NO_CHUNKS = pytest.mark.parametrize(("profile", "more"), [("gar", {}), ("ecr", {"drops_chunks": True})])
"""Google Artifact Registry accepts no second chunk, and ECR may accept it, but lose its bytes."""


@NO_CHUNKS
def test_a_file_is_sent_at_once_where_chunks_do_not_arrive(
    net: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: str, more: dict[str, Any]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "blob").write_bytes(LARGE)
    registry = played(net, profile, **more)
    with Registry(registry.host.url, ca_file=str(net.ca_file)) as client:
        found = client.repository("acme/web").push_blob(tmp_path / "blob", resume=True)

    assert Digest.of(registry.held["acme/web"].blobs[str(found.digest)]) == found.digest
    assert registry.made("PUT", "/uploads/")[-1].header("content-length") == str(len(LARGE))


@NO_CHUNKS
def test_what_can_be_read_only_once_is_an_error_there(net: Network, profile: str, more: dict[str, Any]) -> None:
    registry = played(net, profile, **more)
    with (
        Registry(registry.host.url, ca_file=str(net.ca_file)) as client,
        pytest.raises(errors.UploadError, match="cannot start again, because its source can be read only once"),
    ):
        client.repository("acme/web").push_blob(pieces(LARGE))
    assert not registry.held["acme/web"].blobs


def test_a_repository_that_must_be_created_first_is_named(net: Network, signed: Path) -> None:
    registry = played(net, "ecr")
    with pytest.raises(errors.RegistryError, match="name 'acme/new' does not exist"):
        copy(f"oci:{signed}:1.4", f"{registry.name}/acme/new", ca_file=str(net.ca_file))
    assert "acme/new" not in registry.held


def test_a_registry_without_docker_s_media_types_says_so(net: Network, tmp_path: Path) -> None:
    registry, graph = played(net, "zot"), RealGraph()
    graph.name("1", graph.unpackable([tar_of(a="1")], "docker"))
    source = graph.write(tmp_path / "docker")
    with pytest.raises(errors.RegistryError, match="media type is not supported"):
        copy(f"oci:{source}:1", f"{registry.name}/acme/web", ca_file=str(net.ca_file))
    assert not registry.held["acme/web"].tags
