"""Image references: `[registry/]repository[:tag][@digest]`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, NoReturn, Self, cast

from dreg_client.errors import InvalidReferenceError
from dreg_client.values.digest import Digest, digest_fault, is_digest
from dreg_client.values.docker_hub import DOCKER_HUB, HUB_NAMES
from dreg_client.values.origin import is_ipv6
from dreg_client.values.text_fields import CheckedText, JsonSchema, TextField, not_a_text, text_schema

DEFAULT_TAG: Final = "latest"
TAG_PATTERN: Final = r"^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$"
REPOSITORY_PATTERN: Final = r"^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$"

_LONGEST: Final = 4096
_LONGEST_TAG: Final = 128
_LONGEST_REPOSITORY: Final = 255
_TAG: Final = re.compile(TAG_PATTERN[1:-1], re.ASCII)
_REPOSITORY: Final = re.compile(REPOSITORY_PATTERN[1:-1], re.ASCII)
_COMPONENT: Final = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*", re.ASCII)
_HOST: Final = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*", re.ASCII
)
_REGISTRY: Final = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::(.*))?", re.DOTALL)
_IDENTIFIER: Final = re.compile(r"[a-f0-9]{64}", re.ASCII)
_SCHEMES: Final = ("docker://", "oci:", "oci-archive:", "docker-archive:")


def is_tag(text: str) -> bool:
    """Return whether a string is a valid tag."""
    return len(text) <= _LONGEST_TAG and _TAG.fullmatch(text) is not None


class Tag(CheckedText):
    """A tag: the name of a version in a repository (NAM-03).

    Raises:
        InvalidReferenceError: The string is not a valid tag.
    """

    __slots__ = ()

    json_schema: ClassVar[JsonSchema] = text_schema(TAG_PATTERN)

    def __new__(cls, text: str) -> Self:
        """Check the string."""
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise not_a_text(text, "a tag must be a str, such as '1.4'")
        if len(text) > _LONGEST_TAG or not _TAG.fullmatch(text):
            expected = "1 to 128 letters, digits, `.`, `_` or `-`, not starting with `.` or `-`"
            raise InvalidReferenceError(shown(text), "tag", expected)
        return str.__new__(cls, text)


class RepositoryName(CheckedText):
    """The name of a repository: components separated by `/` (NAM-01, NAM-02).

    Raises:
        InvalidReferenceError: The string is not a valid repository name.
    """

    __slots__ = ()

    json_schema: ClassVar[JsonSchema] = text_schema(REPOSITORY_PATTERN)

    def __new__(cls, text: str) -> Self:
        """Check the string."""
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise not_a_text(text, "a repository name must be a str, such as 'acme/web'")
        if not is_repository_name(text):
            raise InvalidReferenceError(shown(text), "repository", _repository_fault(text))
        return str.__new__(cls, text)


def is_repository_name(text: str) -> bool:
    """Return whether a string is a valid repository name."""
    return len(text) <= _LONGEST_REPOSITORY and _REPOSITORY.fullmatch(text) is not None


def _classes(within: str, between: str) -> bytes:
    """Return a translation table: `w` for characters allowed anywhere, `.` for separators, `!` for all others."""
    kinds = {"\n": "\n", **dict.fromkeys(within, "w"), **dict.fromkeys(between, ".")}
    return "".join(kinds.get(chr(code), "!") for code in range(256)).encode()


_LOWER: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_TAGS: Final = _LONGEST_TAG, _classes(_LOWER + _LOWER.upper() + "_", ".-"), (b"!", b"\n\n", b"\n.")
_REPOSITORIES: Final = _LONGEST_REPOSITORY, _classes(_LOWER, "._-/"), (b"!", b"\n\n", b"\n.", b".\n", b"..")
"""The maximum length, the translation table, and sequences that may be invalid.

`__` and `--` are valid but translate to `..`; such names are checked one by one.
"""


def are_all(kind: type[Tag | RepositoryName], texts: Sequence[object]) -> bool:
    """Check many names at once: return True if all are valid, False if each must be checked separately."""
    known = cast("Sequence[str]", texts)
    try:
        lines = "\n".join(["", *known, ""])
    except TypeError:
        return False
    longest, table, wrong = _TAGS if kind is Tag else _REPOSITORIES
    # A string with a line feed would count as two names.
    if not known or lines.count("\n") != len(known) + 1 or max(map(len, known)) > longest:
        return not known
    classes = lines.encode("ascii", "replace").translate(table)
    return not any(sequence in classes for sequence in wrong)


@dataclass(frozen=True, slots=True)
class Reference(TextField):
    """The name of an image: registry, repository, and a tag, a digest or both.

    If a reference has a tag and a digest, the digest is used.

    Attributes:
        registry: The host in lower case, with the port if given; `docker.io` for Docker Hub.
        repository: The full repository name, including `library/` for official images of Docker Hub.
        tag: The tag; `latest` if the parsed string has neither tag nor digest.
        digest: The digest, or None.
    """

    registry: str
    repository: RepositoryName
    tag: Tag | None = None
    digest: Digest | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a reference (NAM-04 to NAM-07), with the defaults of Docker Hub.

        Raises:
            InvalidReferenceError: The string is not a valid reference; `.part` names the invalid part.

        Examples:
            >>> Reference.parse("ubuntu")
            Reference('docker.io/library/ubuntu:latest')
        """
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise not_a_text(text, "a reference must be a str, such as 'ubuntu:22.04'")
        _check_characters(text)
        rest, at, digest = text.partition("@")
        if at and not rest:
            _reject(text, "digest", "a name before the digest: NAME@DIGEST")
        proven = _digest(digest, text) if at else None
        registry, rest = _registry(rest, text)
        repository, colon, tag = rest.partition(":")
        full = f"library/{repository}" if registry == DOCKER_HUB and "/" not in repository else repository
        if len(full) > _LONGEST_REPOSITORY or _REPOSITORY.fullmatch(full) is None:
            _reject(text, "repository", _repository_fault(repository))
        name = RepositoryName(full)
        if colon:
            return cls(registry, name, Tag(tag), proven)
        if _IDENTIFIER.fullmatch(text):
            _reject(text, "repository", "a name; 64 hex digits are a local image ID, which registries do not know")
        return cls(registry, name, None if proven else Tag(DEFAULT_TAG), proven)

    of_text = parse

    @property
    def familiar(self) -> str:
        """The short form without defaults of Docker Hub, such as `ubuntu:22.04`. It parses to an equal reference."""
        name = str(self.repository)
        if self.registry != DOCKER_HUB:
            return str(self)
        single = name.removeprefix("library/")
        short = name if "/" in single else single
        # A first component that looks like a host would be parsed as one, and 64 hex digits as an image ID.
        mistaken = _IDENTIFIER.fullmatch(short) or ("/" in short and _is_host(short.partition("/")[0]))
        return str(self) if mistaken else f"{short}{self._suffix}"

    @property
    def _suffix(self) -> str:
        return (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    def __str__(self) -> str:
        # A host without a dot or port would be parsed as part of the repository. Upper case marks it as a host.
        registry = self.registry if _is_host(self.registry) else self.registry.upper()
        return f"{registry}/{self.repository}{self._suffix}"

    def __repr__(self) -> str:
        return f"Reference({str(self)!r})"


def shown(text: str) -> str:
    """Return a string for error messages: shortened, without user name and password, control characters escaped."""
    cut = text[:_LONGEST]
    _, at, tail = cut.partition("@")
    # `HOST:PORT` after a password also has the form of a digest, but a port has at most five digits.
    if at and not (is_digest(tail) and len(tail.partition(":")[2]) > 5):
        cut = "…@" + cut.rpartition("@")[2]
    spelled = cut.encode("unicode_escape").decode() if not cut.isprintable() else cut
    return spelled if len(spelled) <= 100 else spelled[:100] + "…"


def _check_characters(text: str) -> None:
    """Check the length and characters of the whole string, then common mistakes."""
    if not text:
        _reject(text, "reference", "a name, such as ubuntu:22.04")
    if len(text) > _LONGEST:
        _reject(text, "reference", f"at most {_LONGEST} characters")
    if not text.isascii():
        _reject(text, "reference", "only ASCII characters; write an international host name in punycode (xn--...)")
    if not text.isprintable() or " " in text:
        _reject(text, "reference", "no spaces or control characters")
    if "://" in text or text.startswith(_SCHEMES[1:]):
        expected = "a reference without a URL scheme or store prefix"
        if text.startswith("https://"):
            expected = "HOST/REPOSITORY without https://"
        elif text.startswith("http://"):
            expected = "HOST/REPOSITORY without http://; for plain HTTP, use plain_http=True"
        _reject(text, "reference", expected)


def _digest(text: str, whole: str) -> Digest:
    fault = digest_fault(text)
    if fault is None:
        return Digest(text)
    if "/" in text and ":" not in text.partition("/")[0]:
        _reject(whole, "registry", "no user name or password; log in instead")
    return _reject(whole, "digest", f"{fault[1]} ({fault[0]})")


def _registry(text: str, whole: str) -> tuple[str, str]:
    """Split off the registry: the first component if it looks like a host, otherwise Docker Hub."""
    first, slash, rest = text.partition("/")
    if not (_is_host(first) if slash else first.startswith("[")):
        return DOCKER_HUB, text
    if not rest:
        _reject(whole, "registry", "a repository after the registry: HOST/NAME")
    parts = _REGISTRY.fullmatch(first)
    if parts is None:
        _reject(whole, "registry", "a host name or IP address, optionally with a port; IPv6 addresses in brackets")
    host, port = parts.groups()
    if not ("." not in host and is_ipv6(host[1:-1]) if host.startswith("[") else _HOST.fullmatch(host)):
        _reject(whole, "registry", "a host name (letters, digits and -, separated by dots) or [IPv6]")
    if port is not None and not (re.fullmatch(r"[0-9]{1,5}", port, re.ASCII) and 1 <= int(port) <= 65535):
        _reject(whole, "registry", "a port from 1 to 65535")
    lower = first.lower()
    return (DOCKER_HUB if lower in HUB_NAMES else lower), rest


def _is_host(component: str) -> bool:
    return component == "localhost" or component != component.lower() or any(mark in component for mark in ".:[")


def _repository_fault(text: str) -> str:
    if len(text) > _LONGEST_REPOSITORY - len("library/"):
        return f"at most {_LONGEST_REPOSITORY} characters"
    components = text.split("/")
    if any(component in {"", ".", ".."} for component in components):
        return "non-empty components separated by single slashes, without . and .."
    wrong = next((component for component in components if not _COMPONENT.fullmatch(component)), text)
    if wrong != wrong.lower():
        return f"lower-case letters, as in {text.lower()[:60]!r}"
    if re.fullmatch(r"[a-z0-9._-]*", wrong, re.ASCII):
        return "components that start and end with a letter or digit, with single separators (. _ __ -) between"
    return "lower-case letters, digits and separators (. _ __ -)"


def _reject(text: str, part: str, expected: str) -> NoReturn:
    raise InvalidReferenceError(shown(text), part, expected)
