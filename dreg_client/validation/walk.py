"""The walk through the documents of a store, without I/O: what to read next, and what is wrong with what was read."""

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
    """A descriptor of a blob in a document."""

    descriptor: Descriptor
    trail: str  # where it is, for people
    role: Role  # its place in the document
    depth: int  # how many documents lead to the blob; 1 for what a tag names
    assumed: Family | None = None  # its family by its place, if its media type does not say one

    @property
    def family(self) -> Family:
        """The family of the blob: by its media type, else by its place."""
        return self.assumed or self.descriptor.family

    @property
    def named(self) -> str:
        """The blob, for people."""
        return f"the {self.descriptor.media_type} that {self.trail} names"


class Step(Enum):
    """What to do for a claim."""

    READ = auto()
    """Read the document."""
    LOOK = auto()
    """Look whether the blob exists."""
    SKIP = auto()
    """Nothing: it was read already, or need not be."""


class Checks(ABC):
    """What to check in a store: the state of a walk, and the differences between kinds of stores."""

    verifies_first: ClassVar[bool]
    """Whether bytes that do not match their descriptor are reported as such and not read any further."""
    reported: ClassVar[tuple[type[errors.DregError], ...]]
    """The errors of reading that are reported; all others end the walk."""
    absent: ClassVar[str]
    """What a report calls a missing blob."""

    complete: bool
    """Whether a missing blob is an error (LYT-04), not a warning."""
    pedantic: bool
    """Whether notes are reported."""

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
        return report_of(claim, verdict("LYT-04", "$", self.absent, claim.named))

    def below(self, document: Document | None, digest: Digest, depth: int) -> list[Claim]:
        """Return what a document names, in the order of the walk."""
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
    """Return the claim of an entry of an index; one with an empty media type (MED-01) is read, as any index may be."""
    return entry if entry.descriptor.media_type else replace(entry, assumed=Family.INDEX)


def nested_too_deep(claim: Claim) -> Report | None:
    """GEN-04: indexes are nested at most 8 deep."""
    if claim.depth <= MAX_NESTED or claim.family is not Family.INDEX:
        return None
    found = f"an index at level {claim.depth}, see {claim.trail}"
    return report_of(claim, rules.error("GEN-04", "$", found, f"at most {MAX_NESTED}"))


def report_of(claim: Claim, problem: Problem) -> Report:
    """Return the report of a blob of which nothing is known but its descriptor."""
    return Report(None, claim.descriptor.digest, claim.descriptor.size, (problem,))


def wrong_bytes(expected: Digest, actual: Digest | None, claim: Claim | None = None) -> Iterator[Problem]:
    """LYT-03: the bytes of a blob have its digest; None if the digest cannot be computed."""
    if actual is not None and actual != expected:
        what = f", {claim.named}" if claim else ""
        yield rules.error("LYT-03", "$", f"bytes of the digest {actual}", f"those of {expected}{what}")


def wrong_claims(claim: Claim, size: int, media_types: tuple[str, ...] = ()) -> Iterator[Problem]:
    """LYT-05: the size and, for documents, the media type are those of the descriptor, if it says one."""
    stated = claim.descriptor
    if media_types and claim.descriptor.family is claim.family and essence(stated.media_type) not in media_types:
        found = " or ".join(media_types)
        yield rules.error("LYT-05", "$.mediaType", found, f"{stated.media_type}, as {claim.trail} says")
    if size != stated.size:
        yield rules.error("LYT-05", "$", f"{size} bytes", f"{stated.size} bytes, as {claim.trail} says")
