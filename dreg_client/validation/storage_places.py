"""The directories of a repository in the storage of a registry, and what is in place of them (STO-07)."""

from collections.abc import Generator, Iterator
from typing import Final

from dreg_client import errors
from dreg_client.files.held_directory import HeldDirectory
from dreg_client.files.registry_storage import LAYERS, REVISIONS, Links, StorageTree
from dreg_client.files.rooted import Entry
from dreg_client.validation.referenced_digests import ReferencedDigests
from dreg_client.validation.report import FileReport
from dreg_client.validation.storage_entries import MARKS, hidden_by, is_misplaced, misplaced, others_in
from dreg_client.values.digest import Digest, is_registered_digest
from dreg_client.values.reference import RepositoryName

_FIXED: Final = frozenset({"_manifests/tags", REVISIONS, LAYERS, "_uploads"})


class RepositoryPlaces:
    """The directories of a repository.

    Args:
        tree: The storage.
        repository: The repository.
        reach: It is noted there if something may hide links.

    Attributes:
        root: The path of the repository below the tree.
        malformed: The digests of malformed links, also of those that have another entry in place of their directory.
        is_there: Whether there is such a repository. It is known after `read_places`.
    """

    def __init__(self, tree: StorageTree, repository: RepositoryName, reach: ReferencedDigests) -> None:
        self.tree: StorageTree = tree
        self.repository: RepositoryName = repository
        self.reach: ReferencedDigests = reach
        self.root: str = f"repositories/{repository}"
        self.is_there: bool = False
        self.malformed: dict[Links, set[Digest]] = {REVISIONS: set(), LAYERS: set()}

    def path(self, place: str) -> str:
        """Return the path of a file of the repository, for reports."""
        return f"{self.tree.files.name}/{self.root}/{place}"

    def read_places(self) -> Iterator[FileReport]:
        """Report what is in place of the directories of a repository."""
        with HeldDirectory(self.tree.files, self.root) as held:
            for outer, names in ((), MARKS), (("_manifests",), {"tags", "revisions"}):
                is_below = not outer or any(each.name == "_manifests" and each.is_directory for each in held.entries())
                for entry in held.entries(*outer) if is_below else ():
                    self.is_there |= entry.name in MARKS
                    if entry.name in names and not entry.is_directory:
                        yield self._misplaced("/".join((*outer, entry.name)), entry)

    def _misplaced(self, place: str, entry: Entry | None = None) -> FileReport:
        """Report what is in place of a directory."""
        if _may_hide(place):
            self.reach.note_unknown(self.path(place), "is not a directory")
        return misplaced(self.path(place), entry)

    def directories(self, held: HeldDirectory, place: str, *parts: str) -> Generator[FileReport, None, list[str]]:
        """Return the names of the directories in a directory; report all that is in it besides."""
        try:
            entries = held.entries(*parts)
        except errors.UnsafePathError:
            if place not in _FIXED:  # `read_places` has reported those
                yield self._misplaced(place)
            return []
        for entry in entries:
            if is_misplaced(self.path(place), entry):
                self._note_misplaced(place, entry)
        yield from others_in(self.path(place), entries)
        return [entry.name for entry in entries if entry.is_directory]

    def _note_misplaced(self, place: str, entry: Entry) -> None:
        if _may_hide(place):
            self.reach.note_unknown(self.path(f"{place}/{entry.name}"), hidden_by(entry))
        for links, malformed in self.malformed.items():
            outer, _, algorithm = place.rpartition("/")
            if outer == links and is_registered_digest(text := f"{algorithm}:{entry.name}"):
                malformed.add(Digest(text))


def _may_hide(place: str) -> bool:
    """Return whether what is in place of a directory, or of one in it, may hide links to manifests or layers."""
    return place == "_manifests" or place.startswith((REVISIONS, LAYERS))
