"""The tags of a repository, as the rules of a plan leave them, and how they differ from those that were read."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from dreg_client.copying.digest_tags import digest_tag
from dreg_client.copying.tag_filter import matches
from dreg_client.tagging.trace import Trace
from dreg_client.values.digest import Digest


@dataclass(frozen=True, slots=True)
class Promotion:
    """An image to copy to another store.

    Attributes:
        into: The store, as the rule names it.
        tag: The tag there.
        digest: The digest of the manifest or index.
        source_tag: A tag of the image here, as it was read.
        referrers: Whether signatures, SBOMs and other referrers are also copied.
    """

    into: str
    tag: str
    digest: Digest
    source_tag: str
    referrers: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """A tag, or a manifest without a tag, that is kept although a rule would have removed it.

    Attributes:
        tag: The tag; the digest if the manifest has none.
        digest: The digest.
        reason: Why it is kept.
    """

    tag: str
    digest: Digest
    reason: str


@dataclass(frozen=True, slots=True)
class Difference:
    """How the planned tags differ from those that were read; each is sorted by its key.

    Attributes:
        new: The digests of new tags.
        moved: The digests of moved tags: before, and after.
        removed: The digests of the tags that are removed, those of deleted manifests included.
        deleted: The manifests that lose their last tag to a rule that deletes, or that have none. Whether something
            else needs them is not known here.
        explicit: The manifests to delete that were named by their digests, and whether with their referrers. They may
            still have tags.
        promotions: The images to copy to other stores, in order.
    """

    new: Mapping[str, Digest] = field(default_factory=dict[str, Digest])
    moved: Mapping[str, tuple[Digest, Digest]] = field(default_factory=dict[str, tuple[Digest, Digest]])
    removed: Mapping[str, Digest] = field(default_factory=dict[str, Digest])
    deleted: tuple[Digest, ...] = ()
    explicit: Mapping[Digest, bool] = field(default_factory=dict[Digest, bool])
    promotions: tuple[Promotion, ...] = ()


class PlannedTags:
    """The tags of a repository, as the rules so far leave them.

    Args:
        names: All tags of the repository. Digest tags can be among them; they do not count as tags of an image.

    Examples:
        >>> old, new = Digest.of(b"old"), Digest.of(b"new")
        >>> planned = PlannedTags(["1.4.2", "latest"])
        >>> planned.learn({"1.4.2": new, "latest": old})
        >>> planned.set("latest", new)
        >>> planned.difference().moved == {"latest": (old, new)}
        True
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._read: dict[str, Digest | None] = dict.fromkeys(names)
        self._changed: dict[str, Digest | None] = {}
        self._tags: dict[Digest, dict[str, None]] = {}
        self._kept: set[str] = set()
        self._pruned: dict[Digest, None] = {}
        self._untagged: dict[Digest, None] = {}
        self._explicit: dict[Digest, bool] = {}
        self._reports: dict[str, Report] = {}
        self._promotions: dict[Promotion, None] = {}
        self._whole: dict[Digest, dict[str, None]] = {}
        self._protected: dict[str, str] = {}
        self._received: set[str] = set()
        self.failures: dict[str, str] = {}
        """The tags that a rule cannot give, and why."""
        self.trace: Trace = Trace()
        """What each rule did with each tag."""

    # --- what was read

    def learn(self, digests: Mapping[str, Digest]) -> None:
        """Add the digests of tags that were read. Other names are ignored."""
        for tag, digest in digests.items():
            if tag in self._read and self._read[tag] is None:
                self._read[tag] = digest
                if tag not in self._changed:
                    self._add(tag, digest)

    def read_digest(self, tag: str) -> Digest | None:
        """Return the digest of a tag as it was read; None if there is no such tag, or it was not read."""
        return self._read.get(tag)

    def was_there(self, tag: str) -> bool:
        """Return whether the repository has a tag, whatever the rules do with it."""
        return tag in self._read

    @property
    def unread(self) -> list[str]:
        """The tags that rules changed and whose digests were not read. `difference` leaves them out."""
        return [tag for tag in self._changed if tag in self._read and self._read[tag] is None]

    # --- the planned state

    @property
    def names(self) -> list[str]:
        """The tags as planned so far, digest tags included: those that were read, then new ones."""
        return [*self._names()]

    def has(self, tag: str) -> bool:
        """Return whether there is a tag, as planned so far."""
        return self._changed[tag] is not None if tag in self._changed else tag in self._read

    def digest_of(self, tag: str) -> Digest | None:
        """Return the digest of a tag, as planned so far; None if there is no such tag, or it was not read."""
        return self._changed[tag] if tag in self._changed else self._read.get(tag)

    def tags_of(self, digest: Digest) -> tuple[str, ...]:
        """Return the tags of a manifest as planned so far, without digest tags, in sorted order."""
        return tuple(sorted(self._tags.get(digest, ())))

    def is_kept(self, tag: str) -> bool:
        """Return whether a rule protects a tag from being removed by later rules."""
        return tag in self._kept

    # --- what rules do

    def set(self, tag: str, digest: Digest) -> None:
        """Add a tag, or move it."""
        before = self.digest_of(tag)
        if before == digest:
            return
        self._drop(tag, before)
        self._changed[tag] = digest
        self._add(tag, digest)
        self._pruned.pop(digest, None)
        self._untagged.pop(digest, None)

    def remove(self, tag: str, *, deletes: bool, whole: bool = False) -> None:
        """Remove a tag whose digest is known.

        Args:
            tag: The tag.
            deletes: Whether the manifest is to go with its last tag.
            whole: Whether all tags of the image are removed: `settle` restores them if one of them is protected.
        """
        digest = self.digest_of(tag)
        if digest is None:
            return
        if whole:
            self._whole.setdefault(digest, {})[tag] = None
        self._drop(tag, digest)
        self._changed[tag] = None
        if deletes and not self._tags.get(digest) and digest_tag(tag) is None:
            self._pruned[digest] = None

    def remove_untagged(self, digest: Digest) -> None:
        """Delete a manifest that has no tag, if nothing else needs it."""
        if not self._tags.get(digest):
            self._untagged[digest] = None

    def delete(self, digest: Digest, *, referrers: bool = False) -> None:
        """Delete a manifest that was named by its digest; `referrers` if its referrers are to go with it."""
        self._explicit[digest] = referrers or self._explicit.get(digest, False)

    def keep(self, tag: str) -> None:
        """Protect a tag: later rules do not remove it."""
        self._kept.add(tag)

    def report(self, tag: str, digest: Digest, reason: str) -> None:
        """Report that a tag, or a manifest without a tag, is kept although a rule would have removed it."""
        self._reports.setdefault(tag, Report(tag, digest, reason))

    def fail(self, tag: str, reason: str) -> None:
        """Report that a rule cannot do what it says with a tag, which is then left as it is."""
        self.failures.setdefault(tag, reason)
        self.protect(tag, "a rule cannot do what it says with it")

    def fail_untagged(self, reason: str) -> None:
        """Report that a rule cannot do what it says with manifests without a tag."""
        self.failures.setdefault("", reason)

    def protect(self, tag: str, reason: str) -> None:
        """Leave a tag and its image as they were read, whatever rules do with them, once `settle` is called."""
        self._protected.setdefault(tag, reason)

    def copy(self, promotion: Promotion) -> None:
        """Copy an image to another store. Several copies to the same tag are all in the `difference`."""
        self._promotions[promotion] = None

    def source_tag(self, tag: str, digest: Digest) -> str | None:
        """Return a tag that had a digest when it was read, `tag` if it did; None if there is none."""
        if self._read.get(tag) == digest:
            return tag
        return next((name for name, read in self._read.items() if read == digest), None)

    # --- at the end

    def settle(self) -> None:
        """Undo what rules did with protected tags, and report that."""
        self.trace.end()
        self._protect_whole()
        for tag, reason in self._protected.items():
            digest = self._read.get(tag)
            if digest is None:
                continue
            is_deleted = self._explicit.pop(digest, None) is not None
            self._pruned.pop(digest, None)
            is_changed = tag in self._changed and self._changed[tag] != digest
            if is_changed:
                self._drop(tag, self._changed.pop(tag))
                self._add(tag, digest)
            if is_changed or is_deleted:
                self.report(tag, digest, reason)
                self.trace.note(tag, f"stays as it is: {reason}")

    def _protect_whole(self) -> None:
        """Protect what was removed with all tags of its image, if one of these tags is protected."""
        for tag in [*self._protected]:
            digest = self._read.get(tag)
            for other in self._whole.get(digest, ()) if digest is not None else ():
                self.protect(other, f"another tag of its image, {tag}, stays as it is")

    def is_protected(self, tag: str) -> bool:
        """Return whether a tag is left as it was read."""
        return tag in self._protected

    def loses(self, tag: str, digest: Digest) -> bool:
        """Return whether rules remove a tag from a manifest."""
        return tag in self._changed and self._changed[tag] != digest

    def is_changed(self, tag: str) -> bool:
        """Return whether rules change a tag."""
        return tag in self._changed and self._changed[tag] != self._read.get(tag)

    def receive(self, tag: str, digest: Digest, replaces: Digest | None) -> None:
        """Add a tag that comes from another store, or move it. It is no part of the `difference`.

        Args:
            tag: The tag.
            digest: The digest that it is to name.
            replaces: The digest that it names now; None if it does not exist.
        """
        if replaces is not None:
            self.learn({tag: replaces})
        self.set(tag, digest)
        self._received.add(tag)

    @property
    def reports(self) -> tuple[Report, ...]:
        """What is kept although a rule would have removed it, without what another rule removed; sorted by tag."""
        staying = (it for it in self._reports.values() if self._stays(it))
        return tuple(sorted(staying, key=lambda it: it.tag))

    def difference(self) -> Difference:
        """Return how the planned tags differ from those that were read."""
        new: dict[str, Digest] = {}
        moved: dict[str, tuple[Digest, Digest]] = {}
        removed: dict[str, Digest] = {}
        left_out = {*self.unread, *self._received}
        for tag in sorted(self._changed):
            before, after = self._read.get(tag), self._changed[tag]
            if tag in left_out:
                continue
            if before is None and after is not None:
                new[tag] = after
            elif before is not None and after is None:
                removed[tag] = before
            elif before is not None and after is not None and before != after:
                moved[tag] = before, after
        return Difference(
            new=new,
            moved=moved,
            removed=removed,
            # A manifest that only tags of this plan named is left as it is: it may be anything that `to=` named.
            deleted=tuple(sorted(self._pruned.keys() & {*self._read.values()} | self._untagged.keys())),
            explicit=dict(sorted(self._explicit.items())),
            promotions=tuple(self._promotions),
        )

    def knows(self, tag: str) -> bool:
        """Return whether a tag was there, or a rule is about it; the same for manifests, by their digests."""
        return tag in self._read or bool(self.trace.of(tag))

    def known(self, glob: str) -> list[str]:
        """Return the tags that were there, or that a rule is about, and match a glob; sorted, without digest tags."""
        names = {*self._read, *self.trace.names}
        return [name for name in sorted(names) if digest_tag(name) is None and matches(name, (glob,))]

    def explain(self, tag: str) -> tuple[str, ...]:
        """Return a sentence for each rule that did something with a tag."""
        return self.trace.of(tag) or (
            ("no rule is about it: it stays as it is",) if tag in self._read else ("there is no such tag",)
        )

    def _stays(self, report: Report) -> bool:
        if report.tag == report.digest:
            return not {report.digest} & (self._untagged.keys() | self._explicit.keys())
        return self.has(report.tag)

    def _names(self) -> Iterator[str]:
        changed = self._changed
        for tag in self._read:
            if tag not in changed or changed[tag] is not None:
                yield tag
        for tag, digest in changed.items():
            if digest is not None and tag not in self._read:
                yield tag

    def _add(self, tag: str, digest: Digest) -> None:
        if digest_tag(tag) is None:
            self._tags.setdefault(digest, {})[tag] = None

    def _drop(self, tag: str, digest: Digest | None) -> None:
        if digest is not None:
            self._tags.get(digest, {}).pop(tag, None)
