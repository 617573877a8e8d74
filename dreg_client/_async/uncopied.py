"""Keep what was not copied to another repository, or is no longer there: it is not removed from its source."""

from collections.abc import Iterable

from dreg_client import errors
from dreg_client._async.in_order import AT_A_TIME, in_order
from dreg_client._async.plan_stores import AsyncPlanStores
from dreg_client.files.same_store import identity_of
from dreg_client.tagging.plan import CopyTag, DeleteManifest, TagPlan, Untag
from dreg_client.values.digest import Digest

Removal = Untag | DeleteManifest


class AsyncUncopied:
    """What the sources of a plan's copies must keep. All spellings of a source count as the same.

    Args:
        plan: The plan.
        stores: Its stores.
    """

    def __init__(self, plan: TagPlan, stores: AsyncPlanStores) -> None:
        self._stores = stores
        self._copies: dict[str, list[tuple[str, CopyTag]]] = {}  # with their destinations
        self._digests: set[tuple[str, Digest]] = set()
        self._failed: set[tuple[str, CopyTag]] = set()
        self._whole: dict[str, CopyTag] = {}
        for each in plan.repositories:
            for change in each.changes:
                if isinstance(change, CopyTag):
                    self._copies.setdefault(identity_of(change.source), []).append((each.repository, change))

    def add(self, source: str, digests: Iterable[Digest]) -> None:
        """Add manifests that were not copied from a repository."""
        self._digests.update((identity_of(source), digest) for digest in digests)

    def add_failed(self, destination: str, change: CopyTag) -> None:
        """Add a copy that failed. With its referrers, the source must keep everything: any tag may name one of them."""
        source = identity_of(change.source)
        self._failed.add((destination, change))
        self._digests.add((source, change.digest))
        if change.referrers:
            self._whole.setdefault(source, change)

    async def check(self, source: str, removals: Iterable[Removal]) -> None:
        """Check that what is to be removed still has the tags that it got elsewhere, by one HEAD for each tag.

        An earlier run may have made the copies, and another client may have deleted them since.
        """
        members = {digest for change in removals for digest in _members(change)}
        if not members:
            return
        by_destination: dict[str, list[CopyTag]] = {}
        for destination, change in self._copies.get(identity_of(source), ()):
            if (destination, change) not in self._failed and (change.referrers or change.digest in members):
                by_destination.setdefault(destination, []).append(change)
        for destination, copies in by_destination.items():
            for change in await self._lost(destination, copies):
                self.add_failed(destination, change)

    async def _lost(self, name: str, copies: list[CopyTag]) -> list[CopyTag]:
        """Return the copies whose tags name something else now, or cannot be read."""
        try:
            async with self._stores.destination(name, is_new=False) as destination:

                async def is_there(change: CopyTag) -> bool:
                    try:
                        return await destination.current_digest(change.tag, surely=True) == change.digest
                    except errors.DregError:
                        return False

                found = await in_order(is_there, copies, at_a_time=AT_A_TIME)
        except errors.DregError:
            return copies
        return [change for change, is_kept in zip(copies, found, strict=True) if not is_kept]

    def reason_to_keep(self, source: str, change: Removal) -> errors.DregError | None:
        """Return why a change must not be made; None if it may be."""
        source = identity_of(source)
        lost = [each for each in _members(change) if (source, each) in self._digests]
        if lost:
            why = f"{_it(change, lost[0])} could not be copied to another repository, or is no longer there"
        elif (copy := self._whole.get(source)) is not None:
            what = f"{copy.source_tag} and its referrers could not be copied to another repository"
            why = f"{what}, or are no longer there, and this may be one of them"
        else:
            return None
        return errors.DregError(f"{change.subject} was not deleted, because {why}")


def _it(change: Removal, digest: Digest) -> str:
    return "it" if digest == change.digest else f"{digest}, which would go with it,"


def _members(change: Removal) -> tuple[Digest, ...]:
    if isinstance(change, Untag):
        return (change.digest,)
    return (change.digest, *change.platforms, *change.referrers)
