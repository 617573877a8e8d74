"""Errors of texts that are not valid values, of invalid documents, of bytes that fail verification, and of limits."""

from dataclasses import dataclass, replace
from typing import Self

from dreg_client.errors.problems import Problem, Severity
from dreg_client.errors.root import DregError


@dataclass(eq=False, repr=False)
class InvalidReferenceError(DregError, ValueError):
    """A text is not a valid image reference.

    Attributes:
        text: The text, shortened, without user information.
        part: The part that is wrong: `registry`, `repository`, `tag`, `digest` or `reference`.
        expected: What a valid part looks like.
    """

    text: str
    part: str
    expected: str

    def _sentence(self) -> str:
        return f"{self.text!r} is not a valid {self.part}: expected {self.expected}"


@dataclass(eq=False, repr=False)
class InvalidDigestError(DregError, ValueError):
    """A text is not a valid digest (rules DIG-01, DIG-02)."""

    text: str
    rule: str
    expected: str

    def _sentence(self) -> str:
        return f"{self.text!r} is not a valid digest: expected {self.expected} ({self.rule})"


@dataclass(eq=False, repr=False)
class UnsupportedDigestError(DregError, ValueError):
    """A digest is valid, but its algorithm is not supported, so content cannot be verified by it."""

    digest: str

    def _sentence(self) -> str:
        return f"{self.digest} cannot be verified: only sha256 and sha512 can be computed; ask by such a digest"


@dataclass(eq=False, repr=False)
class InvalidPlatformError(DregError, ValueError):
    """A text is not a valid platform."""

    text: str
    expected: str

    def _sentence(self) -> str:
        return f"{self.text!r} is not a valid platform: expected {self.expected}"


class DocumentError(DregError):
    """A document cannot be read as the expected kind."""


@dataclass(eq=False, repr=False)
class InvalidDocumentError(DocumentError):
    """A document breaks rules of its specification.

    Attributes:
        problems: All problems including warnings, in document order; of each severity at most 1,001 (see `Report`).
            After `strict=False`, the errors that it does not accept come first.
        kind: The kind that the document was read as, such as `oci-manifest`; empty if unknown.
        source: Where the document came from (a file, a digest); empty if unknown.
        readable: Whether `strict=False` reads the document.
    """

    problems: tuple[Problem, ...]
    kind: str = ""
    source: str = ""
    readable: bool = False

    def at(self, source: str) -> Self:
        """Return this error with the place that the document came from."""
        return replace(self, source=source)

    def _sentence(self) -> str:
        errors = [problem for problem in self.problems if problem.severity is Severity.ERROR]
        where = f"{self.source}: " if self.source else ""
        more = f"; and {len(errors) - 1} more, see .problems" if len(errors) > 1 else ""
        advice = "; strict=False reads it, but put_manifest pushes no such document" if self.readable else ""
        found = errors[0] if errors else "unknown problem"
        return f"{where}not a valid {self.kind or 'document'}: {found}{more}{advice}"


class AmbiguousDocumentError(InvalidDocumentError):
    """A document means different things to different parsers (rules GEN-02, GEN-06, GEN-08)."""


class MediaTypeMismatchError(InvalidDocumentError):
    """A document states another media type than the one that it was served with or referred to by (rule GEN-07)."""


@dataclass(eq=False, repr=False)
class UnsupportedMediaTypeError(DocumentError):
    """A document is of a kind that was not asked for, or its kind cannot be determined (rule GEN-12).

    Attributes:
        media_type: The media type of the document; empty if unknown.
        digest: The sha256 digest of its bytes.
        advice: What to do.
    """

    media_type: str
    digest: str
    advice: str

    def _sentence(self) -> str:
        what = f"of media type {self.media_type!r}" if self.media_type else "of no known media type"
        return f"the document {self.digest} is {what}; {self.advice}"


@dataclass(eq=False, repr=False)
class NoBytesError(DocumentError):
    """A document inside a caller's own model has no bytes of its own, so it has no digest and no size (D-35)."""

    model: str

    def _sentence(self) -> str:
        return f"this {self.model} was not read from bytes of its own; read it by {self.model}.parse(raw)"


class IntegrityError(DregError):
    """Bytes are not those that were asked for."""


@dataclass(eq=False, repr=False)
class DigestMismatchError(IntegrityError):
    """Bytes have another digest than expected (rule GEN-11).

    Attributes:
        expected: The digest that was asked for.
        actual: The digest of the bytes.
        where: The source of the bytes.
    """

    expected: str
    actual: str
    where: str = ""

    def _sentence(self) -> str:
        return f"{self.where or 'the bytes'}: digest is {self.actual}, expected {self.expected}"


@dataclass(eq=False, repr=False)
class SizeMismatchError(IntegrityError):
    """Bytes are more or fewer than expected (rule GEN-11); sizes are in bytes."""

    expected: int
    actual: int
    where: str = ""

    def _sentence(self) -> str:
        return f"{self.where or 'the bytes'}: size is {self.actual} bytes, expected {self.expected}"


class ContentEncodingError(IntegrityError):
    """A body was compressed without request, and fails verification both as sent and decompressed (D-01)."""


class LimitExceededError(DregError):
    """Something is larger, deeper or longer than its limit."""


@dataclass(eq=False, repr=False)
class ResponseTooLargeError(LimitExceededError):
    """Content is larger than the limit (rule GEN-05); sizes are in bytes."""

    what: str
    size: int
    limit: int

    def _sentence(self) -> str:
        return f"{self.what}: {self.size} bytes are over the limit of {self.limit}; raise the limit if you trust it"


@dataclass(eq=False, repr=False)
class _TooManyError(LimitExceededError):
    """There is more of something than a limit allows; never raised by itself."""

    where: str
    limit: int


class DepthLimitError(_TooManyError):
    """Indexes are nested deeper than the limit."""

    def _sentence(self) -> str:
        return f"{self.where}: indexes are nested more than {self.limit} deep; ask for the inner image by its digest"


class TooManyPagesError(_TooManyError):
    """A list has more pages than the limit, or links back to a page that was already read."""

    def _sentence(self) -> str:
        return f"{self.where}: the list does not end after {self.limit} pages"


class TooManyRedirectsError(_TooManyError):
    """A request was redirected more often than the limit, or in a circle."""

    def _sentence(self) -> str:
        return f"{self.where}: more than {self.limit} redirects, or in a circle"
