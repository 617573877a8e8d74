"""Digests, which identify content (descriptor.md "Digests")."""

import hashlib
import re
from collections.abc import Callable
from typing import ClassVar, Final, LiteralString

from dreg_client.errors import DigestMismatchError, InvalidDigestError, UnsupportedDigestError
from dreg_client.values.text_fields import NO_LINE_FEED, CheckedText, JsonSchema, not_a_text

SHA256: Final = "sha256"
SHA512: Final = "sha512"
COMPUTABLE: Final = frozenset({SHA256, SHA512})
_HEX_DIGITS: Final = {SHA256: 64, SHA512: 128, "blake3": 64}
REGISTERED: Final = frozenset(_HEX_DIGITS)

KNOWN_DIGEST_PATTERN: Final = r"^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128}|blake3:[a-f0-9]{64})$"
"""Matches digests of registered algorithms (DIG-02), identically in Python, Rust and ECMA-262."""

SHA256_PATTERN: Final = r"^sha256:[a-f0-9]{64}$"
"""Matches sha256 digests, which nearly all content has."""

DIGEST_GRAMMAR: Final = r"^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$"
"""The grammar of all digests (DIG-01)."""

LONGEST_DIGEST: Final = 1024
DIGEST_SCHEMA: Final[JsonSchema] = {
    "type": "string",
    "maxLength": LONGEST_DIGEST,
    "not": NO_LINE_FEED,
    "anyOf": [
        {"pattern": KNOWN_DIGEST_PATTERN},
        {"pattern": DIGEST_GRAMMAR, "not": {"pattern": "^(?:sha256|sha512|blake3):"}},
    ],
}
"""The JSON Schema of digests; for known algorithms it also checks the encoded part."""
_GRAMMAR: Final = re.compile(DIGEST_GRAMMAR[1:-1], re.ASCII)
_LOWER_HEX: Final = re.compile(r"[a-f0-9]*", re.ASCII)


def hex_digits(algorithm: str) -> int:
    """Return the number of hex digits in a digest of a registered algorithm."""
    return _HEX_DIGITS[algorithm]


def digest_fault(text: str) -> tuple[LiteralString, str] | None:
    """Return the rule that a string breaks (DIG-01 or DIG-02) and what is expected; None if it is a valid digest."""
    if len(text) > LONGEST_DIGEST:
        return "DIG-01", f"at most {LONGEST_DIGEST} characters"
    if _GRAMMAR.fullmatch(text) is None:
        return "DIG-01", "ALGORITHM:ENCODED, such as sha256: followed by 64 lower-case hex digits"
    algorithm, _, encoded = text.partition(":")
    digits = _HEX_DIGITS.get(algorithm)
    if digits is not None and (len(encoded) != digits or _LOWER_HEX.fullmatch(encoded) is None):
        return "DIG-02", f"{algorithm}: followed by {digits} lower-case hex digits"
    return None


def is_digest(text: str) -> bool:
    """Return whether a string is a valid digest."""
    return digest_fault(text) is None


def is_registered_digest(text: str) -> bool:
    """Return whether a string is a digest of a registered algorithm (DIG-03).

    Where names are free text, only such a string is not a name: the grammar of digests also allows `web:1`.
    """
    return digest_fault(text) is None and Digest(text).registered


class _Checked(type):
    """Check the string when the class is called; `proven_digest` bypasses this and calls `type.__call__` in C."""

    def __call__(cls, text: str) -> "Digest":
        if isinstance(text, Digest):
            return text
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise not_a_text(text, "a digest must be a str, such as 'sha256:...'", digits=False)
        if fault := digest_fault(text):
            raise InvalidDigestError(text[:80], *fault)
        return proven_digest(text)


class Digest(CheckedText, metaclass=_Checked):
    """A valid digest, `algorithm:encoded` (descriptor.md "Digests").

    A digest is a `str`: it equals any string with the same characters. Letter case is significant.

    Raises:
        InvalidDigestError: The string breaks DIG-01 or DIG-02.

    Examples:
        >>> Digest.of(b"{}").short
        'sha256:44136fa355b3'
    """

    __slots__ = ()

    json_schema: ClassVar[JsonSchema] = DIGEST_SCHEMA

    @classmethod
    def parse(cls, text: str) -> "Digest":
        """Parse a digest.

        Raises:
            InvalidDigestError: The string breaks DIG-01 or DIG-02.
        """
        return cls(text)

    @classmethod
    def of(cls, octets: bytes, algorithm: str = SHA256) -> "Digest":
        """Compute the digest of bytes.

        Args:
            octets: The content.
            algorithm: `sha256` or `sha512`.

        Raises:
            UnsupportedDigestError: The algorithm is not supported.
        """
        if isinstance(octets, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError("a digest is computed from bytes, not from a str; pass text.encode()")
        if algorithm == SHA256:
            return proven_digest("sha256:" + hashlib.sha256(octets).hexdigest())
        if algorithm == SHA512:
            return proven_digest("sha512:" + hashlib.sha512(octets).hexdigest())
        raise UnsupportedDigestError(algorithm)

    @property
    def algorithm(self) -> str:
        """The part before the colon."""
        return self.partition(":")[0]

    @property
    def encoded(self) -> str:
        """The part after the colon."""
        return self.partition(":")[2]

    @property
    def short(self) -> str:
        """The algorithm and the first 12 characters, for display."""
        algorithm, colon, encoded = self.partition(":")
        return algorithm + colon + encoded[:12]

    @property
    def registered(self) -> bool:
        """Whether the specification registers the algorithm (DIG-03)."""
        return self.algorithm in REGISTERED

    @property
    def computable(self) -> bool:
        """Whether the algorithm is supported (sha256, sha512), so that content can be verified."""
        return self.startswith(("sha256:", "sha512:"))

    def verifier(self) -> "Verifier":
        """Return a verifier, which hashes content in chunks and compares the result with this digest.

        Raises:
            UnsupportedDigestError: The algorithm is not supported.
        """
        return Verifier(self)

    def __repr__(self) -> str:
        return f"Digest({str.__repr__(self)})"


proven_digest: Final[Callable[[str], Digest]] = type.__call__.__get__(Digest)
"""Create a digest from a string that was already checked. It runs in C, which makes parsing models faster."""


class Verifier:
    """A verifier, which compares content with its digest, chunk by chunk.

    Attributes:
        size: The number of bytes so far.
    """

    __slots__ = ("_expected", "_hash", "size")

    size: int

    def __init__(self, expected: Digest) -> None:
        if not expected.computable:
            raise UnsupportedDigestError(expected)
        self._expected, self._hash, self.size = expected, hashlib.new(expected.algorithm), 0

    def update(self, chunk: bytes | bytearray | memoryview) -> None:
        """Add the next bytes of the content."""
        self._hash.update(chunk)
        self.size += len(chunk)

    def digest(self) -> Digest:
        """Return the digest of the bytes so far."""
        return proven_digest(f"{self._expected.algorithm}:{self._hash.hexdigest()}")

    def verify(self, where: str = "") -> None:
        """Compare the digests, after the last chunk.

        Args:
            where: The name of the content in the error message.

        Raises:
            DigestMismatchError: The content has a different digest.
        """
        if (actual := self.digest()) != self._expected:
            raise DigestMismatchError(self._expected, actual, where)
