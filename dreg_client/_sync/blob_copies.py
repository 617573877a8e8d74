# Generated from dreg_client/_async/blob_copies.py by tools/generate_sync.py. Do not edit.
"""Copy blobs from one store to another."""

from collections.abc import Callable, Iterable
from functools import partial

from dreg_client import errors
from dreg_client._sync.ports import Destination, Source
from dreg_client._sync.shared_transfers import SharedTransfers
from dreg_client._sync.stored_blob import StoredBlob
from dreg_client.copying.concurrency import numbers_at_once
from dreg_client.models.descriptor import Descriptor
from dreg_client.protocol.content import blob_request
from dreg_client.protocol.events import Copying, Event, Outcome
from dreg_client.protocol.permits import Permit
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import Family


class BlobCopies:
    """The blobs of a copy.

    A blob is mounted if both stores are repositories of one registry. Otherwise the destination checks whether it has
    the blob; if not, the bytes pass from the source to the destination, which verifies them. If they are wrong, they
    are requested once more, in another way.

    Args:
        source: The store to read.
        destination: The store to write.
        shared: What other copies share, which run at the same time.
        dry_run: Whether to write nothing.
        emit: A function that is called with each event.
    """

    def __init__(
        self,
        source: Source,
        destination: Destination,
        shared: SharedTransfers,
        *,
        dry_run: bool,
        emit: Callable[[Event], None],
    ) -> None:
        self._source, self._destination = source, destination
        self._limits, self._placed = shared.limits, shared.placed
        self._is_dry_run, self._emit = dry_run, emit
        is_mountable = is_one_registry(source, destination) and source.name != destination.name
        self._mount_from = source.name if is_mountable else None
        self._there: set[Digest] = set()

    def check(self, named: Iterable[Descriptor]) -> None:
        """Open each blob that a manifest names before any of them is transferred, also in a dry run.

        A registry is not asked, as each blob would take a request.

        Raises:
            NotFoundError: The source does not have the blob, and the destination neither.
            SizeMismatchError: The source has it with another size.
            LayoutError: The source cannot read it.
        """
        if self._source.client is not None:
            return
        for descriptor in named:
            if descriptor.digest in self._there:
                continue
            try:
                with self._source.open_blob(blob_request(descriptor)):
                    pass
            except errors.DregError:
                if not (may_be_left_out(descriptor) or self._is_in_destination(descriptor.digest)):
                    raise

    def _is_in_destination(self, digest: Digest) -> bool:
        """Return whether the destination has a blob, or its registry has it in another repository."""
        can_be_mounted = self._placed and self._placed.repository_with(digest, self._destination.name)
        return bool(can_be_mounted) or self._destination.has_blob(digest)

    def copy(self, descriptor: Descriptor) -> Outcome:
        """Copy a blob, unless an earlier call did; return how the destination got it."""
        if descriptor.digest in self._there:
            return "skipped"
        outcome = self._in_turn(descriptor)
        if outcome != "left out":
            self._there.add(descriptor.digest)
        return outcome

    def _in_turn(self, descriptor: Descriptor) -> Outcome:
        """Copy a blob when no other copy to the registry does; then it can be mounted from that repository."""
        if self._placed is None:
            return self._copied(descriptor, self._mount_from)
        digest, name = descriptor.digest, self._destination.name
        with self._placed.turn(digest):
            mount_from = self._mount_from or self._placed.repository_with(digest, name)
            if (outcome := self._copied(descriptor, mount_from)) != "left out":
                self._placed.add(digest, name)
        return outcome

    def _copied(self, descriptor: Descriptor, mount_from: str | None) -> Outcome:
        digest = descriptor.digest
        if self._is_dry_run:
            has_blob = self._destination.has_blob(digest)
            return "skipped" if has_blob else "mounted" if mount_from else "copied"
        if mount_from and self._destination.mount_blob(digest, mount_from):
            return "mounted"
        return self._transferred(descriptor)

    def _transferred(self, descriptor: Descriptor) -> Outcome:
        self._check_connections(descriptor.digest)
        content = StoredBlob(self._source, descriptor, partial(self._passed, descriptor))
        try:
            self._within_limits(content)
        except errors.NotFoundError:
            if not (content.is_missing and may_be_left_out(descriptor)):
                raise
            return "left out"
        return "copied" if content.was_read else "skipped"

    def _check_connections(self, digest: Digest) -> None:
        """Raise an error if a blob would be read by the only connection, on which it is also being written."""
        used = self._source.client
        is_shared = used is self._destination.client
        if used is None or not is_shared or used.connections > 1:
            return
        if not self._destination.has_blob(digest):
            what = f"a copy from {self._source.address} to {self._destination.address} needs 2 connections at a time"
            raise errors.UnsupportedError(f"{what}; open {used.registry.name} with connections=2 or more")

    def _within_limits(self, content: StoredBlob) -> None:
        held = [(limit, Permit(limit)) for limit in self._limits]
        try:
            for limit, permit in held:
                limit.acquire(held=permit)
            self._push(content)
        finally:
            for limit, permit in held:
                limit.release(permit)

    def _push(self, content: StoredBlob) -> None:
        while True:
            try:
                self._destination.push_blob(content)
            except errors.IntegrityError as failure:
                # What the registry says it has stored is not changed by reading the source again.
                if (isinstance(failure, errors.DigestMismatchError) and failure.as_stored) or not (
                    content.request_again()
                ):
                    raise
            else:
                return

    def _passed(self, descriptor: Descriptor, octets: int, so_far: int) -> None:
        self._emit(Copying(descriptor.digest, octets, descriptor.size, so_far))


def may_be_left_out(descriptor: Descriptor) -> bool:
    """Return whether a layer may be missing, because clients download it from its `urls`."""
    return descriptor.family is Family.NONDISTRIBUTABLE and bool(descriptor.urls)


def registry_of(end: Source) -> str:
    """Return the URL of the registry of a repository; empty for a layout or an archive."""
    return end.client.registry.url if end.client is not None else ""


def is_one_registry(source: Source, destination: Destination) -> bool:
    """Return whether two stores are repositories of one registry."""
    return registry_of(source) == registry_of(destination) != ""


def concurrency(source: Source, destination: Destination) -> tuple[int, int]:
    """Return how many blobs and how many manifests to copy at a time, according to the connections of both ends."""
    limits = [end.client.connections for end in (source, destination) if end.client is not None]
    return numbers_at_once(min(limits, default=None), 2 if is_one_registry(source, destination) else 1)
