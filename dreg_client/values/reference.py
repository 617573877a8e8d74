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
    """Return whether a text is a valid tag."""
    return len(text) <= _LONGEST_TAG and _TAG.fullmatch(text) is not None


class Tag(CheckedText):
    """A tag, the name of a version in a repository (NAM-03).

    Raises:
        InvalidReferenceError: The text is not valid.
    """

    __slots__ = ()

    json_schema: ClassVar[JsonSchema] = text_schema(TAG_PATTERN)

    def __new__(cls, text: str) -> Self:
        """Check the text."""
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise not_a_text(text, "a tag is a str, such as '1.4'")
        if len(text) > _LONGEST_TAG or not _TAG.fullmatch(text):
            expected = "1 to 128 letters, digits, `.`, `_` or `-`, the first of them not `.` or `-`"
            raise InvalidReferenceError(shown(text), "tag", expected)
        return str.__new__(cls, text)


class RepositoryName(CheckedText):
    """The name of a repository: components joined by `/` (NAM-01, NAM-02).

    Raises:
        InvalidReferenceError: The text is not valid.
    """

    __slots__ = ()

    json_schema: ClassVar[JsonSchema] = text_schema(REPOSITORY_PATTERN)

    def __new__(cls, text: str) -> Self:
        """Check the text."""
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise not_a_text(text, "a repository's name is a str, such as 'acme/web'")
        if len(text) > _LONGEST_REPOSITORY or _REPOSITORY.fullmatch(text) is None:
            raise InvalidReferenceError(shown(text), "repository", _repository_fault(text))
        return str.__new__(cls, text)


def _signs(within: str, between: str) -> bytes:
    """Return a table of bytes: `w` for those that are allowed anywhere, `.` for separators, `!` for all others."""
    kinds = {"\n": "\n", **dict.fromkeys(within, "w"), **dict.fromkeys(between, ".")}
    return "".join(kinds.get(chr(sign), "!") for sign in range(256)).encode()


_LOWER: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_TAGS: Final = _LONGEST_TAG, _signs(_LOWER + _LOWER.upper() + "_", ".-"), (b"!", b"\n\n", b"\n.")
_REPOSITORIES: Final = _LONGEST_REPOSITORY, _signs(_LOWER, "._-/"), (b"!", b"\n\n", b"\n.", b".\n", b"..")
"""The longest name, its table of signs, and signs of no plain name; names with `__` or `--` are checked one by one."""


def are_all(kind: type[Tag | RepositoryName], texts: Sequence[object]) -> bool:
    """Return whether many texts are all names, by one check; False means that each has to be checked."""
    known = cast("Sequence[str]", texts)
    try:
        lines = "\n".join(["", *known, ""])
    except TypeError:
        return False
    longest, table, wrong = _TAGS if kind is Tag else _REPOSITORIES
    # A text with a line feed would count as two names.
    if not known or lines.count("\n") != len(known) + 1 or max(map(len, known)) > longest:
        return not known
    seen = lines.encode("ascii", "replace").translate(table)
    return not any(signs in seen for signs in wrong)


@dataclass(frozen=True, slots=True)
class Reference(TextField):
    """The name of an image: registry, repository, and a tag, a digest or both. If it has both, the digest decides.

    Attributes:
        registry: The host in lower case, with the port if given; `docker.io` for Docker Hub.
        repository: The full name, on Docker Hub including `library/`.
        tag: The tag; `latest` if the text has neither tag nor digest.
        digest: The digest, or None.
    """

    registry: str
    repository: RepositoryName
    tag: Tag | None = None
    digest: Digest | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a reference (NAM-04 to NAM-07).

        Raises:
            InvalidReferenceError: The text is not a valid reference; `.part` says which part is wrong.

        Examples:
            >>> Reference.parse("ubuntu")
            Reference('docker.io/library/ubuntu:latest')
        """
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise not_a_text(text, "a reference is a str, such as 'ubuntu:22.04'")
        _check_characters(text)
        rest, at, digest = text.partition("@")
        if at and not rest:
            _reject(text, "digest", "a name before the digest, as NAME@DIGEST")
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
            _reject(text, "repository", "a name: 64 hex digits are an image's identifier, which no registry knows")
        return cls(registry, name, None if proven else Tag(DEFAULT_TAG), proven)

    of_text = parse

    @property
    def familiar(self) -> str:
        """The short form, without the defaults of Docker Hub; it parses to an equal reference."""
        name = str(self.repository)
        if self.registry != DOCKER_HUB:
            return str(self)
        single = name.removeprefix("library/")
        short = name if "/" in single else single
        # A first component that looks like a host would be parsed as one, and 64 hex digits as an identifier.
        mistaken = _IDENTIFIER.fullmatch(short) or ("/" in short and _is_host(short.partition("/")[0]))
        return str(self) if mistaken else f"{short}{self._behind}"

    @property
    def _behind(self) -> str:
        return (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    def __str__(self) -> str:
        # Only upper-case letters distinguish a host of one label from a repository, so it is written in upper case.
        registry = self.registry if _is_host(self.registry) else self.registry.upper()
        return f"{registry}/{self.repository}{self._behind}"

    def __repr__(self) -> str:
        return f"Reference({str(self)!r})"


def shown(text: str) -> str:
    """Return a text for an error: shortened, without user information, control characters escaped."""
    cut = text[:_LONGEST]
    if "@" in cut and not is_digest(cut.partition("@")[2]):
        cut = "…@" + cut.rpartition("@")[2]
    spelled = cut.encode("unicode_escape").decode() if not cut.isprintable() else cut
    return spelled if len(spelled) <= 100 else spelled[:100] + "…"


def _check_characters(text: str) -> None:
    """Check the whole text: its length, its characters, then common mistakes."""
    if not text:
        _reject(text, "reference", "a name, such as ubuntu:22.04")
    if len(text) > _LONGEST:
        _reject(text, "reference", f"at most {_LONGEST} characters")
    if not text.isascii() or not text.isprintable() or " " in text:
        _reject(text, "reference", "printable ASCII characters without white space; a host as punycode (xn--...)")
    if "://" in text or text.startswith(_SCHEMES[1:]):
        expected = "a reference, not a URL or the name of a store: drop what stands before it"
        if text.startswith("https://"):
            expected = "HOST/REPOSITORY without https://"
        elif text.startswith("http://"):
            expected = "HOST/REPOSITORY without http://; for http ask by plain_http (--plain-http)"
        _reject(text, "reference", expected)


def _digest(text: str, whole: str) -> Digest:
    fault = digest_fault(text)
    if fault is None:
        return Digest(text)
    if "/" in text and ":" not in text.partition("/")[0]:
        _reject(whole, "registry", "no user information; log in instead of writing it into a name")
    return _reject(whole, "digest", f"{fault[1]} ({fault[0]})")


def _registry(text: str, whole: str) -> tuple[str, str]:
    """Return the registry and the rest: the first component if it looks like a host, else Docker Hub."""
    first, slash, rest = text.partition("/")
    if not (_is_host(first) if slash else first.startswith("[")):
        return DOCKER_HUB, text
    if not rest:
        _reject(whole, "registry", "a repository behind the registry, as HOST/NAME")
    parts = _REGISTRY.fullmatch(first)
    if parts is None:
        _reject(whole, "registry", "a host name or address, and perhaps a port; an IPv6 address in brackets")
    host, port = parts.groups()
    if not ("." not in host and is_ipv6(host[1:-1]) if host.startswith("[") else _HOST.fullmatch(host)):
        _reject(whole, "registry", "labels of letters, digits and -, joined by dots, or [IPv6]")
    if port is not None and not (re.fullmatch(r"[0-9]{1,5}", port, re.ASCII) and 1 <= int(port) <= 65535):
        _reject(whole, "registry", "a port from 1 to 65535")
    lower = first.lower()
    return (DOCKER_HUB if lower in HUB_NAMES else lower), rest


def _is_host(component: str) -> bool:
    return component == "localhost" or component != component.lower() or any(sign in component for sign in ".:[")


def _repository_fault(text: str) -> str:
    if len(text) > _LONGEST_REPOSITORY - len("library/"):
        return f"at most {_LONGEST_REPOSITORY} characters"
    components = text.split("/")
    if any(component in {"", ".", ".."} for component in components):
        return "components that are not empty, joined by single slashes"
    wrong = next((component for component in components if not _COMPONENT.fullmatch(component)), text)
    if wrong != wrong.lower():
        return f"lower-case letters: {text.lower()[:60]!r}"
    if re.fullmatch(r"[a-z0-9._-]*", wrong, re.ASCII):
        return "separators ( . _ __ - ) between letters or digits, not first or last, not doubled otherwise"
    return "lower-case letters, digits, and . _ - between them"


def _reject(text: str, part: str, expected: str) -> NoReturn:
    raise InvalidReferenceError(shown(text), part, expected)
