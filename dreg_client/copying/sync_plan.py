"""Plans of `sync`: what it would copy, skip and remove. They can be saved as JSON and applied later."""

from collections.abc import Iterable
from typing import Literal

from dreg_client.copying.plan_model import PlanModel, PlannedFailure, parse_plan, plan_json
from dreg_client.values.digest import Digest


class PlannedCopy(PlanModel, frozen=True):
    """A tag to copy."""

    tag: str
    """The tag, in the source and in the destination."""
    digest: Digest
    """The digest of its manifest or index in the source."""
    replaces: Digest | None = None
    """The digest that the tag has in the destination; None if the tag is new."""
    becomes: Digest | None = None
    """The digest that the tag gets, if only some platforms are copied; None if it is that of the source."""


class PlannedTag(PlanModel, frozen=True):
    """A tag that is skipped or removed."""

    tag: str
    """The tag."""
    digest: Digest
    """The digest of its manifest or index in the destination."""


class PlannedSize(PlanModel, frozen=True):
    """Blobs to transfer, or manifests to write."""

    count: int = 0
    """How many there are."""
    size: int = 0
    """Their total size in bytes."""


class RepositoryPlan(PlanModel, frozen=True):
    """What is to be done for one repository."""

    source: str
    """The repository, layout or archive to read, without a tag."""
    destination: str
    """The repository or layout to write, without a tag."""
    copies: tuple[PlannedCopy, ...] = ()
    """The tags to copy: those that are new, or have another digest in the destination."""
    skips: tuple[PlannedTag, ...] = ()
    """The tags that the destination has, with the same digest."""
    removals: tuple[PlannedTag, ...] = ()
    """The tags to remove from the destination."""
    failures: tuple[PlannedFailure, ...] = ()
    """What could not be compared. It is neither copied nor removed."""
    not_pruned: str = ""
    """Why no tag is removed although `prune` was requested; empty otherwise."""
    not_planned: str = ""
    """Why there may be more to copy: an earlier entry of the same file writes the source. Empty otherwise."""
    uncopied_referrers: tuple[Digest, ...] = ()
    """The signatures and other referrers that are not copied: they refer to indexes copied only in part."""
    blobs: PlannedSize = PlannedSize()
    """The blobs to transfer."""
    manifests: PlannedSize = PlannedSize()
    """The manifests and indexes to write, those of referrers included."""
    platforms: tuple[str, ...] = ()
    """The platforms to copy; empty for all."""
    referrers: bool = False
    """Whether signatures, SBOMs and other referrers are also copied."""
    allow_empty: bool = False
    """Whether tags are removed even if the source has none of the tags of the plan when it is applied."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to copy or to remove. Referrers may be missing nevertheless."""
        return not (self.copies or self.removals)

    @property
    def is_unknown(self) -> bool:
        """Whether nothing was found to compare, because an earlier entry of the same file writes the source."""
        return bool(self.not_planned) and not (self.copies or self.skips or self.removals or self.failures)


class SyncPlan(
    PlanModel, frozen=True, title="Sync plan", json_schema_extra={"description": "What `dreg sync` would do."}
):
    """What `sync` would do. Print it, save it with `to_json`, and apply it with `apply_sync`.

    Example:
        >>> plan = SyncPlan(repositories=(RepositoryPlan(source="oci:a", destination="oci:b"),))
        >>> SyncPlan.from_json(plan.to_json()) == plan, plan.is_empty
        (True, True)
    """

    version: Literal[1] = 1
    """The version of the format."""
    repositories: tuple[RepositoryPlan, ...] = ()
    """What is to be done for each repository."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to copy or to remove."""
        return all(each.is_empty for each in self.repositories)

    @property
    def size(self) -> int:
        """The total size of the blobs to transfer, in bytes."""
        return sum(each.blobs.size for each in self.repositories)

    def to_json(self) -> str:
        """Return the plan as JSON, with a final line feed.

        Raises:
            ConfigError: The name of a directory or file is not UTF-8, so no JSON can have it.
        """
        return plan_json(self, (name for each in self.repositories for name in (each.source, each.destination)))

    @classmethod
    def from_json(cls, text: str | bytes, where: str = "the plan") -> "SyncPlan":
        """Read a plan that was saved with `to_json`; `where` is its name for messages.

        Raises:
            ConfigError: It is not a valid plan.
        """
        return parse_plan(cls, text, where, "sync-plan")

    @classmethod
    def of(cls, plans: "Iterable[SyncPlan]") -> "SyncPlan":
        """Return a plan of everything in some plans."""
        return cls(repositories=tuple(each for plan in plans for each in plan.repositories))
