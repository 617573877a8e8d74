"""The checks of entries in the storage of a registry that the registry does not write there (STO-07)."""

from collections.abc import Iterator

from dreg_client.errors.problems import Problem
from dreg_client.files.registry_storage import StorageTree, is_place
from dreg_client.files.rooted import Entry
from dreg_client.models import rules
from dreg_client.models.paths import show
from dreg_client.validation.referenced_digests import ReferencedDigests
from dreg_client.validation.report import NO_BYTES, FileReport, Report
from dreg_client.values.digest import REGISTERED, Digest, is_registered_digest

MARKS = frozenset({"_manifests", "_layers", "_uploads"})
"""The directories of a repository."""
_STARTS = 2
"""The number of digits by which the directories of blobs are divided."""


def file_report(path: str, problem: Problem, digest: Digest | None = None, size: int = 0) -> FileReport:
    """Return the report of a file or directory of a storage. `size` is in bytes; a link has none."""
    return FileReport(path, Report(None, digest or NO_BYTES, size, (problem,)), is_null=digest is None)


def misplaced(path: str, entry: Entry | None, expected: str = "a directory") -> FileReport:
    """Return the report of an entry in place of a directory or file that the registry needs, or of a link.

    `entry` is None if it is not known which of them it is.
    """
    found = f"an entry that is not {expected}"
    if entry is None:
        found += ", or is a symbolic link, which was not followed"
    elif entry.is_link:
        found = hidden_by(entry).removeprefix("is ")
    return file_report(path, rules.error("STO-07", "$", found, expected))


def misnamed(path: str, name: str, expected: str) -> FileReport:
    """Return the report of a directory that no registry reads."""
    return file_report(path, rules.warning("STO-07", "$", f"a directory with the name {show(name)}", expected))


def others_in(path: str, entries: list[Entry]) -> Iterator[FileReport]:
    """Report what is in a directory of a storage that should contain only directories.

    These are each link, each file in place of a directory that the registry reads, and all other files together.
    """
    files = [each.name for each in entries if not each.is_directory and not is_misplaced(path, each)]
    if files:
        found = f"{len(files):,} file{'' if len(files) == 1 else 's'} that no registry reads, such as {show(files[0])}"
        yield file_report(path, rules.note("STO-07", "$", found, "only directories"))
    yield from (misplaced(f"{path}/{each.name}", each) for each in entries if is_misplaced(path, each))


def is_misplaced(path: str, entry: Entry) -> bool:
    """Return whether an entry of a directory is a link, or a file where the registry reads a directory.

    The server lists all entries of `tags` as tags. Digests are divided into an algorithm and digits, those of blobs
    also by their first two digits.
    """
    outer, _, name = path.rpartition("/")
    if entry.is_directory or entry.is_link:
        return entry.is_link
    if path.endswith("/_manifests/tags") or entry.name in REGISTERED:
        return True
    algorithm = outer.rpartition("/")[2] if len(name) == _STARTS else name
    is_start = outer.endswith("/blobs") and name in REGISTERED and len(entry.name) == _STARTS
    return is_start or is_registered_digest(f"{algorithm}:{entry.name}")


def hidden_by(entry: Entry) -> str:
    """Return why it is not known what is below an entry, for `ReferencedDigests.note_unknown`."""
    return "is a symbolic link, which was not followed" if entry.is_link else "is not a directory"


def repositories_of(
    tree: StorageTree, reach: ReferencedDigests, others: list[FileReport] | None = None
) -> Iterator[str]:
    """Yield the names of all repositories of a storage, also those that the server does not find.

    Args:
        tree: The storage.
        reach: It is noted there if a link hides repositories.
        others: The reports of all other entries are added to it.
    """
    for name, entries in tree.places(unread=reach.note_unread):
        path = f"{tree.files.name}/repositories/{name}".rstrip("/")
        if not name and not entries and not tree.files.has_directory("repositories"):
            reach.note_unknown(path, "is not a directory")
        inner = [each for each in entries if not each.name.startswith("_")]
        for each in inner:
            if each.is_link:
                reach.note_unknown(f"{path}/{each.name}", hidden_by(each))
        if others is not None:
            others += others_in(path, inner)
            expected = "a path that is valid as the name of a repository, in lower case"
            invalid = [each.name for each in inner if each.is_directory and not is_place(name, each)]
            others += [misnamed(f"{path}/{each}", each, expected) for each in invalid]
        if name and any(each.name in MARKS for each in entries):
            yield name
