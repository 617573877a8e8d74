"""What a rule of a plan is."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from dreg_client.tagging.facts import Fact, TagFacts
from dreg_client.tagging.matching import Matching
from dreg_client.tagging.planned_tags import PlannedTags


class Rule(Protocol):
    """A rule, or an explicit change. `str` of it is a few words that name it, for `explain`.

    Before `apply`, the digests of the tags that are `chosen` from the planned names were learned where they can be
    read; with `reads_all_tags`, those of all tags.
    """

    @property
    def facts(self) -> frozenset[Fact]:
        """The facts that it needs of the tags `with_facts`."""
        ...

    @property
    def matching(self) -> Matching | None:
        """Which tags it is about; None if it names them one by one."""
        ...

    @property
    def reads_all_tags(self) -> bool:
        """Whether it needs the digest of every tag of the repository."""
        ...

    @property
    def untagged(self) -> bool:
        """Whether it needs the facts of the manifests without a tag, by their digests; their `name` is empty."""
        ...

    def chosen(self, names: Iterable[str], /) -> list[str]:
        """Return the tags whose digests it needs, by their names alone, without digest tags."""
        ...

    def with_facts(self, names: Iterable[str], /) -> list[str]:
        """Return the tags whose `facts` it needs: some of those that are chosen."""
        ...

    def apply(self, planned: PlannedTags, facts: Mapping[str, TagFacts], now: datetime, /) -> None:
        """Change the planned tags.

        Args:
            planned: The tags as the rules before it leave them.
            facts: The facts of the tags, as planned so far; those that could not be read are missing.
            now: The time from which ages count.

        Raises:
            ConflictError: What it says is ambiguous, or contradicts what the repository has.
        """
        ...
