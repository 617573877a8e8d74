"""What every store that can be written promises: registries, layouts and archives; one sentence for each test."""

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Digest, errors
from tests.copying.graphs import Graph, names
from tests.faultserver import network
from tests.foreign.registry import played
from tests.interop.images import RealGraph, tar_of
from tests.registries import RunningRegistry, running
from tests.spec.writable import CHANGED, KINDS, WAYS, Destination, plain_environment

NUMBERS = count()


@pytest.fixture(scope="module")
def graph() -> RealGraph:
    made = RealGraph()
    made.name("1", made.unpackable([tar_of(one="1"), tar_of(two="2")]))
    made.name("2", made.unpackable([tar_of(one="1"), tar_of(three="3")]))
    made.name("index", made.index(made.of_platforms()))
    return made


@pytest.fixture(scope="module")
def source(graph: Graph, tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"oci:{graph.write(tmp_path_factory.mktemp('source') / 'layout')}"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    with running(tmp_path_factory.mktemp("writable")) as started:
        yield started


@pytest.fixture
def there(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Destination]:
    kind, way = request.param
    if kind == "played registry":
        (tmp_path / "net").mkdir()
        with network(tmp_path / "net") as net:
            host = played(net, "zot").name
            options = {"ca_file": str(net.ca_file)}
            yield Destination(kind, way, f"{host}/acme/web", options, net.environment())
        return
    if kind == "registry":
        name = f"{request.getfixturevalue('registry').address}/writable/number-{next(NUMBERS)}"
    else:
        name = f"{kind}:{tmp_path / 'there'}"
    yield Destination(kind, way, name, {}, plain_environment(tmp_path))


def on(*kinds: str, ways: tuple[str, ...] = WAYS) -> pytest.MarkDecorator:
    each = [(kind, way) for kind in kinds for way in ways]
    return pytest.mark.parametrize("there", each, indirect=True, ids=[f"{kind} by {way}" for kind, way in each])


everywhere = on(*KINDS)
piece_by_piece = on(*CHANGED, ways=("threads", "asyncio"))


def digest_at(there: Destination, tag: str) -> str:
    return str(there.read(lambda it: it.resolve(there.tag(tag))).digest)


# --- whole images


@everywhere
def test_an_image_is_written_with_all_that_it_names(there: Destination, source: str, graph: RealGraph) -> None:
    """ "the blobs making up the object are uploaded first, and the manifest last." """
    there.copy(f"{source}:1", "1")

    def read(it: Any) -> tuple[str, list[bytes]]:
        manifest = it.get_manifest(there.tag("1"))
        return str(manifest.config.digest), [it.get_blob(named) for named in (manifest.config, *manifest.layers)]

    config, blobs = there.read(read)
    assert config == graph.configs[graph.tagged["1"]["digest"]]
    assert len(blobs) == 3
    assert Digest.of(blobs[0]) == config


@on("registry", "played registry", "oci", "oci-archive")
def test_manifests_keep_their_bytes(there: Destination, source: str, graph: Graph) -> None:
    """ "The registry MUST store the manifest in the exact byte representation provided by the client." """
    there.copy(f"{source}:index", "index")

    for digest in graph.closure([names(Path(source[4:]))["index"]]) & graph.named.keys():
        assert there.read(lambda it, digest=digest: it.get_raw_manifest(digest)).raw == graph.blobs[digest]


@everywhere
def test_the_same_copy_again_changes_nothing(there: Destination, source: str) -> None:
    there.copy(f"{source}:1", "1")
    digest = digest_at(there, "1")
    before = there.path.read_bytes() if there.kind.endswith("archive") else b""
    there.copy(f"{source}:1", "1")

    assert digest_at(there, "1") == digest
    assert not before or there.path.read_bytes() == before


@everywhere
def test_a_tag_is_moved_to_another_image(there: Destination, source: str) -> None:
    """What it named before does not matter."""
    there.copy(f"{source}:1", "stable")
    first = digest_at(there, "stable")
    there.copy(f"{source}:2", "stable")

    assert digest_at(there, "stable") != first
    assert there.tags() == {there.tag("stable")}


@everywhere
def test_another_image_is_added_to_those_that_are_there(there: Destination, source: str) -> None:
    there.copy(f"{source}:1", "1")
    first = digest_at(there, "1")
    there.copy(f"{source}:2", "2")

    assert there.tags() == {there.tag("1"), there.tag("2")}
    assert digest_at(there, "1") == first


@everywhere
def test_a_tag_is_not_moved_if_it_must_not_be(there: Destination, source: str) -> None:
    there.copy(f"{source}:1", "stable")
    first = digest_at(there, "stable")
    there.fails(errors.ConflictError, lambda: there.copy(f"{source}:2", "stable", no_clobber=True))

    assert digest_at(there, "stable") == first


@everywhere
def test_a_dry_run_writes_nothing(there: Destination, source: str) -> None:
    there.copy(f"{source}:1", "1", dry_run=True)

    assert there.tags() == set()


@everywhere
def test_what_the_source_does_not_have_is_not_written(there: Destination, source: str) -> None:
    there.fails(errors.NotFoundError, lambda: there.copy(f"{source}:absent", "1"))

    assert there.tags() == set()


@everywhere
def test_content_that_does_not_match_its_digest_is_not_written(
    there: Destination, graph: Graph, tmp_path: Path
) -> None:
    """Nothing has the tag then."""
    broken = graph.write(tmp_path / "broken")
    manifest = json.loads(graph.blobs[names(broken)["1"]])
    layer = broken / "blobs" / manifest["layers"][1]["digest"].replace(":", "/")
    octets = bytearray(layer.read_bytes())
    octets[-1] ^= 1
    layer.write_bytes(octets)

    there.fails(errors.IntegrityError, lambda: there.copy(f"oci:{broken}:1", "1"))
    assert there.tags() == set()


# --- piece by piece


@pytest.fixture
def pushed(there: Destination, source: str) -> Destination:
    """The destination with an image, under two tags."""
    there.copy(f"{source}:1", "1")
    there.copy(f"{source}:1", "stable")
    return there


@piece_by_piece
def test_a_blob_is_there_once_it_was_pushed(pushed: Destination) -> None:
    """It is read by its digest ("Pulling blobs")."""
    found = pushed.do(lambda it: it.push_blob(b"a new blob", media_type="text/plain"))

    assert (found.digest, found.size, found.media_type) == (Digest.of(b"a new blob"), 10, "text/plain")
    assert pushed.read(lambda it: it.get_blob(found)) == b"a new blob"
    assert pushed.do(lambda it: it.push_blob(iter([b"a new ", b"blob"]))).digest == found.digest


@piece_by_piece
def test_a_blob_of_another_digest_is_rejected(pushed: Destination) -> None:
    """`DIGEST_INVALID`: "provided digest did not match uploaded content"."""
    wrong = str(Digest.of(b"another"))
    for octets in (b"a wrong blob", iter([b"a wrong ", b"blob"])):
        pushed.fails(
            errors.DigestMismatchError,
            lambda octets=octets: pushed.do(lambda it: it.push_blob(octets, digest=wrong)),  # type: ignore[misc]
        )
    assert not pushed.read(lambda it: it.has_blob(wrong))
    assert not pushed.read(lambda it: it.has_blob(Digest.of(b"a wrong blob")))


@piece_by_piece
@pytest.mark.parametrize("is_tagged", [True, False])
def test_a_manifest_is_pushed_by_tag_or_by_digest(pushed: Destination, *, is_tagged: bool) -> None:
    """Its bytes and its media type are those that were given ("Pushing Manifests")."""
    first = pushed.read(lambda it: it.get_raw_manifest("1"))
    raw = json.dumps({**json.loads(first.raw), "annotations": {"note": "new"}}).encode()
    done = pushed.do(lambda it: it.put_manifest(raw, "new" if is_tagged else None))

    assert done.digest == Digest.of(raw)
    found = pushed.read(lambda it: it.get_raw_manifest("new" if is_tagged else str(done.digest)))
    assert (found.raw, found.media_type) == (raw, first.media_type)
    assert pushed.tags() == {"1", "stable", *(["new"] if is_tagged else [])}


@piece_by_piece
def test_a_manifest_whose_content_is_missing_is_rejected(pushed: Destination) -> None:
    """`MANIFEST_BLOB_UNKNOWN`: "manifest references a manifest or blob unknown to registry"."""
    document = json.loads(pushed.read(lambda it: it.get_raw_manifest("1")).raw)
    document["layers"][0]["digest"] = str(Digest.of(b"absent"))
    raw = json.dumps(document).encode()

    pushed.fails(errors.DregError, lambda: pushed.do(lambda it: it.put_manifest(raw, "new")))
    assert pushed.tags() == {"1", "stable"}


@on(*CHANGED)
def test_a_tag_is_added_and_deleted_alone(pushed: Destination) -> None:
    """Its manifest and the other tags stay ("Deleting tags")."""
    digest = digest_at(pushed, "1")
    pushed.do(lambda it: it.tag("1", "more"), "tag", pushed.at("1"), "more")
    assert digest_at(pushed, "more") == digest
    pushed.do(lambda it: it.untag("1"), "untag", pushed.at("1"))

    assert pushed.tags() == {"stable", "more"}
    assert digest_at(pushed, "stable") == digest


@on(*CHANGED)
def test_a_manifest_is_deleted_with_its_tags(pushed: Destination, source: str) -> None:
    """It is named by its digest ("Deleting Manifests")."""
    pushed.copy(f"{source}:2", "2")
    digest = digest_at(pushed, "1")
    pushed.do(lambda it: it.delete_manifest(digest), "delete", f"{pushed.name}@{digest}")

    assert pushed.tags() == {"2"}
    assert pushed.read(lambda it: it.check_manifest(digest)) is None


@piece_by_piece
def test_a_manifest_with_a_subject_is_listed_as_its_referrer(pushed: Destination) -> None:
    """The registry lists it, or else the client does ("Pushing Manifests with Subject")."""
    subject = pushed.read(lambda it: it.resolve("1"))
    empty = pushed.do(lambda it: it.push_blob(b"{}", media_type="application/vnd.oci.empty.v1+json"))
    described = {"mediaType": empty.media_type, "digest": str(empty.digest), "size": empty.size}
    document = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": "application/vnd.example.note",
        "config": described,
        "layers": [described],
        "subject": {"mediaType": subject.media_type, "digest": str(subject.digest), "size": subject.size},
    }
    done = pushed.do(lambda it: it.put_manifest(json.dumps(document).encode()))

    [found] = pushed.read(lambda it: it.referrers(subject.digest))
    assert (found.digest, found.artifact_type) == (done.digest, "application/vnd.example.note")
