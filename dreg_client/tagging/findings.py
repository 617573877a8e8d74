"""The changes of a plan: how the planned tags of a repository differ from those that were read."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dreg_client import errors
from dreg_client.copying.plan_model import PlannedFailure
from dreg_client.errors.stores import listed
from dreg_client.tagging.conclusions import note_conclusions
from dreg_client.tagging.needs import Deletion, Needs
from dreg_client.tagging.plan import (
    AddTag,
    DeleteManifest,
    KeptTag,
    MoveTag,
    RepositoryTagPlan,
    TagChange,
    TagPlan,
    Untag,
)
from dreg_client.tagging.planned_tags import Difference, PlannedTags
from dreg_client.values.digest import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryFindings:
    """What is known of a repository at the end of a plan.

    Attributes:
        repository: The repository or layout.
        planned: The planned tags.
        difference: How they differ from those that were read.
        needs: What may be deleted.
        protected: Why no manifest may be deleted; empty if manifests may be deleted.
        failures: What could not be read, and why, by tag.
        has_all_digests: Whether the digests of all tags are known.
    """

    repository: str
    planned: PlannedTags
    difference: Difference
    needs: Needs
    protected: str
    failures: Mapping[str, str]
    has_all_digests: bool = True

    def plan(self) -> RepositoryTagPlan:
        """Return the plan of the repository, without copies into it.

        Raises:
            ConflictError: A manifest that was named is needed by something that stays.
        """
        self._check_explicit()
        kept = self._protected_tags()
        reports = [KeptTag(tag=each.tag, digest=each.digest, reason=each.reason) for each in self.planned.reports]
        reported = {each.tag for each in reports}
        failures = {**self.planned.failures, **self.failures}
        found = RepositoryTagPlan(
            repository=self.repository,
            changes=(*self._new(), *self._moved(), *self._untagged(kept), *self._deletions()),
            kept=(*reports, *(each for tag, each in kept.items() if tag not in reported)),
            failures=tuple(PlannedFailure(tag=tag or None, reason=reason) for tag, reason in failures.items()),
        )
        note_conclusions(self.planned.trace, found)
        return found

    def _check_explicit(self) -> None:
        referrers = {each.digest: each.referrers for each in self.needs.deletions}
        for digest, with_referrers in self.difference.explicit.items():
            if needed_by := self.needs.needed.get(digest):
                raise errors.ConflictError(f"cannot delete {digest}: {needed_by} needs it; {_advice(needed_by)}")
            if not with_referrers and (found := referrers.get(digest)):
                named = listed([each.short for each in found], most=5)
                what = f"cannot delete {digest}: it has referrers, such as signatures: {named}"
                raise errors.ConflictError(f"{what}; to delete them, too, use referrers=True")

    def _protected_tags(self) -> dict[str, KeptTag]:
        """Return what is kept because no manifest may be deleted."""
        if not self.protected:
            return {}
        digests = {*self.difference.deleted, *self.difference.explicit}
        tags = {tag: digest for tag, digest in self.difference.removed.items() if digest in digests}
        named: dict[str, Digest] = {**tags, **{str(digest): digest for digest in sorted(digests - {*tags.values()})}}
        return {tag: KeptTag(tag=tag, digest=digest, reason=self.protected) for tag, digest in named.items()}

    def _new(self) -> Iterator[TagChange]:
        for tag, digest in self.difference.new.items():
            yield AddTag(tag=tag, digest=digest)

    def _moved(self) -> Iterator[TagChange]:
        for tag, (before, after) in self.difference.moved.items():
            yield MoveTag(tag=tag, digest=after, replaces=before, other_tags=self._others(before))

    def _untagged(self, kept: Mapping[str, KeptTag]) -> Iterator[TagChange]:
        gone = {each.digest for each in self.needs.deletions}
        for tag, digest in self.difference.removed.items():
            if digest in gone or tag in kept:
                continue
            others = self.planned.tags_of(digest) or self._others(digest)
            needed_by = "" if others else self.needs.needed.get(digest, "")
            yield Untag(tag=tag, digest=digest, other_tags=others, needed_by=needed_by)

    def _others(self, digest: Digest) -> tuple[str, ...] | None:
        return self.planned.tags_of(digest) if self.has_all_digests else None

    def _deletions(self) -> Iterator[TagChange]:
        tags: dict[Digest, list[str]] = {}
        for tag, digest in self.difference.removed.items():
            tags.setdefault(digest, []).append(tag)
        for each in self.needs.deletions:
            yield _delete(each, tags.get(each.digest, ()))


def _delete(deletion: Deletion, tags: Iterable[str]) -> DeleteManifest:
    return DeleteManifest(
        digest=deletion.digest,
        tags=tuple(tags),
        platforms=deletion.platforms,
        referrers=deletion.referrers,
        digest_tags=deletion.digest_tags,
        size=deletion.size,
        shared_size=deletion.shared_size,
    )


def _advice(needed_by: str) -> str:
    if needed_by.startswith("the tag "):
        return "remove the tag in the same plan, with untag()"
    return "delete that first, or in the same plan"


def joined(plans: Iterable[RepositoryTagPlan]) -> TagPlan:
    """Return a plan with each repository once; copies come first.

    Raises:
        ConflictError: A tag would be changed twice.
    """
    found: dict[str, RepositoryTagPlan] = {}
    for plan in plans:
        known = found.get(plan.repository)
        found[plan.repository] = plan if known is None else _both(known, plan)
    return TagPlan(repositories=tuple(found.values()))


def _both(one: RepositoryTagPlan, other: RepositoryTagPlan) -> RepositoryTagPlan:
    changes = (*one.changes, *other.changes)
    counted = Counter(subject for change in changes for subject in _subjects(change))
    if twice := sorted(subject for subject, count in counted.items() if count > 1):
        what = f"{one.repository}: {twice[0]} would be changed twice"
        raise errors.ConflictError(f"{what}, by rules of different repositories; change one of them")
    return RepositoryTagPlan(
        repository=one.repository,
        changes=tuple(sorted(changes, key=lambda change: change.action != "copy")),
        kept=(*one.kept, *other.kept),
        failures=(*one.failures, *other.failures),
        notes=(*one.notes, *other.notes),
    )


def _subjects(change: TagChange) -> tuple[str, ...]:
    return (change.digest, *change.tags) if isinstance(change, DeleteManifest) else (change.subject,)
