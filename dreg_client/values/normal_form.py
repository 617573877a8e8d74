"""The normal form of platforms, and how near one comes to another: aliases, ladders of variants, versions, features."""

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
"""How many parts of a version of Windows name the build, which is what images must fit."""
_NO_DEMAND: Final = frozenset({"win32k"})


def normal(system: str, architecture: str, variant: str) -> tuple[str, str, str]:
    """System, architecture and variant without aliases, and without a variant that goes without saying."""
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
    """The candidate's place on the ladder of what may stand in for the wanted variant, None where it is not on it."""
    if wanted == candidate:
        return 0
    ladder = _ladder(architecture, wanted)
    return ladder.index(candidate) if candidate in ladder else None


def _ladder(architecture: str, wanted: str) -> tuple[str, ...]:
    """What may stand in for a variant, best first; a variant on no ladder stands only for itself."""
    if architecture == "arm64":
        return _arm64_ladder(wanted)
    steps = _STATIC_LADDERS.get(architecture, ())
    return steps[steps.index(wanted) :] if wanted in steps else (wanted,)


def _arm64_ladder(wanted: str) -> tuple[str, ...]:
    """Down the minors; ARMv9.N stands above ARMv8.(N + 5)."""
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
    """How well a candidate's version of the system fits, 0 best, None where it does not."""
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
    """How well what an entry demands fits what there is: the number of wanted features that it does not use."""
    there, due = frozenset(wanted), frozenset(demands)
    if there:
        return len(there - due) if due <= there else None
    if system == "windows":
        due -= _NO_DEMAND
    return 1 if due else 0
