# Generated from dreg_client/_async/tag_plans.py by tools/generate_sync.py. Do not edit.
"""Plans of several repositories, and of the images that are copied between them."""

from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

from dreg_client import errors
from dreg_client._sync.attempt import attempt
from dreg_client._sync.copy_ends import open_target, target_of
from dreg_client._sync.in_order import AT_A_TIME, in_order
from dreg_client._sync.missing_referrers import Missing, missing_referrers
from dreg_client._sync.opening import open_layout
from dreg_client._sync.ports import Destination, Source
from dreg_client._sync.store import Store
from dreg_client._sync.sync_run import REPOSITORIES_AT_ONCE, SyncRun
from dreg_client._sync.sync_stores import address_of
from dreg_client._sync.tag_planning import TagPlanning
from dreg_client._sync.tag_promotions import Current, DestinationStore, TagPromotions
from dreg_client.copying.plan_model import PlannedFailure
from dreg_client.files.same_store import check_spellings, identity_of
from dreg_client.files.store_path import named_store
from dreg_client.tagging.findings import joined
from dreg_client.tagging.plan import RepositoryTagPlan, TagPlan
from dreg_client.tagging.planned_tags import PlannedTags
from dreg_client.tagging.retag import Promote
from dreg_client.tagging.rule import Rule
from dreg_client.values.digest import Digest
from dreg_client.values.reference import shown
from dreg_client.values.registry_name import STORAGE
from dreg_client.values.store_name import STORAGE_IS_READ, StoreName, reference_of

T = TypeVar("T")
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
        self._raises = False
        self._linked: dict[str, TagPlanning | None] = {}
        self._stack = ExitStack()
        self._unmatched: dict[str, list[tuple[Rule, str]]] = {}
        self.planned: dict[str, PlannedTags] = {}

    def make(self, stores: Sequence[RuledStore]) -> TagPlan:
        """Return the plan. The failure of one of several repositories is a failure in the plan.

        Raises:
            DregError: A single repository cannot be planned.
            ConflictError: A tag would be changed twice.
            ConfigError: A repository on this machine is named by different hosts.
        """
        addresses = [address_of(store.given) for store in stores]
        check_spellings([*addresses, *map(self._address_into, _destinations(stores))])
        self._raises = len(stores) == 1 and not stores[0].may_be_missing
        for address, store in zip(addresses, stores, strict=True):
            if into := [*_destinations([store])]:  # the others can be planned one by one
                names = (address, *map(self._address_into, into))
                self._linked |= dict.fromkeys(map(identity_of, names))
        with self._stack:
            begun = in_order(self._begin, stores, at_a_time=REPOSITORIES_AT_ONCE)
            sources = [each for each in begun if isinstance(each, TagPlanning)]
            promotions = TagPromotions(sources, self._destination)
            promotions.read()
            found = in_order(self._end, begun, at_a_time=REPOSITORIES_AT_ONCE)
        found = _with_notes(found, stores, [self._unmatched.get(each, []) for each in addresses])
        copies = promotions.plans({each.repository: each for each in found})
        return joined([*copies, *found])

    def _begin(self, store: RuledStore) -> TagPlanning | RepositoryTagPlan:
        """Apply the rules of a repository, and plan it, unless images are copied from or to it."""
        address = address_of(store.given)
        key = identity_of(address)

        def begin() -> TagPlanning | RepositoryTagPlan:
            with ExitStack() as own:
                stack = self._stack if key in self._linked else own
                source = stack.enter_context(self._opened(store.given))
                planning = TagPlanning(source, address, self._now)
                planning.apply(store.rules, may_be_missing=store.may_be_missing)
                self.planned[address], self._unmatched[address] = planning.planned, planning.unmatched
                if stack is own:
                    return planning.plan()
            self._linked[key] = planning
            return planning

        return self._or_failure(address, begin)

    def _end(self, begun: TagPlanning | RepositoryTagPlan) -> RepositoryTagPlan:
        return begun if isinstance(begun, RepositoryTagPlan) else self._or_failure(begun.address, begun.plan)

    def _or_failure(self, address: str, step: Callable[[], T]) -> T | RepositoryTagPlan:
        """Take a step of the planning of a repository; return a plan that says why if it fails."""
        try:
            with self._run.place(address, address):
                return step()
        except errors.DregError as failure:
            self._run.lost.add(failure)
            self.planned.pop(address, None)
            if self._raises:
                raise
            return RepositoryTagPlan(repository=address, failures=(PlannedFailure(reason=str(failure)),))

    @contextmanager
    def _opened(self, given: TagStore) -> Generator[Source]:
        """Open a store. One that was given as an object stays open."""
        given = self._in_registry(given, is_destination=False)
        if not isinstance(given, StoreName):
            if given.address.startswith(STORAGE):
                raise errors.UnsupportedError(f"{given.address} cannot be changed: {STORAGE_IS_READ}")
            _refresh(given.source)
            yield given.source
            return
        if given.kind == "registry-storage":
            raise errors.UnsupportedError(f"{given} cannot be changed: {STORAGE_IS_READ}")
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

    def _address_into(self, name: str) -> str:
        """Return the name of the store that a rule names."""
        return address_of(self._into.get(name, name))

    def _destination(self, name: str) -> tuple[str, DestinationStore]:
        """Return the store that a rule names, and its identity."""
        given = self._into.get(name, name)
        address = address_of(given)
        key = identity_of(address)
        planning = self._linked.get(key)
        return key, DestinationStore(
            planning.address if planning else address,
            planning,
            partial(self._current, given),
            partial(self._missing, given),
        )

    @contextmanager
    def _opened_to_compare(self, given: TagStore) -> Generator[Destination]:
        target = target_of(self._in_registry(given, is_destination=True))
        with open_target(target, {}, dry_run=True) as destination:
            yield destination

    def _missing(self, given: TagStore, source: Source, digests: Collection[Digest]) -> Mapping[Digest, Missing]:
        """Return which referrers of images a destination lacks."""
        try:
            with self._opened_to_compare(given) as destination:
                return missing_referrers(source, destination, digests)
        except errors.DregError as failure:
            self._run.lost.add(failure)
            if self._raises:
                raise
            return dict.fromkeys(digests, failure)

    def _current(self, given: TagStore, tags: Sequence[str]) -> list[Current]:
        """Return what tags of a destination name."""
        try:
            with self._opened_to_compare(given) as destination:
                current = partial(attempt, partial(destination.current_digest, surely=True))
                return [*in_order(current, tags, at_a_time=AT_A_TIME)]
        except errors.DregError as failure:
            self._run.lost.add(failure)
            if self._raises:
                raise
            return [failure] * len(tags)


def _destinations(stores: Iterable[RuledStore]) -> Iterator[str]:
    """Yield the stores that rules copy images to, by the names that the rules give them."""
    for store in stores:
        for rule in store.rules:
            if isinstance(rule, Promote):
                yield rule.into


def _with_notes(
    plans: Sequence[RepositoryTagPlan],
    stores: Sequence[RuledStore],
    unmatched: Sequence[Sequence[tuple[Rule, str]]],
) -> list[RepositoryTagPlan]:
    """Return plans with a note for each rule that matches no tag of any repository, in the first one that has it."""
    used = Counter(id(rule) for store in stores for rule in store.rules)
    absent = Counter(id(rule) for each in unmatched for rule, _ in each)
    found: list[RepositoryTagPlan] = []
    for plan, each in zip(plans, unmatched, strict=True):
        notes = tuple(f"{name} matches no tag" for rule, name in each if used[id(rule)] == absent[id(rule)])
        found.append(plan.model_copy(update={"notes": notes}) if notes else plan)
        for rule, _ in each:
            del used[id(rule)]
    return found


def _refresh(source: Source) -> None:
    """Read the index of a layout again, which other processes may have changed."""
    if source.client is None:
        from dreg_client._sync.layout_source import LayoutSource  # noqa: PLC0415 (not every plan needs a layout)

        if isinstance(source, LayoutSource):
            source.refresh()
