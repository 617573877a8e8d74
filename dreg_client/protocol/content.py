"""Manifests and blobs as callers name them, and as storage media return them."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, Union

from dreg_client import errors
from dreg_client.protocol.content_encoding import GZIP
from dreg_client.values.arguments import check_choice
from dreg_client.values.digest import SHA256, Digest
from dreg_client.values.reference import is_tag
from dreg_client.values.sizes import MEBIBYTE
from dreg_client.values.text_fields import not_a_text

if TYPE_CHECKING:  # commands that only list or resolve need no models
    from dreg_client.models.descriptor import Descriptor

MAX_BLOB: Final = 64 * MEBIBYTE
"""The default limit of `get_blob`, in bytes."""
BlobRef: TypeAlias = Union[Digest, str, "Descriptor"]
"""A blob: its digest, or its descriptor, which also gives its size."""
ManifestRef: TypeAlias = Union[str, "Descriptor"]
"""A manifest: a tag, a digest, or its descriptor."""
MANIFEST_IS: Final = "a manifest must be given as a str (a tag such as '1.4', or a digest) or as a Descriptor"
_BLOB_IS: Final = "a blob must be given as its digest (a str such as 'sha256:...') or as a Descriptor"
_DIGEST_OF_ONE: Final = "a manifest must be given here as its digest (a str such as 'sha256:...') or as a Descriptor"
Verify = bool | Literal["strict"]
"""Whether referrers are verified. `strict` raises an error for an entry that True would leave out."""


@dataclass(frozen=True, slots=True, init=False)
class RawManifest:
    """The bytes of a manifest, verified but not parsed: for broken documents.

    The constructor verifies the bytes, so `digest` is always the digest of `raw`.

    Args:
        raw: The bytes.
        media_type: The media type that the store states; empty if it states none.
        digest: The digest that the bytes must have; None if only a tag is known.
        where: The source of the bytes, for the error.

    Attributes:
        raw: The bytes.
        media_type: The media type that the store states.
        digest: Their digest, with the algorithm of the requested digest (sha256 for a tag).

    Raises:
        DigestMismatchError: The bytes have another digest.
        UnsupportedDigestError: The algorithm of the digest is not supported.
    """

    raw: bytes
    media_type: str
    digest: Digest

    def __init__(self, raw: bytes, media_type: str, digest: Digest | None = None, where: str = "the document") -> None:
        actual = Digest.of(raw, digest.algorithm if digest else SHA256)
        if digest is not None and digest != actual:
            raise errors.DigestMismatchError(digest, actual, where)
        object.__setattr__(self, "raw", raw)  # as a frozen dataclass's own __init__ does
        object.__setattr__(self, "media_type", media_type)
        object.__setattr__(self, "digest", actual)


@dataclass(frozen=True, slots=True)
class BlobRequest:
    """A request to a storage medium for the bytes of a blob."""

    digest: Digest
    start: int = 0  # offset of the first byte
    size: int | None = None  # of the whole blob
    fresh: bool = False  # whether caches must be bypassed
    decode: bool = False  # whether to decompress the bytes if they have a `Content-Encoding` (D-01)
    ranges: int = 1  # the most concurrent range requests; only registries use it

    def again(self, encoding: str) -> "BlobRequest | None":
        """Return the request to send after the bytes were wrong; None if there is nothing left to try.

        It requests the whole blob again, bypassing caches. If the bytes were compressed, they are now decompressed.
        """
        if encoding in GZIP and not self.decode:
            return replace(self, start=0, fresh=True, decode=True, ranges=1)
        return None if self.fresh else replace(self, start=0, fresh=True, ranges=1)


def check_verify(verify: object) -> None:
    """Raise ValueError unless this is a value of `Verify`; a misspelt value would verify less than intended."""
    check_choice("verify", verify, (False, True, "strict"))


def reference_text(reference: ManifestRef) -> str:
    """Return the tag or digest by which a manifest is requested."""
    if isinstance(reference, str):
        return reference
    return _digest_within(reference, MANIFEST_IS)


def digest_of(blob: BlobRef) -> Digest:
    """Return the digest of a blob; raise InvalidDigestError if a text is not a valid digest."""
    return Digest(blob) if isinstance(blob, str) else _digest_within(blob, _BLOB_IS)


def digest_of_manifest(manifest: BlobRef) -> Digest:
    """Return the digest of a manifest; for a tag, the InvalidDigestError says how to get the digest."""
    if not isinstance(manifest, str):
        return _digest_within(manifest, _DIGEST_OF_ONE)
    try:
        return Digest(manifest)
    except errors.InvalidDigestError as failure:
        if not is_tag(manifest):
            raise
        expected = f"{failure.expected}; resolve({manifest!r}) returns it"
        raise errors.InvalidDigestError(failure.text, failure.rule, expected) from None


def _digest_within(given: "Descriptor", what: str) -> Digest:
    """Return the digest of a descriptor; for anything else, raise a TypeError that says what to pass."""
    if not (hasattr(given, "media_type") and hasattr(given, "size")):
        raise not_a_text(given, what, digits=what == MANIFEST_IS)
    return _proven(given)


def _proven(given: "Descriptor") -> Digest:
    """Return the digest of a descriptor; raise InvalidDigestError if the descriptor was created without validation."""
    digest: object = getattr(given, "digest", None)
    if isinstance(digest, Digest):
        return digest
    expected = "a Digest: model_construct checks nothing, so create the descriptor with Descriptor.build(...)"
    raise errors.InvalidDigestError(str(digest), "DSC-02", expected)


def verifiable_in(descriptor: "Descriptor") -> Digest:
    """Return the digest of a descriptor; raise UnsupportedDigestError if its algorithm is not supported."""
    return verifiable(_proven(descriptor))


def verifiable(digest: Digest) -> Digest:
    """Return the digest; raise UnsupportedDigestError if its algorithm is not supported."""
    if not digest.computable:
        raise errors.UnsupportedDigestError(digest)
    return digest


def blob_request(blob: BlobRef, start: int = 0, ranges: int = 1) -> BlobRequest:
    """Return the request for a blob; its digest must be verifiable, and `ranges` at least 1."""
    if ranges < 1:
        raise ValueError("connections must be at least 1")
    digest = verifiable(digest_of(blob))
    return BlobRequest(digest, start, None if isinstance(blob, str) else blob.size, ranges=ranges)
