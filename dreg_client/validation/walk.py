"""The walk through the documents of a store, without I/O: what to read next, and the problems of what was read."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import ClassVar, Final, Literal

from dreg_client import errors
from dreg_client.errors.problems import Problem
from dreg_client.models import rules
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import Index
from dreg_client.models.manifest import ImageManifest, has_image_config
from dreg_client.models.parse import Document
from dreg_client.validation.report import Report
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import Family, essence

MAX_NESTED: Final = 8
Role = Literal["entry", "config", "layer"]
"""The place of a descriptor: an entry of an index, the config or a layer of a manifest."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A descriptor in a document, which claims the size, digest and media type of a blob."""

    descriptor: Descriptor
    trail: str  # the document and path of the descriptor, for messages
    role: Role  # the place of the descriptor in the document
    depth: int  # the number of documents that lead to the blob; 1 for a tagged document
    assumed: Family | None = None  # the family that the place implies, if any

    @property
    def family(self) -> Family:
        """The family of the blob: implied by the place of the descriptor, otherwise by its media type."""
        return self.assumed or self.descriptor.family

    @property
    def named(self) -> str:
        """The blob, for messages."""
        return f"the {self.descriptor.media_type} in {self.trail}"


class Step(Enum):
    """The next step for a claim."""

    READ = auto()
    """Read the document."""
    LOOK = auto()
    """Check whether the blob exists."""
    SKIP = auto()
    """Do nothing: the blob was already read, or does not need to be read."""


class Checks(ABC):
    """The checks of a store: the state of a walk, and the differences between the kinds of stores."""

    verifies_first: ClassVar[bool]
    """Whether to report content with a wrong digest without validating it."""
    reported: ClassVar[tuple[type[errors.DregError], ...]]
    """The errors of reading that are reported. All others end the walk."""
    absent: ClassVar[str]
    """The description of a missing blob in reports."""

    complete: bool
    """Whether a missing blob is an error (LYT-04), not a warning."""
    pedantic: bool
    """Whether notes are reported."""

    def __init__(self, *, complete: bool, pedantic: bool) -> None:
        self.complete, self.pedantic = complete, pedantic
        # The number of diff_ids of each config, by digest, size and data; None if it cannot be read.
        self.diff_ids: dict[tuple[Digest, int, str | None], int | None] = {}

    @abstractmethod
    def step(self, claim: Claim) -> Step | Report:
        """Record a claim, and return the next step for it, or its report if nothing needs to be read."""

    @abstractmethod
    def check(self, claim: Claim, raw: bytes) -> tuple[Report, Document | None]:
        """Return the report of a document that was read, and the document for continuing the walk, if any."""

    @abstractmethod
    def unreadable(self, claim: Claim, failure: errors.DregError) -> Report:
        """Return the report of a blob that cannot be read."""

    @abstractmethod
    def trail(self, digest: Digest, path: str, position: int | None = None) -> str:
        """Return the name of a member of a document, or of an item in it, in reports."""

    def missing(self, claim: Claim) -> Report:
        """Return the report of a missing blob (LYT-04)."""
        verdict = rules.error if self.complete else rules.warning
        return report_of(claim, verdict("LYT-04", "$", self.absent, claim.named))

    def below(self, document: Document | None, digest: Digest, depth: int) -> list[Claim]:
        """Return the claims in a document, in the order of the walk."""
        match document:
            case Index():
                claims = self._items(document.manifests, digest, "$.manifests", "entry", depth)
                return [with_assumed_family(claim) for claim in claims]
            case ImageManifest():
                assumed = Family.CONFIG if has_image_config(document) else None
                config = Claim(document.config, self.trail(digest, "$.config"), "config", depth + 1, assumed)
                return [config, *self._items(document.layers, digest, "$.layers", "layer", depth)]
            case _:
                return []

    def _items(self, items: Sequence[Descriptor], digest: Digest, path: str, role: Role, depth: int) -> list[Claim]:
        return [Claim(item, self.trail(digest, path, at), role, depth + 1) for at, item in enumerate(items)]


def with_assumed_family(entry: Claim) -> Claim:
    """Return the claim of an index entry. An entry with an empty media type (MED-01) is read as if it were an index."""
    return entry if entry.descriptor.media_type else replace(entry, assumed=Family.INDEX)


def nested_too_deep(claim: Claim) -> Report | None:
    """Return the report of an index that is nested more than 8 levels deep (GEN-04); otherwise None."""
    if claim.depth <= MAX_NESTED or claim.family is not Family.INDEX:
        return None
    found = f"an index at level {claim.depth}, from {claim.trail}"
    return report_of(claim, rules.error("GEN-04", "$", found, f"at most {MAX_NESTED} levels"))


def report_of(claim: Claim, problem: Problem) -> Report:
    """Return the report of a blob of which only the descriptor is known."""
    return Report(None, claim.descriptor.digest, claim.descriptor.size, (problem,))


def wrong_bytes(expected: Digest, actual: Digest | None, claim: Claim | None = None) -> Iterator[Problem]:
    """Yield LYT-03 if the content of a blob has another digest. `actual` is None if it cannot be computed."""
    if actual is not None and actual != expected:
        what = f", {claim.named}" if claim else ""
        yield rules.error("LYT-03", "$", f"content with the digest {actual}", f"{expected}{what}")


def wrong_claims(claim: Claim, size: int, media_types: tuple[str, ...] = ()) -> Iterator[Problem]:
    """Yield LYT-05 if a blob's size or, for documents, its media type differs from its descriptor."""
    stated = claim.descriptor
    if media_types and claim.descriptor.family is claim.family and essence(stated.media_type) not in media_types:
        found = " or ".join(media_types)
        yield rules.error("LYT-05", "$.mediaType", found, f"{stated.media_type}, as stated in {claim.trail}")
    if size != stated.size:
        yield rules.error("LYT-05", "$", f"{size} bytes", f"{stated.size} bytes, as stated in {claim.trail}")
