"""The simplest correct way to apply and undo a plan: one request after another, everything read again each time.

It is what `apply_plan` and `undo` are compared with, and what shows that the watch notices mistakes: `careless` leaves
out the conditions.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dreg_client import Digest, Repository, errors
from dreg_client.copying.digest_tags import digest_tag
from dreg_client.tagging.plan import AddTag, DeleteManifest, MoveTag, RepositoryTagPlan, TagChange, Untag
from tests.tagging.repositories import Dated

Before = dict[str, tuple[str | None, str | None]]


@dataclass
class Outcome:
    """What was done.

    Attributes:
        done: The changes that were made.
        failed: Those that were not, and why.
        before: What each tag named before and after.
        manifests: What was deleted, with the media type, in order.
    """

    done: list[TagChange] = field(default_factory=list)
    failed: dict[str, errors.DregError] = field(default_factory=dict)
    before: Before = field(default_factory=dict)
    manifests: dict[str, tuple[bytes, str]] = field(default_factory=dict)


def plan_of(graph: Dated, tags: Mapping[str, str], wanted: Mapping[str, str | None], deleted: int) -> RepositoryTagPlan:
    """Return a plan that gives tags as `wanted` (None removes one), and that deletes an image if nothing needs it."""
    state = {tag: digest for tag, digest in tags.items() if not digest_tag(tag)}
    doomed = str(graph.made[deleted % len(graph.made)]["digest"])
    after = {**state, **{tag: digest for tag, digest in wanted.items() if digest != doomed}}
    staying = graph.closure((it for it in after.values() if it and it != doomed), referrers=True)
    own = {tag for tag in state if state[tag] == doomed and after[tag] in {None, doomed}} - (
        {*state} if doomed in staying else set()
    )
    changes: list[TagChange] = []
    for tag, digest in after.items():
        if digest and tag not in state:
            changes.append(AddTag(tag=tag, digest=Digest(digest)))
        elif digest and state[tag] != digest:
            changes.append(MoveTag(tag=tag, digest=Digest(digest), replaces=Digest(state[tag])))
    gone = [tag for tag in state if after[tag] is None and tag not in own]
    changes += [Untag(tag=tag, digest=Digest(state[tag])) for tag in gone]
    changes += [_deletion(graph, doomed, staying, tags, own)] if doomed not in staying else []
    return RepositoryTagPlan(repository="localhost/acme/web", changes=tuple(changes))


def _deletion(graph: Dated, digest: str, staying: set[str], tags: Mapping[str, str], own: set[str]) -> DeleteManifest:
    documents = graph.documents
    whole = [each for each in _outside_in(graph, digest) if each in documents and each not in staying]
    inside = graph.closure([digest])
    about = [tag for tag in tags if (found := digest_tag(tag)) and found.subject in whole]
    return DeleteManifest(
        digest=Digest(digest),
        tags=tuple(sorted(own)),
        platforms=tuple(Digest(each) for each in whole[1:] if each in inside),
        referrers=tuple(Digest(each) for each in whole[1:] if each not in inside),
        digest_tags=tuple(about),
    )


def _outside_in(graph: Dated, digest: str) -> list[str]:
    """A manifest, then all that it names and that refers to it, in turn."""
    found, ahead = dict[str, None](), [digest]
    for each in ahead:
        found.pop(each, None)
        found[each] = None
        ahead += [*graph.named.get(each, ()), *(it for it, subject in graph.subjects.items() if subject == each)]
    return [*found]


def apply(
    plan: RepositoryTagPlan, repository: Repository, *, untags_first: bool = False, careless: bool = False
) -> Outcome:
    """Apply a plan to a repository; with `untags_first`, a manifest loses its tags before it is deleted."""
    outcome = Outcome()
    for change in plan.changes:
        try:
            if isinstance(change, DeleteManifest):
                _delete(change, repository, outcome, untags_first, careless=careless)
            else:
                _change(change, repository, outcome, careless=careless)
        except errors.DregError as failure:
            outcome.failed[change.subject] = failure
        else:
            outcome.done.append(change)
    return outcome


def undo(outcome: Outcome, repository: Repository) -> dict[str, errors.DregError]:
    """Undo what was done; return what failed."""
    failed: dict[str, errors.DregError] = {}
    for digest, (raw, media_type) in reversed(outcome.manifests.items()):
        repository.put_manifest(raw, digest, media_type=media_type)
    for tag, (before, after) in reversed(outcome.before.items()):
        try:
            if (now := _named(repository, tag)) != after:
                raise errors.ConflictError(f"{tag} names {now}")
            if before is None:
                repository.untag(tag)
            else:
                repository.tag(before, tag)
        except errors.DregError as failure:
            failed[tag] = failure
    return failed


def _change(change: TagChange, repository: Repository, outcome: Outcome, *, careless: bool) -> None:
    assert not isinstance(change, DeleteManifest)
    target = None if isinstance(change, Untag) else str(change.digest)
    before = change.digest if isinstance(change, Untag) else getattr(change, "replaces", None)
    now = _named(repository, change.tag)
    if now not in {before, target} and not careless:
        raise errors.ConflictError(f"{change.tag} names {now}")
    if now == target:
        return
    if target is None:
        repository.untag(change.tag)
    else:
        repository.tag(target, change.tag)
    outcome.before[change.tag] = now, target


def _delete(
    change: DeleteManifest, repository: Repository, outcome: Outcome, untags_first: bool, *, careless: bool
) -> None:
    tags = {tag: _named(repository, tag) for tag in repository.tags()}
    about = [Digest(digest) for tag in change.digest_tags if (digest := tags.get(tag))]
    gone = [change.digest, *change.platforms, *change.referrers, *about]
    if not careless:
        _check(change, repository, tags)
    for digest in gone:
        try:
            found = repository.get_manifest(digest)
        except errors.NotFoundError:
            continue
        for tag in (tag for tag, named in tags.items() if named == digest):
            outcome.before[tag] = digest, None
            if untags_first:
                repository.untag(tag)
        outcome.manifests[digest] = found.raw, found.media_type
        repository.delete_manifest(digest)


def _check(change: DeleteManifest, repository: Repository, tags: Mapping[str, str | None]) -> None:
    """Check that nothing that the change does not name needs what it deletes."""
    gone = {change.digest, *change.platforms, *change.referrers}
    for tag, digest in tags.items():
        is_named = tag in change.digest_tags or (tag in change.tags and digest == change.digest)
        if digest is not None and not is_named and not gone.isdisjoint(_closure(repository, Digest(digest))):
            raise errors.ConflictError(f"{change.digest} is needed by {tag}")
    for digest in gone:
        if any(each.digest not in gone for each in repository.referrers(digest)):
            raise errors.ConflictError(f"{digest} has a new referrer")


def _closure(repository: Repository, digest: Digest) -> Iterator[Digest]:
    yield digest
    for child in getattr(repository.get_manifest(digest), "manifests", ()):
        yield from _closure(repository, child.digest)


def _named(repository: Repository, tag: str) -> str | None:
    try:
        return repository.resolve(tag).digest
    except errors.NotFoundError:
        return None
