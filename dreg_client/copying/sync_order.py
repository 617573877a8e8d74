"""The order of several syncs: which of them may run at a time."""

from collections.abc import Sequence
from os.path import realpath
from typing import Final, NamedTuple

from dreg_client.errors import DregError
from dreg_client.files.store_path import named_store
from dreg_client.values.registry_name import DOCKER, URLS, host_alone
from dreg_client.values.source_url import is_source_url
from dreg_client.values.store_name import StoreName, reference_of

_DOCKER_HUB: Final = "docker.io"


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
    places = _places(ends)
    for number, (source, destination) in enumerate(places):
        group = places[start:number]
        if any(destination.overlaps(each) for pair in group for each in pair) or any(
            source.overlaps(written) for _, written in group
        ):
            found.append(range(start, number))
            start = number
    return [*found, range(start, len(ends))] if ends else []


def written_before(ends: Sequence[tuple[str, str]]) -> list[str]:
    """Return for each sync the destination of the last earlier one that writes what it reads; empty if there is none.

    Args:
        ends: The names of the source and of the destination of each sync.

    Examples:
        >>> written_before([("oci:a", "oci:b"), ("oci:c", "oci:d"), ("oci:./b", "oci:e")])
        ['', '', 'oci:b']
    """
    places = _places(ends)
    return [
        next((ends[earlier][1] for earlier in range(number - 1, -1, -1) if source.overlaps(places[earlier][1])), "")
        for number, (source, _) in enumerate(places)
    ]


class _Place(NamedTuple):
    """What a name leads to, however it is written.

    Attributes:
        name: A repository or registry without its scheme, or a path without links. After the path of a layout, a colon
            and the repository in it, if one is named. Archives are written as a whole, so theirs is left out.
        separators: What may follow the name of what contains others.
    """

    name: str
    separators: str

    def overlaps(self, other: "_Place") -> bool:
        """Return whether both are the same, or one is a registry, directory or layout that contains the other."""
        shorter, longer = sorted((self.name, other.name), key=len)
        return self.separators == other.separators and (
            longer == shorter or (longer.startswith(shorter) and longer[len(shorter)] in self.separators)
        )


def _places(ends: Sequence[tuple[str, str]]) -> list[tuple[_Place, _Place]]:
    return [(_place(source), _place(destination)) for source, destination in ends]


def _place(text: str) -> _Place:
    if host := host_alone(text):
        return _in_registry(host)
    try:
        name = named_store(text)
    except DregError:  # it is reported when its turn comes
        return _in_registry(text)
    if name.reference is not None and name.kind == "registry":
        registry, repository = name.reference.registry, name.reference.repository
        # `docker.io/acme` is an image of the library, or the prefix of several repositories.
        below = repository.removeprefix("library/") if registry == _DOCKER_HUB else repository
        return _in_registry(f"{registry}/{below}")
    return _Place(_file(name), "/:")


def _in_registry(name: str) -> _Place:
    for prefix in (DOCKER, *URLS):
        name = name.removeprefix(prefix)
    return _Place(name.rstrip("/"), "/")


def _file(name: StoreName) -> str:
    """Return the path of a layout, of an archive, or of a repository in a storage.

    Before a layout exists, its path may also contain a repository.
    """
    path = (name.path if is_source_url(name.path) else realpath(name.path)).rstrip("/")
    if name.kind == "registry-storage":
        return f"{path}/{name.repository}" if name.repository is not None else path
    repository = reference_of(name) if name.kind == "oci" else ""
    return f"{path}:{repository}" if repository else path
