# Generated from dreg_client/_async/change_record.py by tools/generate_sync.py. Do not edit.
"""What becomes of the changes of a repository: in the journal, in the result, and as events."""

from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Final

from dreg_client import errors
from dreg_client._sync.changes_journal import Journal
from dreg_client.copying.lost_registries import LostRegistries
from dreg_client.copying.sync_plan import PlannedTag
from dreg_client.models.frozen import FrozenDict
from dreg_client.protocol.content import RawManifest
from dreg_client.protocol.events import Changed, Event
from dreg_client.tagging.journal import EndLine, KeptManifest, Outcome, StepLine, StepOutcome
from dreg_client.tagging.plan import TagChange
from dreg_client.tagging.result import RepositoryChanges
from dreg_client.values.digest import Digest

Emit = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Kept:
    """What the journal keeps, so that a change can be undone.

    Attributes:
        manifests: The manifests that may be lost.
        tags: The tags that are deleted with manifests, with their digests.
    """

    manifests: tuple[RawManifest, ...] = ()
    tags: Mapping[str, Digest] = field(default_factory=FrozenDict[str, Digest])


NOTHING = Kept()
_REJECTIONS: Final = frozenset(range(400, 500)) - {408, 429}
"""Statuses of requests that have changed nothing. After a timeout or too many attempts, an earlier one may have."""


class ChangeRecord:
    """The changes of a repository, while they are made.

    Args:
        repository: Its name.
        journal: The journal; None for none.
        emit: A function that is called with an event for each change.
        lost: The registries that failed.
        undoes: The numbers of the steps that changes undo.

    Attributes:
        repository: Its name.
        failed: The changes that were not made, and why.
    """

    def __init__(
        self,
        repository: str,
        journal: Journal | None,
        *,
        emit: Emit,
        lost: LostRegistries,
        undoes: Mapping[TagChange, int] | None = None,
    ) -> None:
        self.repository = repository
        self.failed: dict[TagChange, errors.DregError] = {}
        self._journal, self._emit, self._lost, self._undoes = journal, emit, lost, undoes
        self._outcomes: dict[TagChange, Outcome] = {}

    def skip_made(self, changes: Iterable[TagChange]) -> None:
        """Note that the changes that were made before, according to the journal, are not necessary."""
        if self._journal is None:
            return
        for change in changes:
            if self._journal.record.is_over(self.repository, change):
                self._note(change, "already")

    @property
    def keeps(self) -> bool:
        """Whether a journal must have what undoes the changes."""
        return self._journal is not None and self._undoes is None

    def kept_before(self, change: TagChange, digest: Digest) -> RawManifest | None:
        """Return a manifest that the journal keeps for an earlier attempt to make a change; None if it has none.

        Raises:
            DregError: The journal was changed: its bytes are not those of the manifest.
        """
        return None if self._journal is None else self._journal.record.kept(self.repository, change, digest)

    def is_over(self, change: TagChange) -> bool:
        """Return whether a change has its outcome."""
        return change in self._outcomes

    def make(self, change: TagChange, function: Callable[[], bool], kept: Kept = NOTHING) -> None:
        """Make a change, after the journal has it. `function` returns whether anything had to be changed."""
        number = 0
        try:
            self._lost.check(self.repository)
            number = self._begin(change, kept)
            outcome: Outcome = "done" if function() else "already"
        except errors.DregError as failure:
            self._lost.add(failure)
            self.fail(change, failure)
        else:
            self._note(change, outcome)
        self._end(number, change)

    def make_with(self, change: TagChange, function: Callable[[], bool], kept: Kept | errors.DregError) -> None:
        """Make a change like `make`, unless what the journal must keep cannot be read."""
        if isinstance(kept, errors.DregError):
            self.fail(change, copy(kept))
        else:
            self.make(change, function, kept)

    def fail(self, change: TagChange, failure: errors.DregError) -> None:
        """Note that a change was not made."""
        self.failed[change] = failure
        self._note(change, "conflict" if isinstance(failure, errors.ConflictError) else "failed")

    def _note(self, change: TagChange, outcome: Outcome) -> None:
        self._outcomes[change] = outcome
        self._emit(Changed(self.repository, change.action, change.subject, outcome))

    def _begin(self, change: TagChange, kept: Kept) -> int:
        if self._journal is None:
            return 0
        number = self._journal.next_number()
        step = StepLine(
            step=number,
            repository=self.repository,
            change=change,
            manifests=tuple(map(KeptManifest.of, kept.manifests)),
            tags=tuple(PlannedTag(tag=tag, digest=digest) for tag, digest in kept.tags.items()),
            undoes=None if self._undoes is None else self._undoes[change],
        )
        try:
            self._journal.write(step)
        except errors.FileError as failure:
            failure.add_outcome("nothing was changed, because the journal could not record it")
            raise
        return number

    def _end(self, number: int, change: TagChange) -> None:
        if self._journal is None or not number:
            return
        failure = self.failed.get(change)
        outcome: StepOutcome = self._outcomes[change] if failure is None else _outcome_of(failure)
        try:
            self._journal.write(EndLine(step=number, outcome=outcome, reason=str(failure or "")))
        except errors.FileError as fault:
            fault.add_outcome(f"the journal does not say what became of this change: {failure or outcome}")
            self.failed.setdefault(change, fault)

    def result(self, changes: tuple[TagChange, ...], failures: Mapping[str, errors.DregError]) -> RepositoryChanges:
        """Return what was done, in the order of the plan. `failures` are those of the plan itself."""
        failed = {change.subject: failure for change, failure in self.failed.items()}

        def having(outcome: Outcome) -> tuple[TagChange, ...]:
            return tuple(each for each in changes if self._outcomes.get(each) == outcome and each not in self.failed)

        return RepositoryChanges(
            self.repository,
            done=having("done"),
            already=having("already"),
            failed=FrozenDict({**failures, **failed}),
        )


def _outcome_of(failure: errors.DregError) -> StepOutcome:
    """Return what became of a step that failed; `failed` if a part of it may have been made."""
    if failure.outcome:
        return "failed"
    if isinstance(failure, errors.ConflictError):
        return "conflict"
    if not isinstance(failure, errors.UnauthorizedError | errors.RegistryError):
        return "failed"
    return "rejected" if failure.status in _REJECTIONS else "failed"
