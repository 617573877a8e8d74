"""The filters of `dreg tags`: patterns, ranges of versions, and tags that encode a digest."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import import_module
from typing import Final

import click

from dreg_client.cli.parsed_type import ParsedType

_DIGEST_TAG: Final = re.compile(r"(?:sha256-[0-9a-f]{64}|sha512-[0-9a-f]{128})(?:\..*)?", re.ASCII)
_VERSION: Final = re.compile(r"v?[0-9]{1,18}(?:\.[0-9]{1,18}){0,2}(?:-[0-9A-Za-z]+(?:[.-][0-9A-Za-z]+)*)?", re.ASCII)
_LONGEST_FILTER: Final = 1024
"""A tag has at most 128 characters; a pattern or range of a megabyte would take seconds to read."""


def _parse_glob(text: str) -> str:
    if len(text) > _LONGEST_FILTER:
        message = f"{text[:40]!r}... is too long; expected a pattern of at most {_LONGEST_FILTER} characters"
        raise click.BadParameter(message)
    return text


def _parse_range(text: str) -> Callable[[str], bool]:
    if len(text) > _LONGEST_FILTER:
        message = f"{text[:40]!r}... is too long; expected a version range of at most {_LONGEST_FILTER} characters"
        raise click.BadParameter(message)
    versions = import_module("semantic_version")
    try:
        within = versions.NpmSpec(text)
    except ValueError:
        message = f"{text!r} is not a version range; expected a range such as '^1.4', '~1.4', '1.x' or '>=1.2 <2'"
        raise click.BadParameter(message) from None

    def has(tag: str) -> bool:
        if not _VERSION.fullmatch(tag):
            return False
        try:
            return versions.Version.coerce(tag.removeprefix("v")) in within
        except ValueError:  # a number with a leading zero after the hyphen: 1.2.3-01 is not a version
            return False

    return has


GLOB: Final = ParsedType("glob", _parse_glob)
RANGE: Final = ParsedType("range", _parse_range)


@dataclass(frozen=True, slots=True)
class WantedTags:
    """Which tags to list."""

    include: tuple[str, ...]
    exclude: tuple[str, ...]
    within: Callable[[str], bool] | None
    no_digest_tags: bool

    def has(self, tag: str) -> bool:
        """Return whether to list a tag."""
        return (
            (not self.include or any(fnmatchcase(tag, glob) for glob in self.include))
            and not any(fnmatchcase(tag, glob) for glob in self.exclude)
            and (self.within is None or self.within(tag))
            and not (self.no_digest_tags and _DIGEST_TAG.fullmatch(tag))
        )
