"""Every exception of dreg-client, one tree.

All of them carry facts (texts and numbers, never open files or connections), pickle, and never hold a secret. The text
of each is one sentence: what was wrong, where, and what to do.

```text
DregError
  InvalidReferenceError  InvalidDigestError  UnsupportedDigestError  InvalidPlatformError     (also ValueError)
  DocumentError          InvalidDocumentError (AmbiguousDocumentError, MediaTypeMismatchError)
                         UnsupportedMediaTypeError  NoBytesError
  IntegrityError         DigestMismatchError  SizeMismatchError
  LimitExceededError     ResponseTooLargeError  DepthLimitError
  AuthError              TokenError  ConfigError
  RegistryError          NotFoundError  UnsupportedError
  TransportError         ProtocolError
  LayoutError            UnsafePathError  LayoutCorruptError
  NotAnImageError  PlatformNotFoundError  ConflictError
```
"""

from dreg_client.problems import Problem, Severity


class DregError(Exception):
    """The root of all errors of this library.

    Attributes:
        retryable: Whether the same call may succeed when it is made again.
    """

    retryable: bool = False

    def _sentence(self) -> str:
        return " ".join(str(fact) for fact in self.args)

    def __str__(self) -> str:
        return self._sentence()


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
        problems: All problems, warnings too, in document order.
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
        return f"{self.where or 'the bytes'}: digest is {self.actual}, expected {self.expected}; nothing of it was used"


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


# --- registries


class AuthError(DregError):
    """A credential or a token is missing, refused or broken."""


class TokenError(AuthError):
    """What a token server answered is no token; its body is never shown."""


class ConfigError(AuthError):
    """A file of settings or credentials is broken or unsafe."""


class RegistryError(DregError):
    """A registry, or a store that stands for one, refused."""


class NotFoundError(RegistryError):
    """There is no such thing in the store.

    Attributes:
        what: What was looked for.
        where: The store.
        advice: What to do.
    """

    what: str
    where: str
    advice: str

    def __init__(self, what: str, where: str, advice: str = "") -> None:
        super().__init__(what, where, advice)
        self.what, self.where, self.advice = what, where, advice

    def _sentence(self) -> str:
        return f"{self.where} has no {self.what}" + (f"; {self.advice}" if self.advice else "")


class UnsupportedError(RegistryError):
    """The store does not offer it."""


class TransportError(DregError):
    """The way to a registry failed."""


class ProtocolError(TransportError):
    """What came back is not what the protocol allows."""


# --- stores on disk


class LayoutError(DregError):
    """A store on disk cannot be used.

    Attributes:
        path: The file or directory.
        reason: What is wrong with it and what to do.
    """

    path: str
    reason: str

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def _sentence(self) -> str:
        return f"{self.path}: {self.reason}"


class UnsafePathError(LayoutError):
    """A name would lead outside of the store, or to something that is no regular file."""


class LayoutCorruptError(LayoutError):
    """The store's own files are broken."""


# --- images


class NotAnImageError(DregError):
    """An artifact was asked for as an image (its config is not an image's).

    Attributes:
        media_type: The media type of its config; of an index, its own.
        digest: Its digest.
    """

    media_type: str
    digest: str

    def __init__(self, media_type: str, digest: str) -> None:
        super().__init__(media_type, digest)
        self.media_type, self.digest = media_type, digest

    def _sentence(self) -> str:
        if "index" in self.media_type or "list" in self.media_type:
            return f"{self.digest} is an index, not the image of one platform; choose a platform of it first"
        return f"{self.digest} is no image: its config is {self.media_type!r}; read it with get_manifest and get_blob"


class PlatformNotFoundError(DregError):
    """No image of the index serves the platform.

    Attributes:
        wanted: The platform that was asked for, as text.
        available: The platforms that there are, as texts.
    """

    wanted: str
    available: tuple[str, ...]

    def __init__(self, wanted: str, available: tuple[str, ...]) -> None:
        super().__init__(wanted, available)
        self.wanted, self.available = wanted, available

    def _sentence(self) -> str:
        return f"no image for platform {self.wanted}; there are: {', '.join(self.available) or 'none'}"


class ConflictError(DregError):
    """One name stands for several things, and nobody guesses which."""
