"""Versions in tags, such as `1.4.2` and `v1.4.2-rc1`, and ranges of versions in npm syntax."""

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any, Final, Protocol, Self, cast

from dreg_client.errors import MissingLibraryError

_SUFFIX: Final = r"(?:-(?P<prerelease>[0-9A-Za-z]+(?:[.-][0-9A-Za-z]+)*))?"
_VERSION: Final = re.compile(r"v?[0-9]{1,18}(?:\.[0-9]{1,18}){0,2}" + _SUFFIX, re.ASCII)
_FULL: Final = re.compile(
    r"v?(?P<major>[0-9]{1,18})\.(?P<minor>[0-9]{1,18})\.(?P<patch>[0-9]{1,18})" + _SUFFIX, re.ASCII
)


class Version(Protocol):
    """A version; it can be compared with others."""

    def __lt__(self, other: Self, /) -> bool:
        """Return whether it is lower."""
        ...


_PARSED: ContextVar[dict[str, Version | None] | None] = ContextVar("_PARSED", default=None)
"""What was parsed since `parsed_once` was entered; None outside of it."""


class _SemanticVersion(Protocol):
    """The library semantic-version, which has no types."""

    Version: Any
    NpmSpec: Any


@dataclass(frozen=True, slots=True)
class VersionParts:
    """The parts of a full version, as the tag spells them.

    Attributes:
        major: The first number.
        minor: The second number.
        patch: The third number.
        prerelease: The suffix after the hyphen, such as `rc1` or `alpine`; empty if there is none.
    """

    major: str
    minor: str
    patch: str
    prerelease: str

    @property
    def version(self) -> str:
        """The version without a leading `v`."""
        suffix = f"-{self.prerelease}" if self.prerelease else ""
        return f"{self.major}.{self.minor}.{self.patch}{suffix}"


def version_parts(tag: str) -> VersionParts | None:
    """Return the parts of a tag that is a full version `X.Y.Z`, with an optional `v` and suffix; None for others.

    Examples:
        >>> version_parts("v1.4.2-rc1").prerelease, version_parts("1.4")
        ('rc1', None)
    """
    found = _FULL.fullmatch(tag)
    if found is None:
        return None
    return VersionParts(found["major"], found["minor"], found["patch"], found["prerelease"] or "")


@contextmanager
def parsed_once() -> Generator[None]:
    """Parse the version in each tag once. At the end, what was parsed is forgotten."""
    token = _PARSED.set({})
    try:
        yield
    finally:
        _PARSED.reset(token)


def version_of(tag: str) -> Version | None:
    """Return the version that a tag names; None if it is not a version. `v1.4` counts as 1.4.0.

    Versions can be compared with each other; a suffix, as in `1.4.2-rc1`, makes a version lower than 1.4.2.

    Raises:
        MissingLibraryError: The extra `cli` of dreg-client is not installed.
    """
    known = _PARSED.get()
    if known is None:
        return _parsed(tag)
    if tag not in known:
        known[tag] = _parsed(tag)
    return known[tag]


def _parsed(tag: str) -> Version | None:
    if not _VERSION.fullmatch(tag):
        return None
    try:
        return cast("Version", _library().Version.coerce(tag.removeprefix("v")))
    except ValueError:  # a number with a leading zero after the hyphen: 1.2.3-01 is not a version
        return None


def version_range(text: str) -> Callable[[str], bool]:
    """Return a function that returns whether a tag is a version in a range, in npm syntax.

    Raises:
        ValueError: It is not a range.
        MissingLibraryError: The extra `cli` of dreg-client is not installed.
    """
    try:
        within = _library().NpmSpec(text)
    except ValueError:
        message = f"{text!r} is not a version range; expected a range such as '^1.4', '~1.4', '1.x' or '>=1.2 <2'"
        raise ValueError(message) from None

    def has(tag: str) -> bool:
        version = version_of(tag)
        return version is not None and version in within

    return has


@lru_cache(maxsize=1)
def _library() -> _SemanticVersion:
    try:
        return cast("_SemanticVersion", import_module("semantic_version"))
    except ImportError:
        raise MissingLibraryError("semantic-version", "cli") from None
