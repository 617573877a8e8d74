"""Templates of tags, such as `{major}.{minor}`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Formatter
from typing import Final

from dreg_client.copying.versions import version_parts
from dreg_client.values.reference import is_tag

VERSION_FIELDS: Final = frozenset({"major", "minor", "patch", "prerelease", "version"})
"""The fields that need a full version `X.Y.Z`."""
_FIELD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[1-9][0-9]?", re.ASCII)
_LITERAL: Final = re.compile(r"[A-Za-z0-9._-]*", re.ASCII)
_LONGEST: Final = 1024
_EXPECTED: Final = "{tag}, {major}, {minor}, {patch}, {prerelease}, {version}, or a group of the regular expression"


@dataclass(frozen=True, slots=True)
class Template:
    """A template of a tag.

    Attributes:
        text: The template.
        groups: The names and numbers of the groups of the regular expression that it can use.

    Raises:
        ValueError: It has an unknown field or a format code, or no tag can be made of it.

    Examples:
        >>> Template("v{major}.{minor}").made_of("1.4.2"), Template("{major}").made_of("latest")
        ('v1.4', None)
    """

    text: str
    groups: frozenset[str] = frozenset()
    _parts: tuple[tuple[str, str | None], ...] = field(init=False, repr=False, compare=False, default=())

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            message = f"a template must be a str such as '{{major}}.{{minor}}', not {self.text!r:.100}"
            raise TypeError(message)
        if len(self.text) > _LONGEST:
            message = f"{self.text[:40]!r}... is too long; expected a template of at most {_LONGEST} characters"
            raise ValueError(message)
        object.__setattr__(self, "_parts", self._parsed())
        for literal, name in self._parts:
            self._check(literal, name)
        if not self.text or self.text[0] in ".-" or (not self.fields and not is_tag(self.text)):
            message = (
                f"{self.text!r} makes no valid tag; expected letters, digits, '.', '_' and '-', such as 'v{{major}}'"
            )
            raise ValueError(message)

    @property
    def fields(self) -> frozenset[str]:
        """The fields that it uses."""
        return frozenset(name for _, name in self._parts if name is not None)

    @property
    def uses_version(self) -> bool:
        """Whether it needs a full version `X.Y.Z`."""
        return any(self._is_of_version(name) for name in self.fields)

    @property
    def keeps_suffix(self) -> bool:
        """Whether the suffix of a version is part of the result, so that `1.4.2` and `1.4.2-rc1` never give one tag."""
        return bool(self.fields & {"tag", "version", "prerelease"})

    def made_of(self, tag: str, groups: Mapping[str, str] | None = None) -> str | None:
        """Return the tag that it makes of a tag; None if the tag does not have all its fields.

        The result may be an invalid tag: too long, or with a first character that is not allowed.
        """
        values = {**self._of_version(tag), **(groups or {}), "tag": tag}
        made: list[str] = []
        for literal, name in self._parts:
            if name is not None and not values.get(name):
                return None
            made += [literal, values[name] if name is not None else ""]
        return "".join(made)

    def _of_version(self, tag: str) -> dict[str, str]:
        found = version_parts(tag) if self.uses_version else None
        return {name: getattr(found, name) for name in VERSION_FIELDS} if found else {}

    def _is_of_version(self, name: str) -> bool:
        return name in VERSION_FIELDS and name not in self.groups

    def _parsed(self) -> tuple[tuple[str, str | None], ...]:
        try:
            parts = [*Formatter().parse(self.text)]
        except ValueError as failure:
            message = f"{self.text!r:.100} is not a valid template: {failure}"
            raise ValueError(message) from None
        for _, name, code, conversion in parts:
            if code or conversion:
                message = f"{self.text!r:.100} is not a valid template: a field such as {{{name}}} takes no format code"
                raise ValueError(message)
        return tuple((literal, name) for literal, name, _, _ in parts)

    def _check(self, literal: str, name: str | None) -> None:
        if not _LITERAL.fullmatch(literal):
            message = f"{self.text!r:.100} makes no valid tag: {literal!r:.40} has a character that tags cannot have"
            raise ValueError(message)
        if name is None:
            return
        if not _FIELD.fullmatch(name) or name not in VERSION_FIELDS | self.groups | {"tag"}:
            message = f"{self.text!r:.100} has the unknown field {{{name[:40]}}}; expected {_EXPECTED}"
            raise ValueError(message)
