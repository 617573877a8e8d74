"""The walk through the documents of a store, without I/O: what to read next, and what is wrong with what was read."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar, Final

from dreg_client import errors
from dreg_client.models import rules
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import Index
from dreg_client.models.manifest import ImageManifest
from dreg_client.models.parse import Document
from dreg_client.validation.claims import Claim, Role, report_of
from dreg_client.validation.report import Report
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import Family

MAX_NESTED: Final = 8


class Step(Enum):
    """What to do for a claim."""

    READ = auto()
    """Read the document."""
    LOOK = auto()
    """Look whether the blob exists."""
    SKIP = auto()
    """Nothing: it was read already, or need not be."""


@dataclass(frozen=True, slots=True)
class Visited:
    """What came of a claim.

    Attributes:
        claim: The claim.
        report: The report of what it names; None if there is nothing to report.
        document: The document, if it was read and can be walked on from.
    """

    claim: Claim
    report: Report | None = None
    document: Document | None = None


class Checks(ABC):
    """What to check in a store: the state of a walk, and the differences between kinds of stores.

    Attributes:
        complete: Whether a missing blob is an error (LYT-04), not a warning.
        pedantic: Whether notes are reported.
    """

    verifies_first: ClassVar[bool]
    """Whether bytes that do not match their descriptor are reported as such and not read any further."""
    reported: ClassVar[tuple[type[errors.DregError], ...]]
    """The errors of reading that are reported; all others end the walk."""
    absent: ClassVar[str]
    """What a report calls a missing blob."""

    def __init__(self, *, complete: bool, pedantic: bool) -> None:
        self.complete, self.pedantic = complete, pedantic

    @abstractmethod
    def step(self, claim: Claim) -> Step | Report:
        """Return what to do for a claim, or the report of it if nothing needs to be read; the claim is remembered."""

    @abstractmethod
    def check(self, claim: Claim, raw: bytes) -> tuple[Report, Document | None]:
        """Return the report of a document that was read, and the document to walk on from, if any."""

    @abstractmethod
    def unreadable(self, claim: Claim, failure: errors.DregError) -> Report:
        """Return the report of a blob that cannot be read."""

    @abstractmethod
    def trail(self, digest: Digest, path: str, position: int | None = None) -> str:
        """Return what reports call a member of a document, or an item of it."""

    def missing(self, claim: Claim) -> Report:
        """LYT-04: what documents name exists."""
        verdict = rules.error if self.complete else rules.warning
        return report_of(claim.descriptor, verdict("LYT-04", "$", self.absent, claim.named))

    def below(self, document: Document | None, digest: Digest, depth: int) -> list[Claim]:
        """Return what a document names, in the order of the walk."""
        match document:
            case Index():
                return self._items(document.manifests, digest, "$.manifests", "entry", depth)
            case ImageManifest():
                config = Claim(document.config, self.trail(digest, "$.config"), "config", depth + 1)
                return [config, *self._items(document.layers, digest, "$.layers", "layer", depth)]
            case _:
                return []

    def _items(self, items: Sequence[Descriptor], digest: Digest, path: str, role: Role, depth: int) -> list[Claim]:
        return [
            Claim(descriptor, self.trail(digest, path, position), role, depth + 1)
            for position, descriptor in enumerate(items)
        ]


def nested_too_deep(claim: Claim) -> Report | None:
    """GEN-04: indexes are nested at most 8 deep."""
    if claim.depth <= MAX_NESTED or claim.descriptor.family is not Family.INDEX:
        return None
    found = f"an index at level {claim.depth}, see {claim.trail}"
    return report_of(claim.descriptor, rules.error("GEN-04", "$", found, f"at most {MAX_NESTED}"))
