"""The commands that read, given a storage: they print what they print of the registry that it belongs to."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dreg_client import open_store
from tests.cli.conftest import Said, said
from tests.registries import LAYOUT, RunningRegistry, running
from tests.storage.signing import sign

__all__ = ["said"]
Run = Callable[..., Said]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    with running(tmp_path_factory.mktemp("server")) as registry:
        registry.push_all(LAYOUT, "acme/web")
        registry.push(LAYOUT, "single", "acme/old:1")
        registry.push(LAYOUT, "single", "acme/signed:1")
        sign(registry, "acme/signed", "1")
        yield registry


@pytest.fixture
def storage(server: RunningRegistry) -> str:
    return f"registry-storage:{server.root / 'storage'}"


@pytest.mark.parametrize(
    "command",
    [
        "tags {}/acme/web --digests --include 1.*",
        "tags {}/acme/web {}/acme/old --created --platform linux/amd64 --include 1*",
        "resolve {}/acme/web:1.4 --format json",
        "resolve {}/acme/web:1.4 --platform linux/arm64",
        "inspect {}/acme/web:1.4",
        "inspect {}/acme/web:1.4 --format json",
        "inspect {}/acme/web:artifact",
        "manifest {}/acme/web:1.4",
        "manifest {}/acme/web:1.4 --platform linux/arm64 --raw",
        "config {}/acme/web:single",
        "platforms {}/acme/web:1.4",
        "history {}/acme/web:single",
        "referrers {}/acme/signed:1 --verify",
        "usage {}/acme/web --platforms",
        "usage {}/acme/web {}/acme/old --format json",
        "repos {}",
        "repos {} --namespace acme --format json",
    ],
)
def test_a_command_prints_the_same_of_both(said: Run, server: RunningRegistry, storage: str, command: str) -> None:
    served, stored = (said(*command.replace("{}", name).split()) for name in (server.address, storage))

    assert stored.code == 0, stored.err
    assert _shown(stored.out, storage) == _shown(served.out, server.address)
    assert stored.out


def _shown(text: str, name: str) -> str:
    plain = text.replace(name, "NAME").replace(name.removeprefix("registry-storage:"), "NAME")
    return "\n".join(" ".join(line.split()) for line in plain.splitlines())


def test_repos_lists_a_repository_and_those_below(said: Run, storage: str) -> None:
    assert said("repos", f"{storage}/acme").lines == ["acme/old", "acme/signed", "acme/web"]
    assert said("repos", f"{storage}/none").lines == []


def test_a_blob_is_written(said: Run, storage: str, tmp_path: Path) -> None:
    with open_store(f"{storage}/acme/web") as store:
        layer = store.get_image("single").manifest.layers[0]
    assert said("blob", f"{storage}/acme/web", layer.digest, "-o", tmp_path / "layer").code == 0
    assert (tmp_path / "layer").stat().st_size == layer.size


def test_an_image_is_copied(said: Run, storage: str, tmp_path: Path) -> None:
    assert said("copy", f"{storage}/acme/web:1.4", f"oci:{tmp_path / 'web'}").code == 0
    assert said("copy", f"{storage}/acme/web", f"oci-archive:{tmp_path / 'all.tar'}", "--all-tags").code == 0
    assert said("tags", f"oci-archive:{tmp_path / 'all.tar'}").lines == ["1.4", "artifact", "nested", "single"]
    refused = said("copy", f"{storage}/acme/web", f"oci:{tmp_path / 'none'}")
    assert (refused.code, "has no tag 'latest'" in refused.err) == (4, True)


def test_a_storage_is_synchronised(said: Run, storage: str, tmp_path: Path) -> None:
    """As a whole, a part of it, and a single repository."""
    assert said("sync", f"{storage}/acme/web", f"oci:{tmp_path / 'one'}", "--include", "1.*").code == 0
    assert said("tags", f"oci:{tmp_path / 'one'}").lines == ["1.4"]
    assert said("sync", storage, f"oci:{tmp_path / 'some'}", "--repository", "acme/o*").code == 0
    assert sorted(path.name for path in (tmp_path / "some/acme").iterdir()) == ["old"]
    planned = said("sync", storage, f"oci:{tmp_path / 'all'}", "--dry-run", "--format", "json")
    assert [each["source"] for each in json.loads(planned.out)["repositories"]] == [
        f"{storage}/acme/old",
        f"{storage}/acme/signed",
        f"{storage}/acme/web",
    ]


def test_a_storage_in_a_sync_file(said: Run, storage: str, tmp_path: Path) -> None:
    (tmp_path / "mirror.toml").write_text(
        f'[[sync]]\nsource = "{storage}"\ndestination = "oci:{tmp_path / "all"}"\nrepositories = ["acme/old"]\n'
    )
    assert said("sync", "--file", tmp_path / "mirror.toml").code == 0
    assert said("tags", f"oci:{tmp_path / 'all/acme/old'}").lines == ["1"]


def test_an_image_is_validated(said: Run, storage: str) -> None:
    done = said("validate", f"{storage}/acme/web:1.4", "--format", "jsonl")
    sources: list[Any] = [json.loads(line)["source"] for line in done.lines[:-1]]

    assert done.code == 0
    assert f"{storage}/acme/web:1.4" in sources


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("tag {}/acme/web:1.4 new", 8),
        ("untag {}/acme/web:1.4", 8),
        ("delete {}/acme/web@{digest}", 8),
        ("delete {}/acme/web --blob {digest}", 8),
        ("prune {}/acme/web", 8),
        ("retag {}/acme/web {{version}}", 8),
        ("promote {}/acme/web 1.4 latest", 8),
        ("manifest put {}/acme/web:2 fixtures/valid/oci-manifest.json", 8),
        ("blob put {}/acme/web fixtures/valid/oci-manifest.json", 8),
        ("copy oci:fixtures/layouts/multi:1.4 {}/acme/web:2", 8),
        ("sync oci:fixtures/layouts/multi {}/acme/web", 8),
        ("sync oci:fixtures/layouts/multi {}", 8),
        ("sync localhost:5000 {}", 8),
    ],
)
def test_a_command_that_changes_is_refused(said: Run, storage: str, command: str, code: int) -> None:
    digest = "sha256:" + "ab" * 32
    words = command.replace("{}", storage).replace("{digest}", digest).replace("{{version}}", "{major}").split()
    done = said(*words)

    assert done.code == code, done.err
    assert "registry" in done.err
