"""The normal form of platforms, and ranks of candidates by variant, version and features."""

import re
from collections.abc import Iterable
from typing import Final

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
"""The last minor of ARMv8: 8.9."""
_STATIC_LADDERS: Final = {
    "amd64": ("v4", "v3", "v2", ""),
    "arm": ("v8", "v7", "v6", "v5"),
    "ppc64le": ("power11", "power10", "power9", ""),
    "riscv64": ("rva23u64", "rva22u64", ""),
}
_WINDOWS_BUILD: Final = 3
"""The number of version parts that name a Windows build; images must match the build."""
_NO_DEMAND: Final = frozenset({"win32k"})


def normal(system: str, architecture: str, variant: str) -> tuple[str, str, str]:
    """Return system, architecture and variant without aliases, and without a default variant."""
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


def variant_rank(architecture: str, wanted: str, candidate: str) -> int | None:
    """Return the rank of a candidate among the variants that can run as the wanted one, 0 best; None if it cannot."""
    if wanted == candidate:
        return 0
    ladder = _ladder(architecture, wanted)
    return ladder.index(candidate) if candidate in ladder else None


def _ladder(architecture: str, wanted: str) -> tuple[str, ...]:
    """Return the variants that can run as a variant, best first; an unknown variant only runs as itself."""
    if architecture == "arm64":
        return _arm64_ladder(wanted)
    steps = _STATIC_LADDERS.get(architecture, ())
    return steps[steps.index(wanted) :] if wanted in steps else (wanted,)


def _arm64_ladder(wanted: str) -> tuple[str, ...]:
    """Return the lower minor versions, best first; ARMv9.N can run ARMv8.(N + 5)."""
    found = _ARM64.fullmatch(wanted)
    if found is None:
        return (wanted,)
    minor = int(found[2] or 0)
    nines: tuple[str, ...] = ()
    if found[1] == "9":
        nines = (*(f"v9.{step}" for step in range(minor, 0, -1)), "v9")
        minor = min(minor + 5, _ARM64_MINORS)
    return (*nines, *(f"v8.{step}" for step in range(minor, 0, -1)), "")


def version_rank(system: str, wanted: str, candidate: str) -> int | None:
    """Return how well a candidate's version of the system matches, 0 best; None if it does not."""
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


def feature_rank(system: str, wanted: Iterable[str], demands: Iterable[str]) -> int | None:
    """Return the number of wanted features that an entry does not use; None if it demands other features."""
    there, due = frozenset(wanted), frozenset(demands)
    if there:
        return len(there - due) if due <= there else None
    if system == "windows":
        due -= _NO_DEMAND
    return 1 if due else 0
