# Generated from dreg_client/_async/tag_plans.py by tools/generate_sync.py. Do not edit.
"""Plans of several repositories, and of the images that are copied between them."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from dreg_client import errors
from dreg_client._sync.attempt import attempt
from dreg_client._sync.copy_ends import open_target, target_of
from dreg_client._sync.in_order import in_order
from dreg_client._sync.opening import open_layout
from dreg_client._sync.ports import Destination, Source
from dreg_client._sync.store import Store
from dreg_client._sync.sync_run import REPOSITORIES_AT_ONCE, SyncRun
from dreg_client._sync.sync_stores import address_of
from dreg_client._sync.tag_planning import TagPlanning
from dreg_client._sync.tag_reader import AT_A_TIME
from dreg_client.copying.plan_model import PlannedFailure
from dreg_client.files.store_path import named_store
from dreg_client.tagging.changes import joined
from dreg_client.tagging.plan import CopyTag, RepositoryTagPlan, TagPlan
from dreg_client.tagging.planned_tags import PlannedTags, Promotion
from dreg_client.tagging.rule import Rule
from dreg_client.values.digest import Digest
from dreg_client.values.reference import shown
from dreg_client.values.store_name import StoreName, reference_of

TagStore = str | StoreName | Store
"""A repository or layout: by name, without a tag, or as an open store."""


@dataclass(frozen=True, slots=True)
class RuledStore:
    """A repository or layout, and the rules for its tags.

    Attributes:
        given: The store.
        rules: The rules, in order.
        may_be_missing: Whether it is only known from a catalog, which may name repositories that do not exist.
    """

    given: TagStore
    rules: tuple[Rule, ...]
    may_be_missing: bool = False


class TagPlans:
    """The plans of several repositories.

    Args:
        run: What all repositories share.
        into: The stores that images are copied to, by the names that rules give them. Other names are those of stores.
        now: The time from which ages count.

    Attributes:
        planned: The tags of each repository, as its rules leave them.
    """

    def __init__(self, run: SyncRun, into: Mapping[str, TagStore], now: datetime) -> None:
        self._run, self._into, self._now = run, into, now
        self.planned: dict[str, PlannedTags] = {}

    def make(self, stores: Sequence[RuledStore]) -> TagPlan:
        """Return the plan. The failure of one of several repositories is a failure in the plan.

        Raises:
            DregError: A single repository cannot be planned.
            ConflictError: A tag would be changed twice.
        """
        raises = len(stores) == 1 and not stores[0].may_be_missing

        def one(store: RuledStore) -> RepositoryTagPlan:
            return self._plan(store, raises=raises)

        found = in_order(one, stores, at_a_time=REPOSITORIES_AT_ONCE)
        copies = [self._copies(into, wanted) for into, wanted in self._promotions().items()]
        return joined([*(each for each in copies if not each.is_empty or each.failures), *found])

    def _plan(self, store: RuledStore, *, raises: bool) -> RepositoryTagPlan:
        address = address_of(store.given)
        try:
            with self._run.place(address, address), self._opened(store.given) as source:
                planning = TagPlanning(source, address, self._now)
                found = planning.plan(store.rules, may_be_missing=store.may_be_missing)
        except errors.DregError as failure:
            self._run.lost.add(failure)
            if raises:
                raise
            return RepositoryTagPlan(repository=address, failures=(PlannedFailure(reason=str(failure)),))
        self.planned[address] = planning.planned
        return found

    @contextmanager
    def _opened(self, given: TagStore) -> Generator[Source]:
        """Open a store. One that was given as an object stays open."""
        given = self._in_registry(given, is_destination=False)
        if not isinstance(given, StoreName):
            _refresh(given.source)
            yield given.source
            return
        if given.kind not in {"registry", "oci"}:
            what = f"{given} cannot be changed: it is an archive, which is written as a whole"
            raise errors.UnsupportedError(f"{what}; copy its images into a layout first")
        with open_layout(given, strict=False) as store:
            yield store.source

    def _in_registry(self, given: TagStore, *, is_destination: bool) -> StoreName | Store:
        """Return the repository that is named; other stores unchanged."""
        if isinstance(given, Store):
            return given
        name = named_store(given)
        if name.is_named and reference_of(name):
            expected = "a repository or a layout without a tag or digest"
            raise errors.InvalidReferenceError(shown(str(name)), "repository", expected)
        if name.kind != "registry" or name.reference is None:
            return name
        registry = self._run.registry(name.reference.registry, is_destination=is_destination)
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

    def _copies(self, into: str, wanted: Sequence[tuple[str, Promotion]]) -> RepositoryTagPlan:
        """Plan the copies to one store, by one HEAD for each tag."""
        given = self._into.get(into, into)
        address = address_of(given)
        with ExitStack() as stack:
            target = target_of(self._in_registry(given, is_destination=True))
            destination = stack.enter_context(open_target(target, {}, dry_run=True))
            digests = self._current(destination, [each.tag for _, each in wanted])
        changes: list[CopyTag] = []
        failures: list[PlannedFailure] = []
        for (source, each), now in zip(wanted, digests, strict=True):
            if isinstance(now, errors.DregError):
                failures.append(PlannedFailure(tag=each.tag, reason=str(now)))
            elif now != each.digest:
                changes.append(_copy(source, each, now))
        return RepositoryTagPlan(repository=address, changes=tuple(changes), failures=tuple(failures))

    def _current(self, destination: Destination, tags: Sequence[str]) -> list[Digest | errors.DregError | None]:
        def current(tag: str) -> Digest | errors.DregError | None:
            return attempt(partial(destination.current_digest, surely=True), tag)

        return in_order(current, tags, at_a_time=AT_A_TIME)


def _refresh(source: Source) -> None:
    """Read the index of a layout again, which other processes may have changed."""
    if source.client is None:
        from dreg_client._sync.layout_source import LayoutSource  # noqa: PLC0415 (not every plan needs a layout)

        if isinstance(source, LayoutSource):
            source.refresh()


def _copy(source: str, promotion: Promotion, replaces: Digest | None) -> CopyTag:
    return CopyTag(
        source=source,
        tag=promotion.tag,
        digest=promotion.digest,
        source_tag=promotion.source_tag,
        replaces=replaces,
        referrers=promotion.referrers,
    )
