"""The images that a plan copies between repositories, and what that means for these."""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dreg_client import errors
from dreg_client._async.missing_referrers import Missing
from dreg_client._async.ports import AsyncSource
from dreg_client._async.tag_planning import AsyncTagPlanning
from dreg_client.copying.plan_model import PlannedFailure
from dreg_client.tagging.plan import CopyTag, DeleteManifest, MoveTag, RepositoryTagPlan, Untag
from dreg_client.tagging.planned_tags import Promotion
from dreg_client.values.digest import Digest

Current = Digest | errors.DregError | None
"""The digest of a tag; None if there is no such tag; or why it cannot be read."""

_Asked = tuple[AsyncTagPlanning, Promotion]
"""A promotion, and the repository whose rules ask for it."""


@dataclass(frozen=True, slots=True)
class AsyncDestinationStore:
    """A store that images are copied to.

    Attributes:
        address: Its name.
        planning: The planning of its own rules; None if it has none.
        current: Returns what some of its tags name.
        missing: Returns which referrers of images it lacks that another store has.
    """

    address: str
    planning: AsyncTagPlanning | None
    current: Callable[[Sequence[str]], Awaitable[Sequence[Current]]]
    missing: Callable[[AsyncSource, Collection[Digest]], Awaitable[Mapping[Digest, Missing]]]


@dataclass(frozen=True, slots=True)
class _Copy:
    """An image to copy.

    Attributes:
        source: The repository that it comes from.
        into: The store that it is copied to.
        promotion: The image and its tags.
        asked: All promotions of the image to this tag, with their repositories.
        now: What its tag names there.
        missing: What refers to it and is not there, if referrers are copied and the tag names it.
    """

    source: AsyncTagPlanning
    into: AsyncDestinationStore
    promotion: Promotion
    asked: tuple[_Asked, ...]
    now: Current
    missing: Missing = ()

    @property
    def failure(self) -> errors.DregError | None:
        """Why it is not known what is there; None if it is known."""
        return next((each for each in (self.now, self.missing) if isinstance(each, errors.DregError)), None)

    @property
    def is_there(self) -> bool:
        """True if the tag in the destination already names the image."""
        return self.now == self.promotion.digest

    def keep_in_source(self, reason: str) -> None:
        """Leave the tag and its image in the source as they are."""
        for source, each in self.asked:
            source.planned.protect(each.source_tag, reason)

    def is_removed(self, removed: Collection[tuple[str, str]]) -> bool:
        """Return whether one of its sources loses the tag or the image."""
        return any(
            (source.address, name) in removed for source, each in self.asked for name in (each.source_tag, each.digest)
        )

    def change(self) -> CopyTag:
        """Return the change that copies the image."""
        return CopyTag(
            source=self.source.address,
            tag=self.promotion.tag,
            digest=self.promotion.digest,
            source_tag=self.promotion.source_tag,
            replaces=self.now if isinstance(self.now, Digest) else None,
            referrers=self.promotion.referrers,
            missing=() if isinstance(self.missing, errors.DregError) else self.missing,
        )


class AsyncTagPromotions:
    """The images that the rules of some repositories copy to others.

    Args:
        sources: The repositories, with their rules applied.
        store: Returns the store that a rule names.
    """

    def __init__(
        self, sources: Sequence[AsyncTagPlanning], store: Callable[[str], tuple[str, AsyncDestinationStore]]
    ) -> None:
        self._sources, self._store = sources, store
        self._stores: dict[str, AsyncDestinationStore] = {}
        self._copies: list[_Copy] = []

    async def read(self) -> None:
        """Read what the destinations have, by one HEAD for each tag. Then each repository knows what it gets.

        What cannot be copied stays in its source; so does what the plan of its destination removes from there.

        Raises:
            ConflictError: A tag would be changed twice.
        """
        for key, wanted in self._wanted().items():
            into = self._stores[key]
            found = await into.current([*wanted])
            copies = [_chosen(into, asked, now) for asked, now in zip(wanted.values(), found, strict=True)]
            self._copies += await _with_missing(into, copies)
        self._keep_uncopied()
        self._keep_removed()
        for copy in self._copies:
            if not copy.is_there and not isinstance(copy.now, errors.DregError):
                _receive(copy, copy.now)

    def plans(self, sources: Mapping[str, RepositoryTagPlan]) -> list[RepositoryTagPlan]:
        """Return the plans of the destinations; `sources` are the plans of the repositories, by their names.

        An image that is there already is named if the plan of its source removes it: then it is checked again.
        """
        removed = {(address, name) for address, plan in sources.items() for name in _removed(plan)}
        found = [self._plan(into, removed) for into in self._stores.values()]
        return [plan for plan in found if plan.changes or plan.failures]

    def _plan(self, into: AsyncDestinationStore, removed: Collection[tuple[str, str]]) -> RepositoryTagPlan:
        changes: list[CopyTag] = []
        failures: list[PlannedFailure] = []
        for copy in self._copies:
            if copy.into is not into:
                continue
            if (failure := copy.failure) is not None:
                failures.append(PlannedFailure(tag=copy.promotion.tag, reason=str(failure)))
            elif not copy.is_there or copy.missing or copy.is_removed(removed):
                changes.append(copy.change())
        return RepositoryTagPlan(repository=into.address, changes=tuple(changes), failures=tuple(failures))

    def _wanted(self) -> dict[str, dict[str, list[_Asked]]]:
        """Return the promotions, by the store that they copy to and the tag there."""
        found: dict[str, dict[str, list[_Asked]]] = {}
        for source in self._sources:
            for each in source.planned.difference().promotions:
                key, into = self._store(each.into)
                into = self._stores.setdefault(key, into)
                if into.planning is source and each.tag == each.source_tag:
                    continue  # it is there as long as it is here
                found.setdefault(key, {}).setdefault(each.tag, []).append((source, each))
        return {
            key: {tag: asked for tag, asked in tags.items() if _agree(self._stores[key], asked)}
            for key, tags in found.items()
        }

    def _keep_uncopied(self) -> None:
        for copy in self._copies:
            if copy.failure is not None:
                copy.keep_in_source(
                    f"{copy.into.address}:{copy.promotion.tag} cannot be read, so it is not copied there"
                )
        self._settle()

    def _keep_removed(self) -> None:
        for copy in self._copies:
            planning, tag = copy.into.planning, copy.promotion.tag
            if copy.is_there and planning is not None and planning.planned.loses(tag, copy.promotion.digest):
                copy.keep_in_source(f"the plan changes {copy.into.address}:{tag}, which is its copy")
        self._settle()

    def _settle(self) -> None:
        for source in self._sources:
            source.planned.settle()


def _agree(into: AsyncDestinationStore, asked: Sequence[_Asked]) -> bool:
    """Return whether promotions to one tag are of the same image. If not, their tags fail, and stay in the source.

    Raises:
        ConflictError: Different repositories have different images for the tag.
    """
    different = [(one, other) for one in asked for other in asked if one[1].digest != other[1].digest]
    for (source, each), (other, known) in different:
        would = f"are different images that would both become {into.address}:{each.tag}; choose one"
        if other is not source:
            what = f"{source.address}:{each.source_tag} and {other.address}:{known.source_tag}"
            raise errors.ConflictError(f"{what} {would}")
        source.planned.fail(each.source_tag, f"{each.source_tag} and {known.source_tag} {would}")
    return not different


def _chosen(into: AsyncDestinationStore, asked: Sequence[_Asked], now: Current) -> _Copy:
    """Return the copy for promotions of one image to one tag: from the first repository; the others keep the image."""
    source, promotion = asked[0]
    own = [each for other, each in asked if other is source]
    for other, each in asked:
        if other is not source:
            other.planned.protect(each.source_tag, "another repository of the plan promotes it to the same tag")
    promotion = replace(promotion, referrers=any(each.referrers for each in own))
    return _Copy(source, into, promotion, tuple(asked), now)


async def _with_missing(into: AsyncDestinationStore, copies: Sequence[_Copy]) -> Sequence[_Copy]:
    """Return copies with the referrers that the images that are there lack, if referrers are copied."""
    there = [each for each in copies if each.promotion.referrers and each.is_there]
    found: dict[tuple[str, Digest], Missing] = {}
    for source in dict.fromkeys(each.source for each in there):
        digests = dict.fromkeys(each.promotion.digest for each in there if each.source is source)
        missing = await into.missing(source.source, digests)
        found |= {(source.address, digest): each for digest, each in missing.items()}
    chosen = frozenset(map(id, there))
    return [
        replace(each, missing=found[each.source.address, each.promotion.digest]) if id(each) in chosen else each
        for each in copies
    ]


def _receive(copy: _Copy, now: Digest | None) -> None:
    planning, tag = copy.into.planning, copy.promotion.tag
    if planning is None:
        return
    if planning.planned.is_changed(tag):
        what = f"{copy.into.address}: {tag} would be changed twice"
        raise errors.ConflictError(f"{what}, by rules of different repositories; change one of them")
    planning.planned.receive(tag, copy.promotion.digest, now)


def _removed(plan: RepositoryTagPlan) -> Iterator[str]:
    """Yield the tags that a plan removes from their images, and the manifests that it deletes."""
    for change in plan.changes:
        if isinstance(change, Untag | MoveTag):
            yield change.tag
        elif isinstance(change, DeleteManifest):
            yield from (change.digest, *change.platforms, *change.referrers)
