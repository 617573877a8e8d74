"""What documents say of one another, and the problems where that is not so (LYT-03 to LYT-05)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from dreg_client.errors.problems import Problem
from dreg_client.models import rules
from dreg_client.models.descriptor import Descriptor
from dreg_client.validation.report import Report
from dreg_client.values.digest import Digest

Role = Literal["entry", "config", "layer"]
"""The place of a descriptor: an entry of an index, the config or a layer of a manifest."""


@dataclass(frozen=True, slots=True)
class FileReport:
    """The report of one file of a layout.

    Attributes:
        name: Its name below the layout's root.
        report: What is wrong with it.
    """

    name: str
    report: Report


@dataclass(frozen=True, slots=True)
class DocumentReport:
    """The report of one document of a store.

    Attributes:
        name: The tag, or the digest of a document below one.
        report: What is wrong with it.
    """

    name: str
    report: Report


@dataclass(frozen=True, slots=True)
class Claim:
    """What a document says of a blob.

    Attributes:
        descriptor: What it says.
        trail: Where it says so, for people.
        role: The place of the descriptor in the document.
        depth: How many documents lead to the blob; 1 for what a tag names.
    """

    descriptor: Descriptor
    trail: str
    role: Role
    depth: int

    @property
    def named(self) -> str:
        """The blob, for people."""
        return f"the {self.descriptor.media_type} that {self.trail} names"


@dataclass(frozen=True, slots=True)
class Content:
    """What was found at a digest.

    Attributes:
        size: The number of bytes.
        media_types: The media types of its kind of document; empty if it is not a known document.
    """

    size: int
    media_types: tuple[str, ...] = ()


def wrong_bytes(expected: Digest, actual: Digest | None, claim: Claim | None = None) -> Iterator[Problem]:
    """LYT-03: the bytes of a blob have its digest; None if the digest cannot be computed."""
    if actual is not None and actual != expected:
        what = f", {claim.named}" if claim else ""
        yield rules.error("LYT-03", "$", f"bytes of the digest {actual}", f"those of {expected}{what}")


def wrong_claims(claim: Claim, content: Content) -> Iterator[Problem]:
    """LYT-05: the size and, for documents, the media type are those of the descriptor."""
    stated = claim.descriptor
    if content.media_types and stated.media_type not in content.media_types:
        found = " or ".join(content.media_types)
        yield rules.error("LYT-05", "$.mediaType", found, f"{stated.media_type}, as {claim.trail} says")
    if content.size != stated.size:
        yield rules.error("LYT-05", "$", f"{content.size} bytes", f"{stated.size} bytes, as {claim.trail} says")


def report_of(descriptor: Descriptor, *problems: Problem) -> Report:
    """Return the report of a blob of which nothing is known but its descriptor."""
    return Report(None, descriptor.digest, descriptor.size, problems)
