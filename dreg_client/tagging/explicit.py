"""Changes that a plan names one by one, in the shape of rules."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from dreg_client.errors import ConflictError
from dreg_client.tagging.facts import Fact, TagFacts
from dreg_client.tagging.planned_tags import PlannedTags
from dreg_client.values.digest import Digest, is_digest


@dataclass(frozen=True, slots=True)
class _Explicit:
    facts: frozenset[Fact] = frozenset()
    matching: None = None
    reads_all_tags: bool = False
    untagged: bool = False

    def with_facts(self, _names: Iterable[str]) -> list[str]:
        """Return no tags: no facts are needed."""
        return []


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTag(_Explicit):
    """Add a tag, or move it.

    Attributes:
        tag: The tag.
        to: A tag of the repository, or a digest; whether such a digest exists must be checked by the caller.
        moves: Whether the tag may name another manifest now.
    """

    tag: str
    to: str
    moves: bool = False

    def chosen(self, names: Iterable[str]) -> list[str]:
        """Return the tag, and the one that it is to be the same as, if they exist."""
        wanted = {self.tag, self.to}
        return [name for name in names if name in wanted]

    def apply(self, planned: PlannedTags, _facts: Mapping[str, TagFacts], _now: datetime) -> None:
        """Change the planned tags.

        Raises:
            ConflictError: `to` does not exist; or the tag names another manifest, and is not to be moved.
        """
        planned.trace.start(str(self))
        digest = self._target(planned)
        if digest is None or (planned.has(self.tag) and planned.digest_of(self.tag) is None):
            planned.trace.note(self.tag, "left as it is: its digest, or that of the other tag, could not be read")
            return
        before = planned.digest_of(self.tag)
        if not self.moves and before not in {None, digest}:
            what = f"the tag {self.tag} exists and names {before}, not {digest}"
            raise ConflictError(f"{what}; to move it, use: move({self.tag!r}, to={self.to!r})")
        planned.set(self.tag, digest)
        planned.trace.note(self.tag, f"names {digest.short}" if before != digest else f"names {digest.short} already")

    def _target(self, planned: PlannedTags) -> Digest | None:
        if is_digest(self.to):
            return Digest(self.to)
        if not planned.has(self.to):
            raise ConflictError(f"cannot tag {self.tag}: there is no tag {self.to}; list the tags with: dreg tags")
        return planned.digest_of(self.to)

    def __str__(self) -> str:
        return f"{'move' if self.moves else 'tag'} {self.tag} to {self.to}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveTag(_Explicit):
    """Delete a tag; its manifest stays.

    Attributes:
        tag: The tag.
    """

    tag: str
    reads_all_tags: bool = True

    def chosen(self, names: Iterable[str]) -> list[str]:
        """Return the tag, if it exists."""
        return [name for name in names if name == self.tag]

    def apply(self, planned: PlannedTags, _facts: Mapping[str, TagFacts], _now: datetime) -> None:
        """Change the planned tags. Without such a tag, there is nothing to do.

        Raises:
            ConflictError: A rule before it keeps the tag.
        """
        planned.trace.start(str(self))
        if not planned.has(self.tag):
            planned.trace.note(self.tag, "there is no such tag")
        elif planned.is_kept(self.tag):
            raise ConflictError(f"cannot untag {self.tag}: a rule before it keeps the tag; change one of the two")
        else:
            planned.remove(self.tag, deletes=False)
            planned.trace.note(self.tag, "removed; its image stays")

    def __str__(self) -> str:
        return f"untag {self.tag}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteDigest(_Explicit):
    """Delete a manifest. Whether something needs it is decided at the end of the plan.

    Attributes:
        digest: The digest.
        referrers: Whether its referrers are to be deleted with it.
    """

    digest: Digest
    referrers: bool = False
    reads_all_tags: bool = True

    def chosen(self, _names: Iterable[str]) -> list[str]:
        """Return no tags."""
        return []

    def apply(self, planned: PlannedTags, _facts: Mapping[str, TagFacts], _now: datetime) -> None:
        """Change the planned tags."""
        planned.trace.start(str(self))
        planned.delete(self.digest, referrers=self.referrers)
        for tag in planned.tags_of(self.digest):
            planned.trace.note(tag, "names the manifest that is to be deleted")

    def __str__(self) -> str:
        return f"delete {self.digest.short}"
