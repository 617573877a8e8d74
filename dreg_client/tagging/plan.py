"""Plans that change tags: what is added, moved, untagged and deleted. They can be saved as JSON and applied later."""

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dreg_client.copying.digest_tags import digest_tag
from dreg_client.copying.plan_model import PlanModel, PlannedFailure, parse_plan, plan_json
from dreg_client.errors import ConfigError
from dreg_client.files.same_store import identity_of
from dreg_client.tagging import sentences
from dreg_client.tagging.once import NamedOnce, first_twice
from dreg_client.tagging.plan_names import check_names
from dreg_client.values.digest import Digest, is_digest


class AddTag(PlanModel, frozen=True):
    """Add a tag that does not exist."""

    action: Literal["tag"] = "tag"
    """`tag`."""
    tag: str
    """The tag."""
    digest: Digest
    """The digest of the manifest or index that the tag is to name."""

    @property
    def subject(self) -> str:
        """The tag that is changed."""
        return self.tag

    def __str__(self) -> str:
        return f"tag {self.tag} ({self.digest})"


class MoveTag(PlanModel, frozen=True):
    """Move a tag to another manifest or index."""

    action: Literal["move"] = "move"
    """`move`."""
    tag: str
    """The tag."""
    digest: Digest
    """The digest that the tag is to name."""
    replaces: Digest
    """The digest that the tag names in the plan. If it names another one when the plan is applied, it is a conflict."""
    other_tags: tuple[str, ...] | None = None
    """The tags that the replaced manifest keeps; null if the digests of the other tags were not read."""

    @property
    def subject(self) -> str:
        """The tag that is changed."""
        return self.tag

    def __str__(self) -> str:
        return sentences.move(self.tag, self.replaces, self.digest, self.other_tags)


class CopyTag(PlanModel, frozen=True):
    """Copy an image from another repository, and name it by a tag; or copy what refers to an image that is there.

    Raises:
        ConfigError: `missing` has something else than digests and digest tags, or `replaces` is not `digest`.
    """

    action: Literal["copy"] = "copy"
    """`copy`."""
    source: str
    """The repository or layout to copy from, without a tag."""
    tag: str
    """The tag in the destination."""
    digest: Digest
    """The digest of the manifest or index."""
    source_tag: str
    """The tag in the source. If it names another digest when the plan is applied, it is a conflict."""
    replaces: Digest | None = None
    """The digest that the tag names in the destination; null if it does not exist. If it is `digest`, the image is
    there already, and the same plan removes it from the source: it is checked that it is still there."""
    referrers: bool = False
    """Whether signatures, SBOMs and other referrers are also copied."""
    missing: tuple[str, ...] = ()
    """If the tag already names the image: the digests of the referrers to copy, and the digest tags to add."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.missing and self.replaces != self.digest:
            raise ConfigError(f"copy {self.tag}: `missing` is only possible if `replaces` is `digest`")
        for each in self.missing:
            if not is_digest(each) and digest_tag(each) is None:
                raise ConfigError(f"copy {self.tag}: {each!r} in `missing` must be a digest or a digest tag")
        return self

    @property
    def subject(self) -> str:
        """The tag that is changed."""
        return self.tag

    def __str__(self) -> str:
        if self.missing:
            return sentences.copy_referrers(self.source, self.source_tag, self.tag, self.digest, len(self.missing))
        return sentences.copy(self.source, self.source_tag, self.tag, self.digest, self.replaces)


class Untag(PlanModel, frozen=True):
    """Delete a tag. Its manifest stays."""

    action: Literal["untag"] = "untag"
    """`untag`."""
    tag: str
    """The tag."""
    digest: Digest
    """The digest that the tag names in the plan. If it names another one when the plan is applied, it is a conflict."""
    other_tags: tuple[str, ...] | None = None
    """The tags that the manifest keeps; null if the digests of the other tags were not read."""
    needed_by: str = ""
    """What else needs the manifest, which has no other tag, such as an index that a tag names; empty if nothing."""

    @property
    def subject(self) -> str:
        """The tag that is changed."""
        return self.tag

    def __str__(self) -> str:
        return sentences.untag(self.tag, self.digest, self.other_tags, self.needed_by)


class DeleteManifest(PlanModel, frozen=True):
    """Delete a manifest or index with all its tags, and what only it needs."""

    action: Literal["delete"] = "delete"
    """`delete`."""
    digest: Digest
    """The digest of the manifest or index."""
    tags: tuple[str, ...] = ()
    """All its tags. If it has another one when the plan is applied, it is a conflict."""
    platforms: tuple[Digest, ...] = ()
    """The manifests in the index, at any depth, that nothing else needs: they are deleted after it."""
    referrers: tuple[Digest, ...] = ()
    """Its signatures and other referrers, and theirs: they are deleted after it. Another one later is a conflict."""
    digest_tags: tuple[str, ...] = ()
    """The digest tags about all these manifests, such as `sha256-HEX.sig`: they are deleted last."""
    size: int | None = None
    """The total size of the manifests and blobs in bytes, each counted once; null if it was not read."""
    shared_size: int | None = None
    """The part of `size` that other images of the repository also have; null if it was not read."""

    @property
    def subject(self) -> str:
        """The digest that is deleted."""
        return self.digest

    def __str__(self) -> str:
        return sentences.delete(self)


class RestoreManifest(PlanModel, frozen=True):
    """Put back a manifest or index that was deleted, with all its tags. Only `undo` can do this: the journal has it."""

    action: Literal["restore"] = "restore"
    """`restore`."""
    digest: Digest
    """The digest of the manifest or index."""
    tags: tuple[str, ...] = ()
    """The tags to add again."""
    platforms: tuple[Digest, ...] = ()
    """The manifests in the index that are put back before it."""
    referrers: tuple[Digest, ...] = ()
    """The signatures and other referrers that are put back after it."""
    digest_tags: tuple[str, ...] = ()
    """The digest tags to add again, such as `sha256-HEX.sig`."""

    @property
    def subject(self) -> str:
        """The digest that is put back."""
        return self.digest

    def __str__(self) -> str:
        return sentences.restore(self)


TagChange = Annotated[
    AddTag | MoveTag | CopyTag | Untag | DeleteManifest | RestoreManifest, Field(discriminator="action")
]
"""A change of a plan. `str` of it is a sentence that says what it does to what."""


class KeptTag(PlanModel, frozen=True):
    """A tag, or a manifest without a tag, that a rule would have removed, but which is kept."""

    tag: str
    """The tag; the digest if the manifest has none."""
    digest: Digest
    """The digest that it names."""
    reason: str
    """Why it is kept, such as an unknown date."""


class RepositoryTagPlan(PlanModel, frozen=True):
    """The changes of one repository or layout.

    Raises:
        ConfigError: A tag or a manifest is changed twice, or a change names one twice.
    """

    repository: str
    """The repository with its registry, or `oci:PATH`, without a tag. If the path of a layout is relative, it is
    relative to the directory in which the plan is applied."""
    changes: tuple[TagChange, ...] = ()
    """The changes, in the order in which they are made: copies, new and moved tags, untagged tags, deletions."""
    kept: tuple[KeptTag, ...] = ()
    """What is kept although a rule would have removed it, or because a rule needs a date or version that is unknown."""
    failures: tuple[PlannedFailure, ...] = ()
    """What could not be read, and is therefore left as it is."""
    notes: tuple[str, ...] = ()
    """What may be a mistake in the rules, such as a rule that matches no tag."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        named = NamedOnce(self.repository)
        for change in self.changes:
            words = f"{change.action} {change.subject}"
            if isinstance(change, DeleteManifest | RestoreManifest):
                tags = (*change.tags, *change.digest_tags)
                named.add(words, (change.digest, *tags), change.platforms, change.referrers, tags)
            else:
                others = change.other_tags if isinstance(change, MoveTag | Untag) else ()
                named.add(words, (change.tag,), others or ())
        return self

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to change."""
        return not self.changes


class TagPlan(
    PlanModel,
    frozen=True,
    title="Tag plan",
    json_schema_extra={"description": "Changes of tags that `dreg apply` makes."},
):
    """Changes of tags. Print it, save it with `to_json`, and apply it with `apply_plan`.

    Raises:
        ConfigError: A repository is in it twice, or a layout is, even by different paths.

    Example:
        >>> plan = TagPlan(repositories=(RepositoryTagPlan(repository="oci:build/web"),))
        >>> TagPlan.from_json(plan.to_json()) == plan, plan.is_empty
        (True, True)
    """

    version: Literal[1] = 1
    """The version of the format."""
    repositories: tuple[RepositoryTagPlan, ...] = ()
    """The changes of each repository."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = {identity_of(each.repository): each.repository for each in reversed(self.repositories)}
        if (twice := first_twice(identity_of(each.repository) for each in self.repositories)) is not None:
            twice = names[twice]
            raise ConfigError(f"{twice} is in the plan twice")
        return self

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to change."""
        return all(each.is_empty for each in self.repositories)

    @property
    def changes(self) -> tuple[TagChange, ...]:
        """The changes of all repositories."""
        return tuple(change for each in self.repositories for change in each.changes)

    def to_json(self) -> str:
        """Return the plan as JSON, with a final line feed.

        Raises:
            ConfigError: The name of a directory is not UTF-8, so no JSON can have it.
        """
        return plan_json(self, (each.repository for each in self.repositories))

    @classmethod
    def from_json(cls, text: str | bytes, where: str = "the plan") -> "TagPlan":
        """Read a plan that was saved with `to_json`; `where` is its name for messages.

        Raises:
            ConfigError: It is not a valid plan. A repository must be named in full, with its registry.
        """
        plan = parse_plan(cls, text, where, "tag-plan")
        check_names(plan, where)
        return plan

    @classmethod
    def of(cls, plans: "Iterable[TagPlan]") -> "TagPlan":
        """Return a plan of everything in some plans.

        Raises:
            ConfigError: A repository is in two of them.
        """
        return cls(repositories=tuple(each for plan in plans for each in plan.repositories))
