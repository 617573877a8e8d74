"""The storage of a registry: listing it without its server, and validating all of it."""

import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from contest import Target, contest, process, result, within
from tables import QUICK, table

from dreg_client import Registry, RegistryStorage
from tests.registries import RunningRegistry, running

_REPOSITORIES = 200 if QUICK else 10_000
_TAGS = 10
_IMAGES = 50 if QUICK else 1_000
"""The repositories of the storage that is validated, each with as many images as tags."""
_OURS, _SERVER = "`RegistryStorage`", "`Registry`, docker-registry serves it"
_COMMAND = Path(sys.executable).with_name("dreg")


def tables() -> Iterator[str]:
    """Yield the tables of this suite."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as registry:
        _make(registry, _REPOSITORIES, 1)
        yield _listing(registry)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as registry:
        _make(registry, _IMAGES, _TAGS)
        yield _validation(registry)


def _listing(registry: RunningRegistry) -> str:
    calls = {
        _OURS: within(partial(_by_storage, registry.root / "storage")),
        _SERVER: within(partial(_by_server, registry.url)),
    }
    found = contest(calls, rounds=3, warm=False)
    targets = {_OURS: [Target("wall", most=0.2, against=_SERVER)]}
    title = f"All {_REPOSITORIES:,} repositories and {_REPOSITORIES * _TAGS:,} tags of a storage"
    return result(title, found, against=_SERVER, targets=targets, remark="One connection, and pages of 1,000.")


def _by_storage(path: Path) -> None:
    with RegistryStorage(path) as storage:
        _complete(sum(len(repository.tags()) for repository in storage.repositories().values()))


def _by_server(url: str) -> None:
    with Registry(url) as registry:
        _complete(sum(len(registry.repository(name).tags()) for name in registry.catalog()))


def _complete(tags: int) -> None:
    assert tags == _REPOSITORIES * _TAGS, f"{tags} of {_REPOSITORIES * _TAGS} tags"


def _validation(registry: RunningRegistry) -> str:
    name, manifests = f"registry-storage:{registry.root / 'storage'}", _IMAGES * _TAGS
    jobs = {f"`dreg validate --jobs {count}`": ("validate", name, "-q", "-j", str(count)) for count in (1, 2)}
    found = contest({call: process(_COMMAND, *words) for call, words in jobs.items()}, rounds=3)
    rows = []
    for call, turns in found.items():
        seconds = [] if isinstance(turns, str) else [turn.wall for turn in turns]
        rates = sorted(manifests / each for each in seconds)
        peak = "" if isinstance(turns, str) else f"{max(turn.peak for turn in turns):.0f}"
        rows.append([call, f"{rates[len(rates) // 2]:,.0f}" if rates else str(turns), peak])
    title = f"A storage of {_IMAGES:,} repositories with {_TAGS} images each, checked as a whole"
    remark = "Each image has a config, a layer of its own, and four layers that all images share."
    return f"{table(title, ['what', 'manifests a second', 'peak MiB'], rows)}\n{remark}\n"


def _make(registry: RunningRegistry, repositories: int, images: int) -> None:
    """Write a storage: repositories with ten tags and a number of images each."""
    tree = _Tree(registry.root / "storage/docker/registry/v2")
    shared = [tree.put(b"layer %d" % number) for number in range(4)]
    for number in range(repositories):
        name = f"team-{number // 100}/service-{number}"
        for position in range(images):
            tree.put_image(name, b"%d %d" % (number, position), shared, range(position, _TAGS, images))


class _Tree:
    """A storage that is being written."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, octets: bytes) -> tuple[str, int]:
        encoded = hashlib.sha256(octets).hexdigest()
        self._write(f"blobs/sha256/{encoded[:2]}/{encoded}/data", octets)
        return f"sha256:{encoded}", len(octets)

    def put_image(self, name: str, seed: bytes, shared: list[tuple[str, int]], tags: range) -> None:
        """Store an image with a config and a layer of its own; link it, and tag it."""
        layers = [*shared, self.put(seed)]
        rootfs = {"type": "layers", "diff_ids": [digest for digest, _ in layers]}
        config = {"architecture": "amd64", "os": "linux", "rootfs": rootfs, "config": {"Env": ["PATH=/bin"] * 4}}
        stated = [
            {"mediaType": f"application/vnd.oci.image.{kind}", "digest": digest, "size": size}
            for kind, (digest, size) in [
                ("config.v1+json", self.put(json.dumps(config).encode())),
                *(("layer.v1.tar+gzip", layer) for layer in layers),
            ]
        ]
        manifest = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "schemaVersion": 2}
        raw = json.dumps(manifest | {"config": stated[0], "layers": stated[1:]}, indent=2).encode()
        digest = self.put(raw)[0]
        for each in stated:
            self._link(f"{name}/_layers/{str(each['digest']).replace(':', '/')}", str(each["digest"]))
        self._link(f"{name}/_manifests/revisions/{digest.replace(':', '/')}", digest)
        for tag in tags:
            self._link(f"{name}/_manifests/tags/v1.{tag}/current", digest)
            self._link(f"{name}/_manifests/tags/v1.{tag}/index/{digest.replace(':', '/')}", digest)

    def _link(self, place: str, digest: str) -> None:
        self._write(f"repositories/{place}/link", digest.encode())

    def _write(self, place: str, octets: bytes) -> None:
        path = self._root / place
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(octets)


if __name__ == "__main__":
    for each in tables():
        sys.stdout.write(f"{each}\n")
