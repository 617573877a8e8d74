"""Plans of several repositories, and of the images that are copied between them."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from dreg_client import errors
from dreg_client._async.attempt import attempt
from dreg_client._async.copy_ends import open_target, target_of
from dreg_client._async.in_order import in_order
from dreg_client._async.opening import aopen_layout
from dreg_client._async.ports import AsyncDestination, AsyncSource
from dreg_client._async.store import AsyncStore
from dreg_client._async.sync_run import REPOSITORIES_AT_ONCE, AsyncSyncRun
from dreg_client._async.sync_stores import address_of
from dreg_client._async.tag_planning import AsyncTagPlanning
from dreg_client._async.tag_reader import AT_A_TIME
from dreg_client.copying.plan_model import PlannedFailure
from dreg_client.files.store_path import named_store
from dreg_client.tagging.changes import joined
from dreg_client.tagging.plan import CopyTag, RepositoryTagPlan, TagPlan
from dreg_client.tagging.planned_tags import PlannedTags, Promotion
from dreg_client.tagging.rule import Rule
from dreg_client.values.digest import Digest
from dreg_client.values.reference import shown
from dreg_client.values.store_name import StoreName, reference_of

AsyncTagStore = str | StoreName | AsyncStore
"""A repository or layout: by name, without a tag, or as an open store."""


@dataclass(frozen=True, slots=True)
class AsyncRuledStore:
    """A repository or layout, and the rules for its tags.

    Attributes:
        given: The store.
        rules: The rules, in order.
        may_be_missing: Whether it is only known from a catalog, which may name repositories that do not exist.
    """

    given: AsyncTagStore
    rules: tuple[Rule, ...]
    may_be_missing: bool = False


class AsyncTagPlans:
    """The plans of several repositories.

    Args:
        run: What all repositories share.
        into: The stores that images are copied to, by the names that rules give them. Other names are those of stores.
        now: The time from which ages count.

    Attributes:
        planned: The tags of each repository, as its rules leave them.
    """

    def __init__(self, run: AsyncSyncRun, into: Mapping[str, AsyncTagStore], now: datetime) -> None:
        self._run, self._into, self._now = run, into, now
        self.planned: dict[str, PlannedTags] = {}

    async def make(self, stores: Sequence[AsyncRuledStore]) -> TagPlan:
        """Return the plan. The failure of one of several repositories is a failure in the plan.

        Raises:
            DregError: A single repository cannot be planned.
            ConflictError: A tag would be changed twice.
        """
        raises = len(stores) == 1 and not stores[0].may_be_missing

        async def one(store: AsyncRuledStore) -> RepositoryTagPlan:
            return await self._plan(store, raises=raises)

        found = await in_order(one, stores, at_a_time=REPOSITORIES_AT_ONCE)
        copies = [await self._copies(into, wanted) for into, wanted in self._promotions().items()]
        return joined([*(each for each in copies if not each.is_empty or each.failures), *found])

    async def _plan(self, store: AsyncRuledStore, *, raises: bool) -> RepositoryTagPlan:
        address = address_of(store.given)
        try:
            async with self._run.place(address, address), self._opened(store.given) as source:
                planning = AsyncTagPlanning(source, address, self._now)
                found = await planning.plan(store.rules, may_be_missing=store.may_be_missing)
        except errors.DregError as failure:
            self._run.lost.add(failure)
            if raises:
                raise
            return RepositoryTagPlan(repository=address, failures=(PlannedFailure(reason=str(failure)),))
        self.planned[address] = planning.planned
        return found

    @asynccontextmanager
    async def _opened(self, given: AsyncTagStore) -> AsyncGenerator[AsyncSource]:
        """Open a store. One that was given as an object stays open."""
        given = await self._in_registry(given, is_destination=False)
        if not isinstance(given, StoreName):
            await _refresh(given.source)
            yield given.source
            return
        if given.kind not in {"registry", "oci"}:
            what = f"{given} cannot be changed: it is an archive, which is written as a whole"
            raise errors.UnsupportedError(f"{what}; copy its images into a layout first")
        async with aopen_layout(given, strict=False) as store:
            yield store.source

    async def _in_registry(self, given: AsyncTagStore, *, is_destination: bool) -> StoreName | AsyncStore:
        """Return the repository that is named; other stores unchanged."""
        if isinstance(given, AsyncStore):
            return given
        name = named_store(given)
        if name.is_named and reference_of(name):
            expected = "a repository or a layout without a tag or digest"
            raise errors.InvalidReferenceError(shown(str(name)), "repository", expected)
        if name.kind != "registry" or name.reference is None:
            return name
        registry = await self._run.registry(name.reference.registry, is_destination=is_destination)
        return registry.repository(name.reference.repository)

    # --- copies

    def _promotions(self) -> dict[str, list[tuple[str, Promotion]]]:
        """Return the images to copy, with their repositories, by the store that they are copied to."""
        found: dict[str, dict[str, tuple[str, Promotion]]] = {}
        for address, planned in self.planned.items():
            for each in planned.difference().promotions:
                others = found.setdefault(each.into, {})
                other, known = others.setdefault(each.tag, (address, each))
                if known.digest != each.digest:
                    what = f"{address}:{each.source_tag} and {other}:{known.source_tag} are different images"
                    raise errors.ConflictError(f"{what} that would both become {each.into}:{each.tag}; choose one")
        return {into: [*others.values()] for into, others in found.items()}

    async def _copies(self, into: str, wanted: Sequence[tuple[str, Promotion]]) -> RepositoryTagPlan:
        """Plan the copies to one store, by one HEAD for each tag."""
        given = self._into.get(into, into)
        address = address_of(given)
        async with AsyncExitStack() as stack:
            target = target_of(await self._in_registry(given, is_destination=True))
            destination = await stack.enter_async_context(open_target(target, {}, dry_run=True))
            digests = await self._current(destination, [each.tag for _, each in wanted])
        changes: list[CopyTag] = []
        failures: list[PlannedFailure] = []
        for (source, each), now in zip(wanted, digests, strict=True):
            if isinstance(now, errors.DregError):
                failures.append(PlannedFailure(tag=each.tag, reason=str(now)))
            elif now != each.digest:
                changes.append(_copy(source, each, now))
        return RepositoryTagPlan(repository=address, changes=tuple(changes), failures=tuple(failures))

    async def _current(
        self, destination: AsyncDestination, tags: Sequence[str]
    ) -> list[Digest | errors.DregError | None]:
        async def current(tag: str) -> Digest | errors.DregError | None:
            return await attempt(partial(destination.current_digest, surely=True), tag)

        return await in_order(current, tags, at_a_time=AT_A_TIME)


async def _refresh(source: AsyncSource) -> None:
    """Read the index of a layout again, which other processes may have changed."""
    if source.client is None:
        from dreg_client._async.layout_source import AsyncLayoutSource  # noqa: PLC0415 (not every plan needs a layout)

        if isinstance(source, AsyncLayoutSource):
            await source.refresh()


def _copy(source: str, promotion: Promotion, replaces: Digest | None) -> CopyTag:
    return CopyTag(
        source=source,
        tag=promotion.tag,
        digest=promotion.digest,
        source_tag=promotion.source_tag,
        replaces=replaces,
        referrers=promotion.referrers,
    )
