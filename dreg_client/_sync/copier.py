# Generated from dreg_client/_async/copier.py by tools/generate_sync.py. Do not edit.
"""Copy manifests and blobs from one store to another. `CopyGraph` decides what may be transferred next."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Protocol, runtime_checkable

from dreg_client import errors
from dreg_client._sync._compat import Semaphore, TaskGroup, new_lock
from dreg_client._sync.documents import read_verified
from dreg_client._sync.ports import Destination, Source
from dreg_client._sync.shared_transfers import SharedTransfers
from dreg_client._sync.stored_blob import StoredBlob
from dreg_client.copying.companions import companion_tags
from dreg_client.copying.graph import (
    CopyBlob,
    CopyGraph,
    ReadManifest,
    Step,
    WriteManifest,
    WriteTag,
    numbers_at_once,
)
from dreg_client.copying.result import CopyRecord
from dreg_client.copying.schema1 import check_is_modern
from dreg_client.errors.groups import first_error_only
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import Index
from dreg_client.models.parse import parse_manifest
from dreg_client.protocol.content import RawManifest
from dreg_client.protocol.events import Copying, Event, Outcome, Planned
from dreg_client.protocol.permits import Permit
from dreg_client.protocol.referrers import subject_in
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import Family
from dreg_client.values.sizes import MEBIBYTE

_ALONE: Final = SharedTransfers()
_FOREVER: Final = 86400.0
_MOST_KEPT: Final = 16 * MEBIBYTE
"""The most bytes of manifests to keep in memory until they are written. Beyond, they are read again."""


class Copier:
    """A copy from one store to another.

    Args:
        source: The store to read.
        destination: The store to write.
        referrers: Whether to also copy the referrers of all manifests.
        no_clobber: Whether to leave tags of other manifests alone; one that appears meanwhile raises ConflictError.
        dry_run: Whether to write nothing.
        keeps_going: Whether to go on with what does not depend on something that failed; see `failures`.
        shared: What other copies share, which run at the same time.
        emit: A function that is called with each event.

    Attributes:
        record: What was done so far.
        failures: What was not copied, and why, by tag; by digest if it has no tag.
    """

    def __init__(
        self,
        source: Source,
        destination: Destination,
        *,
        referrers: bool = False,
        no_clobber: bool = False,
        dry_run: bool = False,
        keeps_going: bool = False,
        shared: SharedTransfers = _ALONE,
        emit: Callable[[Event], None],
    ) -> None:
        self._source, self._destination = source, destination
        self._with_referrers, self._is_dry_run, self._emit = referrers, dry_run, emit
        self._keeps_going, self._limits, self._placed = keeps_going, shared.limits, shared.placed
        self._no_clobber = no_clobber
        self._mounts = source.name if shares_registry(source, destination) else None
        self._blobs_at_once, self._manifests_at_once = concurrency(source, destination)
        self._graph = self._new_graph()
        self.record = CopyRecord()
        self.failures: dict[str, errors.DregError] = {}
        self._kept: dict[Digest, RawManifest] = {}
        self._octets_kept = 0
        self._made: dict[Digest, RawManifest] = {}
        self._present: set[Digest] = set()
        self._blobs_there: set[Digest] = set()
        self._listed: dict[Digest, frozenset[Digest]] = {}  # referrers in the destination, by subject
        self._to_tag: set[Digest] = set()  # kept until they are written under their tags
        self._current: Mapping[str, Digest] = {}
        self._source_tags: frozenset[str] = frozenset()
        self._lock = new_lock()
        self._wakes, self._waiting = Semaphore(0), 0

    def _new_graph(self) -> CopyGraph:
        return CopyGraph(blobs_at_once=self._blobs_at_once, manifests_at_once=self._manifests_at_once)

    def add(self, root: Descriptor, tag: str = "") -> None:
        """Add a manifest to copy, and the tag to write it under."""
        self._add(root, tag)

    def _add(self, root: Descriptor, tag: str, *, is_companion: bool = False) -> None:
        self._graph.add(root, tag, is_companion=is_companion)
        self.record.digests[tag or root.digest] = root.digest
        if tag:
            self._to_tag.add(root.digest)

    def add_made(self, manifest: RawManifest) -> None:
        """Add the bytes of a manifest that the source does not have."""
        self._made[manifest.digest] = manifest

    def run(self, current: Mapping[str, Digest]) -> None:
        """Copy everything that was added. `current` has the digests of the tags that the destination has.

        If anything fails, running steps are cancelled, and no tag is written, unless the copier keeps going. More can
        be added and copied afterwards: what was copied before is not transferred again.
        """
        self._current = current
        if self._destination.refetches:  # the digests come from the registry itself
            self._present.update(current.values())
        if self._with_referrers and not self._source_tags:
            self._source_tags = frozenset(self._source.tags())
        if self._is_dry_run:
            self._run_steps()
            return
        try:
            with self._destination.writing(defers_tags=True):
                self._run_steps()
        except errors.DregError as failure:
            failure.add_outcome(self.record.outcome())
            raise

    def _run_steps(self) -> None:
        with first_error_only():
            workers = self._blobs_at_once + self._manifests_at_once
            with TaskGroup() as group:
                for _ in range(workers):
                    group.start_soon(self._work)
        self.failures |= self._graph.failures
        self._graph = self._new_graph()
        self._to_tag.clear()
        self._kept.clear()
        self._octets_kept = 0

    def _work(self) -> None:
        while (step := self._next_step()) is not None:
            try:
                self._carry_out(step)
            except errors.DregError as failure:
                if not self._keeps_going or concerns_everything(failure):
                    raise
                with self._lock:
                    self._graph.fail(step, failure)
                    self._wake()

    def _carry_out(self, step: Step) -> None:
        match step:
            case ReadManifest():
                self._read(step)
            case CopyBlob(descriptor):
                self._finish(step, self._copy_blob(descriptor))
            case WriteManifest(descriptor):
                self._write(descriptor, descriptor.digest)
                self._finish(step, self._outcome(descriptor.digest))
            case WriteTag():
                self._finish(step, self._tag(step))

    def _next_step(self) -> Step | None:
        """Wait for the next step; return None if nothing is left."""
        while True:
            with self._lock:
                step = self._graph.next()
                if step is not None or self._graph.is_complete:
                    return step
                self._waiting += 1
            self._wakes.acquire(_FOREVER)

    def _wake(self) -> None:
        """Let all waiting workers look for steps."""
        for _ in range(self._waiting):
            self._wakes.release()
        self._waiting = 0

    def _finish(self, step: Step, outcome: Outcome) -> None:
        with self._lock:
            self._graph.finish(step)
            event = self.record.add(step.descriptor, outcome, is_manifest=not isinstance(step, CopyBlob))
            self._wake()
        self._emit(event)

    def _outcome(self, digest: Digest) -> Outcome:
        """Return whether a manifest was new to the destination, once for each manifest."""
        is_there = digest in self._present
        self._present.add(digest)
        return "skipped" if is_there else "copied"

    # --- manifests

    def _read(self, step: ReadManifest) -> None:
        check_is_modern(step.descriptor)
        digest = step.descriptor.digest
        is_there, raw = self._find(step.descriptor)
        if raw is None:
            self._report(step, (), (), is_written=is_there)
            return
        document = parse_manifest(raw.raw, raw.media_type, strict=False)
        named = document.manifests if isinstance(document, Index) else (document.config, *document.layers)
        if is_there and self._destination.refetches:  # a registry has everything that its manifests name
            named = tuple(document.manifests) if isinstance(document, Index) else ()
        referrers: tuple[Descriptor, ...] = ()
        if self._with_referrers and digest not in self._made:
            referrers = self._source.referrers(digest)
        self._report(step, named, referrers, is_written=is_there)

    def _find(self, descriptor: Descriptor) -> tuple[bool, RawManifest | None]:
        """Return whether the destination has a manifest, and its bytes, unless they are not needed."""
        digest = descriptor.digest
        if not self._destination.refetches:  # reading a local file costs less than asking the source
            try:
                return True, self._keep(read_verified(self._destination, descriptor))
            except (errors.NotFoundError, errors.IntegrityError):
                return False, self._bytes_of(descriptor)
        is_known = digest in self._present
        is_there = is_known or self._destination.current_digest(digest) == digest
        if is_known and not self._with_referrers:
            return True, None
        raw = self._bytes_of(descriptor)
        is_complete = is_there and self._is_listed(raw)
        return is_complete, raw if self._with_referrers or not is_complete else None

    def _is_listed(self, manifest: RawManifest) -> bool:
        """Return whether the destination lists a manifest as a referrer of its subject, if it has one.

        If it does not, an earlier copy was killed just after it wrote the manifest.
        """
        subject = subject_in(manifest.raw)
        if subject is None:
            return True
        if subject not in self._listed:
            listed = self._destination.referrers(subject)
            self._listed[subject] = frozenset(each.digest for each in listed)
        return manifest.digest in self._listed[subject]

    def _report(
        self,
        step: ReadManifest,
        named: tuple[Descriptor, ...],
        referrers: tuple[Descriptor, ...],
        *,
        is_written: bool,
    ) -> None:
        digest = step.descriptor.digest
        companions = [
            (self._source.resolve(tag), tag)
            for tag in companion_tags(digest)
            if tag in self._source_tags and tag not in self.record.digests
        ]
        with self._lock:
            if is_written:
                self._present.add(digest)
            # A layout also lists the manifests that are written to it, so even those that it has are written.
            self._graph.read(step, named, referrers, is_written=is_written and self._destination.refetches)
            for root, tag in companions:
                self._add(root, tag, is_companion=True)
            found = Planned(self._graph.blobs, self._graph.octets)
            self._wake()
        self._emit(found)

    def _bytes_of(self, descriptor: Descriptor) -> RawManifest:
        """Return the bytes of a manifest, which are kept until it is written."""
        known = self._made.get(descriptor.digest) or self._kept.get(descriptor.digest)
        return known or self._keep(read_verified(self._source, descriptor))

    def _keep(self, manifest: RawManifest) -> RawManifest:
        with self._lock:
            if self._octets_kept + len(manifest.raw) <= _MOST_KEPT and manifest.digest not in self._kept:
                self._kept[manifest.digest] = manifest
                self._octets_kept += len(manifest.raw)
        return manifest

    def _write(self, descriptor: Descriptor, reference: str, *, no_clobber: bool = False) -> None:
        if not self._is_dry_run:
            manifest = self._bytes_of(descriptor)
            if reference != descriptor.digest and self._destination.refetches and subject_in(manifest.raw) is not None:
                # It must be listed as a referrer before its tag is visible: a tag means that the copy is complete.
                self._destination.push_manifest(manifest, descriptor.digest)
            self._destination.push_manifest(manifest, reference, no_clobber=no_clobber)
        with self._lock:
            if descriptor.digest not in self._to_tag and (kept := self._kept.pop(descriptor.digest, None)):
                self._octets_kept -= len(kept.raw)

    def _tag(self, step: WriteTag) -> Outcome:
        digest = step.descriptor.digest
        is_there = digest in self._present and self._current.get(step.tag) == digest
        if not (is_there and self._destination.refetches):
            no_clobber = self._no_clobber and not step.is_companion
            self._write(step.descriptor, step.tag, no_clobber=no_clobber)
        if not is_there:
            self.record.tagged.append(step.tag)
        return self._outcome(digest)

    # --- blobs

    def _copy_blob(self, descriptor: Descriptor) -> Outcome:
        digest = descriptor.digest
        if digest in self._blobs_there:
            return "skipped"
        outcome = self._transfer(descriptor)
        if outcome != "left out":
            self._blobs_there.add(digest)
        return outcome

    def _transfer(self, descriptor: Descriptor) -> Outcome:
        if self._placed is None:
            return self._transfer_now(descriptor, self._mounts)
        digest, name = descriptor.digest, self._destination.name
        with self._placed.turn(digest):
            mounts = self._mounts or self._placed.repository_with(digest, name)
            if (outcome := self._transfer_now(descriptor, mounts)) != "left out":
                self._placed.add(digest, name)
        return outcome

    def _transfer_now(self, descriptor: Descriptor, mounts: str | None) -> Outcome:
        digest = descriptor.digest
        if self._is_dry_run:
            has_blob = self._destination.has_blob(digest)
            return "skipped" if has_blob else "mounted" if mounts else "copied"
        if mounts and self._destination.mount_blob(digest, mounts):
            return "mounted"
        content = StoredBlob(self._source, descriptor, partial(self._passed, descriptor))
        try:
            self._within_limits(content)
        except errors.NotFoundError:
            if not (content.is_missing and may_be_left_out(descriptor)):
                raise
            return "left out"
        return "copied" if content.was_read else "skipped"

    def _within_limits(self, content: StoredBlob) -> None:
        held = [(limit, Permit(limit)) for limit in self._limits]
        try:
            for limit, permit in held:
                limit.acquire(_FOREVER, permit)
            self._push(content)
        finally:
            for limit, permit in held:
                limit.release(permit)

    def _push(self, content: StoredBlob) -> None:
        while True:
            try:
                self._destination.push_blob(content)
            except errors.IntegrityError:
                if not content.request_again():
                    raise
            else:
                return

    def _passed(self, descriptor: Descriptor, octets: int, so_far: int) -> None:
        self._emit(Copying(descriptor.digest, octets, descriptor.size, so_far))


def concerns_everything(failure: errors.DregError) -> bool:
    """Return whether all other transfers between two stores would fail for the same reason."""
    if isinstance(failure, errors.RetryExhaustedError):
        return concerns_everything(failure.last)
    return isinstance(
        failure, errors.ConnectError | errors.AuthError | errors.RateLimitedError | errors.ClosedError | errors.TLSError
    )


def may_be_left_out(descriptor: Descriptor) -> bool:
    """Return whether a layer may be missing, because clients download it from its `urls`."""
    return descriptor.family is Family.NONDISTRIBUTABLE and bool(descriptor.urls)


def shares_registry(source: Source, destination: Destination) -> bool:
    """Return whether two stores are different repositories of one registry."""
    registry = source.address.removesuffix(source.name)
    is_registry = registry.endswith("/") and source.address != source.name
    return (
        is_registry
        and registry == destination.address.removesuffix(destination.name)
        and source.name != destination.name
    )


def concurrency(source: Source, destination: Destination) -> tuple[int, int]:
    """Return how many blobs and how many manifests to copy at a time, according to the connections of both ends."""
    ends = [end for end in (source, destination) if isinstance(end, _Connected)]
    shared = 2 if shares_registry(source, destination) else 1
    return numbers_at_once(min([end.connections for end in ends], default=None), shared)


@runtime_checkable
class _Connected(Protocol):
    """A medium with a limited number of connections."""

    @property
    def connections(self) -> int: ...
