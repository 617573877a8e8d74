"""The questions that a store answers, and the plans over them by which documents are read (decision D-30).

A plan is written once, and runs on a layout, an archive and a registry, by threads and by tasks; so every byte is
proven in one place.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeVar, cast

from dreg_client import errors
from dreg_client._logging import log
from dreg_client.models.config import ImageConfig
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import AnyManifest, Index
from dreg_client.models.legacy import LegacyManifest
from dreg_client.models.limits import MAX_DOCUMENT
from dreg_client.models.manifest import OPEN_CONFIG_TYPES, ImageManifest
from dreg_client.models.parse import parse_document, parse_manifest
from dreg_client.protocol.referrers import artifact_type_of
from dreg_client.values import media_type as types
from dreg_client.values.digest import Digest
from dreg_client.values.sizes import MEBIBYTE

T = TypeVar("T")
MAX_BLOB: Final = 64 * MEBIBYTE
Wanted = Digest | str | Descriptor
"""What names a blob: its digest, or its descriptor, which says its size, too."""
Named = str | Descriptor
"""What names a manifest: a tag, a digest, or its descriptor."""
Verify = bool | Literal["strict"]
"""Whether what is listed is verified; `strict` raises what is else left out."""


@dataclass(frozen=True, slots=True)
class Resolve:
    """What does this name point at? Answered by a `Descriptor`.

    Attributes:
        reference: A tag, a digest, or the empty text: the only thing that the store holds.
    """

    reference: str


@dataclass(frozen=True, slots=True)
class Fetch:
    """Which manifest lies at this name? Answered by `Fetched`, not proven yet.

    Attributes:
        reference: As of `Resolve`.
        legacy: Whether Docker's schema 1 is asked for, too.
    """

    reference: str
    legacy: bool = False


@dataclass(frozen=True, slots=True)
class Fetched:
    """A manifest, and what the store says of it."""

    descriptor: Descriptor
    raw: bytes


@dataclass(frozen=True, slots=True)
class Document:
    """The bytes of a manifest or index. Answered by `bytes`, at most `limit` of them, not proven yet.

    Attributes:
        descriptor: Which one.
        limit: The most bytes.
        is_blob: Whether it is a config, which a registry keeps among its blobs.
    """

    descriptor: Descriptor
    limit: int = MAX_DOCUMENT
    is_blob: bool = False


@dataclass(frozen=True, slots=True)
class Tags:
    """All tags. Answered by a tuple of `str`, in the store's order."""


@dataclass(frozen=True, slots=True)
class Referrers:
    """What refers to a manifest. Answered by a tuple of `Descriptor`, in the store's order.

    Attributes:
        digest: The manifest.
        artifact_type: Only those of this type, None for all.
    """

    digest: Digest
    artifact_type: str | None = None


@dataclass(frozen=True, slots=True)
class HasBlob:
    """Is there such a blob? Answered by `bool`."""

    digest: Digest


@dataclass(frozen=True, slots=True)
class Blob:
    """The bytes of a blob. Answered by a context manager of an iterator of chunks, not proven yet.

    Attributes:
        digest: Which one.
        start: The place of the first byte.
        size: The number of its bytes, None where it is not known.
        fresh: Whether nothing that was kept on the way will do.
        decode: Whether it is to be unpacked where it comes packed (decision D-01).
        connections: By how many at a time it may be read, where the store has any.
    """

    digest: Digest
    start: int = 0
    size: int | None = None
    fresh: bool = False
    decode: bool = False
    connections: int = 1

    def again(self, encoding: str) -> "Blob | None":
        """What to ask for when other bytes came: all of it anew, once, by one, and unpacked where it came packed."""
        if encoding in {"gzip", "x-gzip"} and not self.decode:
            return replace(self, start=0, fresh=True, decode=True, connections=1)
        return None if self.fresh else replace(self, start=0, fresh=True, connections=1)


Ask = Resolve | Fetch | Document | Tags | Referrers | HasBlob | Blob
Plan = Generator[Ask, object, T]
_MISMATCH: Final = "GEN-07"
_NO_REFERRER: Final = (
    errors.NotFoundError,
    errors.DocumentError,
    errors.IntegrityError,
    errors.ResponseTooLargeError,
    errors.UnsupportedDigestError,
)


@dataclass(frozen=True, slots=True)
class RawManifest:
    """The bytes of a manifest, proven but not parsed: for documents that are broken.

    Attributes:
        raw: The bytes.
        media_type: What the store says that they are.
        digest: Their digest, as they were asked for.
    """

    raw: bytes
    media_type: str
    digest: Digest


def name_in(reference: Named) -> str:
    """The tag or the digest by which a manifest is asked for."""
    return reference.digest if isinstance(reference, Descriptor) else reference


def digest_of(wanted: Wanted) -> Digest:
    """The digest of what is wanted.

    Raises:
        InvalidDigestError: The text is none.
    """
    return wanted.digest if isinstance(wanted, Descriptor) else Digest(wanted)


def resolved(reference: Named) -> Plan[Descriptor]:
    """What the store says of what a tag, a digest or a descriptor stands for."""
    return cast("Descriptor", (yield Resolve(name_in(reference))))


def proven_bytes(descriptor: Descriptor, *, limit: int = MAX_DOCUMENT, is_blob: bool = False) -> Plan[bytes]:
    """The bytes of a document, of the size and digest that its descriptor says (descriptor.md "Verification")."""
    if not descriptor.digest.computable:
        raise errors.UnsupportedDigestError(descriptor.digest)
    raw = cast("bytes", (yield Document(descriptor, limit, is_blob)))
    _prove(raw, descriptor)
    return raw


def _prove(raw: bytes, descriptor: Descriptor) -> None:
    if len(raw) != descriptor.size:
        raise errors.SizeMismatchError(descriptor.size, len(raw), descriptor.digest)
    if (actual := Digest.of(raw, descriptor.digest.algorithm)) != descriptor.digest:
        raise errors.DigestMismatchError(descriptor.digest, actual, "the document")


def raw_manifest(reference: Named, *, legacy: bool = True) -> Plan[RawManifest]:
    """The manifest at a reference, proven but not parsed."""
    if isinstance(reference, Descriptor):
        raw = yield from proven_bytes(reference)
        return RawManifest(raw, reference.media_type, reference.digest)
    fetched = cast("Fetched", (yield Fetch(reference, legacy)))
    if not fetched.descriptor.digest.computable:
        raise errors.UnsupportedDigestError(fetched.descriptor.digest)
    _prove(fetched.raw, fetched.descriptor)
    return RawManifest(fetched.raw, fetched.descriptor.media_type, fetched.descriptor.digest)


def manifest_of(reference: Named, *, legacy: bool = False) -> Plan[AnyManifest | LegacyManifest]:
    """The manifest or index at a reference: proven, then parsed."""
    found = yield from raw_manifest(reference, legacy=legacy)
    with _named(found.digest):
        if legacy:
            return parse_manifest(found.raw, found.media_type, legacy=True)
        return parse_manifest(found.raw, found.media_type)


def config_of(manifest: ImageManifest) -> Plan[ImageConfig]:
    """The config of an image; an artifact's is none (`NotAnImageError`)."""
    descriptor = manifest.config
    old = manifest.media_type == types.DOCKER_MANIFEST and descriptor.media_type in OPEN_CONFIG_TYPES
    if descriptor.media_type not in types.CONFIGS and not old:
        raise errors.NotAnImageError(descriptor.media_type, manifest.digest)
    return (yield from _config(descriptor))


def _config(descriptor: Descriptor) -> Plan[ImageConfig]:
    raw = yield from proven_bytes(descriptor, is_blob=True)
    with _named(descriptor.digest):
        return parse_document(raw, kind="image-config")


def config_at(reference: Named | ImageManifest) -> Plan[ImageConfig]:
    """The config of the image at a reference, of a manifest at hand, or at the config's own descriptor."""
    if isinstance(reference, ImageManifest):
        return (yield from config_of(reference))
    if isinstance(reference, Descriptor) and reference.media_type in types.CONFIGS:
        return (yield from _config(reference))
    manifest = yield from manifest_of(reference)
    if isinstance(manifest, Index | LegacyManifest):
        raise errors.NotAnImageError(manifest.media_type, manifest.digest)
    return (yield from config_of(manifest))


# --- what refers to a manifest


def referrers_of(digest: Digest, artifact_type: str | None, verify: Verify) -> Plan[tuple[Descriptor, ...]]:
    """What refers to a manifest; where that is to be verified, what really does: its own manifest says so (DLD-25)."""
    entries = cast("tuple[Descriptor, ...]", (yield Referrers(computable(digest), artifact_type)))
    if not verify:
        return entries
    found: list[Descriptor] = []
    for entry in entries:
        try:
            yield from _refers(entry, digest, artifact_type)
        except _NO_REFERRER as failure:
            if verify == "strict":
                raise
            log.warning("%s is listed as referring to %s, and is left out: %s", entry.digest, digest, failure)
        else:
            found.append(entry)
    return tuple(found)


def _refers(entry: Descriptor, digest: Digest, artifact_type: str | None) -> Plan[None]:
    """Raise where the manifest of an entry does not refer to a manifest, or is of another type than was asked for."""
    document = yield from manifest_of(entry)
    subject = cast("Descriptor | None", getattr(document, "subject", None))
    if subject is None or subject.digest != digest:
        named = f"has {subject.digest} as its subject" if subject else "has no subject"
        raise errors.IntegrityError(f"{entry.digest}: {named}, so it does not refer to {digest}")
    if not isinstance(document, LegacyManifest) and artifact_type not in {None, kind := artifact_type_of(document)}:
        raise errors.IntegrityError(f"{entry.digest}: is of type {kind!r}, not {artifact_type!r}")


# --- what errors say


@contextmanager
def _named(digest: Digest) -> Generator[None]:
    """A broken document says which one it is; one of another type than was said breaks all rules of that type."""
    try:
        yield
    except errors.InvalidDocumentError as failure:
        mismatch = tuple(problem for problem in failure.problems if problem.rule == _MISMATCH)
        if mismatch:
            raise errors.MediaTypeMismatchError(mismatch, failure.kind, digest) from None
        raise type(failure)(failure.problems, failure.kind, digest) from None


def computable(digest: Digest) -> Digest:
    """A digest by which something can be proven.

    Raises:
        UnsupportedDigestError: Nothing can.
    """
    if not digest.computable:
        raise errors.UnsupportedDigestError(digest)
    return digest


def blob_ask(wanted: Wanted, start: int = 0, connections: int = 1) -> Blob:
    """The question for a blob; a descriptor says its size, too.

    Raises:
        InvalidDigestError: The text is no digest.
        UnsupportedDigestError: Nothing can be proven by it.
        ValueError: Of connections there is to be one at least.
    """
    if connections < 1:
        raise ValueError("connections: at least 1 is due")
    size = wanted.size if isinstance(wanted, Descriptor) else None
    return Blob(computable(digest_of(wanted)), start, size, connections=connections)
