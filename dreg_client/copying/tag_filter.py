"""Which tags to list or to copy: globs, a regular expression, a range of versions, or any function."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

from dreg_client.copying.digest_tags import digest_tag
from dreg_client.copying.tag_pattern import TagPattern
from dreg_client.copying.versions import version_range

_LONGEST: Final = 1024
"""A tag has at most 128 characters; a pattern or range of a megabyte would take seconds to read."""


@dataclass(frozen=True, slots=True)
class TagFilter:
    """Which tags of a repository to choose. A tag must meet all conditions that are given.

    Attributes:
        include: Globs with `*`, `?` and `[...]`. The tag must match one of them. Letter case matters.
        exclude: Globs. The tag must not match any of them.
        regex: A regular expression that must match the whole tag. If the extra `cli` of dreg-client is installed, a
            match that takes longer than a second raises ConfigError.
        semver: A range of versions in npm syntax, such as `^1.4` or `>=1.2 <2`. The tag `v1.4` counts as 1.4, and `1.4`
            as 1.4.0. A tag with a suffix, such as `1.4-alpine`, counts as a prerelease, which most ranges exclude.
        digest_tags: Whether to choose digest tags, such as `sha256-HEX.sig`.
        where: A function that returns whether to choose a tag.

    Raises:
        ValueError: `regex` or `semver` is not valid.
        TypeError: `include` or `exclude` is a single str.
        MissingLibraryError: `semver` is given, and the extra `cli` of dreg-client is not installed.

    Examples:
        >>> chosen = TagFilter(include=("1.*",), exclude=("*-rc*",))
        >>> [tag for tag in ("1.3", "1.4", "1.5-rc1", "2.0") if chosen.has(tag)]
        ['1.3', '1.4']
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    regex: str | None = None
    semver: str | None = None
    digest_tags: bool = True
    where: Callable[[str], bool] | None = None
    _pattern: TagPattern | None = field(init=False, repr=False, compare=False, default=None)
    _within: Callable[[str], bool] | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        for name in ("include", "exclude"):
            object.__setattr__(self, name, globs(name, getattr(self, name)))
        if self.regex is not None:
            object.__setattr__(self, "_pattern", TagPattern(_short(self.regex, "regular expression")))
        if self.semver is not None:
            object.__setattr__(self, "_within", version_range(_short(self.semver, "version range")))

    def has(self, tag: str) -> bool:
        """Return whether a tag is chosen."""
        return (
            matches(tag, self.include, self.exclude)
            and (self._pattern is None or self._pattern.has(tag))
            and (self._within is None or self._within(tag))
            and (self.digest_tags or digest_tag(tag) is None)
            and (self.where is None or bool(self.where(tag)))
        )


def matches(name: str, include: tuple[str, ...], exclude: tuple[str, ...] = ()) -> bool:
    """Return whether a name matches one of some globs, or there are none, and matches none of others."""
    return (not include or any(fnmatchcase(name, glob) for glob in include)) and not any(
        fnmatchcase(name, glob) for glob in exclude
    )


def globs(name: str, given: Iterable[str]) -> tuple[str, ...]:
    """Return a list of globs; `name` is that of the argument.

    Raises:
        TypeError: It is a single str, whose characters would be taken for globs.
    """
    if isinstance(given, str):
        message = f"{name}= must be a list of globs, such as [{given!r}], not a str"
        raise TypeError(message)
    return tuple(_short(glob, "pattern") for glob in given)


def _short(text: str, what: str) -> str:
    """Return a filter; raise ValueError if it is so long that it would take seconds to read."""
    if len(text) > _LONGEST:
        message = f"{text[:40]!r}... is too long; expected a {what} of at most {_LONGEST} characters"
        raise ValueError(message)
    return text
