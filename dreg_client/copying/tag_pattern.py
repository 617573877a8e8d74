"""Regular expressions that match whole tags.

Tags come from registries, and an expression such as `(a+)+b` takes years to reject a tag of 128 letters. The library
regex, which the extra `cli` installs, ends such a match; without it, the standard library matches without a limit.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from importlib import import_module
from typing import Final, Protocol, cast

from dreg_client.errors import ConfigError

_LIMIT: Final = 1.0
"""The most seconds for a tag. Usual expressions need microseconds."""


class _LimitedPattern(Protocol):
    """A pattern of the library regex, which has no types."""

    def fullmatch(self, string: str, *, timeout: float) -> re.Match[str] | None: ...


class TagPattern:
    """A regular expression that must match the whole tag.

    Args:
        pattern: The expression. One that is already compiled is used as it is, without a limit of time.

    Raises:
        ValueError: It is not valid.

    Examples:
        >>> TagPattern(r"(?P<release>[0-9.]+)-rc[0-9]+").groups("1.4.2-rc1")
        {'1': '1.4.2', 'release': '1.4.2'}
    """

    __slots__ = ("_limited", "_pattern")

    def __init__(self, pattern: str | re.Pattern[str]) -> None:
        if isinstance(pattern, str):
            try:
                self._pattern = re.compile(pattern)
            except (re.error, OverflowError, RecursionError) as failure:
                message = f"{pattern!r} is not a regular expression: {failure}"
                raise ValueError(message) from None
            self._limited = _limited(pattern)
        else:
            self._pattern, self._limited = pattern, None

    @property
    def text(self) -> str:
        """The expression."""
        return self._pattern.pattern

    @property
    def group_names(self) -> frozenset[str]:
        """The names and numbers of its groups."""
        return frozenset(self._pattern.groupindex) | {str(number) for number in range(1, self._pattern.groups + 1)}

    def has(self, tag: str) -> bool:
        """Return whether it matches a tag.

        Raises:
            ConfigError: It takes longer than a second.
        """
        return self._match(tag) is not None

    def groups(self, tag: str) -> Mapping[str, str]:
        """Return what its groups match, by their names and numbers; nothing if it does not match.

        Raises:
            ConfigError: It takes longer than a second.
        """
        found = self._match(tag)
        if found is None:
            return {}
        numbered = {str(number): text for number, text in enumerate(found.groups(), 1)}
        return {name: text for name, text in (numbered | found.groupdict()).items() if text is not None}

    def _match(self, tag: str) -> re.Match[str] | None:
        if self._limited is None:
            return self._pattern.fullmatch(tag)
        try:
            return self._limited.fullmatch(tag, timeout=_LIMIT)
        except TimeoutError:
            what = f"the regular expression {self.text!r} takes too long for the tag {tag[:128]}"
            raise ConfigError(f"{what}; do not nest repetitions, as in '(a+)+'") from None


@lru_cache(maxsize=64)
def _limited(pattern: str) -> _LimitedPattern | None:
    """Return the pattern of the library regex; None if it is not installed, or does not know the syntax."""
    with suppress(ImportError):
        library = import_module("regex")
        with suppress(library.error):
            return cast("_LimitedPattern", library.compile(pattern))
    return None
