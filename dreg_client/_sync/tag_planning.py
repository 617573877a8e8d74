# Generated from dreg_client/_async/tag_planning.py by tools/generate_sync.py. Do not edit.
"""Plan the changes of one repository: read what each rule needs, apply the rules, and find what may be deleted."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from dreg_client import errors
from dreg_client._sync.ports import Source
from dreg_client._sync.tag_reader import TagReader
from dreg_client.copying.digest_tags import digest_tag
from dreg_client.copying.versions import parsed_once
from dreg_client.tagging.facts import TagFacts
from dreg_client.tagging.findings import RepositoryFindings
from dreg_client.tagging.manifest_facts import FactsOfTags
from dreg_client.tagging.matching import Matching
from dreg_client.tagging.needs import KnownManifests, Needs, decide, referrers_of
from dreg_client.tagging.plan import RepositoryTagPlan
from dreg_client.tagging.planned_tags import Difference, PlannedTags
from dreg_client.tagging.rule import Rule
from dreg_client.values.digest import Digest


class TagPlanning:
    """The planning of one repository.

    Args:
        source: The store.
        address: Its name, for the plan.
        now: The time from which ages count.

    Attributes:
        source: The store.
        address: The name of the store.
        planned: The tags, as the rules so far leave them.
        unmatched: The rules that match no tag, and their names for messages.
    """

    def __init__(self, source: Source, address: str, now: datetime) -> None:
        self._now = now
        self.source, self.address = source, address
        self._reader = TagReader(source)
        self._names: tuple[str, ...] = ()
        self._untagged: tuple[Digest, ...] | None = None
        self.planned = PlannedTags(())
        self.unmatched: list[tuple[Rule, str]] = []

    def apply(self, rules: Sequence[Rule], *, may_be_missing: bool = False) -> None:
        """Apply rules. With `may_be_missing`, a repository that does not exist has no tags.

        Raises:
            ConflictError: What a rule says is ambiguous.
            NotFoundError: There is no such repository; or a rule names a digest that does not exist.
        """
        self._names = self._list(may_be_missing=may_be_missing)
        self.planned = PlannedTags(self._names)
        for number, rule in enumerate(rules, 1):
            with parsed_once():
                self._apply(rule, f"rule {number} ({rule})")

    def plan(self) -> RepositoryTagPlan:
        """Return the changes of the repository, as the rules and the copies into it leave its tags.

        Raises:
            ConflictError: Something needs a manifest that a rule deletes.
            NotFoundError: A rule names a digest that does not exist.
        """
        self.planned.settle()
        difference = self._difference()
        self._check_new(difference)
        difference, protected, needs = self._deletions(difference)
        failures, names = self._failures(), [tag for tag in self._names if tag not in self._reader.gone]
        self._reader = TagReader(self.source)  # what was read takes more memory than the plan
        return RepositoryFindings(
            repository=self.address,
            planned=self.planned,
            difference=difference,
            needs=needs,
            protected=protected,
            failures=failures,
            has_all_digests=all(map(self.planned.read_digest, names)),
        ).plan()

    def _list(self, *, may_be_missing: bool) -> tuple[str, ...]:
        try:
            return self._reader.names()
        except errors.NotFoundError:
            if not may_be_missing:
                raise
            return ()

    def _apply(self, rule: Rule, name: str) -> None:
        if rule.matching is not None and not self._matches(rule.matching):
            self.unmatched.append((rule, name))
        self._learn(self._names if rule.reads_all_tags else rule.chosen(self.planned.names))
        wanted = rule.with_facts(self.planned.names)
        found: Mapping[str, TagFacts] = self._facts(rule, wanted) if wanted else {}
        if rule.untagged:
            found = {**found, **self._facts_of_untagged(rule, name)}
        rule.apply(self.planned, found, self._now)

    def _matches(self, matching: Matching) -> bool:
        """Return whether a rule is about a tag, or about all tags, or there are none."""
        if matching.is_everything or not any(digest_tag(name) is None for name in self._names):
            return True
        return any(map(matching.has, self.planned.names)) or any(map(matching.has, self._names))

    def _learn(self, tags: Iterable[str]) -> None:
        self._reader.read_digests(tag for tag in tags if self.planned.was_there(tag))
        self.planned.learn(self._reader.digests)

    def _facts(self, rule: Rule, tags: Sequence[str]) -> Mapping[str, TagFacts]:
        digests = {tag: digest for tag in tags if (digest := self.planned.digest_of(tag)) is not None}
        self._read_facts(rule, digests.values())
        failed = {each for each in dict.fromkeys(digests.values()) if self._reader.failure_of(each) is not None}
        readable = {tag: digest for tag, digest in digests.items() if digest not in failed} if failed else digests
        return FactsOfTags(self._reader.readings, self.planned.tags_of, readable, rule.facts)

    def _read_facts(self, rule: Rule, digests: Iterable[Digest]) -> None:
        distinct = [*dict.fromkeys(digests)]
        self._add_unknown(distinct)
        self._reader.read_facts(distinct, rule.facts)

    def _add_unknown(self, digests: Iterable[Digest]) -> None:
        """Read the heads of manifests that were named by their digests.

        Raises:
            NotFoundError: One of them does not exist.
        """
        for digest in digests:
            if digest not in self._reader.manifests:
                found = self.source.resolve(digest)
                self._reader.add(digest, found.media_type, found.size)

    def _facts_of_untagged(self, rule: Rule, name: str) -> dict[str, TagFacts]:
        """Return the facts of the manifests without a tag that nothing needs; none if they are not listed."""
        untagged = self._read_untagged()
        if untagged is None:
            what = f"{name}: {self.address} does not list manifests without a tag, so they stay as they are"
            self.planned.fail_untagged(f"{what}; remove untagged from the rule, and delete them by digest")
            return {}
        self._read_everything()
        readings = self._reader.readings
        needed = {child for facts in self._reader.manifests.values() for child in facts.children}
        free = [each for each in untagged if each not in needed and not self._is_referrer(each)]
        self._reader.read_facts(free, rule.facts)
        return {
            str(digest): readings.tag_facts("", digest, (), rule.facts)
            for digest in free
            if self._reader.failure_of(digest) is None
        }

    def _is_referrer(self, digest: Digest) -> bool:
        subject = self._reader.manifests[digest].subject
        return subject is not None and subject in self._reader.manifests

    def _read_untagged(self) -> tuple[Digest, ...] | None:
        """List the manifests without a tag; None if the store does not."""
        if self._untagged is None and (found := self.source.untagged()) is not None:
            self._untagged = tuple(self._reader.add(each.digest, each.media_type, each.size) for each in found)
        return self._untagged

    def _read_unnamed(self) -> str:
        """List the manifests without a tag, which protect what they contain; return why that cannot be done.

        Google's registries also keep what an index without a tag contains (`GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE`).
        """
        if not self._reader.may_list_untagged:
            return ""
        try:
            self._read_untagged()
        except (errors.LayoutCorruptError, errors.UnsafePathError, errors.ProtocolError) as failure:
            return f"no image is deleted, because a manifest cannot be read: {failure}"
        return ""

    def _read_everything(self) -> None:
        """Read the digests of all tags, and all manifests that are known."""
        self._learn(self._names)
        self._reader.read_manifests([*self._reader.digests.values(), *(self._untagged or ())])

    # --- at the end

    def _difference(self) -> Difference:
        """Return how the planned tags differ. What is said about removed tags needs the digests of all others."""
        self._learn(self.planned.unread)
        found = self.planned.difference()
        unread = [tag for tag in self._names if self.planned.read_digest(tag) is None]
        if unread and (found.removed or found.deleted or found.explicit):
            self._learn(unread)
            found = self.planned.difference()
        return found

    def _check_new(self, difference: Difference) -> None:
        """Raise NotFoundError if a tag is to name a manifest that does not exist."""
        self._add_unknown(_written(difference))

    def _deletions(self, difference: Difference) -> tuple[Difference, str, Needs]:
        """Return the difference with what else is named, why nothing may be deleted, or else what may be deleted."""
        deleted = _deleted(difference)
        if not deleted:
            return difference, "", Needs((), {})
        if damage := self._read_unnamed():
            return difference, damage, Needs((), {})
        self._read_everything()
        # What new tags name may be an index without a tag so far, which needs its platforms.
        self._reader.read_manifests([*_written(difference), *difference.explicit])
        self._reader.read_extent(deleted)
        if protected := self._why_protected():
            return difference, protected, Needs((), {})
        with_referrers = [digest for digest, is_whole in difference.explicit.items() if is_whole]
        if self._untag_all(referrers_of(self._known(deleted), with_referrers)):
            difference = self.planned.difference()
            deleted = _deleted(difference)
            self._reader.read_extent(deleted)
        # What does not exist any more needs no deletion.
        there = [digest for digest in deleted if digest in self._reader.manifests]
        return difference, "", decide(self._known(deleted), there)

    def _known(self, deleted: Collection[Digest]) -> KnownManifests:
        manifests = self._reader.manifests
        tags = {tag: digest for tag in self.planned.names if (digest := self.planned.digest_of(tag)) is not None}
        untagged = [each for each in self._untagged or () if manifests[each].children and each not in deleted]
        return KnownManifests(manifests, tags, self._reader.referrers, untagged)

    def _untag_all(self, referrers: Iterable[Digest]) -> bool:
        """Remove the tags of referrers that are deleted with their subject; return whether there are any."""
        tags = [tag for digest in referrers for tag in self.planned.tags_of(digest)]
        for tag in tags:
            if self.planned.is_kept(tag) or self.planned.is_protected(tag):
                what = f"cannot delete {tag}, a referrer of a manifest to delete: a rule keeps the tag"
                raise errors.ConflictError(f"{what}; change one of the two")
            self.planned.remove(tag, deletes=True)
            self.planned.trace.note(tag, "removed: it is a referrer of a manifest to delete")
        return bool(tags)

    def _why_protected(self) -> str:
        """Return why nothing may be deleted; empty if manifests may be deleted."""
        unread = next(iter(self._reader.unreadable), None)
        if unread is None and (broken := self._reader.protecting()) is not None:
            named = (tag for tag, digest in self._reader.digests.items() if digest == broken)
            unread = next(named, broken.short)
        return f"no image is deleted, because {unread} cannot be read" if unread is not None else ""

    def _failures(self) -> dict[str, str]:
        reader = self._reader
        found = {tag: str(failure) for tag, failure in reader.unreadable.items()}
        for tag, digest in reader.digests.items():
            if (failure := reader.failure_of(digest) or reader.without_referrers.get(digest)) is not None:
                found[tag] = str(failure)
        return found


def _deleted(difference: Difference) -> tuple[Digest, ...]:
    """Return the manifests to delete, in the order of their tags."""
    found = dict.fromkeys([*difference.deleted, *difference.explicit])
    first = dict.fromkeys(digest for digest in difference.removed.values() if digest in found)
    return tuple(first | found)


def _written(difference: Difference) -> dict[Digest, None]:
    """Return the manifests that tags are to name."""
    return dict.fromkeys([*difference.new.values(), *(after for _, after in difference.moved.values())])
