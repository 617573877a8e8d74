"""Words that are no values, documents that break rules, bytes that are others than were asked for, and limits."""

from dreg_client.errors.problems import Problem, Severity
from dreg_client.errors.root import DregError

# --- words: text that is no value


class InvalidReferenceError(DregError, ValueError):
    """A text is no reference to an image.

    Attributes:
        text: The text, cut short, without user information.
        part: What is wrong: `registry`, `repository`, `tag`, `digest` or `reference`.
        expected: What should stand there.
    """

    text: str
    part: str
    expected: str

    def __init__(self, text: str, part: str, expected: str) -> None:
        super().__init__(text, part, expected)
        self.text, self.part, self.expected = text, part, expected

    def _sentence(self) -> str:
        where = "" if self.part == "reference" else f", see its {self.part}"
        return f"{self.text!r} is no reference{where}: expected {self.expected}"


class InvalidDigestError(DregError, ValueError):
    """A text is no digest (rules DIG-01, DIG-02)."""

    text: str
    rule: str
    expected: str

    def __init__(self, text: str, rule: str, expected: str) -> None:
        super().__init__(text, rule, expected)
        self.text, self.rule, self.expected = text, rule, expected

    def _sentence(self) -> str:
        return f"{self.text!r} is no digest: expected {self.expected} ({self.rule})"


class UnsupportedDigestError(DregError, ValueError):
    """A digest is well formed, but nothing here can compute its algorithm, so nothing can be proven by it."""

    digest: str

    def __init__(self, digest: str) -> None:
        super().__init__(digest)
        self.digest = digest

    def _sentence(self) -> str:
        return f"{self.digest} cannot be verified: only sha256 and sha512 can be computed; ask by such a digest"


class InvalidPlatformError(DregError, ValueError):
    """A text is no platform."""

    text: str
    expected: str

    def __init__(self, text: str, expected: str) -> None:
        super().__init__(text, expected)
        self.text, self.expected = text, expected

    def _sentence(self) -> str:
        return f"{self.text!r} is no platform: expected {self.expected}"


# --- documents


class DocumentError(DregError):
    """A document cannot be read as what it should be."""


class InvalidDocumentError(DocumentError):
    """A document breaks rules of its specification.

    Attributes:
        problems: All problems, warnings too, in document order; of each severity at most 1,001 (see `Report`).
        kind: What the document was read as, such as `oci-manifest`; empty when that was not known.
        source: Where it came from (a file, a digest), empty when that was not said.
    """

    problems: tuple[Problem, ...]
    kind: str
    source: str

    def __init__(self, problems: tuple[Problem, ...], kind: str = "", source: str = "") -> None:
        super().__init__(problems, kind, source)
        self.problems, self.kind, self.source = problems, kind, source

    def _sentence(self) -> str:
        errors = [problem for problem in self.problems if problem.severity is Severity.ERROR]
        where = f"{self.source}: " if self.source else ""
        more = f"; and {len(errors) - 1} more, see .problems" if len(errors) > 1 else ""
        return f"{where}not a valid {self.kind or 'document'}: {errors[0] if errors else 'unknown problem'}{more}"


class AmbiguousDocumentError(InvalidDocumentError):
    """Two parsers could read different documents in these bytes (rules GEN-02, GEN-06, GEN-08)."""


class MediaTypeMismatchError(InvalidDocumentError):
    """The document says that it is of another media type than it was served or named as (rule GEN-07)."""


class UnsupportedMediaTypeError(DocumentError):
    """A document of a kind that was not asked for, or that nobody may guess (rule GEN-12).

    Attributes:
        media_type: What the document is, as far as it is known; may be empty.
        digest: The sha256 digest of its bytes.
        advice: What to do.
    """

    media_type: str
    digest: str
    advice: str

    def __init__(self, media_type: str, digest: str, advice: str) -> None:
        super().__init__(media_type, digest, advice)
        self.media_type, self.digest, self.advice = media_type, digest, advice

    def _sentence(self) -> str:
        what = f"of media type {self.media_type!r}" if self.media_type else "of no known media type"
        return f"the document {self.digest} is {what}; {self.advice}"


class NoBytesError(DocumentError):
    """A document that was made in a caller's own model has no bytes, hence neither digest nor size (decision D-35)."""

    model: str

    def __init__(self, model: str) -> None:
        super().__init__(model)
        self.model = model

    def _sentence(self) -> str:
        return f"this {self.model} was not read from bytes of its own; read it by {self.model}.parse(raw)"


# --- bytes that are not what was asked for


class IntegrityError(DregError):
    """Bytes are not what they were asked for by."""


class DigestMismatchError(IntegrityError):
    """Bytes have another digest than they were asked for by (rule GEN-11).

    Attributes:
        expected: The digest that was asked for.
        actual: The digest of the bytes.
        where: Where they came from.
    """

    expected: str
    actual: str
    where: str

    def __init__(self, expected: str, actual: str, where: str = "") -> None:
        super().__init__(expected, actual, where)
        self.expected, self.actual, self.where = expected, actual, where

    def _sentence(self) -> str:
        return f"{self.where or 'the bytes'}: digest is {self.actual}, expected {self.expected}"


class SizeMismatchError(IntegrityError):
    """Bytes are more or fewer than was said (rule GEN-11); sizes are in bytes."""

    expected: int
    actual: int
    where: str

    def __init__(self, expected: int, actual: int, where: str = "") -> None:
        super().__init__(expected, actual, where)
        self.expected, self.actual, self.where = expected, actual, where

    def _sentence(self) -> str:
        return f"{self.where or 'the bytes'}: size is {self.actual} bytes, expected {self.expected}"


class ContentEncodingError(IntegrityError):
    """A body came compressed though that was not asked for, and is wrong packed and unpacked (decision D-01)."""


# --- limits


class LimitExceededError(DregError):
    """Something is larger, deeper or longer than we let anyone make us work."""


class ResponseTooLargeError(LimitExceededError):
    """More bytes than the limit (rule GEN-05); sizes are in bytes."""

    what: str
    size: int
    limit: int

    def __init__(self, what: str, size: int, limit: int) -> None:
        super().__init__(what, size, limit)
        self.what, self.size, self.limit = what, size, limit

    def _sentence(self) -> str:
        return f"{self.what}: {self.size} bytes are over the limit of {self.limit}; raise the limit if you trust it"


class DepthLimitError(LimitExceededError):
    """Indexes nested deeper than the limit."""

    where: str
    limit: int

    def __init__(self, where: str, limit: int) -> None:
        super().__init__(where, limit)
        self.where, self.limit = where, limit

    def _sentence(self) -> str:
        return f"{self.where}: indexes are nested more than {self.limit} deep; ask for the inner image by its digest"


class TooManyPagesError(LimitExceededError):
    """A list goes on for more pages than we read, or comes back to a page that was read."""

    where: str
    limit: int

    def __init__(self, where: str, limit: int) -> None:
        super().__init__(where, limit)
        self.where, self.limit = where, limit

    def _sentence(self) -> str:
        return f"{self.where}: the list does not end after {self.limit} pages"


class TooManyRedirectsError(LimitExceededError):
    """A registry sends us on and on."""

    where: str
    limit: int

    def __init__(self, where: str, limit: int) -> None:
        super().__init__(where, limit)
        self.where, self.limit = where, limit

    def _sentence(self) -> str:
        return f"{self.where}: more than {self.limit} redirects, or in a circle"
