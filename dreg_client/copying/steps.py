"""The steps of a copy."""

from dataclasses import dataclass

from dreg_client.models.descriptor import Descriptor


@dataclass(frozen=True, slots=True)
class ReadManifest:
    """Read a manifest, and report what it names to `CopyGraph.read`."""

    descriptor: Descriptor


@dataclass(frozen=True, slots=True)
class CopyBlob:
    """Copy a blob."""

    descriptor: Descriptor


@dataclass(frozen=True, slots=True)
class WriteManifest:
    """Write a manifest under its digest. Everything that it names was copied."""

    descriptor: Descriptor


@dataclass(frozen=True, slots=True)
class WriteTag:
    """Write a manifest under a tag, after everything else was copied; digest tags first."""

    descriptor: Descriptor
    tag: str
    is_digest_tag: bool = False


Step = ReadManifest | CopyBlob | WriteManifest | WriteTag
