"""The result of `apply_plan` and `undo`."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import count

from dreg_client.copying.sync_result import name_in
from dreg_client.errors import ConflictError, DregError
from dreg_client.models.frozen import FrozenDict
from dreg_client.tagging.plan import TagChange


@dataclass(frozen=True, slots=True)
class RepositoryChanges:
    """What was done in one repository.

    Attributes:
        repository: The repository or layout.
        done: The changes that were made.
        already: The changes that were not necessary, because the tags were already as the plan wants them.
        failed: The tags and digests that were not changed, and why. A `ConflictError` means that something was
            changed since the plan was made.
        failure: Why nothing could be changed in the whole repository, or what a rule could not do; None if there is no
            such failure.
    """

    repository: str
    done: tuple[TagChange, ...] = ()
    already: tuple[TagChange, ...] = ()
    failed: Mapping[str, DregError] = field(default_factory=FrozenDict[str, DregError])
    failure: DregError | None = None


@dataclass(frozen=True, slots=True)
class ChangesResult:
    """What was done.

    Attributes:
        repositories: What was done in each repository.
    """

    repositories: tuple[RepositoryChanges, ...] = ()

    @property
    def done(self) -> tuple[TagChange, ...]:
        """The changes that were made."""
        return tuple(change for each in self.repositories for change in each.done)

    @property
    def failures(self) -> Mapping[str, DregError]:
        """What failed, and why: by `REPOSITORY:TAG`, `REPOSITORY@DIGEST`, or `REPOSITORY` for a whole repository."""
        found: dict[str, DregError] = {}
        for each in self.repositories:
            if each.failure is not None:
                found[_distinct(each.repository, found)] = each.failure
            for subject, failure in each.failed.items():
                found[_distinct(name_in(each.repository, subject), found)] = failure
        return found

    @property
    def conflicts(self) -> Mapping[str, ConflictError]:
        """The failures that are conflicts: something was changed since the plan was made.

        Example:
            for name, conflict in result.conflicts.items():
                print(name, conflict)
        """
        return {name: failure for name, failure in self.failures.items() if isinstance(failure, ConflictError)}


def _distinct(name: str, others: Collection[str]) -> str:
    """Return a name of its own for a failure, because a result may have several parts of one repository."""
    names = (name if number == 1 else f"{name} ({number})" for number in count(1))
    return next(each for each in names if each not in others)
