"""Copy manifests and blobs from one store to another. `CopyGraph` decides what may be transferred next."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from dreg_client import errors
from dreg_client._async._compat import Semaphore, TaskGroup, new_lock
from dreg_client._async.blob_copies import AsyncBlobCopies, concurrency
from dreg_client._async.copy_roots import Root
from dreg_client._async.manifest_copies import AsyncManifestCopies
from dreg_client._async.ports import AsyncDestination, AsyncSource
from dreg_client._async.shared_transfers import AsyncSharedTransfers
from dreg_client.copying.copy_parts import CopyParts
from dreg_client.copying.digest_tags import DigestTag, digest_tag, names_to_copy, tags_by_subject
from dreg_client.copying.graph import CopyGraph, is_manifest
from dreg_client.copying.options import CopyFlags
from dreg_client.copying.repository_names import repository_of
from dreg_client.copying.result import CopyRecord
from dreg_client.copying.schema1 import check_is_modern
from dreg_client.copying.steps import CopyBlob, ReadManifest, Step, WriteManifest, WriteTag
from dreg_client.errors.groups import first_error_only
from dreg_client.models.descriptor import Descriptor
from dreg_client.protocol.events import Event, Outcome, Planned, Tagged
from dreg_client.values.digest import Digest

_ALONE: Final = AsyncSharedTransfers()


class AsyncCopier:
    """A copy from one store to another.

    Several workers run at a time. Each asks the graph for a step, carries it out, and reports its end, which may make
    other steps possible:

        ReadManifest   `_read`: find the manifest in the destination, else read it; report what it names
        CopyBlob       `AsyncBlobCopies.copy`: mount or transfer the blob
        WriteManifest  `_write`: write the manifest under its digest, when everything that it names was copied
        WriteTag       `_tag`: write the manifest under a tag, when everything else was copied

    Args:
        source: The store to read.
        destination: The store to write.
        flags: What to do.
        shared: What other copies share, which run at the same time.
        emit: A function that is called with each event.

    Attributes:
        record: What was done so far.
        failures: What was not copied, and why, by tag; by digest if it has no tag.
        parts: What belongs to each manifest that was read, and which of it was not copied.
    """

    def __init__(
        self,
        source: AsyncSource,
        destination: AsyncDestination,
        flags: CopyFlags,
        *,
        shared: AsyncSharedTransfers = _ALONE,
        emit: Callable[[Event], None],
    ) -> None:
        self._source, self._destination, self._flags, self._emit = source, destination, flags, emit
        self._blobs_at_once, self._manifests_at_once = concurrency(source, destination)
        self._blobs = AsyncBlobCopies(source, destination, shared, dry_run=flags.dry_run, emit=emit)
        self._manifests = AsyncManifestCopies(source, destination, dry_run=flags.dry_run)
        self._graph = self._new_graph()
        self.record = CopyRecord(is_atomic=destination.is_atomic)
        self.failures: dict[str, errors.DregError] = {}
        self.parts = CopyParts()
        self._to_tag: set[Digest] = set()  # kept in memory until they are written under their tags
        self._unchanged: set[str] = set()  # the tags that named the same manifests before
        self._current: Mapping[str, Digest] = {}
        self._tags_by_subject: Mapping[str, Sequence[DigestTag]] | None = None
        self._repositories: set[tuple[str, str]] = set()  # of the images, in the source and in the destination
        self._partial: dict[Digest, set[Digest]] = {}  # indexes of which only some platforms are copied, by what is
        self._was_read: set[Digest] = set()
        self._lock = new_lock()
        self._wakes, self._waiting = Semaphore(0), 0

    def _new_graph(self) -> CopyGraph:
        return CopyGraph(blobs_at_once=self._blobs_at_once, manifests_at_once=self._manifests_at_once)

    def add(self, root: Root, tag: str, *, name: str) -> None:
        """Add a manifest to copy.

        Args:
            root: The manifest.
            tag: The tag to write it under; empty to write it under its digest.
            name: Its name in the source; empty if it was found by its digest. Digest tags of its repository follow it.
        """
        self._repositories.add((repository_of(name), repository_of(tag)))
        self._manifests.new_indexes |= {index.digest: index for index in root.new_indexes}
        self.record.mapping.update(root.mapping)
        for index, copied in root.partial.items():
            self._partial.setdefault(copied, set()).add(index)
        self._add(root.descriptor, tag)

    def _add(self, root: Descriptor, tag: str, *, is_digest_tag: bool = False) -> None:
        self._graph.add(root, tag, is_digest_tag=is_digest_tag)
        self.record.digests[tag or root.digest] = root.digest
        if tag:
            self._to_tag.add(root.digest)
        if self._destination.client is not None and root.digest.algorithm != "sha256":
            # Registries choose the algorithm for what is written under a tag. Only if they accept this digest, the tag
            # can have it.
            self._graph.add(root)

    def in_turn(self, tags: Iterable[str]) -> Iterator[list[str]]:
        """Yield the tags to copy first, then those to copy after these: digest tags that did not follow their subjects.

        If referrers are copied, a digest tag follows the manifest that it is about, and a referrers tag is replaced by
        the referrers. So each list must be copied before the next one is requested.
        """
        all_tags = list(tags)
        about = {tag: found for tag in all_tags if self._flags.referrers and (found := digest_tag(tag))}
        yield [tag for tag in all_tags if tag not in about]
        if others := [tag for tag, found in about.items() if not self._has_followed(found)]:
            yield others

    def _has_followed(self, about: DigestTag) -> bool:
        """Return whether a digest tag was copied with its subject, or need not be, because it only lists referrers."""
        return about.subject in self._was_read and (about.is_referrers_tag or about.name in self.record.digests)

    async def run(self, current: Mapping[str, Digest]) -> None:
        """Copy everything that was added. `current` has the digests of the tags that the destination has.

        If anything fails, running steps are cancelled, unless the copier keeps going. Tags are written last, so that
        most failures happen before any is written; the error states which ones were. More can be added and copied
        afterwards: what was copied before is not transferred again.
        """
        self._current = current
        self._manifests.add_current(current.values())
        if self._tags_by_subject is None:
            self._tags_by_subject = tags_by_subject(await self._source.tags() if self._flags.referrers else ())
        try:
            if self._flags.dry_run:
                await self._run_steps()
            else:
                async with self._destination.writing(on_deferred=self._note):
                    await self._run_steps()
        except errors.DregError as failure:
            if not self._flags.dry_run:
                failure.add_outcome(self.record.outcome())
            raise

    async def _run_steps(self) -> None:
        self._check()
        try:
            with first_error_only():
                workers = self._blobs_at_once + self._manifests_at_once
                async with TaskGroup() as group:
                    for _ in range(workers):
                        group.start_soon(self._work)
        finally:
            self._end_graph()

    def _end_graph(self) -> None:
        """Keep what failed, and begin anew: if the copy was cancelled, no step of the old graph would ever end."""
        self.failures |= self._graph.failures
        self.parts.fail(self._graph.lost.items())
        self.parts.fail(self._graph.failures.items())
        self._graph, self._waiting = self._new_graph(), 0
        self._to_tag.clear()
        self._manifests.clear_cache()

    async def _work(self) -> None:
        while (step := await self._next_step()) is not None:
            try:
                await self._carry_out(step)
            except errors.DregError as failure:
                if not self._flags.keeps_going or concerns_everything(failure):
                    raise
                async with self._lock:
                    self._graph.fail(step, failure)
                    self._wake()

    async def _carry_out(self, step: Step) -> None:
        match step:
            case ReadManifest():
                await self._read(step)
            case CopyBlob(descriptor):
                await self._finish(step, await self._blobs.copy(descriptor))
            case WriteManifest(descriptor):
                await self._write(descriptor, descriptor.digest)
                await self._finish(step, self._outcome(descriptor.digest))
            case WriteTag():
                await self._finish(step, await self._tag(step))

    async def _next_step(self) -> Step | None:
        """Wait for the next step; return None if nothing is left."""
        while True:
            async with self._lock:
                self._check()
                step = self._graph.next()
                if step is not None or self._graph.is_complete:
                    return step
                self._waiting += 1
            await self._wakes.acquire()

    def _wake(self) -> None:
        """Let all waiting workers look for steps."""
        for _ in range(self._waiting):
            self._wakes.release()
        self._waiting = 0

    async def _finish(self, step: Step, outcome: Outcome) -> None:
        async with self._lock:
            self._graph.finish(step)
            event = self.record.add(step.descriptor, outcome, is_manifest=not isinstance(step, CopyBlob))
            self._wake()
        self._emit(event)

    def _check(self) -> None:
        """Raise what the graph found to be wrong, unless the copier keeps going."""
        if self._graph.failures and not self._flags.keeps_going:
            raise next(iter(self._graph.failures.values()))

    def _outcome(self, digest: Digest) -> Outcome:
        """Return whether a manifest was new to the destination, once for each manifest."""
        is_there = digest in self._manifests.there
        self._manifests.there.add(digest)
        return "skipped" if is_there else "copied"

    async def _read(self, step: ReadManifest) -> None:
        check_is_modern(step.descriptor)
        digest = step.descriptor.digest
        is_there, manifest = await self._manifests.find(step.descriptor, is_needed=self._flags.referrers)
        named: tuple[Descriptor, ...] = ()
        referrers: tuple[Descriptor, ...] = ()
        if manifest is not None:
            named = self._manifests.named_by(manifest, is_there=is_there)
            await self._blobs.check(each for each in named if not is_manifest(each))
            if self._flags.referrers and digest not in self._manifests.new_indexes:
                referrers = await self._source.referrers(digest)
        digest_tags = self._digest_tags(digest)
        signatures = await self._signatures(digest_tags)
        uncopied = await self._referrers_of_partial(digest) if self._flags.referrers else []
        async with self._lock:
            self._was_read.add(digest)
            self.parts.add(digest, [*(each.digest for each in (*named, *referrers) if is_manifest(each)), *digest_tags])
            self.record.uncopied_referrers |= {each.digest: each for each in uncopied}
            if is_there:
                self._manifests.there.add(digest)
            self._graph.read(step, named, referrers, is_written=self._manifests.is_done(is_there=is_there))
            for root, tag in signatures:
                self.parts.add(tag, [root.digest])
                self._add(root, tag, is_digest_tag=True)
            self._check()
            found = Planned(self._graph.blobs, self._graph.size)
            self._wake()
        self._emit(found)

    def _digest_tags(self, digest: Digest) -> Mapping[str, str]:
        """Return the tags to write for the digest tags about a manifest, with their names in the source."""
        about = (self._tags_by_subject or {}).get(digest, ())
        in_registry = self._destination.client is not None
        return names_to_copy(about, self._repositories, in_registry=in_registry)

    async def _signatures(self, names: Mapping[str, str]) -> list[tuple[Descriptor, str]]:
        """Return the manifests at digest tags, with the tags to write them under."""
        return [
            (await self._source.resolve(name), tag) for tag, name in names.items() if tag not in self.record.digests
        ]

    async def _referrers_of_partial(self, digest: Digest) -> list[Descriptor]:
        """Return the referrers of the indexes of which only this part is copied."""
        found: list[Descriptor] = []
        for index in self._partial.pop(digest, ()):
            found += await self._source.referrers(index)
            found += [descriptor for descriptor, _ in await self._signatures(self._digest_tags(index))]
        return found

    async def _write(self, descriptor: Descriptor, reference: str, *, no_clobber: bool = False) -> bool:
        is_last = descriptor.digest not in self._to_tag
        return await self._manifests.write(descriptor, reference, no_clobber=no_clobber, is_last=is_last)

    async def _tag(self, step: WriteTag) -> Outcome:
        digest = step.descriptor.digest
        is_there = digest in self._manifests.there and await self._current_digest(step) == digest
        if is_there:
            self._unchanged.add(step.tag)
        if not self._manifests.is_done(is_there=is_there):
            no_clobber = self._flags.no_clobber and not step.is_digest_tag
            if await self._write(step.descriptor, step.tag, no_clobber=no_clobber):
                self._note([step.tag])
        return self._outcome(digest)

    def _note(self, tags: Sequence[str]) -> None:
        """Note that tags were written."""
        new = [tag for tag in tags if tag not in self._unchanged]
        self.record.tagged += new
        if not self._flags.dry_run:
            for tag in new:
                self._emit(Tagged(tag, self.record.digests[tag]))

    async def _current_digest(self, step: WriteTag) -> Digest | None:
        """Return the digest of a tag in the destination. Which digest tags follow was not known before."""
        if step.is_digest_tag and step.tag not in self._current:
            return await self._destination.current_digest(step.tag)
        return self._current.get(step.tag)


def concerns_everything(failure: errors.DregError) -> bool:
    """Return whether all other transfers between two stores would fail for the same reason."""
    if isinstance(failure, errors.RetryExhaustedError):
        return concerns_everything(failure.last)
    return isinstance(
        failure, errors.ConnectError | errors.AuthError | errors.RateLimitedError | errors.ClosedError | errors.TLSError
    )
