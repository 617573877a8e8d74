"""Platforms that images run on, in their text form and in their normal form."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NoReturn

from dreg_client.errors import InvalidPlatformError
from dreg_client.values import normal_form
from dreg_client.values.text_fields import TextField

_ESCAPED: Final = re.compile(r"[%+()/]")
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_WITH_BRACKET: Final = re.compile(r"([^/()]*)\(([^()]*)\)((?:/[^/()]*)*)")
_LONGEST: Final = 1024
_FORM: Final = "OS/ARCHITECTURE[/VARIANT], such as linux/arm64 or windows(10.0.20348)/amd64"
_MACHINES: Final = {
    "armv6l": ("arm", "v6"),
    "armv7l": ("arm", "v7"),
    "armv8l": ("arm", "v8"),
    "i686": ("386", ""),
    "i586": ("386", ""),
    "loongarch64": ("loong64", ""),
}


class Platform(TextField):
    """An operating system and an architecture, with optional variant, version and features (image-index.md "platform").

    Platforms are equal if their normal forms are: `linux/aarch64` equals `linux/arm64/v8`. The spelling is kept.

    Attributes:
        os: A value of Go's GOOS, as spelled.
        architecture: A value of Go's GOARCH, as spelled.
        variant: A variant of the architecture, or an empty text.
        os_version: A version of the system, or an empty text; Windows images have one.
        os_features: The features that the image requires of the system, in their own order.

    Raises:
        InvalidPlatformError: `os` or `architecture` is empty.
    """

    __slots__ = ("_key", "architecture", "os", "os_features", "os_version", "variant")

    os: str
    architecture: str
    variant: str
    os_version: str
    os_features: tuple[str, ...]
    _key: tuple[object, ...]

    def __init__(
        self, os: str, architecture: str, variant: str = "", os_version: str = "", os_features: Iterable[str] = ()
    ) -> None:
        if not os or not architecture:
            raise InvalidPlatformError(f"{os}/{architecture}", "an operating system and an architecture")
        features = tuple(os_features)
        parts = (os, architecture, variant, os_version, features)
        for name, value in zip(("os", "architecture", "variant", "os_version", "os_features"), parts, strict=True):
            object.__setattr__(self, name, value)
        normal = normal_form.normal(os, architecture, variant)
        object.__setattr__(self, "_key", (*normal, os_version, frozenset(features)))

    @classmethod
    def from_name(cls, text: str) -> "Platform":
        """Read `os/arch[/variant]`, `os(version+feature)/arch[/variant]` or `os/arch[/variant]:version`.

        Raises:
            InvalidPlatformError: The text has only one part, more than three, an empty one, or invalid characters.

        Examples:
            >>> Platform.from_name("linux/aarch64") == Platform.from_name("linux/arm64/v8")
            True
        """
        if len(text) > _LONGEST or not text.isprintable() or " " in text:
            _refuse(text)
        name, bracket, version = _cut(text)
        parts = name.split("/")
        if len(parts) not in {2, 3} or not all(parts) or ":" in name or ":" in version:
            _refuse(text)
        bracket_version, *features = (bracket or "").split("+")
        if bracket is not None and (not all(features) or not (bracket_version or features)):
            _refuse(text)
        return cls(
            parts[0],
            parts[1],
            parts[2] if len(parts) == 3 else "",
            _plain(bracket_version, text) or version,
            [_plain(feature, text) for feature in features],
        )

    @classmethod
    def of_text(cls, text: str) -> "Platform":
        """Return the value of a text; pydantic calls it for fields of models."""
        return cls.from_name(text)

    @classmethod
    def from_mapping(cls, members: Mapping[str, Any]) -> "Platform":
        """Read the members of a document's platform: `os`, `architecture`, `variant`, `os.version`, `os.features`.

        Raises:
            InvalidPlatformError: A member is of another type, or `os` or `architecture` is missing.
        """
        texts = [members.get(name) or "" for name in ("os", "architecture", "variant", "os.version")]
        features = members.get("os.features") or ()
        if not all(isinstance(text, str) for text in (*texts, *features)) or isinstance(features, str):
            raise InvalidPlatformError(str(dict(members))[:100], "strings, and a list of strings as os.features")
        return cls(texts[0], texts[1], texts[2], texts[3], features)

    @classmethod
    def local(cls) -> "Platform":
        """Return this machine's platform; `linux` on macOS, which runs containers in a virtual machine."""
        import platform as host  # noqa: PLC0415 (only this method needs it)

        system = host.system().lower()
        machine = host.machine().lower()
        architecture, variant = _MACHINES.get(machine, (machine or "unknown", ""))
        normal = normal_form.normal("linux" if system == "darwin" else system or "linux", architecture, variant)
        return cls(*normal)

    @property
    def name(self) -> str:
        """`os/arch[/variant]`, as spelled."""
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))

    @property
    def normal(self) -> "Platform":
        """The platform in its normal form: lower case, without aliases and without a default variant."""
        return Platform(*self.normal_name, self.os_version, self.os_features)

    @property
    def normal_name(self) -> tuple[str, str, str]:
        """The system, architecture and variant in their normal form."""
        return normal_form.normal(self.os, self.architecture, self.variant)

    @property
    def is_unknown(self) -> bool:
        """Whether it is `unknown/unknown`, which marks content that does not run, such as attestations."""
        return self._key[:2] == ("unknown", "unknown")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        message = "a Platform is immutable; make another one"
        raise AttributeError(message)

    def __delattr__(self, name: str) -> NoReturn:
        self.__setattr__(name, None)

    def __reduce__(self) -> tuple[type["Platform"], tuple[object, ...]]:
        return Platform, (self.os, self.architecture, self.variant, self.os_version, self.os_features)

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, Platform) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key)

    def __str__(self) -> str:
        inner = "+".join((_escaped(self.os_version), *map(_escaped, self.os_features)))
        system = f"{self.os}({inner})" if inner else self.os
        return "/".join(filter(None, (system, self.architecture, self.variant)))

    def __repr__(self) -> str:
        return f"Platform({str(self)!r})"


def choose(wanted: Platform, candidates: Iterable[Platform | None]) -> int | None:
    """Return the position of the candidate that matches a platform best, None if none does.

    Variants are compared first (see `normal_form`), then versions (Windows builds), then the required `os.features`. A
    candidate that is None or `unknown/unknown` never matches.

    "If multiple manifests match a client or runtime's requirements, the first matching entry SHOULD be used."
    (image-index.md "manifests") So order matters: candidates are not sorted.

    Examples:
        >>> choose(Platform.from_name("linux/arm64"), [None, Platform.from_name("linux/arm64/v8")])
        1
    """
    best: tuple[int, int, int] | None = None
    chosen = None
    for position, candidate in enumerate(candidates):
        rank = _rank(wanted, candidate) if candidate is not None else None
        if rank is not None and (best is None or rank < best):
            best, chosen = rank, position
    return chosen


def _rank(wanted: Platform, candidate: Platform) -> tuple[int, int, int] | None:
    """Return the distance of a candidate by variant, version and features; None if it does not match."""
    if candidate.is_unknown or wanted.is_unknown:
        return None
    system, architecture, variant = wanted.normal_name
    its_system, its_architecture, its_variant = candidate.normal_name
    if (system, architecture) != (its_system, its_architecture):
        return None
    ranks = (
        normal_form.variant_rank(architecture, variant, its_variant),
        normal_form.version_rank(system, wanted.os_version, candidate.os_version),
        normal_form.feature_rank(system, wanted.os_features, candidate.os_features),
    )
    variant_rank, version_rank, feature_rank = ranks
    if variant_rank is None or version_rank is None or feature_rank is None:
        return None
    return variant_rank, version_rank, feature_rank


def _cut(text: str) -> tuple[str, str | None, str]:
    """Split a text into the plain name, the content of the bracket or None, and the version after a colon."""
    if "(" not in text:
        name, _, version = text.partition(":")
        if ")" in text or (":" in text and not version):
            _refuse(text)
        return name, None, version
    found = _WITH_BRACKET.fullmatch(text)
    if found is None:
        _refuse(text)
    return found[1] + found[3], found[2], ""


def _escaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: f"%{ord(found[0]):02X}", text)


def _plain(text: str, whole: str) -> str:
    if "%" in _ESCAPE.sub("", text) or "/" in text:
        _refuse(whole)
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)


def _refuse(text: str) -> NoReturn:
    shown = text[:100].encode("unicode_escape").decode() + ("..." if len(text) > 100 else "")
    raise InvalidPlatformError(shown, _FORM)
