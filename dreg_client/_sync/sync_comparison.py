# Generated from dreg_client/_async/sync_comparison.py by tools/generate_sync.py. Do not edit.
"""Compare two stores tag by tag: what is missing in the destination, and what the source no longer has."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from dreg_client import errors
from dreg_client._logging import log
from dreg_client._sync.attempt import attempt
from dreg_client._sync.copy_roots import Root, root_of
from dreg_client._sync.in_order import AT_A_TIME, in_order
from dreg_client._sync.orphaned_tags import orphaned_tags
from dreg_client._sync.ports import Destination, Source
from dreg_client._sync.sync_ends import SyncPair
from dreg_client.copying.digest_tags import digest_tag, is_referrers_tag
from dreg_client.copying.prune import reason_not_to_prune, removable
from dreg_client.copying.schema1 import check_is_modern
from dreg_client.copying.sync_options import SyncChoice
from dreg_client.models.descriptor import Descriptor
from dreg_client.values.digest import Digest
from dreg_client.values.reference import Tag


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison found.

    Attributes:
        sources: The digests of the source, by tag.
        roots: What to copy for each tag that is chosen, whether the destination has it or not.
        current: The digests of the destination, by tag, as far as they were requested.
        removals: The tags to remove, with their digests in the destination.
        failures: The tags that could not be compared, and why.
        not_pruned: Why no tag may be removed; empty if tags may be removed, or if this was not requested.
        differing: The tags to copy.
        same: The tags that the destination already has.
    """

    sources: Mapping[str, Digest]
    roots: Mapping[str, Root]
    current: Mapping[str, Digest]
    removals: Mapping[str, Digest]
    failures: Mapping[str, errors.DregError]
    not_pruned: str = ""
    differing: tuple[str, ...] = field(init=False)
    same: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        same = {tag for tag, root in self.roots.items() if self.current.get(tag) == root.descriptor.digest}
        object.__setattr__(self, "differing", tuple(tag for tag in self.roots if tag not in same))
        object.__setattr__(self, "same", tuple(tag for tag in self.roots if tag in same))


@dataclass(slots=True)
class _Findings:
    """A comparison that is not complete yet. The attributes are those of `Comparison`."""

    sources: dict[str, Digest] = field(default_factory=dict[str, Digest])
    roots: dict[str, Root] = field(default_factory=dict[str, Root])
    current: dict[str, Digest] = field(default_factory=dict[str, Digest])
    removals: dict[str, Digest] = field(default_factory=dict[str, Digest])
    failures: dict[str, errors.DregError] = field(default_factory=dict[str, errors.DregError])
    not_pruned: str = ""

    def whole(self) -> Comparison:
        """Return the comparison, when everything was found."""
        return Comparison(self.sources, self.roots, self.current, self.removals, self.failures, self.not_pruned)


def compare(pair: SyncPair, choice: SyncChoice) -> Comparison:
    """Compare the tags that are chosen, by HEAD requests.

    Raises:
        DregError: A list of tags, or everything, cannot be read. One tag that cannot is a failure of the result.
    """
    there = _tags_there(pair.destination)
    chosen = [tag for tag in pair.listed if _is_chosen(tag, choice)]
    found = _Findings()
    _find_roots(pair, chosen, choice, found)
    known = frozenset(there)
    _find_current(pair.destination, [tag for tag in found.roots if tag in known], found)
    _leave_referrers_tags(pair.destination, choice, found)
    if choice.prune:
        found.not_pruned = reason_not_to_prune(chosen, allow_empty=choice.allow_empty)
        if not found.not_pruned:
            _find_removals(pair, frozenset(pair.listed), there, choice, found)
    return found.whole()


def _is_chosen(tag: str, choice: SyncChoice) -> bool:
    """Return whether to compare a tag. With platforms, digest tags are copied with what they are about."""
    return choice.tags.has(tag) and not (choice.platforms and digest_tag(tag))


def _tags_there(destination: Destination) -> tuple[str, ...]:
    try:
        return destination.tags()
    except errors.NotFoundError:  # a repository that does not exist yet
        return ()


def _find_roots(pair: SyncPair, chosen: Sequence[str], choice: SyncChoice, found: _Findings) -> None:
    in_registry = pair.destination.client is not None

    def resolved(tag: str) -> Descriptor | errors.DregError:
        if in_registry:
            Tag(tag)
        descriptor = pair.source.resolve(tag)
        check_is_modern(descriptor)
        return descriptor

    results = in_order(partial(attempt, resolved), chosen, at_a_time=AT_A_TIME)
    selected: dict[Digest, Root | errors.DregError] = {}
    for tag, result in zip(chosen, results, strict=True):
        if isinstance(result, errors.DregError):
            found.failures[tag] = result
            continue
        if (root := selected.get(result.digest)) is None:
            root = selected[result.digest] = _root(pair.source, result, choice)
        if isinstance(root, errors.DregError):
            found.failures[tag] = root
        else:
            found.sources[tag], found.roots[tag] = result.digest, root


def _root(source: Source, descriptor: Descriptor, choice: SyncChoice) -> Root | errors.DregError:
    return attempt(partial(_platforms_of, source, choice), descriptor)


def _platforms_of(source: Source, choice: SyncChoice, descriptor: Descriptor) -> Root:
    return root_of(source, descriptor, "", choice.platforms)


def _find_current(destination: Destination, tags: Sequence[str], found: _Findings) -> None:
    results = in_order(partial(attempt, destination.current_digest), tags, at_a_time=AT_A_TIME)
    for tag, result in zip(tags, results, strict=True):
        if isinstance(result, errors.DregError):
            found.failures[tag] = result
            del found.roots[tag], found.sources[tag]
        elif result is not None:
            found.current[tag] = result


def _leave_referrers_tags(destination: Destination, choice: SyncChoice, found: _Findings) -> None:
    """Do not replace lists of referrers in the destination: they may have others than those in the source."""
    for tag in [*filter(is_referrers_tag, found.roots)]:
        if found.current.get(tag) in {None, found.roots[tag].descriptor.digest}:
            continue
        del found.roots[tag], found.sources[tag]
        if not choice.referrers:
            what = "lists other referrers, so it was not replaced; to add those of the source, use referrers=True"
            log.warning("%s: the tag %s %s (--referrers)", destination.address, tag, what)


# --- what to remove


def _find_removals(
    pair: SyncPair, listed: Collection[str], there: Sequence[str], choice: SyncChoice, found: _Findings
) -> None:
    """Find the tags to remove. If the source has one that it does not list, its list is incomplete: remove nothing."""
    gone = removable(there, listed, choice.tags)
    found.not_pruned = _reason_to_doubt(pair.source, gone)
    if found.not_pruned:
        return
    _add_removals(pair.destination, gone, found)
    _add_digest_tags(pair, there, choice, found)


def _reason_to_doubt(source: Source, gone: Sequence[str]) -> str:
    """Return why the list of a source, which lacks some tags, cannot be trusted; empty if it can."""
    results = in_order(partial(attempt, source.resolve), gone, at_a_time=AT_A_TIME)
    for tag, result in zip(gone, results, strict=True):
        if isinstance(result, errors.NotFoundError):
            continue
        if isinstance(result, errors.DregError):
            return f"the source may still have the tag {tag}: {result}"
        return f"the list of the source is incomplete: it has the tag {tag}, but does not list it"
    return ""


def _add_digest_tags(pair: SyncPair, there: Sequence[str], choice: SyncChoice, found: _Findings) -> None:
    """Add the digest tags, if no other tag leads to the manifests that they are about."""
    digests = {tag: root.descriptor.digest for tag, root in found.roots.items()}
    try:
        orphaned = orphaned_tags(
            pair,
            there,
            choice,
            removed=found.removals.keys(),
            copied={*digests.values()},
            new={found.sources[tag] for tag, digest in digests.items() if found.current.get(tag) != digest},
        )
    except errors.DregError as failure:
        log.warning("%s: no digest tag is removed, because %s", pair.destination.address, failure)
        return
    listed = frozenset(pair.listed)
    found.not_pruned = _reason_to_doubt(pair.source, [tag for tag in orphaned if tag not in listed])
    if found.not_pruned:
        found.removals.clear()
        return
    _add_removals(pair.destination, orphaned, found)


def _add_removals(destination: Destination, tags: Sequence[str], found: _Findings) -> None:
    """Find the digests of tags to remove. One that cannot be read is a failure of its own."""
    results = in_order(partial(attempt, destination.current_digest), tags, at_a_time=AT_A_TIME)
    for tag, result in zip(tags, results, strict=True):
        if isinstance(result, errors.DregError):
            found.failures[tag] = result
        elif result is not None:
            found.removals[tag] = result
