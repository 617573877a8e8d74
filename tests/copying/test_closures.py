"""Over random images: archives and registries hold exactly what is needed, and copying again transfers nothing."""

import json
import tarfile
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dreg_client import Registry, copy
from tests.copying.flavours import Copy, both
from tests.copying.graphs import Descriptor, Graph, content, graphs, names
from tests.registries import RunningRegistry

NUMBERS = count()
PLATFORMS = ("amd64", "arm64", "s390x", "ppc64le")


def members(archive: Path) -> set[str]:
    with tarfile.open(archive) as tar:
        found = [it.name for it in tar if it.name.startswith("blobs/")]
    return {it.removeprefix("blobs/").replace("/", ":") for it in found}


@both
@settings(max_examples=15)
@given(graphs(), st.booleans())
def test_an_archive_holds_exactly_the_closure(copied: Copy, graph: Graph, referrers: bool) -> None:
    with TemporaryDirectory() as folder:
        source, there = graph.write(Path(folder, "a")), Path(folder, "b.tar")
        root = names(source)["last"]

        first = copied(f"oci:{source}:last", f"oci-archive:{there}", referrers=referrers)
        before = there.read_bytes()
        again = copied(f"oci:{source}:last", f"oci-archive:{there}", referrers=referrers)

        assert members(there) == graph.closure([root], referrers=referrers)
        assert again.is_unchanged
        assert again.skipped.count == first.copied.count
        assert there.read_bytes() == before


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graphs())
def test_a_registry_gets_all_referrers_and_a_second_copy_writes_nothing(
    registry: RunningRegistry, graph: Graph
) -> None:
    name = f"closures/number-{next(NUMBERS)}"
    with TemporaryDirectory() as folder:
        source, back = graph.write(Path(folder, "a")), Path(folder, "b")
        root = names(source)["last"]

        copy(f"oci:{source}:last", f"{registry.address}/{name}", referrers=True)
        again = copy(f"oci:{source}:last", f"{registry.address}/{name}", referrers=True)
        copy(f"{registry.address}/{name}:last", f"oci:{back}", referrers=True)

        assert again.is_unchanged
        assert content(back).keys() == graph.closure([root], referrers=True)
        with Registry(registry.url) as opened:
            repository = opened.repository(name)
            for digest in graph.named.keys() & content(back).keys():
                listed = {it.digest for it in repository.referrers(digest)}
                assert listed == {each for each, subject in graph.subjects.items() if subject == digest}


@st.composite
def indexes(draw: st.DrawFn) -> tuple[Graph, list[str]]:
    """An index of several platforms, with attestations of some, perhaps within another index; some of the platforms."""
    graph = Graph()
    layers = [graph.add(bytes([number]) * 20) for number in range(3)]
    platforms = draw(st.lists(st.sampled_from(PLATFORMS), min_size=2, unique=True))
    entries: list[Descriptor] = []
    for each in platforms:
        image = graph.image(draw(st.lists(st.sampled_from(layers), max_size=2)), each)
        entries.append({**image, "platform": {"os": "linux", "architecture": each}})
        if draw(st.booleans()):
            attestation = graph.artifact([graph.add(each.encode())])
            about = {
                "vnd.docker.reference.type": "attestation-manifest",
                "vnd.docker.reference.digest": image["digest"],
            }
            unknown = {"os": "unknown", "architecture": "unknown"}
            entries.append({**attestation, "platform": unknown, "annotations": about})
    graph.tag(graph.index(entries, annotations={"kept": "as it is"}), "last")
    return graph, draw(st.lists(st.sampled_from(platforms), min_size=2, unique=True))


@both
@settings(max_examples=25)
@given(indexes())
def test_the_new_index_keeps_the_chosen_platforms_with_their_attestations(
    copied: Copy, given_index: tuple[Graph, list[str]]
) -> None:
    graph, chosen = given_index
    with TemporaryDirectory() as folder:
        source, there = graph.write(Path(folder, "a")), Path(folder, "b")
        old = names(source)["last"]

        done = copied(f"oci:{source}:last", f"oci:{there}", platforms=[f"linux/{each}" for each in chosen])
        again = copied(f"oci:{source}:last", f"oci:{there}", platforms=[f"linux/{each}" for each in chosen])

        document = json.loads(graph.blobs[old])
        kept = {it["digest"] for it in document["manifests"] if it["platform"]["architecture"] in chosen}
        expected = [
            it
            for it in document["manifests"]
            if {it["digest"], it.get("annotations", {}).get("vnd.docker.reference.digest")} & kept
        ]
        is_whole = expected == document["manifests"]
        written = json.loads(content(there)[done.digest])
        assert written == {**document, "manifests": expected}
        assert (done.digest == old) == is_whole
        assert dict(done.mapping) == ({} if is_whole else {old: done.digest})
        assert content(there).keys() == {done.digest} | graph.closure(it["digest"] for it in expected)
        assert again.is_unchanged
        assert dict(again.mapping) == dict(done.mapping)
