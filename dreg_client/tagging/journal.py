"""Journals of tag changes: each change with what undoes it, and what became of it. JSON Lines."""

from base64 import b64decode, b64encode
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from pydantic import Field, RootModel, ValidationError

from dreg_client.copying.plan_model import PlanModel, first_problem
from dreg_client.copying.sync_plan import PlannedTag
from dreg_client.errors import ConfigError, DregError
from dreg_client.protocol.content import RawManifest
from dreg_client.protocol.untag import original_of
from dreg_client.tagging.plan import RepositoryTagPlan, RestoreManifest, TagChange, TagPlan
from dreg_client.values.digest import Digest

HEAD: Final = b'{"kind":"start","journal":"tag changes","version":'
"""What each journal begins with."""
Outcome = Literal["done", "already", "conflict", "failed"]
"""What became of a change: it was made, was not necessary, was a conflict with another change, or failed."""
StepOutcome = Literal[Outcome, "rejected"]
"""The same in a journal, which also says if the registry rejected the change, so that nothing was changed."""
_NOT_MADE: Final = frozenset[StepOutcome | None]({"already", "conflict", "rejected"})
"""The outcomes of steps that have changed nothing."""
_LAST_STEP: Final = 1 << 53
"""The highest number of a step: larger ones are not exact in all programs that read JSON."""


class StartLine(PlanModel, frozen=True):
    """The first line of a journal."""

    kind: Literal["start"] = "start"
    """`start`."""
    journal: Literal["tag changes"] = "tag changes"
    """`tag changes`."""
    version: Literal[1] = 1
    """The version of the format."""
    date: datetime
    """When the plan was applied first."""
    plan: Digest
    """The digest of the plan's JSON. A journal belongs to one plan."""
    contents: TagPlan
    """The plan."""


class KeptManifest(PlanModel, frozen=True):
    """A manifest that may be deleted, so that it can be put back."""

    digest: Digest
    """Its digest."""
    media_type: str
    """Its media type."""
    raw: str
    """Its bytes, in base64."""

    @classmethod
    def of(cls, manifest: RawManifest) -> "KeptManifest":
        """Return a manifest in the form of the journal."""
        raw = b64encode(manifest.raw).decode()
        return cls(digest=manifest.digest, media_type=manifest.media_type, raw=raw)

    def manifest(self) -> RawManifest:
        """Return the manifest.

        Raises:
            DigestMismatchError: The bytes do not match the digest: the journal was changed.
            ConfigError: The bytes are not valid base64.
        """
        try:
            raw = b64decode(self.raw, validate=True)
        except ValueError:
            raise ConfigError(f"the journal has no valid base64 for the manifest {self.digest}") from None
        return RawManifest(raw, self.media_type, self.digest, "the journal")


class StepLine(PlanModel, frozen=True):
    """A change that is about to be made. It is on disk before the first request of the change."""

    kind: Literal["step"] = "step"
    """`step`."""
    step: int = Field(ge=1, le=_LAST_STEP)
    """The number of the step, from 1. A change that is tried again gets a new number."""
    repository: str
    """The repository or layout."""
    change: TagChange
    """The change. It has the digests that tags had before."""
    manifests: tuple[KeptManifest, ...] = ()
    """The manifests that the change deletes, or that might not stay without the tag that it deletes."""
    tags: tuple[PlannedTag, ...] = ()
    """The tags that the deletion of a manifest deletes, with their digests."""
    undoes: int | None = Field(None, ge=1, le=_LAST_STEP)
    """The number of the step that this one undoes; null if it is a step of the plan."""


class EndLine(PlanModel, frozen=True):
    """What became of a change. Without this line, the process was killed, and the change may have been made."""

    kind: Literal["end"] = "end"
    """`end`."""
    step: int = Field(ge=1, le=_LAST_STEP)
    """The number of the step."""
    outcome: StepOutcome
    """`done`, `already`, `conflict`, `rejected` (by the registry: nothing was changed), or `failed` (maybe in part)."""
    reason: str = ""
    """Why it failed."""


class JournalLine(
    RootModel[Annotated[StartLine | StepLine | EndLine, Field(discriminator="kind")]],
    frozen=True,
    title="Line of a journal of tag changes",
    json_schema_extra={"description": "A line of a journal, which `dreg apply --journal FILE` writes."},
):
    """A line of a journal."""


@dataclass(slots=True)
class Attempts:
    """All attempts to make a change.

    Attributes:
        repository: The repository or layout.
        change: The change.
        number: The number of the first step.
        outcomes: What became of each step, by its number; None if its process was killed.
        manifests: What the steps keep, by digest.
        tags: The tags that the steps delete with manifests.
    """

    repository: str
    change: TagChange
    number: int
    outcomes: dict[int, StepOutcome | None] = field(default_factory=dict[int, "StepOutcome | None"])
    manifests: dict[Digest, KeptManifest] = field(default_factory=dict[Digest, KeptManifest])
    tags: dict[str, Digest] = field(default_factory=dict[str, Digest])

    def add(self, step: StepLine) -> None:
        """Add a step."""
        self.outcomes[step.step] = None
        self.manifests |= {each.digest: each for each in step.manifests}
        for each in step.tags:
            if not self._is_placeholder(each):
                self.tags[each.tag] = each.digest

    def _is_placeholder(self, tag: PlannedTag) -> bool:
        """Return whether a digest is that of a placeholder, which an earlier step has left at a tag."""
        before, kept = self.tags.get(tag.tag), self.manifests.get(tag.digest)
        if before is None or kept is None:
            return False
        with suppress(DregError):
            return original_of(kept.manifest()) == before
        return False

    @property
    def is_over(self) -> bool:
        """Whether the change was made, or was not necessary."""
        return not {"done", "already"}.isdisjoint(self.outcomes.values())

    @property
    def may_have_changed(self) -> bool:
        """Whether the change, or a part of it, may have been made."""
        return not _NOT_MADE.issuperset(self.outcomes.values())


class JournalRecord:
    """What a journal says.

    Attributes:
        start: The first line; None if the journal is empty.
        last: The highest number of a step.
    """

    def __init__(self) -> None:
        self.start: StartLine | None = None
        self.last: int = 0
        self._made: dict[tuple[str, TagChange], Attempts] = {}
        self._planned: set[tuple[str, TagChange]] = set()
        self._numbers: set[int] = set()
        self._undone: dict[int, Attempts] = {}
        self._of_step: dict[int, Attempts] = {}

    def read(self, line: bytes) -> None:
        """Add a line.

        Raises:
            ValueError: It is not valid, or not in its place. The message says why.
        """
        try:
            found = JournalLine.model_validate_json(line).root
        except ValidationError as failure:
            raise ValueError(first_problem(failure)) from None
        match found:
            case StartLine():
                self._begin(found)
            case _ if self.start is None:
                raise ValueError("the first line must be of kind start")
            case StepLine():
                self._add_step(found)
            case EndLine(step=step, outcome=outcome):
                if step not in self._of_step:
                    message = f"there is no step {step} before it"
                    raise ValueError(message)
                self._of_step[step].outcomes[step] = outcome

    def _begin(self, start: StartLine) -> None:
        if self.start is not None:
            raise ValueError("only the first line can be of kind start")
        if plan_digest(start.contents) != start.plan:
            raise ValueError("the plan does not match its digest")
        self.start = start
        self._planned = {(each.repository, change) for each in start.contents.repositories for change in each.changes}

    def _add_step(self, step: StepLine) -> None:
        if step.step in self._of_step:
            message = f"there is another step {step.step} before it"
            raise ValueError(message)
        self._check_kind(step)
        self.last = max(self.last, step.step)
        new = Attempts(step.repository, step.change, step.step)
        if step.undoes is None:
            attempts = self._made.setdefault((step.repository, step.change), new)
            self._numbers.add(attempts.number)
        else:
            attempts = self._undone.setdefault(step.undoes, new)
        attempts.add(step)
        self._of_step[step.step] = attempts

    def _check_kind(self, step: StepLine) -> None:
        """Raise ValueError if it is not a step of a plan, and does not undo one."""
        if step.undoes is None:
            if isinstance(step.change, RestoreManifest):
                raise ValueError("only undo can restore manifests, so `undoes` is missing")
            if (step.repository, step.change) not in self._planned:
                message = f"step {step.step} is not a change of the journal's plan"
                raise ValueError(message)
            return
        if step.undoes not in self._numbers:
            message = f"there is no step {step.undoes} of the plan before it"
            raise ValueError(message)

    @property
    def is_undone(self) -> bool:
        """Whether changes were undone."""
        return bool(self._undone)

    def is_over(self, repository: str, change: TagChange) -> bool:
        """Return whether a change of the plan was made, or was not necessary."""
        attempts = self._made.get((repository, change))
        return attempts is not None and attempts.is_over

    def kept(self, repository: str, change: TagChange, digest: Digest) -> RawManifest | None:
        """Return a manifest that an attempt to make a change keeps; None if there is none.

        Raises:
            DregError: The journal was changed: its bytes are not those of the manifest.
        """
        attempts = self._made.get((repository, change))
        found = None if attempts is None else attempts.manifests.get(digest)
        return None if found is None else found.manifest()

    def left_of(self, plan: TagPlan) -> TagPlan:
        """Return the changes of the plan that were not made, and were not unnecessary."""
        left = (
            (each.repository, tuple(change for change in each.changes if not self.is_over(each.repository, change)))
            for each in plan.repositories
        )
        parts = tuple(RepositoryTagPlan(repository=name, changes=changes) for name, changes in left if changes)
        return TagPlan(repositories=parts)

    def to_undo(self) -> list[Attempts]:
        """Return the changes that may have been made, and were not undone yet, the last one first."""
        left = [each for each in self._made.values() if each.may_have_changed]
        return [each for each in reversed(left) if each.number not in self._undone or not self._is_undone(each)]

    def _is_undone(self, attempts: Attempts) -> bool:
        return self._undone[attempts.number].is_over


def plan_digest(plan: TagPlan) -> Digest:
    """Return the digest of a plan's JSON.

    Raises:
        ConfigError: The name of a directory in it is not UTF-8.
    """
    return Digest.of(plan.to_json().encode())


def first_line(plan: TagPlan) -> StartLine:
    """Return the first line of a new journal."""
    return StartLine(date=datetime.now(UTC).replace(microsecond=0), plan=plan_digest(plan), contents=plan)


def text_of(lines: Iterable[StartLine | StepLine | EndLine]) -> bytes:
    """Return lines as JSON."""
    return b"".join(line.model_dump_json().encode() + b"\n" for line in lines)
