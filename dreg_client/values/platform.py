"""Platforms that images run on: parsing, the normal form, and the choice of an image for a platform."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn, Self, cast

from dreg_client.errors import InvalidPlatformError
from dreg_client.values.text_fields import TextField, not_a_text

_SPECIAL: Final = "%()/:"
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_ESCAPE_IN_BYTES: Final = re.compile(_ESCAPE.pattern.encode())
_ENCODING: Final = ("utf-8", "surrogatepass")
_WITH_BRACKET: Final = re.compile(r"([^/()]*)\(([^()]*)\)((?:/[^/()]*)*)")
_FORM: Final = "OS/ARCHITECTURE[/VARIANT], such as linux/arm64 or windows(10.0.20348)/amd64"
_MACHINES: Final = {
    "armv6l": ("arm", "v6"),
    "armv7l": ("arm", "v7"),
    "armv8l": ("arm", "v8"),
    "i686": ("386", ""),
    "i586": ("386", ""),
    "loongarch64": ("loong64", ""),
}
_SYSTEMS: Final = {"macos": "darwin"}
_ARCHITECTURES: Final = {
    "aarch64": "arm64",
    "x86_64": "amd64",
    "x86-64": "amd64",
    "i386": "386",
    "armhf": "arm",
    "armel": "arm",
}
_VARIANTS: Final = {
    "amd64": {"1": "", "v1": "", "2": "v2", "3": "v3", "4": "v4"},
    "arm": {"": "v7", "5": "v5", "6": "v6", "7": "v7", "8": "v8"},
    "ppc64le": {"power8": ""},
    "riscv64": {"rva20u64": ""},
}
_ARM64: Final = re.compile(r"v?([0-9]{1,3})(?:\.([0-9]{1,3}))?", re.ASCII)
_ARM64_MINORS: Final = 9
"""The last minor version of ARMv8 is 8.9."""
_STATIC_LADDERS: Final = {
    "amd64": ("v4", "v3", "v2", ""),
    "arm": ("v8", "v7", "v6", "v5"),
    "ppc64le": ("power11", "power10", "power9", ""),
    "riscv64": ("rva23u64", "rva22u64", ""),
}
_WINDOWS_BUILD: Final = 3
"""The first three parts of a Windows version name the build, which images must match."""
_OPTIONAL_FEATURES: Final = frozenset({"win32k"})


@dataclass(frozen=True, slots=True, init=False, repr=False, eq=False)
class Platform(TextField):
    """An operating system and an architecture, with optional variant, version and features (image-index.md "platform").

    Platforms are equal if their normal forms are: `linux/aarch64` equals `linux/arm64/v8`. The attributes keep the
    original spelling.

    `str()` returns the form that `from_name` parses. Reserved and unprintable characters are percent-encoded as UTF-8.

    Attributes:
        os: The operating system, a value of Go's GOOS.
        architecture: The architecture, a value of Go's GOARCH.
        variant: The variant of the architecture, or an empty string.
        os_version: The version of the operating system, or an empty string. Windows images have one.
        os_features: The features that the image requires of the operating system, in order, without empty strings.

    Raises:
        InvalidPlatformError: `os` or `architecture` is empty.
    """

    os: str
    architecture: str
    variant: str
    os_version: str
    os_features: tuple[str, ...]
    _key: tuple[str, str, str, str, frozenset[str]]

    def __init__(
        self, os: str, architecture: str, variant: str = "", os_version: str = "", os_features: Iterable[str] = ()
    ) -> None:
        for text in (os, architecture, variant, os_version):
            if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise not_a_text(text, "the parts of a platform must be str, such as 'linux'", digits=False)
        if not os or not architecture:
            raise InvalidPlatformError(f"{os}/{architecture}", "an operating system and an architecture")
        features = tuple(filter(None, os_features))
        parts = (os, architecture, variant, os_version, features)
        for name, value in zip(("os", "architecture", "variant", "os_version", "os_features"), parts, strict=True):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "_key", (*_normal(os, architecture, variant), os_version, frozenset(features)))

    @classmethod
    def from_name(cls, text: str) -> Self:
        """Parse `os/arch[/variant]`, `os(version+feature)/arch[/variant]` or `os/arch[/variant]:version`.

        Raises:
            InvalidPlatformError: The string does not have two or three parts, a part is empty, or it contains invalid
                characters.

        Examples:
            >>> Platform.from_name("linux/aarch64") == Platform.from_name("linux/arm64/v8")
            True
            >>> Platform.from_name("darwin/arm64:macOS 14") == Platform.from_name("darwin(macOS 14)/arm64")
            True
        """
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise not_a_text(text, "a platform must be a Platform or a str, such as 'linux/arm64'")
        name, bracket, version = _cut(text)
        parts = name.split("/")
        if len(parts) not in {2, 3} or not all(parts) or ":" in name or ":" in version:
            _reject(text)
        if not text.isprintable() or " " in name:  # versions may have spaces: "macOS 14"
            _reject(text)
        bracket_version, *features = (bracket or "").split("+")
        if bracket is not None and (not all(features) or not (bracket_version or features)):
            _reject(text)
        os, architecture, variant = (*(_plain(part, text) for part in parts), "")[:3]
        plain_features = [_plain(feature, text) for feature in features]
        return cls(os, architecture, variant, _plain(bracket_version, text) or version, plain_features)

    of_text = from_name

    @classmethod
    def from_mapping(cls, members: Mapping[str, Any]) -> Self:
        """Parse the platform object of a document: `os`, `architecture`, `variant`, `os.version` and `os.features`.

        Raises:
            InvalidPlatformError: A member has the wrong type, or `os` or `architecture` is missing.
        """
        if not isinstance(members, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidPlatformError(repr(members)[:100], "a mapping with os and architecture")
        texts = [members.get(name) or "" for name in ("os", "architecture", "variant", "os.version")]
        given = members.get("os.features") or ()
        is_list = isinstance(given, list | tuple)
        features = cast("Sequence[str]", given if is_list else ())
        if not is_list or not all(isinstance(text, str) for text in (*texts, *features)):
            raise InvalidPlatformError(str(dict(members))[:100], "strings, and a list of strings for os.features")
        return cls(texts[0], texts[1], texts[2], texts[3], features)

    @classmethod
    def local(cls) -> Self:
        """Return the platform of this machine; on macOS, the one of the Linux virtual machine that runs containers."""
        import platform as host  # noqa: PLC0415 (only this method needs it)

        system = host.system().lower()
        machine = host.machine().lower()
        architecture, variant = _MACHINES.get(machine, (machine or "unknown", ""))
        return cls(*_normal("linux" if system == "darwin" else system or "linux", architecture, variant))

    @property
    def name(self) -> str:
        """`os/arch[/variant]`, in the original spelling."""
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))

    @property
    def normal(self) -> "Platform":
        """The platform in its normal form: in lower case, without aliases and default variant."""
        return Platform(*self.normal_name, self.os_version, self.os_features)

    @property
    def normal_name(self) -> tuple[str, str, str]:
        """The operating system, architecture and variant in their normal form."""
        return self._key[:3]

    @property
    def is_unknown(self) -> bool:
        """Whether the platform is `unknown/unknown`, as for attestations and other content that cannot be run."""
        return self._key[:2] == ("unknown", "unknown")

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, Platform) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key)

    def __str__(self) -> str:
        inner = "+".join(_escaped(text, "+" + _SPECIAL) for text in (self.os_version, *self.os_features))
        os, architecture, variant = (
            _escaped(part, " " + _SPECIAL) for part in (self.os, self.architecture, self.variant)
        )
        return "/".join(filter(None, (f"{os}({inner})" if inner else os, architecture, variant)))

    def __repr__(self) -> str:
        return f"Platform({str(self)!r})"


def choose(wanted: Platform, candidates: Iterable[Platform | None]) -> int | None:
    """Return the position of the candidate that matches a platform best, or None if no candidate matches.

    Variants are compared first, then versions (Windows builds), then the required `os.features`. Among equal candidates
    the first one is chosen. A candidate that is None or `unknown/unknown` never matches.

    Source: image-index.md "manifests": "If multiple manifests match a client or runtime's requirements, the first
    matching entry SHOULD be used."

    Examples:
        >>> choose(Platform.from_name("linux/arm64"), [None, Platform.from_name("linux/arm64/v8")])
        1
    """
    ranks = ((_rank(wanted, candidate), position) for position, candidate in enumerate(candidates))
    matching = [(rank, position) for rank, position in ranks if rank is not None]
    return min(matching)[1] if matching else None


def _rank(wanted: Platform, candidate: Platform | None) -> tuple[int, int, int] | None:
    """Return the ranks of a candidate by variant, version and features, 0 best; None if it does not match."""
    if candidate is None or candidate.is_unknown or wanted.is_unknown:
        return None
    system, architecture, variant = wanted.normal_name
    its_system, its_architecture, its_variant = candidate.normal_name
    if (system, architecture) != (its_system, its_architecture):
        return None
    variant_rank = _variant_rank(architecture, variant, its_variant)
    version_rank = _version_rank(system, wanted.os_version, candidate.os_version)
    feature_rank = _feature_rank(system, wanted.os_features, candidate.os_features)
    if variant_rank is None or version_rank is None or feature_rank is None:
        return None
    return variant_rank, version_rank, feature_rank


def _cut(text: str) -> tuple[str, str | None, str]:
    """Split a string into the plain name, the content of the parentheses or None, and the version after a colon."""
    if "(" not in text:
        name, _, version = text.partition(":")
        if ")" in text or (":" in text and not version):
            _reject(text)
        return name, None, version
    found = _WITH_BRACKET.fullmatch(text)
    if found is None:
        _reject(text)
    return found[1] + found[3], found[2], ""


def _escaped(text: str, special: str) -> str:
    return "".join(
        one if one.isprintable() and one not in special else "".join(map("%{:02X}".format, one.encode(*_ENCODING)))
        for one in text
    )


def _plain(text: str, whole: str) -> str:
    """Decode the percent escapes in a part of a name."""
    if "%" in _ESCAPE.sub("", text) or "/" in text:
        _reject(whole)
    octets = _ESCAPE_IN_BYTES.sub(lambda found: bytes.fromhex(found[1].decode()), text.encode(*_ENCODING))
    try:
        return octets.decode(*_ENCODING)
    except UnicodeDecodeError:
        _reject(whole)


def _reject(text: str) -> NoReturn:
    shown = text[:100].encode("unicode_escape").decode() + ("..." if len(text) > 100 else "")
    raise InvalidPlatformError(shown, _FORM)


def _normal(system: str, architecture: str, variant: str) -> tuple[str, str, str]:
    """Return the system, architecture and variant without aliases and default variant."""
    system, architecture, variant = system.lower(), architecture.lower(), variant.lower()
    system = _SYSTEMS.get(system, system)
    if architecture == "i386":
        variant = ""
    elif architecture in {"armhf", "armel"}:
        variant = "v7" if architecture == "armhf" else "v6"
    architecture = _ARCHITECTURES.get(architecture, architecture)
    if architecture == "arm64":
        return system, architecture, _arm64_variant(variant)
    return system, architecture, _VARIANTS.get(architecture, {}).get(variant, variant)


def _arm64_variant(variant: str) -> str:
    found = _ARM64.fullmatch(variant)
    if found is None or found[1] not in {"8", "9"}:
        return variant
    major, minor = found[1], int(found[2] or 0)
    if (major, minor) == ("8", 0):
        return ""
    return f"v{major}.{minor}" if minor else f"v{major}"


def _variant_rank(architecture: str, wanted: str, candidate: str) -> int | None:
    """Return how well a variant matches, 0 best; None if the wanted variant cannot run it."""
    if wanted == candidate:
        return 0
    if architecture == "arm64":
        ladder = _arm64_ladder(wanted)
    else:
        steps = _STATIC_LADDERS.get(architecture, ())
        ladder = steps[steps.index(wanted) :] if wanted in steps else ()
    return ladder.index(candidate) if candidate in ladder else None


def _arm64_ladder(wanted: str) -> tuple[str, ...]:
    """Return the variants that an arm64 variant can run, best first. ARMv9.N can run ARMv8.(N + 5)."""
    found = _ARM64.fullmatch(wanted)
    if found is None:
        return ()
    minor = int(found[2] or 0)
    nines: tuple[str, ...] = ()
    if found[1] == "9":
        nines = (*(f"v9.{step}" for step in range(minor, 0, -1)), "v9")
        minor = min(minor + 5, _ARM64_MINORS)
    return (*nines, *(f"v8.{step}" for step in range(minor, 0, -1)), "")


def _version_rank(system: str, wanted: str, candidate: str) -> int | None:
    """Return how well a version of the operating system matches, 0 best; None if it does not match."""
    if not wanted or wanted == candidate:
        return 0
    if system != "windows":
        return None if candidate else 1
    if not candidate:
        return 3
    parts, its_parts = wanted.split("."), candidate.split(".")
    if its_parts[: len(parts)] == parts:
        return 1
    builds = parts[:_WINDOWS_BUILD], its_parts[:_WINDOWS_BUILD]
    return 2 if len(parts) >= _WINDOWS_BUILD and builds[0] == builds[1] else None


def _feature_rank(system: str, wanted: Iterable[str], demanded: Iterable[str]) -> int | None:
    """Return the number of wanted features that a candidate does not use; None if it requires other features."""
    available, required = frozenset(wanted), frozenset(demanded)
    if available:
        return len(available - required) if required <= available else None
    if system == "windows":
        required -= _OPTIONAL_FEATURES
    return 1 if required else 0
