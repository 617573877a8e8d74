"""Delete manifests with all that goes with them, unless something else has come to need them."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Final

from dreg_client import errors
from dreg_client._async.change_record import AsyncChangeRecord, Kept
from dreg_client._async.in_order import AT_A_TIME, in_order
from dreg_client._async.ports import AsyncDestination
from dreg_client._async.tag_changes import delete_tag
from dreg_client._async.tags_in_use import AsyncIndexContents, TagsInUse, read_tags_in_use
from dreg_client.copying.digest_tags import digest_tag
from dreg_client.protocol.content import RawManifest
from dreg_client.tagging.plan import DeleteManifest
from dreg_client.values.digest import Digest

_TAGS_PER_DELETION: Final = 125
"""One reading of all tags serves a deletion for each so many of them. More would be deleted long after the reading."""
_DANGLING: Final = "GOOGLE_MANIFEST_DANGLING_TAG"
"""The error of GCR and GAR for a manifest that still has tags."""


_Step = Callable[[], Awaitable[bool]]
"""A part of a change; it returns whether there was anything to change."""
Manifests = dict[Digest, RawManifest | errors.DregError]
"""Manifests that exist, or why they cannot be read."""


@dataclass(frozen=True, slots=True)
class _Deletion:
    """The content that a change deletes.

    Attributes:
        change: The change.
        manifests: The manifests that exist, by digest, in the order in which they are deleted.
        digest_tags: The digest tags that exist, with their digests.
    """

    change: DeleteManifest
    manifests: dict[Digest, RawManifest]
    digest_tags: dict[str, Digest]


class AsyncTagDeletions:
    """Deletions of manifests of a repository.

    All tags are read again before each group of deletions, and so are the indexes that they lead to. A manifest that
    got a tag, a referrer or an index which its change does not name is not deleted. In a registry, what another client
    does between this reading and the deletions of the group is not seen, so as much as possible is read before it.

    Args:
        destination: The repository.
        record: What becomes of the changes.
    """

    def __init__(self, destination: AsyncDestination, record: AsyncChangeRecord) -> None:
        self._destination, self._record = destination, record
        self._contents = AsyncIndexContents(destination)
        self._deleted: list[tuple[str, ...]] = []  # the tags of manifests that were deleted, until they are forgotten
        # Deletions in a layout lock all of it, so concurrent ones would only wait for each other.
        self._at_a_time = 1 if destination.client is None else AT_A_TIME

    async def delete_all(self, changes: Sequence[DeleteManifest]) -> None:
        """Delete manifests, parents before their children."""
        left = [each for each in changes if not self._record.is_over(each)]
        while left:
            try:
                group, reading, manifests = await self._read(left)
            except errors.DregError as failure:
                failure.add_outcome("no manifest was deleted, because something that cannot be read may need it")
                for each in left:
                    self._record.fail(each, failure)
                return
            # Everything is checked, then everything is deleted, so that little time passes after the reading.
            for part in _independent(reading, group):
                found = await in_order(partial(self._checked, reading, manifests), part, at_a_time=AT_A_TIME)
                ready = [each for each in found if each is not None]
                await in_order(partial(self._delete, reading), ready, at_a_time=self._at_a_time)
                self._forget(reading)
            del left[: len(group)]

    def _forget(self, reading: TagsInUse) -> None:
        """Remove tags that were deleted from a reading, when nothing else reads it."""
        for tags in self._deleted:
            reading.forget(tags)
        self._deleted.clear()

    async def _read(self, left: Sequence[DeleteManifest]) -> tuple[Sequence[DeleteManifest], TagsInUse, Manifests]:
        """Read manifests to delete, which cannot change, then all tags; return the changes that this serves."""
        group = left[: _served_by(len(await self._destination.tags()))]
        manifests: Manifests = {}
        names = [name for each in group for name in (*_members(each), *each.digest_tags)]
        await in_order(partial(self._keep, manifests), [*dict.fromkeys(names)], at_a_time=AT_A_TIME)
        reading = await read_tags_in_use(self._destination, self._contents)
        return group[: _served_by(reading.count)], reading, manifests

    async def _keep(self, manifests: Manifests, name: str) -> None:
        """Read a manifest, or why it cannot be read; nothing if it does not exist."""
        try:
            found = await self._destination.fetch_manifest(name, legacy=True)
            manifests[name if isinstance(name, Digest) else found.digest] = found
        except errors.NotFoundError:
            return
        except errors.DregError as failure:
            if isinstance(name, Digest):
                manifests[name] = failure

    async def _checked(self, reading: TagsInUse, manifests: Manifests, change: DeleteManifest) -> _Deletion | None:
        """Return what a change deletes; None if it must not be made."""
        try:
            _check_own_tags(reading, change)
            self._check_tags(reading, change)
            found = await self._found(reading, manifests, change)
            await self._check_referrers(found)
        except errors.DregError as failure:
            self._record.fail(change, failure)
            return None
        return found

    async def _delete(self, reading: TagsInUse, found: _Deletion) -> None:
        change = found.change
        own = {tag: change.digest for tag in change.tags if reading.digest_of(tag) is not None}
        kept = Kept(tuple(found.manifests.values()), {**own, **found.digest_tags})
        await self._record.make(change, partial(self._carry_out, found), kept)

    def _check_tags(self, reading: TagsInUse, change: DeleteManifest) -> None:
        """Raise ConflictError if a tag leads to a manifest of a change that does not name the tag."""
        members = _members(change)
        for digest in members:
            for tag in sorted(reading.leading_to(digest, members).difference(change.tags, change.digest_tags)):
                if not _lists_referrers_of(tag, members):
                    raise _conflict(change, f"the tag {tag} leads to {_name(change, digest)} now")
        for about in reading.about(members):
            if not about.is_referrers_tag and about.name not in change.digest_tags:
                raise _conflict(change, f"it got the digest tag {about.name}")

    async def _found(self, reading: TagsInUse, known: Manifests, change: DeleteManifest) -> _Deletion:
        """Return what a change deletes, as far as it exists, so that the journal can keep it.

        Only lists of referrers, and digest tags that were written meanwhile, have yet to be read.
        """
        members = _members(change)
        lists = [each.name for each in reading.about(members) if each.is_referrers_tag]
        names = dict.fromkeys((*change.digest_tags, *lists))
        tags = {tag: digest for tag in names if (digest := reading.digest_of(tag)) is not None}
        alone = [each for each in tags.values() if reading.leading_to(each) <= {*tags, *change.tags}]
        manifests: dict[Digest, RawManifest] = {}
        for digest in dict.fromkeys([*members, *alone]):
            if digest not in known and digest not in members:
                await self._keep(known, digest)
            manifest = known.get(digest)
            if isinstance(manifest, errors.DregError):
                raise copy(manifest)
            if manifest is not None:
                manifests[digest] = manifest
        return _Deletion(change, manifests, tags)

    async def _check_referrers(self, found: _Deletion) -> None:
        """Raise ConflictError if a manifest has a referrer that its change does not name.

        The manifest of a digest tag is not deleted then, but only loses its tag.
        """
        for digest in [*found.manifests]:
            other = await self._referrer(digest, besides=found.manifests)
            if other is not None and digest in _members(found.change):
                what = f"{other} refers to {_name(found.change, digest)}"
                raise _conflict(found.change, f"{what}, but is not in the plan")
            if other is not None:
                del found.manifests[digest]

    async def _referrer(self, digest: Digest, *, besides: Collection[Digest]) -> Digest | None:
        """Return a referrer of a manifest that exists; None if there are no others."""
        for referrer in await self._destination.referrers(digest):
            if referrer.digest in besides:
                continue
            if await self._destination.current_digest(referrer.digest, surely=True) is not None:
                return referrer.digest
        return None

    async def _carry_out(self, found: _Deletion) -> bool:
        """Delete a manifest, its platforms, its lists of referrers, its referrers, and digest tags, in this order.

        A list of referrers is deleted before them, so that it need not be changed for each of them.
        """
        change = found.change
        lists = [tag for tag in found.digest_tags if _lists_referrers_of(tag, _members(change))]
        steps: list[_Step] = [
            *(partial(self._delete_manifest, found, each) for each in (change.digest, *change.platforms)),
            *(partial(self._delete_digest_tag, found, tag) for tag in lists),
            *(partial(self._delete_manifest, found, each) for each in change.referrers),
            *(partial(self._delete_digest_tag, found, tag) for tag in found.digest_tags if tag not in lists),
        ]
        is_changed = await _take(steps)
        self._deleted.append((*change.tags, *found.digest_tags))
        return is_changed

    async def _delete_digest_tag(self, found: _Deletion, tag: str) -> bool:
        """Delete a digest tag, and its manifest, unless something else needs that."""
        digest = found.digest_tags[tag]
        if digest in found.manifests:
            return await self._delete_manifest(found, digest)
        return await delete_tag(self._destination, tag, digest)

    async def _delete_manifest(self, found: _Deletion, digest: Digest) -> bool:
        """Delete a manifest; return whether it existed."""
        if digest not in found.manifests:
            return False
        try:
            tags = (*found.change.tags, *found.digest_tags)
            await self._destination.delete_manifest(digest, tags=tags, known=found.manifests[digest])
        except errors.NotFoundError:
            return False
        except errors.RegistryError as failure:
            if not any(_DANGLING in each for each in failure.said):
                raise
            await self._delete_with_tags(found, digest)
        return True

    async def _delete_with_tags(self, found: _Deletion, digest: Digest) -> None:
        """Delete a manifest after its tags, since the registry does not delete a manifest that has any."""
        own = found.change.tags if digest == found.change.digest else ()
        tags = (*own, *(tag for tag, named in found.digest_tags.items() if named == digest))
        await _take(
            [
                *(partial(delete_tag, self._destination, tag, digest) for tag in tags),
                partial(self._delete_untagged, found, digest),
            ]
        )

    async def _delete_untagged(self, found: _Deletion, digest: Digest) -> bool:
        await self._destination.delete_manifest(digest, known=found.manifests[digest])
        return True


async def _take(steps: Iterable[_Step]) -> bool:
    """Take the steps of a change; return whether any changed something. If one fails, its error says what was done."""
    is_changed = False
    try:
        for step in steps:
            is_changed |= await step()
    except errors.DregError as failure:
        if is_changed and not failure.outcome:
            failure.add_outcome("a part of it was deleted; apply the plan again to continue")
        raise
    return is_changed


def _served_by(count: int) -> int:
    """Return how many deletions a reading of some number of tags serves."""
    return max(1, count // _TAGS_PER_DELETION)


def _independent(reading: TagsInUse, changes: Sequence[DeleteManifest]) -> Iterator[list[DeleteManifest]]:
    """Yield changes in groups: what is in an index that is deleted, too, comes in a later group than that."""
    ahead: list[DeleteManifest] = []
    tags = set[str]()
    for change in changes:
        if any(not tags.isdisjoint(reading.leading_to(each)) for each in _members(change)):
            yield ahead
            ahead, tags = [], set[str]()
        ahead.append(change)
        tags.update(change.tags)
    yield ahead


def _check_own_tags(reading: TagsInUse, change: DeleteManifest) -> None:
    """Raise ConflictError if a tag of a manifest names another one now.

    Raises:
        ConfigError: The plan states that a tag is a digest tag, which it is not.
    """
    if others := [tag for tag in change.digest_tags if digest_tag(tag) is None]:
        raise errors.ConfigError(f"{change.digest} was not deleted: the plan has {others[0]} as a digest tag")
    for tag in change.tags:
        if (now := reading.digest_of(tag)) not in {None, change.digest}:
            raise _conflict(change, f"its tag {tag} names {now} now")


def _members(change: DeleteManifest) -> tuple[Digest, ...]:
    return (change.digest, *change.platforms, *change.referrers)


def _lists_referrers_of(tag: str, members: Sequence[Digest]) -> bool:
    """Return whether a tag is the referrers tag of one of some manifests."""
    about = digest_tag(tag)
    return about is not None and about.is_referrers_tag and about.subject in members


def _name(change: DeleteManifest, digest: Digest) -> str:
    return "it" if digest == change.digest else str(digest)


def _conflict(change: DeleteManifest, reason: str) -> errors.ConflictError:
    return errors.ConflictError(f"{change.digest} was not deleted: {reason}")
