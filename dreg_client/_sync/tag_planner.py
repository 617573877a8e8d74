# Generated from dreg_client/_async/tag_planner.py by tools/generate_sync.py. Do not edit.
"""Plan changes of tags: collect changes and rules, make a plan, explain it, and apply it."""

import os
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self, Unpack

from dreg_client import errors
from dreg_client._sync.store import Store
from dreg_client._sync.sync_run import SyncRun, in_run
from dreg_client._sync.sync_stores import address_of
from dreg_client._sync.tag_plans import RuledStore, TagPlans, TagStore
from dreg_client.copying.options import CopyOptions
from dreg_client.copying.plan_model import PlannedFailure
from dreg_client.files.same_store import identity_of
from dreg_client.protocol.content import BlobRef, digest_of_manifest
from dreg_client.tagging.decide import Decide
from dreg_client.tagging.explicit import DeleteDigest, RemoveTag, SetTag
from dreg_client.tagging.facts import Decision, Fact, TagFacts
from dreg_client.tagging.matching import TagMatch
from dreg_client.tagging.newest import Order
from dreg_client.tagging.plan import RepositoryTagPlan, TagPlan
from dreg_client.tagging.planned_tags import PlannedTags
from dreg_client.tagging.prune_options import PruneOptions
from dreg_client.tagging.retag import Promote, Retag
from dreg_client.tagging.rule import Rule
from dreg_client.tagging.rules import Keep, Prune
from dreg_client.values.arguments import check_flag

if TYPE_CHECKING:  # few plans are applied by the program that makes them
    from dreg_client.tagging.result import ChangesResult


class TagPlanner:
    """Changes of tags, and rules for them, that are collected until `make` makes a plan of them.

    Get one from `plan()` of a repository or layout, or from `plan` for several. The methods that collect changes
    return the planner, so calls can be chained. Nothing is requested before `make`, and nothing is changed before
    `apply`.

    Rules apply in the order in which they were added. Each one sees the tags as those before it leave them. The plan is
    the difference between the tags as they were read and as all rules leave them, so each tag is changed at most once.
    Digest tags, such as `sha256-HEX.sig`, match no rule; they are deleted with the manifest that they are about.

    In all rules, `match` chooses tags: a glob such as `v*`, a list of globs, a compiled regular expression that must
    match the whole tag, a `TagFilter`, or a function of the tag; `semver` a range of versions in npm syntax, such as
    `^1.4`. Ages are a `timedelta`, or text: `36h`, `14d`, `2w`.

    Args:
        stores: Repositories and layouts, by name or as open stores.
        options: The options of registries, for stores that are given by name.

    Example:
        planner = repository.plan()
        planner.retag("*", "{major}.{minor}").prune("nightly-*", keep_last=10, older_than="14d")
        plan = planner.make()
        print(*plan.changes)
        planner.apply(plan, journal="changes.jsonl")
    """

    def __init__(self, stores: Iterable[TagStore], options: CopyOptions) -> None:
        self._stores, self._options = tuple(stores), options
        self._rules: list[Rule] = []
        self._into: dict[str, TagStore] = {}
        self._planned: dict[str, PlannedTags] | None = None
        self._unplanned: dict[str, str] = {}  # why repositories could not be planned
        self._unmatched: dict[str, errors.NotFoundError] = {}  # globs that choose no repository

    # --- changes

    def tag(self, tag: str, *, to: str) -> Self:
        """Add a tag to the manifest at `to`, a tag of the repository or a digest.

        If the tag exists and names another manifest, `make` raises ConflictError; see `move`.
        """
        return self._add(SetTag(tag=tag, to=to))

    def move(self, tag: str, *, to: str) -> Self:
        """Move a tag to the manifest at `to`, a tag of the repository or a digest; add it if it does not exist."""
        return self._add(SetTag(tag=tag, to=to, moves=True))

    def untag(self, tag: str) -> Self:
        """Delete a tag. Its manifest stays. A tag that does not exist needs no change."""
        return self._add(RemoveTag(tag=tag))

    def delete_manifest(self, digest: BlobRef, *, referrers: bool = False) -> Self:
        """Delete a manifest or index, with the platforms that nothing else needs.

        If something needs it, `make` raises ConflictError: a tag that stays, an index that a tag leads to, or a
        referrer, such as a signature. To also delete its referrers, use `referrers=True`; to delete its tags, `untag`
        them in the same plan.

        Raises:
            InvalidDigestError: The text is not a valid digest.
        """
        check_flag("referrers", referrers)
        return self._add(DeleteDigest(digest=digest_of_manifest(digest), referrers=referrers))

    # --- rules

    def retag(self, match: TagMatch, template: str, *, semver: str | None = None) -> Self:
        """Give the images of tags new tags, which are made from a template, such as `1.4` from `1.4.2`; move those.

        If several tags give the same new tag, the highest version is used, otherwise the newest image. If that is not
        known, `make` raises ConflictError.

        Args:
            match: Which tags.
            template: The new tag. It can contain `{tag}`, the parts `{major}`, `{minor}`, `{patch}`, `{prerelease}` and
                `{version}` of a version X.Y.Z, and groups of the regular expression: `{name}`, `{1}`.
            semver: A range of versions.

        Raises:
            ValueError: The template, a regular expression or the range is not valid.
        """
        return self._add(Retag.of(match, template, semver=semver))

    def keep(
        self,
        match: TagMatch = None,
        *,
        semver: str | None = None,
        last: int | None = None,
        newer_than: timedelta | str | None = None,
        by: Order = "created",
        untagged: bool = False,
    ) -> Self:
        """Protect tags from being removed by later rules.

        Args:
            match: Which tags (default: all).
            semver: A range of versions.
            last: Protect only the tags of this many of the newest images.
            newer_than: Protect only images that are younger.
            by: What makes an image the newest: `created`, or `version`.
            untagged: Whether to also protect manifests without a tag; they count among the newest.

        Raises:
            ValueError: A value is not valid.
        """
        return self._add(Keep.of(match, semver=semver, last=last, newer_than=newer_than, by=by, untagged=untagged))

    def prune(self, match: TagMatch = None, **options: Unpack[PruneOptions]) -> Self:
        """Remove tags, and delete images with their last tag.

        A tag is removed only if it meets all conditions. The date of an image is that of its config, or else of its
        annotation `org.opencontainers.image.created`; an index is as old as its newest platform. If a date is needed,
        and it is missing or before 1980-01-02, as in reproducible builds, the tag is kept and reported
        (`RepositoryTagPlan.kept`).

        An image is deleted only if no tag is left and nothing else needs it; otherwise, the tag is only removed. If any
        tag or index of the repository cannot be read, no manifest of it is deleted.

        Args:
            match: Which tags (default: all).
            **options: The conditions, see `PruneOptions`: `semver`, `keep_last`, `older_than`, `keep`, `by`,
                `untagged`, `delete`, `images`.

        Raises:
            ValueError: A value is not valid, or there is neither `match` nor a condition.
        """
        return self._add(Prune.of(match, **options))

    def promote(
        self,
        match: TagMatch,
        *,
        into: TagStore,
        template: str = "{tag}",
        semver: str | None = None,
        referrers: bool = False,
    ) -> Self:
        """Copy images to another repository or layout, under tags that are made from a template.

        A tag of another image there is moved. If several tags give the same one, see `retag`.

        Args:
            match: Which tags.
            into: The destination, by name or as an open store.
            template: The tag there, see `retag`.
            semver: A range of versions.
            referrers: Whether to also copy signatures, SBOMs and other referrers.

        Raises:
            ValueError: The template, a regular expression or the range is not valid.
        """
        check_flag("referrers", referrers)
        name = address_of(into)
        self._into[name] = into
        return self._add(Promote.of(match, into=name, template=template, semver=semver, referrers=referrers))

    def decide(
        self,
        function: Callable[[TagFacts], Decision | None],
        *,
        match: TagMatch = "*",
        semver: str | None = None,
        facts: Collection[Fact] = (),
    ) -> Self:
        """Let a function decide about each tag.

        Args:
            function: Called with the facts of each tag; returns what to do with it, or None to leave it as it is.
            match: Which tags.
            semver: A range of versions.
            facts: The facts that the function uses and that take requests: `created`, `size`, `platforms`, `referrers`.

        Raises:
            ValueError: The name of a fact is not valid.

        Example:
            def large(tag: TagFacts) -> Decision | None:
                return Decision.untag() if (tag.size or 0) > 2**30 else None

            planner.decide(large, match="pr-*", facts=["size"])
        """
        return self._add(Decide.of(function, match, semver=semver, facts=facts))

    # --- the plan

    def make(self, *, now: datetime | None = None) -> TagPlan:
        """Read what the rules need, and return the plan. Nothing is changed.

        Each tag takes one HEAD request, and each distinct manifest at most one GET, as far as rules need them. A tag
        that cannot be read is a failure in the plan. So is a repository, if there are several.

        Args:
            now: The time from which ages count (default: the current time); with a time zone.

        Raises:
            ConflictError: A change contradicts what the repository has; or several images would get the same tag; or
                something needs a manifest that `delete_manifest` names.
            NotFoundError: There is no such repository, or a tag is to name a digest that does not exist.
        """
        moment = now or datetime.now(UTC)
        if moment.tzinfo is None:
            raise ValueError("now= must have a time zone, such as datetime.now(UTC)")

        def carry_out(run: SyncRun) -> TagPlan:
            plans = TagPlans(run, self._into, moment)
            stores = self._ruled(run)
            self._check_chosen(stores)
            found = plans.make(stores)
            self._planned, self._unplanned = plans.planned, _unplanned(found)
            return TagPlan.of([found, TagPlan(repositories=self._not_chosen())])

        return in_run(self._options, carry_out)

    def explain(self, tag: str) -> tuple[str, ...]:
        """Return sentences that say which rules did what with a tag, after `make`.

        If there are several repositories, each sentence begins with the name of one that has the tag, or that could not
        be read.

        Raises:
            NotFoundError: No repository has such a tag, and no rule is about it.
            ValueError: `make` was not called yet, or raised an error.
        """
        if self._planned is None:
            raise ValueError("there is nothing to explain before make() has returned a plan")
        found = {name: planned.explain(tag) for name, planned in self._planned.items() if planned.knows(tag)}
        for name, reason in self._unplanned.items():
            found[name] = (f"nothing was planned: {reason}",)
        if not found:
            raise errors.NotFoundError(f"tag {tag}", ", ".join(self._planned), "list the tags with: dreg tags")
        if len(self._planned) + len(self._unplanned) == 1:
            return next(iter(found.values()))
        return tuple(f"{name}: {line}" for name, lines in found.items() for line in lines)

    def apply(self, tag_plan: TagPlan, *, journal: str | os.PathLike[str] | None = None) -> "ChangesResult":
        """Apply a plan, as `apply_plan` does, with the stores and options of this planner.

        Args:
            tag_plan: The plan.
            journal: A file that records each change before it is made, and what undoes it.
        """
        from dreg_client._sync.apply_plan import apply_plan  # noqa: PLC0415 (few programs make and apply plans)

        given = [*self._stores, *self._into.values()]
        stores = [each for each in given if isinstance(each, Store)]
        return apply_plan(tag_plan, stores=stores, journal=journal, **self._options)

    def _check_chosen(self, stores: Collection[RuledStore]) -> None:
        """Raise NotFoundError if globs choose repositories, and there is none."""
        if not stores and self._unmatched:
            raise next(iter(self._unmatched.values()))

    def _not_chosen(self) -> tuple[RepositoryTagPlan, ...]:
        """Return a failure for each glob that chooses no repository."""
        return tuple(
            RepositoryTagPlan(repository=glob, failures=(PlannedFailure(reason=str(failure)),))
            for glob, failure in self._unmatched.items()
        )

    def _add(self, rule: Rule) -> Self:
        self._rules.append(rule)
        return self

    def _ruled(self, _run: SyncRun) -> list[RuledStore]:
        distinct: dict[str, TagStore] = {}
        for store in self._stores:
            distinct.setdefault(identity_of(address_of(store)), store)
        return [RuledStore(store, tuple(self._rules)) for store in distinct.values()]


def plan(stores: Iterable[TagStore], **options: Unpack[CopyOptions]) -> TagPlanner:
    """Return a planner of changes of tags in several repositories or layouts.

    Args:
        stores: The repositories and layouts, by name without a tag, or as open stores.
        **options: The options of `copy` for registries. `deadline` is the time for the whole plan.

    Raises:
        TypeError: `stores` is a single str.
        InvalidReferenceError: A name is not valid.

    Example:
        planner = plan(["localhost:5000/acme/web", "localhost:5000/acme/api"])
        plan = planner.prune("pr-*", older_than="14d").make()
    """
    if isinstance(stores, str):
        message = f"stores must be a list of repositories, such as [{stores!r}], not a str"
        raise TypeError(message)
    given = list(stores)
    for each in given:
        address_of(each)
    return TagPlanner(given, options)


def _unplanned(found: TagPlan) -> dict[str, str]:
    """Return why repositories could not be planned."""
    failures = [(each.repository, failure) for each in found.repositories for failure in each.failures]
    return {repository: failure.reason for repository, failure in failures if failure.tag is None}
