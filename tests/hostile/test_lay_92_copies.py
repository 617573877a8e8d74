"""Copies to a registry that fails in the middle: UPL-05, UPL-08, UPL-13, UPL-15 and their like, for whole copies."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dreg_client import acopy, copy, errors
from tests.commands import run_dreg
from tests.copying.graphs import Graph, names
from tests.faultserver import RESET, Heard, Network, Piece, answer, refusal
from tests.hostile.uploads import BASE, Uploads, digest, uploads_at
from tests.hostile.ways import WAYS, raised

BUSY = answer(b"", "429 Too Many Requests", "Retry-After: 0")
AWAY = answer(b"", "503 Service Unavailable", "Retry-After: 0")
LATER: dict[str, Piece] = {"reset": RESET, "429": BUSY, "503": AWAY, "502": answer(b"", 502)}


@dataclass
class Manifests:
    """The manifests of a repository, which must have all that they name; the next PUTs fail as a test says."""

    uploads: Uploads
    there: dict[str, bytes] = field(default_factory=dict)
    faults: list[Piece] = field(default_factory=list)
    puts: list[str] = field(default_factory=list)

    def __call__(self, heard: Heard) -> tuple[Piece, ...]:
        name = heard.path.rpartition("/")[2]
        if heard.method == "PUT":
            self.puts.append(name)
            return (self.faults.pop(0) if self.faults else self._written(name, heard.body),)
        found = self.there.get(name)
        if found is None:
            return (refusal("404 Not Found", "MANIFEST_UNKNOWN"),)
        media_type = json.loads(found)["mediaType"]
        return (answer(found, 200, f"Content-Type: {media_type}", f"Docker-Content-Digest: {digest(found)}"),)

    def _written(self, name: str, body: bytes) -> bytes:
        document = json.loads(body)
        for it in (document.get("config"), *document.get("layers", ())):
            if it and it["digest"] not in self.uploads.blobs:
                return refusal("500 Internal Server Error", "MANIFEST_BLOB_UNKNOWN")
        self.there[name] = self.there[digest(body)] = body
        return answer(b"", "201 Created", f"Docker-Content-Digest: {digest(body)}", f"Location: {BASE}/x")


@dataclass
class Scene:
    """A copy of an image to a registry.

    Attributes:
        run: Copies; returns the class of the error, or None.
        uploads: The blobs.
        manifests: The manifests.
        digest: The digest of the image.
    """

    run: Callable[[], type[BaseException] | None]
    uploads: Uploads
    manifests: Manifests
    digest: str

    def check_is_complete(self) -> None:
        assert digest(self.manifests.there["1"]) == self.digest
        assert len(self.uploads.blobs) == 4

    def check_is_as_before(self) -> None:
        assert "1" not in self.manifests.there
        assert self.digest not in self.manifests.there


@pytest.fixture(params=WAYS)
def scene(request: pytest.FixtureRequest, net: Network, tmp_path: Path) -> Scene:
    graph = Graph()
    layers = [graph.add(bytes([number]) * 200_000) for number in range(3)]
    graph.tag(graph.image(layers), "1")
    source = graph.write(tmp_path / "image")
    uploads = uploads_at(net)
    manifests = Manifests(uploads)
    uploads.host.on(f"{BASE}/manifests/*", manifests)
    uploads.host.on("/v2/", answer(b"{}", 200))
    words = f"oci:{source}:1", "registry.test/acme/web:1"

    def run() -> type[BaseException] | None:
        if request.param == "command line":
            done = run_dreg(["--debug", "copy", *words, "--ca-file", str(net.ca_file)], environment=net.environment())
            return raised(done.stderr.decode()) if done.returncode else None
        options: Any = {"ca_file": str(net.ca_file)}
        try:
            if request.param == "threads":
                copy(*words, **options)
            else:
                asyncio.run(_acopied(words, options))
        except errors.DregError as failure:
            return type(failure)
        return None

    return Scene(run, uploads, manifests, names(source)["1"])


async def _acopied(words: tuple[str, str], options: Any) -> None:
    await acopy(*words, **options)


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD"])
@pytest.mark.parametrize("fault", LATER.values(), ids=LATER)
def test_lay_92_a_request_that_fails_once_is_made_again(scene: Scene, method: str, fault: Piece) -> None:
    scene.uploads.fails(method, fault, times=2)

    assert scene.run() is None
    scene.check_is_complete()


@pytest.mark.parametrize("fault", LATER.values(), ids=LATER)
def test_lay_92_a_manifest_that_fails_once_is_sent_again(scene: Scene, fault: Piece) -> None:
    scene.manifests.faults.append(fault)

    assert scene.run() is None
    scene.check_is_complete()


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden", "413 Content Too Large"])
def test_lay_92_a_refusal_of_the_manifest_leaves_no_tag_and_is_not_repeated(scene: Scene, status: str) -> None:
    scene.manifests.faults += [refusal(status)] * 9

    assert scene.run() is not None
    scene.check_is_as_before()
    assert len(scene.manifests.puts) <= 2

    scene.manifests.faults.clear()
    sent = scene.uploads.methods.count("PUT")
    assert scene.run() is None
    scene.check_is_complete()
    assert scene.uploads.methods.count("PUT") == sent


def test_lay_92_a_blob_that_is_refused_ends_the_copy(scene: Scene) -> None:
    scene.uploads.fails("PUT", refusal("413 Content Too Large", "SIZE_INVALID"), times=9)

    assert scene.run() is not None
    scene.check_is_as_before()
    assert scene.uploads.methods.count("PUT") <= 4


def test_lay_92_a_blob_that_the_registry_loses_before_the_manifest_is_named(scene: Scene) -> None:
    """A registry states that it has a blob, and then does not; the next copy sends it again."""
    assert scene.run() is None
    scene.manifests.there.clear()
    lost = max(scene.uploads.blobs.items(), key=lambda it: len(it[1]))
    scene.uploads.faults.clear()
    scene.uploads.fails("HEAD", answer(lost[1], 200), times=4)
    scene.uploads.blobs.clear()

    scene.run()
    scene.check_is_as_before()
    assert len(scene.manifests.puts) == 2

    scene.uploads.faults.clear()
    assert scene.run() is None
    scene.check_is_complete()
