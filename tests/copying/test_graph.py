"""What a copy may transfer next, over random graphs of manifests and blobs."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreg_client import Descriptor, Digest
from dreg_client.copying.graph import MAX_DEPTH, MAX_ENTRIES, CopyGraph
from dreg_client.copying.steps import CopyBlob, ReadManifest, Step, WriteManifest, WriteTag
from dreg_client.errors import DepthLimitError, DregError, NotFoundError, SizeMismatchError, TooManyEntriesError
from dreg_client.values.media_type import OCI_INDEX, OCI_LAYER, OCI_MANIFEST


@dataclass
class World:
    """Manifests and what they name, by digest.

    Attributes:
        named: The children of each manifest.
        referrers: The referrers of each manifest.
        roots: The manifests to copy, and their tags.
    """

    named: dict[Digest, list[Descriptor]] = field(default_factory=dict)
    referrers: dict[Digest, list[Descriptor]] = field(default_factory=dict)
    roots: list[tuple[Descriptor, str]] = field(default_factory=list)


def node(kind: str, number: int, size: int = 1) -> Descriptor:
    return Descriptor(mediaType=kind, digest=Digest.of(f"{kind} {number}".encode()), size=size)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Blobs, images that share them, indexes over both and over each other, and referrers."""
    blobs = [node(OCI_LAYER, number, draw(st.integers(1, 9))) for number in range(draw(st.integers(1, 6)))]
    world, manifests = World(), list[Descriptor]()
    for number in range(draw(st.integers(1, 8))):
        is_index = manifests and draw(st.booleans())
        made = node(OCI_INDEX if is_index else OCI_MANIFEST, number)
        below = [*manifests, *blobs[:1]] if is_index else blobs
        world.named[made.digest] = draw(st.lists(st.sampled_from(below), max_size=6))
        manifests.append(made)
    for place, made in enumerate(manifests):
        later = manifests[place + 1 :]
        world.referrers[made.digest] = draw(st.lists(st.sampled_from(later), max_size=1)) if later else []
    world.roots = draw(st.lists(st.tuples(st.sampled_from(manifests), st.sampled_from(["", "1", "2"])), min_size=1))
    return world


def closure(world: World, roots: Sequence[Descriptor]) -> set[Digest]:
    found, ahead = set[Digest](), [*roots]
    while ahead:
        it = ahead.pop()
        if it.digest not in found:
            found.add(it.digest)
            ahead += [*world.named.get(it.digest, ()), *world.referrers.get(it.digest, ())]
    return found


def depth(world: World, it: Descriptor) -> int:
    inner = [depth(world, child) for child in world.named.get(it.digest, ())]
    return max(inner, default=0) + (it.media_type == OCI_INDEX)


@dataclass
class Run:
    """What happened while all steps were carried out.

    Attributes:
        started: The steps in the order of their beginnings, each with what is in the destination at that time, without
            what is being written.
        ended: The steps that succeeded, in the order of their ends.
        failures: What was not copied, and why.
    """

    started: list[tuple[Step, set[Digest]]] = field(default_factory=list)
    ended: list[Step] = field(default_factory=list)
    failures: dict[str, DregError] = field(default_factory=dict)

    @property
    def tagged(self) -> list[WriteTag]:
        return [step for step in self.ended if isinstance(step, WriteTag)]

    def digests(self, kind: type[Step]) -> list[Digest]:
        return [step.descriptor.digest for step in self.ended if isinstance(step, kind)]


def run(world: World, draw: st.DataObject, broken: Digest | None = None) -> Run:
    """Carry out all steps, ending the running ones in any order. Reading or copying `broken` fails."""
    graph, running, done = CopyGraph(), list[Step](), Run()
    there = set[Digest]()
    for root, tag in world.roots:
        graph.add(root, tag)
    while True:
        while (step := graph.next()) is not None:
            done.started.append((step, there - {it.descriptor.digest for it in running}))
            running.append(step)
            assert sum(isinstance(it, CopyBlob) for it in running) <= 4
            assert sum(not isinstance(it, CopyBlob) for it in running) <= 3
        if not running:
            assert graph.is_complete
            done.failures = graph.failures
            return done
        step = running.pop(draw.draw(st.integers(0, len(running) - 1)))
        digest = step.descriptor.digest
        if digest == broken:
            graph.fail(step, NotFoundError(digest, "the source"))
            continue
        done.ended.append(step)
        if isinstance(step, ReadManifest):
            graph.read(step, world.named[digest], world.referrers[digest])
        else:
            there.add(digest)
            graph.finish(step)


@given(worlds(), st.data())
def test_everything_is_copied_once_children_before_parents_and_tags_last(world: World, data: st.DataObject) -> None:
    done = run(world, data)

    read, written = done.digests(ReadManifest), done.digests(WriteManifest)
    whole = closure(world, [root for root, _ in world.roots])
    assert not done.failures
    assert sorted(read + done.digests(CopyBlob)) == sorted(whole)
    assert len(written) == len(set(written))
    assert set(written) | {*done.digests(WriteTag)} == set(read)
    assert sorted((it.descriptor.digest, it.tag) for it in done.tagged) == sorted(
        (it.digest, tag) for it, tag in world.roots if tag
    )
    assert done.ended[len(done.ended) - len(done.tagged) :] == done.tagged
    for step, there in done.started:
        if isinstance(step, WriteManifest | WriteTag):
            assert {child.digest for child in world.named[step.descriptor.digest]} <= there


@given(worlds(), st.data())
def test_a_failure_stops_only_what_depends_on_it(world: World, data: st.DataObject) -> None:
    broken = data.draw(st.sampled_from(sorted(closure(world, [root for root, _ in world.roots]))))
    whole = World(world.named)  # without referrers, which do not stop what they refer to

    done = run(world, data, broken)

    lost = [(root, tag) for root, tag in world.roots if broken in closure(whole, [root])]
    intact = [(root, tag) for root, tag in world.roots if broken not in closure(whole, [root])]
    assert done.failures
    assert {tag for _, tag in lost if tag} <= done.failures.keys()
    assert sorted((it.descriptor.digest, it.tag) for it in done.tagged) == sorted(
        (it.digest, tag) for it, tag in intact if tag
    )
    copied = {*done.digests(CopyBlob), *done.digests(WriteManifest), *done.digests(WriteTag)}
    assert closure(whole, [root for root, _ in intact]) <= copied
    assert not any(broken in closure(whole, [root]) for root, _ in world.roots if root.digest in copied)


def test_the_largest_blobs_are_copied_first() -> None:
    image, blobs = node(OCI_MANIFEST, 0), [node(OCI_LAYER, number, size) for number, size in enumerate((3, 9, 5, 7))]
    graph = CopyGraph(blobs_at_once=2)
    graph.add(image)
    step = graph.next()
    assert isinstance(step, ReadManifest)
    graph.read(step, blobs)

    assert [graph.next(), graph.next(), graph.next()] == [CopyBlob(blobs[1]), CopyBlob(blobs[3]), None]


def chain(length: int) -> World:
    """Indexes nested in each other, with an image in the innermost one."""
    nested = [node(OCI_MANIFEST, 0), *(node(OCI_INDEX, number) for number in range(length))]
    world = World(roots=[(nested[-1], "1")])
    for place, it in enumerate(nested):
        world.named[it.digest], world.referrers[it.digest] = nested[:place][-1:], []
    return world


@given(st.data())
def test_indexes_may_be_nested_8_deep(data: st.DataObject) -> None:
    assert not run(chain(MAX_DEPTH), data).failures
    assert isinstance(run(chain(MAX_DEPTH + 1), data).failures["1"], DepthLimitError)


@given(st.data())
def test_the_depth_counts_on_the_longest_way(data: st.DataObject) -> None:
    """Where each index is copied for itself, none is found deep in others; only their heights add up."""
    world = chain(MAX_DEPTH + 2)
    world.roots = [(node(OCI_INDEX, number), str(number)) for number in range(MAX_DEPTH + 2)]

    done = run(world, data)

    too_deep = {str(MAX_DEPTH), str(MAX_DEPTH + 1)}
    assert done.failures.keys() == too_deep
    assert all(isinstance(failure, DepthLimitError) for failure in done.failures.values())
    assert {it.tag for it in done.tagged} == {str(number) for number in range(MAX_DEPTH)}


@given(st.data())
def test_two_sizes_of_one_blob_are_an_error(data: st.DataObject) -> None:
    image, blob = node(OCI_MANIFEST, 0), node(OCI_LAYER, 0, 5)
    other = blob.model_validate({**blob.model_dump(), "size": 6})
    world = World({image.digest: [blob, other]}, {image.digest: []}, [(image, "1")])

    done = run(world, data)

    assert isinstance(done.failures["1"], SizeMismatchError)
    assert not done.tagged


@given(st.data())
def test_a_root_with_two_sizes_does_not_stop_the_copy(data: st.DataObject) -> None:
    image = node(OCI_MANIFEST, 0)
    other = image.model_validate({**image.model_dump(), "size": 6})
    world = World({image.digest: []}, {image.digest: []}, [(image, "1"), (other, "2")])

    done = run(world, data)

    assert [it.tag for it in done.tagged] == ["1"]
    assert isinstance(done.failures["2"], SizeMismatchError)


def test_a_signature_of_another_size_is_a_failure_of_its_tag() -> None:
    image = node(OCI_MANIFEST, 0)
    graph = CopyGraph()
    graph.add(image, "1")
    step = graph.next()
    assert isinstance(step, ReadManifest)
    graph.read(step)
    graph.add(node(OCI_MANIFEST, 0, 2), "sha256-0.sig", is_digest_tag=True)
    graph.fail(step, NotFoundError("a", "b"))

    while (step := graph.next()) is not None:
        graph.finish(step)

    assert graph.is_complete
    assert graph.failures.keys() == {"sha256-0.sig"}


@pytest.mark.parametrize(("more", "is_too_many"), [(0, False), (1, True)])
def test_a_manifest_may_name_10000_things(more: int, is_too_many: bool) -> None:
    graph = CopyGraph()
    graph.add(node(OCI_MANIFEST, 0), "1")
    step = graph.next()
    assert isinstance(step, ReadManifest)

    graph.read(step, [node(OCI_LAYER, 0)] * (MAX_ENTRIES + more))

    assert isinstance(graph.failures.get("1"), TooManyEntriesError) == is_too_many
