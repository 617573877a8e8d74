"""What a copy may transfer next, over random graphs of manifests and blobs."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreg_client import Descriptor, Digest
from dreg_client.copying.graph import (
    MAX_DEPTH,
    CopyBlob,
    CopyGraph,
    ReadManifest,
    Step,
    WriteManifest,
    WriteTag,
)
from dreg_client.errors import DepthLimitError, SizeMismatchError
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


def run(world: World, draw: st.DataObject) -> tuple[list[tuple[Step, set[Digest]]], list[Step]]:
    """Carry out all steps, ending the running ones in any order.

    Returns:
        The steps in the order of their beginnings, each with what is in the destination at that time, without what is
        being written; and the steps in the order of their ends.
    """
    graph, running, ended = CopyGraph(), list[Step](), list[Step]()
    started, there = list[tuple[Step, set[Digest]]](), set[Digest]()
    for root, tag in world.roots:
        graph.add(root, tag)
    while True:
        while (step := graph.next()) is not None:
            started.append((step, there - {it.descriptor.digest for it in running}))
            running.append(step)
            assert sum(isinstance(it, CopyBlob) for it in running) <= 4
            assert sum(not isinstance(it, CopyBlob) for it in running) <= 3
        if not running:
            assert graph.is_complete
            return started, ended
        step = running.pop(draw.draw(st.integers(0, len(running) - 1)))
        ended.append(step)
        if not isinstance(step, ReadManifest):
            there.add(step.descriptor.digest)
        if isinstance(step, ReadManifest):
            graph.read(step, world.named[step.descriptor.digest], world.referrers[step.descriptor.digest])
        else:
            graph.finish(step)


@given(worlds(), st.data())
def test_everything_is_copied_once_children_before_parents_and_tags_last(world: World, data: st.DataObject) -> None:
    started, ended = run(world, data)

    tagged = {step.descriptor.digest for step in ended if isinstance(step, WriteTag)}
    read = [step.descriptor.digest for step in ended if isinstance(step, ReadManifest)]
    blobs = [step.descriptor.digest for step in ended if isinstance(step, CopyBlob)]
    written = [step.descriptor.digest for step in ended if isinstance(step, WriteManifest)]
    whole = closure(world, [root for root, _ in world.roots])
    assert sorted(read + blobs) == sorted(whole)
    assert len(written) == len(set(written))
    assert set(written) | tagged == set(read)
    tags = [step for step in ended if isinstance(step, WriteTag)]
    assert sorted((it.descriptor.digest, it.tag) for it in tags) == sorted(
        (it.digest, tag) for it, tag in world.roots if tag
    )
    assert ended[len(ended) - len(tags) :] == tags
    for step, there in started:
        if isinstance(step, WriteManifest | WriteTag):
            assert {child.digest for child in world.named[step.descriptor.digest]} <= there


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
    run(chain(MAX_DEPTH), data)
    with pytest.raises(DepthLimitError):
        run(chain(MAX_DEPTH + 1), data)


@given(st.data())
def test_the_depth_counts_on_the_longest_way(data: st.DataObject) -> None:
    """A shared index may be found first where it is nested less."""
    world = chain(MAX_DEPTH + 1)
    top = world.roots[0][0]
    indexes = [it for it in map(Digest, world.named) if it != top.digest]
    shared = next(it for it in world.named[top.digest])
    deep = node(OCI_INDEX, 0)
    world.named[top.digest] = [shared, deep]
    assert indexes

    with pytest.raises(DepthLimitError):
        run(world, data)


def test_two_sizes_of_one_blob_are_an_error() -> None:
    image, blob = node(OCI_MANIFEST, 0), node(OCI_LAYER, 0, 5)
    graph = CopyGraph()
    graph.add(image)
    step = graph.next()
    assert isinstance(step, ReadManifest)

    with pytest.raises(SizeMismatchError):
        graph.read(step, [blob, blob.model_validate({**blob.model_dump(), "size": 6})])
