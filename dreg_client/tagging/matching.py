"""Which tags a rule is about, and what the groups of its regular expression match."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from dreg_client.copying.digest_tags import digest_tag
from dreg_client.copying.tag_filter import TagFilter
from dreg_client.copying.tag_pattern import TagPattern

TagMatch: TypeAlias = str | Iterable[str] | re.Pattern[str] | TagFilter | Callable[[str], bool] | None
"""Which tags: a glob, a list of globs, a regular expression that matches whole tags, a filter, or a function."""


@dataclass(frozen=True, slots=True)
class Matching:
    """Which tags a rule is about. Digest tags, such as `sha256-HEX.sig`, never match.

    Attributes:
        tags: The filter.
        pattern: The regular expression whose groups a template can use; None if there is none.
    """

    tags: TagFilter = field(default_factory=TagFilter)
    pattern: TagPattern | None = None

    @classmethod
    def of(cls, match: TagMatch = None, semver: str | None = None) -> "Matching":
        """Return what `match=` and `semver=` of a rule choose.

        Raises:
            ValueError: A regular expression or a range of versions is not valid.
            TypeError: `match` is nothing that can choose tags.
            MissingLibraryError: `semver` is given, and the extra `cli` of dreg-client is not installed.
        """
        tags, pattern = _filter(match), TagPattern(match) if isinstance(match, re.Pattern) else None
        if semver is not None:
            if tags.semver is not None:
                raise ValueError("semver= was given twice: in the filter, and as an argument; give one of them")
            tags = replace(tags, semver=semver)
        return cls(tags, TagPattern(tags.regex) if tags.regex is not None else pattern)

    @property
    def is_everything(self) -> bool:
        """Whether no condition was given, so that all tags match."""
        it = self.tags
        return not (it.include or it.exclude or it.regex or it.semver or it.where)

    @property
    def names_suffixes(self) -> bool:
        """Whether the filter itself decides about versions with a suffix, such as `1.4.2-rc1` and `1.4.2-alpine`."""
        it = self.tags
        return bool(it.regex or it.semver or it.where) or any("-" in glob for glob in it.include)

    def has(self, tag: str) -> bool:
        """Return whether a tag matches."""
        return digest_tag(tag) is None and self.tags.has(tag)

    def chosen(self, names: Iterable[str]) -> list[str]:
        """Return the tags that match, in the order of `names`."""
        return [name for name in names if self.has(name)]

    def groups(self, tag: str) -> Mapping[str, str]:
        """Return what the groups of the regular expression match, by their names and numbers."""
        return self.pattern.groups(tag) if self.pattern else {}

    @property
    def group_names(self) -> frozenset[str]:
        """The names and numbers of the groups of the regular expression."""
        return self.pattern.group_names if self.pattern else frozenset()

    def __str__(self) -> str:
        it = self.tags
        parts = [*it.include, *(f"not {glob}" for glob in it.exclude)]
        parts += [f"/{self.pattern.text}/"] if self.pattern else ["a function"] if it.where else []
        parts += [f"semver {it.semver}"] if it.semver else []
        return " ".join(parts) or "*"


def _filter(match: TagMatch) -> TagFilter:
    if match is None:
        return TagFilter()
    if isinstance(match, TagFilter):
        return match
    if isinstance(match, str):
        return TagFilter(include=(match,))
    if isinstance(match, re.Pattern):
        pattern = match
        return TagFilter(where=lambda tag: pattern.fullmatch(tag) is not None)
    if callable(match):
        return TagFilter(where=match)
    if isinstance(match, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        globs = tuple(match)
        if globs and all(isinstance(glob, str) for glob in globs):  # pyright: ignore[reportUnnecessaryIsInstance]
            return TagFilter(include=globs)
    message = (
        f"match= takes a glob, a list of globs, a regular expression, a TagFilter or a function, not {match!r:.100}"
    )
    raise TypeError(message)
