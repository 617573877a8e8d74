"""What a copy may transfer next: children before parents, each blob once, the largest first, tags last."""

import heapq
from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from dreg_client import errors
from dreg_client.copying.concurrency import BLOBS_AT_ONCE, MANIFESTS_AT_ONCE
from dreg_client.copying.steps import CopyBlob, ReadManifest, Step, WriteManifest, WriteTag
from dreg_client.models.descriptor import Descriptor
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import Family

MAX_DEPTH: Final = 8
MAX_ENTRIES: Final = 10_000
"""The most descriptors of one document."""
MAX_NODES: Final = 100_000
"""The most manifests and blobs of one copy."""
_MANIFESTS: Final = frozenset({Family.INDEX, Family.MANIFEST, Family.SCHEMA1})


@dataclass(slots=True, eq=False)
class _Node:
    """A manifest or a blob.

    Attributes:
        size: The stated size.
        descriptor: Its descriptor; None once it was copied.
        depth: How many indexes contain the manifest.
        height: How many indexes are nested, from the manifest inwards, as far as they were copied.
        missing: How often it names something that was not copied yet.
        parents: The manifests that wait for it.
        is_tagged: Whether it is written under a tag, so that it need not be written under its digest before.
        is_written: Whether the destination had it before.
        failure: Why it cannot be copied; None if it can, as far as is known.
    """

    size: int
    descriptor: Descriptor | None
    depth: int = 0
    height: int = 0
    missing: int = 0
    parents: "list[_Node]" = field(default_factory=lambda: [])  # noqa: PIE807 (pyright knows its type)
    is_tagged: bool = False
    is_written: bool = False
    failure: errors.DregError | None = None


class CopyGraph:
    """The manifests and blobs of a copy, and what may be transferred next.

    A blob is found when a manifest that names it is read (`_blob`). It waits in `_blobs`, is copied once (`CopyBlob`),
    and then releases all manifests that wait for it (`_copied`).

    A manifest is found as a root or in an index (`_manifest`). It is read (`ReadManifest`), waits for what it names
    (`_wait_for`), is written (`WriteManifest`), and then releases the indexes that wait for it. When nothing else is
    left, tags are written (`WriteTag`).

    Add the roots. Then carry out each step that `next` returns, and report its end to `finish`, or `fail`; for
    `ReadManifest`, to `read`. Steps may be carried out concurrently, within the given limits. If `next` returns None, a
    running step must end first; if none is running, the copy is complete (`is_complete`). No method raises an error:
    what is wrong with the manifests themselves is also in `failures`.

    Args:
        blobs_at_once: The most blobs to copy concurrently.
        manifests_at_once: The most manifests to read or write concurrently.

    Attributes:
        blobs: The number of blobs found so far.
        size: Their total size in bytes.
        failures: What cannot be copied, and why, by tag; by digest if it has no tag and nothing else names it.
            `DepthLimitError`: indexes, or referrers of referrers, are nested more than 8 deep. `TooManyEntriesError`: a
            manifest names more than 10,000 things, or the copy has more than 100,000. `SizeMismatchError`: two
            descriptors of the same content state different sizes.
        lost: All manifests that cannot be copied, with or without a tag, and why.
    """

    def __init__(self, *, blobs_at_once: int = BLOBS_AT_ONCE, manifests_at_once: int = MANIFESTS_AT_ONCE) -> None:
        self._free_blobs, self._free_manifests = blobs_at_once, manifests_at_once
        self._nodes: dict[tuple[Digest, bool], _Node] = {}
        self._unread: list[Descriptor] = []  # the last one is read first, which keeps few manifests in memory
        self._writable: deque[Descriptor] = deque()
        self._blobs: list[tuple[int, int, Descriptor]] = []  # a heap
        self._tags: list[WriteTag] = []
        self._order = count()
        self._unfinished = 0
        self._running: list[Step] = []
        self.blobs: int = 0
        self.size: int = 0
        self.failures: dict[str, errors.DregError] = {}
        self.lost: dict[Digest, errors.DregError] = {}

    @property
    def is_complete(self) -> bool:
        """Whether everything was copied and tagged."""
        return not (self._unfinished or self._tags or self._running)

    def add(self, root: Descriptor, tag: str = "", *, is_digest_tag: bool = False) -> None:
        """Add a manifest to copy, and the tag to write it under; without a tag, it is written under its digest.

        Digest tags are written before the others.
        """
        try:
            node = self._manifest(root, 0, is_tagged=bool(tag))
        except errors.DregError as failure:
            self.failures[tag or root.digest] = failure
            return
        if node.failure is not None:
            self.failures[tag or root.digest] = node.failure
        elif tag:
            self._tags.append(WriteTag(root, tag, is_digest_tag))
        elif node.is_tagged:
            node.is_tagged = False
            self._written_after_all(node, root)

    def next(self) -> Step | None:
        """Return the next step; None if a running step must end first, or if nothing is left."""
        step = self._next_of_manifests() if self._free_manifests else None
        if step is not None:
            self._free_manifests -= 1
        elif self._blobs and self._free_blobs:
            self._free_blobs -= 1
            step = CopyBlob(heapq.heappop(self._blobs)[2])
        if step is not None:
            self._running.append(step)
        return step

    def _next_of_manifests(self) -> Step | None:
        if self._writable:
            return WriteManifest(self._writable.popleft())
        if self._unread:
            return ReadManifest(self._unread.pop())
        return self._next_tag() if self._tags and not self._unfinished else None

    def _next_tag(self) -> WriteTag | None:
        """Return the next tag: digest tags first, images before the indexes that contain them.

        Registries that store a manifest again, under a tag, may not find it at that moment if another one names it. So
        only manifests that cannot contain each other are tagged at the same time.
        """
        running = next((step for step in self._running if isinstance(step, WriteTag)), None)
        if running is None:
            self._tags.sort(key=self._turn, reverse=True)
        elif self._turn(self._tags[-1]) != self._turn(running):
            return None
        return self._tags.pop()

    def _turn(self, step: WriteTag) -> tuple[bool, int]:
        return not step.is_digest_tag, self._nodes[step.descriptor.digest, True].height

    def read(
        self,
        step: ReadManifest,
        named: Collection[Descriptor] = (),
        referrers: Iterable[Descriptor] = (),
        *,
        is_written: bool = False,
    ) -> None:
        """Report the end of a `ReadManifest`.

        Args:
            step: The step.
            named: What the manifest names: entries of an index, or config and layers. Entries that the destination is
                known to have can be left out.
            referrers: The manifests that refer to it, if they are also to be copied.
            is_written: Whether the destination already has the manifest.
        """
        self._end(step)
        node = self._nodes[step.descriptor.digest, True]
        node.is_written = is_written
        try:
            self._found(node, named, referrers)
        except errors.DregError as failure:
            self._lose(node, failure)
            return
        if lost := next((child.failure for child in map(self._known, named) if child.failure), None):
            self._lose(node, lost)
        elif not node.missing:
            self._has_all(node)

    def _found(self, node: _Node, named: Collection[Descriptor], referrers: Iterable[Descriptor]) -> None:
        """Add what a manifest names, and what refers to it."""
        if len(named) > MAX_ENTRIES:
            assert node.descriptor is not None  # noqa: S101 (it was not written yet)
            advice = "copy its manifests one by one"
            raise errors.TooManyEntriesError(node.descriptor.digest, MAX_ENTRIES, "descriptors", advice)
        for child in named:
            self._wait_for(node, child)
        for referrer in referrers:
            self._manifest(referrer, node.depth + 1, is_referrer=True)

    def fail(self, step: Step, failure: errors.DregError) -> None:
        """Report that a step failed. What depends on it is not copied, but everything else is; see `failures`."""
        self._end(step)
        if isinstance(step, WriteTag):
            self.failures[step.tag] = failure
        else:
            self._lose(self._nodes[step.descriptor.digest, not isinstance(step, CopyBlob)], failure)

    def _lose(self, node: _Node, failure: errors.DregError) -> None:
        """Give up a node, and the manifests that wait for it."""
        ahead, lost = [node], set[Digest]()
        while ahead:
            each = ahead.pop()
            if each.descriptor is None or each.failure is not None:
                continue
            lost.add(each.descriptor.digest)
            if is_manifest(each.descriptor):
                self.lost[each.descriptor.digest] = failure
            if not (each.parents or each.is_tagged):
                self.failures[each.descriptor.digest] = failure
            each.failure = failure
            self._unfinished -= 1
            ahead += each.parents
        untagged = [step for step in self._tags if step.descriptor.digest in lost]
        self._tags = [step for step in self._tags if step not in untagged]
        for step in untagged:
            self.failures.pop(step.descriptor.digest, None)
            self.failures[step.tag] = failure

    def finish(self, step: Step) -> None:
        """Report the end of a step other than `ReadManifest`."""
        self._end(step)
        if not isinstance(step, WriteTag):
            self._copied(self._nodes[step.descriptor.digest, not isinstance(step, CopyBlob)])

    def _end(self, step: Step) -> None:
        """Free the place of a step; do nothing if it has ended before."""
        if step not in self._running:
            return
        self._running.remove(step)
        if isinstance(step, CopyBlob):
            self._free_blobs += 1
        else:
            self._free_manifests += 1

    def _known(self, descriptor: Descriptor) -> _Node:
        return self._nodes[descriptor.digest, is_manifest(descriptor)]

    def _wait_for(self, parent: _Node, child: Descriptor) -> None:
        """Let a manifest wait for something that it names, unless that was copied."""
        node = self._manifest(child, parent.depth + 1) if is_manifest(child) else self._blob(child)
        if node.is_tagged:
            node.is_tagged = False
            self._written_after_all(node, child)
        parent.height = max(parent.height, node.height)
        if node.descriptor is not None:
            parent.missing += 1
            node.parents.append(parent)

    def _written_after_all(self, node: _Node, descriptor: Descriptor) -> None:
        """Write a manifest under its digest that, so far, was only to be written under a tag."""
        if node.descriptor is None and not node.is_written:
            node.descriptor = descriptor
            self._unfinished += 1
            self._writable.append(descriptor)

    def _manifest(
        self, descriptor: Descriptor, depth: int, *, is_tagged: bool = False, is_referrer: bool = False
    ) -> _Node:
        if depth >= MAX_DEPTH and (is_referrer or descriptor.family is Family.INDEX):
            raise too_deep(descriptor)
        node, is_new = self._node(descriptor, is_manifest=True)
        if is_new:
            node.depth, node.is_tagged = depth, is_tagged
            self._unread.append(descriptor)
        return node

    def _blob(self, descriptor: Descriptor) -> _Node:
        node, is_new = self._node(descriptor, is_manifest=False)
        if is_new:
            heapq.heappush(self._blobs, (-descriptor.size, next(self._order), descriptor))
            self.blobs, self.size = self.blobs + 1, self.size + descriptor.size
        return node

    def _node(self, descriptor: Descriptor, *, is_manifest: bool) -> tuple[_Node, bool]:
        """Return the node of a descriptor, and whether it is new."""
        key = descriptor.digest, is_manifest
        if (node := self._nodes.get(key)) is not None:
            if node.size != descriptor.size:
                where = f"{descriptor.digest}, according to two descriptors"
                raise errors.SizeMismatchError(node.size, descriptor.size, where)
            return node, False
        if len(self._nodes) >= MAX_NODES:
            advice = "copy fewer tags at a time"
            raise errors.TooManyEntriesError("the copy", MAX_NODES, "manifests and blobs", advice)
        node = self._nodes[key] = _Node(descriptor.size, descriptor)
        self._unfinished += 1
        return node, True

    def _has_all(self, node: _Node) -> None:
        """Let a manifest be written, since the destination has everything that it names."""
        assert node.descriptor is not None  # noqa: S101 (it was not written yet)
        node.height += node.descriptor.family is Family.INDEX
        if node.height > MAX_DEPTH:
            self._lose(node, too_deep(node.descriptor))
        elif node.is_written or node.is_tagged:
            self._copied(node)
        else:
            self._writable.append(node.descriptor)

    def _copied(self, node: _Node) -> None:
        """Release the manifests that waited for a node."""
        node.descriptor, parents, node.parents = None, node.parents, []
        self._unfinished -= 1
        for parent in parents:
            parent.height = max(parent.height, node.height)
            parent.missing -= 1
            if not parent.missing and parent.failure is None:
                self._has_all(parent)


def too_deep(descriptor: Descriptor) -> errors.DepthLimitError:
    """Return the error for an index, or a referrer, that is nested too deep."""
    return errors.DepthLimitError(descriptor.digest.short, MAX_DEPTH, "copy the indexes in it, by their digests")


def is_manifest(descriptor: Descriptor) -> bool:
    """Return whether stores keep this content as a manifest. Everything else is a blob, also in an index."""
    return descriptor.family in _MANIFESTS
