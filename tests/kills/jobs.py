"""What is killed: commands that write, each with a destination as it is before, and what is visible in it."""

import json
import shutil
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

from tests.kills.pictures import NEW, OLD, write_garbage, write_new, write_old
from tests.kills.processes import run
from tests.kills.stores import (
    State,
    archive_state,
    digest_of,
    get,
    layout_blobs,
    layout_closure,
    layout_state,
    registry_state,
)
from tests.registries import RunningRegistry, running

SIZE: Final = 300_000
NAME: Final = "localhost:5000/acme/web"
_AMD64: Final = ["--platform", "linux/amd64"]
_NUMBERS: Final = count()


@dataclass
class World:
    """What all jobs share.

    Attributes:
        root: A folder.
        registry: A registry.
        sources: The names of the new images, by the kind of store.
        befores: What destinations have before, by the kind of store.
    """

    root: Path
    registry: RunningRegistry
    sources: dict[str, str] = field(default_factory=dict)
    befores: dict[str, Path] = field(default_factory=dict)

    @property
    def repositories(self) -> Path:
        return self.registry.root / "storage/docker/registry/v2/repositories"

    def make(self) -> None:
        """Write all sources and befores."""
        root, address = self.root, self.registry.address
        new = self.sources["layout"] = f"oci:{write_new(root / 'new', SIZE)}"
        old = f"oci:{write_old(root / 'old', SIZE)}"
        self.sources["registry"] = f"{address}/source"
        self.befores = {"layout": root / "old", "registry": self.repositories / "before"}
        self.dreg("copy", new, f"{address}/source", "--all-tags", "--referrers")
        self.dreg("copy", old, f"{address}/before", "--all-tags")
        for name, given in (("new", new), ("old", old)):
            self.dreg("copy", given, f"oci-archive:{root}/{name}.oci", "--all-tags", "--referrers")
            self.dreg("copy", f"{given}:{OLD}", f"docker-archive:{root}/{name}.docker:{NAME}:{OLD}", *_AMD64)
        self.dreg("copy", f"{old}:stable", f"docker-archive:{root}/old.docker:{NAME}:stable", "--platform=linux/arm64")
        for kind, end in (("oci-archive", "oci"), ("docker-archive", "docker")):
            self.sources[kind] = f"{kind}:{root}/new.{end}"
            self.befores[kind] = root / f"old.{end}"

    def dreg(self, *words: str) -> None:
        done = run(words, self.root)
        assert done.code == 0, (words, done.output)


@contextmanager
def world(root: Path) -> Iterator[World]:
    (root / "registry").mkdir()
    with running(root / "registry", access_log=True) as registry:
        made = World(root, registry)
        made.make()
        yield made


class Place:
    """A destination of one trial.

    Attributes:
        folder: The folder of the trial.
        name: Its name for the command line, without a tag.
    """

    keeps_blobs = True

    def __init__(self, made: World, folder: Path) -> None:
        self.made, self.folder = made, folder
        self.name = self.begin()

    def begin(self) -> str:
        """Make it as it is before; return its name."""
        raise NotImplementedError

    def state(self) -> State:
        """What is visible; AssertionError if anything is incomplete."""
        raise NotImplementedError

    def blobs(self) -> dict[str, int]:
        """What it has, with something that changes if it is written again."""
        return {}

    def left(self) -> list[str]:
        """The temporary files."""
        return [str(it) for it in self.folder.rglob("*.part")]

    def finish(self) -> None:
        """Check what a complete run leaves."""
        assert not self.left(), self.left()


class LayoutPlace(Place):
    def begin(self) -> str:
        shutil.copytree(self.made.befores["layout"], self.folder / "there")
        return f"oci:{self.folder}/there"

    def state(self) -> State:
        return layout_state(self.folder / "there")

    def blobs(self) -> dict[str, int]:
        return layout_blobs(self.folder / "there")

    def finish(self) -> None:
        done = run(["gc", self.name], self.folder)
        assert done.code == 0, done.output
        assert not self.left(), self.left()
        assert self.blobs().keys() == layout_closure(self.folder / "there").keys()


class NewLayoutPlace(LayoutPlace):
    def begin(self) -> str:
        return f"oci:{self.folder}/above/there"

    def state(self) -> State:
        return layout_state(self.folder / "above/there")

    def blobs(self) -> dict[str, int]:
        return layout_blobs(self.folder / "above/there")

    def finish(self) -> None:
        assert self.blobs().keys() >= layout_closure(self.folder / "above/there").keys()


class GarbagePlace(LayoutPlace):
    def begin(self) -> str:
        write_garbage(self.folder / "there", 1000)
        return f"oci:{self.folder}/there"


class ArchivePlace(Place):
    keeps_blobs = False
    kind = "oci-archive"
    suffix = ""

    def begin(self) -> str:
        shutil.copyfile(self.made.befores[self.kind], self.folder / "there.tar")
        return f"{self.kind}:{self.folder}/there.tar{self.suffix}"

    def state(self) -> State:
        return archive_state(self.folder / "there.tar")


class SavedPlace(ArchivePlace):
    kind = "docker-archive"
    suffix = f":{NAME}"


class RepositoryPlace(Place):
    def begin(self) -> str:
        self.repository = f"trial-{next(_NUMBERS)}"
        shutil.copytree(self.made.befores["registry"], self.made.repositories / self.repository)
        self._log = (self.made.registry.root / "log").stat().st_size
        return f"{self.made.registry.address}/{self.repository}"

    def state(self) -> State:
        return registry_state(f"{self.made.registry.url}/v2/{self.repository}")

    def blobs(self) -> dict[str, int]:
        """The blobs that it has, and how often each was uploaded."""
        found = self.made.repositories / self.repository / "_layers/sha256"
        sent = self._uploaded()
        return {digest: sent.count(digest) for digest in (f"sha256:{it.name}" for it in found.iterdir())}

    def _uploaded(self) -> list[str]:
        with (self.made.registry.root / "log").open("rb") as log:
            log.seek(self._log)
            lines = log.read().decode(errors="replace").splitlines()
        mark = f'"PUT /v2/{self.repository}/blobs/uploads/'
        queries = [line.partition(mark)[2].split()[0] for line in lines if mark in line and '" 201 ' in line]
        return [urllib.parse.parse_qs(it.partition("?")[2])["digest"][0] for it in queries]

    def finish(self) -> None:
        """Check nothing: uploads of killed processes stay until the registry deletes them."""


class BlobPlace(RepositoryPlace):
    def begin(self) -> str:
        self.content = (self.made.root / "new.oci").read_bytes()
        return super().begin()

    def state(self) -> State:
        digest = digest_of(self.content)
        found = get(f"{self.made.registry.url}/v2/{self.repository}/blobs/{digest}")
        assert found in {None, self.content}
        return registry_state(f"{self.made.registry.url}/v2/{self.repository}") | ({digest: digest} if found else {})


@dataclass(frozen=True)
class Job:
    """A command that is killed.

    Attributes:
        name: Its name.
        place: Makes its destination.
        words: Its arguments.
    """

    name: str
    place: Callable[[World, Path], Place]
    words: Callable[[World, Place], list[str]]


def _copy(source: str, target: str, made: World, place: Place) -> list[str]:
    if target == "docker-archive":
        tag = f":{NAME}:{OLD}" if source == "docker-archive" else f":{OLD}"
        return ["copy", made.sources[source] + tag, f"{place.name}:{OLD}", *_AMD64]
    if source == "docker-archive":
        return ["copy", f"{made.sources[source]}:{NAME}:{OLD}", f"{place.name}:{OLD}"]
    return ["copy", made.sources[source], place.name, "--all-tags", "--referrers"]


def _sync(source: str, made: World, place: Place) -> list[str]:
    return ["sync", made.sources[source], place.name, "--prune", "--yes", "--referrers"]


def _on_layout(*words: str) -> Callable[[World, Place], list[str]]:
    return lambda _, place: [it.replace("THERE", place.name) for it in words]


def _delete(_: World, place: Place) -> list[str]:
    entries = json.loads((place.folder / "there/index.json").read_bytes())["manifests"]
    return ["delete", f"{place.name}@{entries[-1]['digest']}"]


def _blob(*more: str) -> Callable[[World, Place], list[str]]:
    return lambda made, place: ["blob", "put", place.name, f"{made.root}/new.oci", *more]


PLACES: Final[dict[str, Callable[[World, Path], Place]]] = {
    "registry": RepositoryPlace,
    "layout": LayoutPlace,
    "oci-archive": ArchivePlace,
    "docker-archive": SavedPlace,
}
JOBS: Final = [
    *(Job(f"copy {a} to {b}", PLACES[b], partial(_copy, a, b)) for a in PLACES for b in PLACES),
    Job("copy to a new layout", NewLayoutPlace, partial(_copy, "layout", "layout")),
    *(
        Job(f"sync {a} to {b}", PLACES[b], partial(_sync, a))
        for a in PLACES
        for b in ("layout", "registry")
        if a[0] != "d"
    ),
    Job("blob put", BlobPlace, _blob()),
    Job("blob put --resume", BlobPlace, _blob("--resume")),
    Job("gc", GarbagePlace, _on_layout("gc", "THERE")),
    Job("tag", GarbagePlace, _on_layout("tag", f"THERE:{NEW}", OLD, "a", "b", "c")),
    Job("untag", GarbagePlace, _on_layout("untag", f"THERE:{OLD}")),
    Job("delete", GarbagePlace, _delete),
]
