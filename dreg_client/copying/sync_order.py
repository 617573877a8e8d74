"""The order of several syncs: which of them may run at a time."""

from collections.abc import Sequence
from typing import Final

from dreg_client.values.registry_name import DOCKER, URLS

_ARCHIVES: Final = ("oci-archive:", "docker-archive:")


def batches(ends: Sequence[tuple[str, str]]) -> list[range]:
    """Divide syncs into groups, one after another. Those of a group may run at a time.

    A sync starts after all earlier ones of which it reads or writes what they write, or writes what they read.

    Args:
        ends: The names of the source and of the destination of each sync.

    Examples:
        >>> batches([("oci:a", "oci:b"), ("oci:c", "oci:d"), ("oci:b", "oci:e")])
        [range(0, 2), range(2, 3)]
    """
    found: list[range] = []
    start = 0
    for number, (source, destination) in enumerate(ends):
        group = ends[start:number]
        if any(_overlap(destination, each) for pair in group for each in pair) or any(
            _overlap(source, written) for _, written in group
        ):
            found.append(range(start, number))
            start = number
    return [*found, range(start, len(ends))] if ends else []


def _overlap(one: str, other: str) -> bool:
    """Return whether two names are the same, or one is a registry or a directory that contains the other."""
    one, other = _plain(one), _plain(other)
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def _plain(name: str) -> str:
    if name.startswith(_ARCHIVES):  # with all its repositories
        return ":".join(name.split(":")[:2])
    for prefix in (DOCKER, *URLS):
        name = name.removeprefix(prefix)
    return name.rstrip("/")
