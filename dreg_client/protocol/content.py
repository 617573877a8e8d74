"""What callers pass to name a manifest or a blob, and what a storage medium returns for it."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, Union

from dreg_client import errors
from dreg_client.protocol.content_encoding import GZIP
from dreg_client.values.digest import Digest
from dreg_client.values.sizes import MEBIBYTE

if TYPE_CHECKING:  # commands that only list or resolve need no models
    from dreg_client.models.descriptor import Descriptor

MAX_BLOB: Final = 64 * MEBIBYTE
"""The default limit of `get_blob`, in bytes."""
BlobRef: TypeAlias = Union[Digest, str, "Descriptor"]
"""A blob: its digest, or its descriptor, which also gives its size."""
ManifestRef: TypeAlias = Union[str, "Descriptor"]
"""A manifest: a tag, a digest, or its descriptor."""
Verify = bool | Literal["strict"]
"""Whether referrers are verified; `strict` raises an error where True leaves an entry out."""


@dataclass(frozen=True, slots=True)
class FetchedManifest:
    """A manifest as a storage medium returned it, not verified yet; digest and size are what it must have."""

    raw: bytes
    media_type: str
    digest: Digest
    size: int


@dataclass(frozen=True, slots=True)
class RawManifest:
    """The bytes of a manifest, verified but not parsed: for broken documents.

    Attributes:
        raw: The bytes.
        media_type: The media type that the store states.
        digest: Their digest, in the algorithm of the request.
    """

    raw: bytes
    media_type: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class BlobRequest:
    """A request to a storage medium for the bytes of a blob."""

    digest: Digest
    start: int = 0  # offset of the first byte
    size: int | None = None  # of the whole blob
    fresh: bool = False  # whether caches must be bypassed
    decode: bool = False  # whether to decompress the bytes if they come with a `Content-Encoding` (D-01)
    ranges: int = 1  # the most range requests at a time; media other than registries ignore it

    def again(self, encoding: str) -> "BlobRequest | None":
        """Return the request to send after the wrong bytes came, None if there is nothing left to try.

        The whole blob is requested once more, bypassing caches, and decompressed if it came compressed.
        """
        if encoding in GZIP and not self.decode:
            return replace(self, start=0, fresh=True, decode=True, ranges=1)
        return None if self.fresh else replace(self, start=0, fresh=True, ranges=1)


def reference_text(reference: ManifestRef) -> str:
    """Return the tag or digest by which a manifest is requested."""
    return reference if isinstance(reference, str) else reference.digest


def digest_of(blob: BlobRef) -> Digest:
    """Return the digest of a blob; raise InvalidDigestError if a text is not a valid digest."""
    return Digest(blob) if isinstance(blob, str) else blob.digest


def verifiable(digest: Digest) -> Digest:
    """Return a digest that bytes can be checked against; raise UnsupportedDigestError for an unknown algorithm."""
    if not digest.computable:
        raise errors.UnsupportedDigestError(digest)
    return digest


def blob_request(blob: BlobRef, start: int = 0, ranges: int = 1) -> BlobRequest:
    """Return the request for a blob; its digest must be verifiable, and `ranges` at least 1."""
    if ranges < 1:
        raise ValueError("connections: must be at least 1")
    size = None if isinstance(blob, str) else blob.size
    return BlobRequest(verifiable(digest_of(blob)), start, size, ranges=ranges)


def verify(raw: bytes, digest: Digest, size: int) -> None:
    """Check that a document has the requested size and digest (image-spec descriptor.md, "Verification")."""
    if len(raw) != size:
        raise errors.SizeMismatchError(size, len(raw), digest)
    if (actual := Digest.of(raw, digest.algorithm)) != digest:
        raise errors.DigestMismatchError(digest, actual, "the document")
