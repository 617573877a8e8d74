"""The checks of entries in the storage of a registry that the registry does not write there (STO-07)."""

from collections.abc import Iterator

from dreg_client.errors.problems import Problem
from dreg_client.files.registry_storage import StorageTree, is_place
from dreg_client.files.rooted import Entry
from dreg_client.models import rules
from dreg_client.models.paths import show
from dreg_client.validation.report import FileReport, Report
from dreg_client.validation.storage_reach import StorageReach
from dreg_client.values.digest import Digest

MARKS = frozenset({"_manifests", "_layers", "_uploads"})
"""The directories of a repository."""
_NOTHING = Digest.of(b"")


def file_report(path: str, problem: Problem, digest: Digest = _NOTHING, size: int = 0) -> FileReport:
    """Return the report of a file or directory of a storage. `size` is in bytes; a link has none."""
    return FileReport(path, Report(None, digest, size, (problem,)))


def misplaced(path: str, expected: str = "a directory") -> FileReport:
    """Return the report of an entry in place of a directory or file that the registry needs, or of a link."""
    found = f"an entry that is not {expected}, or is a symbolic link, which was not followed"
    return file_report(path, rules.error("STO-07", "$", found, expected))


def misnamed(path: str, name: str, expected: str) -> FileReport:
    """Return the report of a directory that no registry reads."""
    return file_report(path, rules.warning("STO-07", "$", f"a directory with the name {show(name)}", expected))


def others_in(path: str, entries: list[Entry]) -> Iterator[FileReport]:
    """Report what is in a directory that should contain only directories: each link, and all files together."""
    files = [each.name for each in entries if not each.is_directory and not each.is_link]
    if files:
        found = f"{len(files):,} file{'' if len(files) == 1 else 's'} that no registry reads, such as {show(files[0])}"
        yield file_report(path, rules.note("STO-07", "$", found, "only directories"))
    yield from (misplaced(f"{path}/{each.name}") for each in entries if each.is_link)


def repositories_of(tree: StorageTree, reach: StorageReach, others: list[FileReport] | None = None) -> Iterator[str]:
    """Yield the names of all repositories of a storage, also those that the server does not find.

    Args:
        tree: The storage.
        reach: It is noted there if a link hides repositories.
        others: The reports of all other entries are added to it.
    """
    for name, entries in tree.places(unread=reach.unread):
        path = f"{tree.files.name}/repositories/{name}".rstrip("/")
        inner = [each for each in entries if not each.name.startswith("_")]
        for each in inner:
            if each.is_link:
                reach.unknown(f"{path}/{each.name}", "is a symbolic link, which was not followed")
        if others is not None:
            others += others_in(path, inner)
            expected = "a path that is valid as the name of a repository, in lower case"
            invalid = [each.name for each in inner if each.is_directory and not is_place(name, each)]
            others += [misnamed(f"{path}/{each}", each, expected) for each in invalid]
        if name and any(each.name in MARKS for each in entries):
            yield name
