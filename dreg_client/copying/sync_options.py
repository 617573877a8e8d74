"""What to synchronise: the options of `sync`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from dreg_client.copying.options import CopyOptions, platforms_of
from dreg_client.copying.tag_filter import TagFilter, globs, matches
from dreg_client.values.arguments import check_flag
from dreg_client.values.platform import Platform

Tags = TagFilter | Iterable[str] | Callable[[str], bool]
"""Which tags to choose: a filter, globs, or a function that returns whether a tag is chosen."""


class SyncOptions(CopyOptions, total=False):
    """The keyword arguments of `sync` and `plan_sync`.

    Attributes:
        tags: The tags to copy: a `TagFilter`, globs such as `["1.*"]`, or a function (default: all tags).
        repositories: The repositories of a registry to copy, as globs (default: all of its catalog).
        prune: Whether to remove the tags that `tags` chooses and the source does not have.
        allow_empty: Whether to prune even if the source has no tag that `tags` chooses.
        platforms: The platforms to copy, as in `copy`. Digest tags, such as `sha256-....sig`, are then
            copied only with what they are about, and only with `referrers`.
        referrers: Whether to also copy signatures, SBOMs and other referrers, as in `copy`, including those that were
            added to images that the destination has.
    """

    tags: Tags
    repositories: Iterable[str]
    prune: bool
    allow_empty: bool
    platforms: Iterable[Platform | str]
    referrers: bool


@dataclass(frozen=True, slots=True)
class SyncChoice:
    """What to synchronise, checked. The attributes are those of `SyncOptions`."""

    tags: TagFilter = field(default_factory=TagFilter)
    repositories: tuple[str, ...] = ()
    prune: bool = False
    allow_empty: bool = False
    platforms: tuple[Platform, ...] = ()
    referrers: bool = False

    def has_repository(self, name: str) -> bool:
        """Return whether a repository of a registry is chosen."""
        return matches(name, self.repositories)


def choice_of(options: SyncOptions) -> tuple[SyncChoice, CopyOptions]:
    """Return what to synchronise, and the options of registries.

    Raises:
        TypeError: An option has the wrong type.
        ValueError: `platforms` is empty.
    """
    rest = dict(options)
    for name in ("prune", "allow_empty", "referrers"):
        check_flag(name, rest.get(name, False))
    choice = SyncChoice(
        _tags(cast("Tags", rest.pop("tags", ()))),
        globs("repositories", cast("Iterable[str]", rest.pop("repositories", ()))),
        bool(rest.pop("prune", False)),
        bool(rest.pop("allow_empty", False)),
        platforms_of(cast("Any", rest.pop("platforms", None))),
        bool(rest.pop("referrers", False)),
    )
    return choice, cast("CopyOptions", rest)


def _tags(given: Tags) -> TagFilter:
    if isinstance(given, TagFilter):
        return given
    if callable(given):
        return TagFilter(where=given)
    return TagFilter(include=globs("tags", given))
