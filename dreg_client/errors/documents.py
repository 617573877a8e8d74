"""Errors for invalid values, invalid documents, failed verification and exceeded limits."""

from dataclasses import dataclass, replace
from typing import Self

from dreg_client.errors.problems import Problem, Severity
from dreg_client.errors.root import DregError


@dataclass(eq=False, repr=False)
class InvalidReferenceError(DregError, ValueError):
    """A string is not a valid image reference.

    Attributes:
        text: The string, shortened and without user name and password.
        part: The invalid part: `registry`, `repository`, `tag`, `digest` or `reference`.
        expected: What a valid part looks like.
    """

    text: str
    part: str
    expected: str

    def _sentence(self) -> str:
        return f"{self.text!r} is not a valid {self.part}: expected {self.expected}"


@dataclass(eq=False, repr=False)
class InvalidDigestError(DregError, ValueError):
    """A string is not a valid digest (rules DIG-01, DIG-02).

    Attributes:
        text: The string, shortened.
        rule: The id of the rule that it breaks.
        expected: What a valid digest looks like.
    """

    text: str
    rule: str
    expected: str

    def _sentence(self) -> str:
        return f"{self.text!r} is not a valid digest: expected {self.expected} ({self.rule})"


@dataclass(eq=False, repr=False)
class UnsupportedDigestError(DregError, ValueError):
    """A digest is valid, but its algorithm is not supported, so it cannot be computed or verified.

    Attributes:
        digest: The digest or its algorithm.
    """

    digest: str

    def _sentence(self) -> str:
        return f"{self.digest} cannot be verified: only sha256 and sha512 are supported; use a sha256 or sha512 digest"


@dataclass(eq=False, repr=False)
class InvalidPlatformError(DregError, ValueError):
    """A string is not a valid platform.

    Attributes:
        text: The string, shortened.
        expected: What a valid platform looks like.
    """

    text: str
    expected: str

    def _sentence(self) -> str:
        return f"{self.text!r} is not a valid platform: expected {self.expected}"


class DocumentError(DregError):
    """A document cannot be parsed as the expected kind of document."""


@dataclass(eq=False, repr=False)
class InvalidDocumentError(DocumentError):
    """A document breaks rules of its specification.

    Attributes:
        problems: All problems including warnings, in document order, at most 1,001 of each severity (see `Report`).
            With `strict=False`, the errors that prevent parsing come first.
        kind: The kind that the document was parsed as, such as `oci-manifest`; empty if unknown.
        source: The file or digest that the document came from; empty if unknown.
        readable: Whether the document can be parsed with `strict=False`.
    """

    problems: tuple[Problem, ...]
    kind: str = ""
    source: str = ""
    readable: bool = False

    def at(self, source: str) -> Self:
        """Return a copy of this error with `source` set."""
        return replace(self, source=source)

    def _sentence(self) -> str:
        errors = [problem for problem in self.problems if problem.severity is Severity.ERROR]
        where = f"{self.source}: " if self.source else ""
        more = f"; and {len(errors) - 1} more, see .problems" if len(errors) > 1 else ""
        advice = "; strict=False reads it (put_manifest still rejects it)" if self.readable else ""
        found = errors[0] if errors else "unknown problem"
        return f"{where}not a valid {self.kind or 'document'}: {found}{more}{advice}"


class AmbiguousDocumentError(InvalidDocumentError):
    """Different parsers would read the document differently (rules GEN-02, GEN-06, GEN-08)."""


class MediaTypeMismatchError(InvalidDocumentError):
    """A document's `mediaType` differs from its `Content-Type` or its descriptor's media type (rule GEN-07)."""


@dataclass(eq=False, repr=False)
class UnsupportedMediaTypeError(DocumentError):
    """A document is not of the requested kind, or its kind cannot be determined (rule GEN-12).

    Attributes:
        media_type: The media type of the document; empty if unknown.
        digest: The sha256 digest of its bytes.
        advice: What to do.
    """

    media_type: str
    digest: str
    advice: str

    def _sentence(self) -> str:
        what = f"media type {self.media_type!r}" if self.media_type else "no known media type"
        return f"the document {self.digest} has {what}; {self.advice}"


@dataclass(eq=False, repr=False)
class NoBytesError(DocumentError):
    """A model has no bytes of its own, so it has no digest or size; for example, it is a field of another model.

    Attributes:
        model: The model's name.
    """

    model: str

    def _sentence(self) -> str:
        return f"this {self.model} has no bytes or digest of its own; to get them, use {self.model}.parse(raw)"


class IntegrityError(DregError):
    """The bytes received are not the requested content."""


@dataclass(eq=False, repr=False)
class DigestMismatchError(IntegrityError):
    """The content has a different digest than expected (rule GEN-11).

    Attributes:
        expected: The requested digest.
        actual: The digest of the received bytes.
        where: Where the bytes came from.
        as_stored: Whether a registry states that it has stored other bytes than those that were sent.
    """

    expected: str
    actual: str
    where: str = ""
    as_stored: bool = False

    def _sentence(self) -> str:
        return f"{self.where or 'the bytes'}: digest is {self.actual}, expected {self.expected}"


@dataclass(eq=False, repr=False)
class SizeMismatchError(IntegrityError):
    """The content is longer or shorter than expected (rule GEN-11).

    Attributes:
        expected: The expected size in bytes.
        actual: The actual size in bytes.
        where: Where the bytes came from.
    """

    expected: int
    actual: int
    where: str = ""

    def _sentence(self) -> str:
        return f"{self.where or 'the bytes'}: size is {self.actual} bytes, expected {self.expected}"


class ContentEncodingError(IntegrityError):
    """A body was compressed without a request for it, and its digest is wrong both as sent and decompressed."""


class LimitExceededError(DregError):
    """Content exceeds a limit on size, depth or number."""


@dataclass(eq=False, repr=False)
class ResponseTooLargeError(LimitExceededError):
    """Content is larger than the limit (rule GEN-05).

    Attributes:
        what: The content.
        size: Its size in bytes, as far as it is known.
        limit: The limit in bytes.
        advice: How to change the limit, or what to use instead. Empty if it cannot be changed.
    """

    what: str
    size: int
    limit: int
    advice: str = ""

    def _sentence(self) -> str:
        advice = self.advice or "this limit cannot be changed"
        return f"{self.what}: {self.size:,} bytes exceed the limit of {_bytes(self.limit)}; {advice}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _bytes(count: int) -> str:
    mebibytes, rest = divmod(count, 1024 * 1024)
    return f"{mebibytes:,} MiB" if mebibytes and not rest else f"{count:,} bytes"


@dataclass(eq=False, repr=False)
class _TooManyError(LimitExceededError):
    """A count exceeds its limit. Only subclasses are raised."""

    where: str
    limit: int


@dataclass(eq=False, repr=False)
class DepthLimitError(_TooManyError):
    """Indexes are nested more deeply than the limit.

    Attributes:
        where: The outermost index.
        limit: The limit.
        advice: What to do.
    """

    advice: str = "request the image by its digest"

    def _sentence(self) -> str:
        return f"{self.where}: indexes are nested more than {self.limit} levels deep; {self.advice}"


@dataclass(eq=False, repr=False)
class TooManyEntriesError(_TooManyError):
    """A document or a list has more entries than the limit, so that it could fill the memory (rule GEN-05).

    Attributes:
        where: The document, or the URL of the list.
        limit: The limit.
        entries: What the entries are.
        advice: What to do.
    """

    entries: str
    advice: str

    def _sentence(self) -> str:
        return f"{self.where}: more than {self.limit:,} {self.entries}; {self.advice}"


@dataclass(eq=False, repr=False)
class TooManyPagesError(_TooManyError):
    """A list has more pages than the limit, or links back to an earlier page.

    Attributes:
        where: The URL of the list, without its query.
        limit: The limit; for a link to an earlier page, the number of pages before it.
        advice: What to do.
    """

    advice: str = ""

    def _sentence(self) -> str:
        advice = f"; {self.advice}" if self.advice else ""
        return f"{self.where}: the list does not end after {_count(self.limit, 'page')}{advice}"


class TooManyRedirectsError(_TooManyError):
    """A request was redirected more often than the limit, or in a loop.

    Attributes:
        where: The URL, without its query.
        limit: The limit.
    """

    def _sentence(self) -> str:
        return f"{self.where}: more than {self.limit} redirects, or a redirect loop"
