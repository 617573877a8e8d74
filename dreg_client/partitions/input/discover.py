"""Find the partitions in files, folders, patterns and URLs."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from errno import ENOENT
from hashlib import sha256
from itertools import chain, groupby
from typing import Final

from dreg_client.errors import DregError, FileError, NotFoundError, UnsupportedError
from dreg_client.files.listing import GONE, unread
from dreg_client.files.places import (
    NO_MATCH,
    Found,
    FoundLayout,
    LeftOut,
    OnLeftOut,
    StoredFile,
    UnreadEntry,
    directory_of,
    find_source,
    is_pattern,
    relative_to,
)
from dreg_client.files.search import matches
from dreg_client.files.store_path import named_store, storage_at
from dreg_client.partitions.input.divide import divided
from dreg_client.partitions.input.formats import ENDINGS, is_known
from dreg_client.partitions.input.sources import TakenSources, absolute, documents_below, has_run, without_reports
from dreg_client.partitions.part import Files, Repositories
from dreg_client.partitions.partition import Partition, PartitionRules
from dreg_client.values.arguments import check_count, check_instance, check_iterable
from dreg_client.values.registry_name import STORAGE
from dreg_client.values.sizes import MEBIBYTE
from dreg_client.values.source_url import is_source_url, shown_source, without_query

PARTITION_SIZE: Final = 64 * MEBIBYTE
_NOTHING: Final = f"has no {', '.join(ENDINGS)} files, compressed or not"
_ONLY_REPORTS: Final = "has only reports"
_IS_STORAGE: Final = "is the storage of a registry"
_MOST_NAMES: Final = 1000
_RULES: Final = PartitionRules()


def find_partitions(
    sources: Iterable[str], rules: PartitionRules = _RULES, *, size: int = PARTITION_SIZE
) -> Iterator[Partition]:
    """Find the partitions in files, folders, patterns and URLs, in a fixed order.

    These files are found in folders: `*.parquet`; `*.json`, `*.jsonl` and `*.ndjson`, also with the endings `.gz`,
    `.zst`, `.bz2` and `.xz`; `*.tar` with or without these endings, and `*.tgz`. Files and directories
    whose names begin with `.` or `_`, and links to directories, are skipped. A file that is named itself may have any
    ending.

    Uncompressed JSON Lines and Parquet files are divided, and small JSON files are grouped. A file that several sources
    name is taken once. Report files of runs are skipped in folders. The partitions have absolute paths.

    The ends of large Parquet files are read in this process, see `validate_partition`.

    Args:
        sources: Paths or URLs of files and folders, or patterns with `*`, `?`, `[...]` and `**`;
            `registry-storage:PATH` or `registry-storage:PATH/REPOSITORY` for the storage of a registry.
        rules: How to find the documents in the files.
        size: The number of bytes at which a file is divided: those of JSON Lines, or those of a Parquet file's
            columns, all of them, without compression. A row group is divided into at most 8 parts.

    Returns:
        An iterator of partitions. `validate_partition` validates their documents.

    Raises:
        OSError: A path does not exist, or cannot be read. Raised by the iterator, as the following ones.
        NotFoundError: There is nothing at a URL, no file matches a pattern, or there is no such storage or repository.
        FileError: A folder contains no documents, or a URL, a folder or a file that was found cannot be read, or has
            an unknown compression; the latter two are raised after the partitions of all files.
        UnsupportedError: A folder is an image layout or the storage of a registry, or contains layouts; of layouts, it
            is raised after the partitions of all files.
        MissingLibraryError: A library that the format or the URL requires is not installed.
        TypeError: An argument has the wrong type.
        ValueError: `size` is less than 1.
    """
    check_iterable("sources", sources)
    check_instance("rules", rules, PartitionRules)
    check_count("size", size)
    yield from partitions_of(map(absolute, sources), rules, TakenSources(), size=size)


def layouts_reason(place: str) -> str:
    """Return why an image layout has no partitions, and how to validate it."""
    shown = shown_source(place)
    advice = "copy it to a directory, then run: dreg validate DIRECTORY" if is_source_url(place) else ""
    return f"{shown} is an image layout, which has no partitions; {advice or f'run: dreg validate oci:{shown}'}"


def partitions_of(
    sources: Iterable[str],
    rules: PartitionRules,
    taken: TakenSources,
    *,
    size: int = PARTITION_SIZE,
    on_left_out: OnLeftOut | None = None,
) -> Iterator[Partition]:
    """Find partitions as `find_partitions` does, with paths as they are given, without what was taken before.

    `on_left_out` is called with each layout, and with each file or directory that cannot be read, instead of raising.
    """
    left: list[LeftOut] = []
    yield from _partitions(sources, rules, taken, size, on_left_out or left.append)
    for _, failure in failures_of(left):
        raise failure


def failures_of(left: list[LeftOut]) -> Iterator[tuple[str, DregError]]:
    """Yield each file and directory that was left out because it cannot be read, and an error for all layouts."""
    layouts = [each for each in left if isinstance(each, FoundLayout)]
    yield from ((each.source, each.failure) for each in left if isinstance(each, UnreadEntry))
    if layouts:
        more = f", like {len(layouts) - 1} more" if len(layouts) > 1 else ""
        yield layouts[0].source, UnsupportedError(f"{layouts_reason(layouts[0].source)}{more}")


def partitions_in(
    files: Iterable[tuple[StoredFile, str]], rules: PartitionRules, on_left_out: OnLeftOut, *, size: int
) -> Iterator[Partition]:
    """Divide and group files that were found, each with the directory in which it was searched for."""
    groups = _Groups(size)
    for file, directory in files:
        try:
            parts = [*divided(file, rules, size)]
        except (OSError, FileError, NotFoundError) as failure:
            on_left_out(unread(file.source, failure))
            continue
        for part in parts:
            if part.format == "json" and not part.compression:
                yield from groups.add(file, directory)
            else:
                yield part
    yield from groups.rest()


def _partitions(
    sources: Iterable[str], rules: PartitionRules, taken: TakenSources, size: int, on_left_out: OnLeftOut
) -> Iterator[Partition]:
    for is_storage, group in groupby(sources, lambda source: source.startswith(STORAGE)):
        if is_storage:
            yield from chain.from_iterable(_of_storage(source, rules, taken) for source in group)
        else:
            files = chain.from_iterable(_files(source, taken, on_left_out) for source in group)
            yield from partitions_in(files, rules, on_left_out, size=size)


def _of_storage(source: str, rules: PartitionRules, taken: TakenSources) -> Iterator[Partition]:
    from dreg_client.partitions.storage.partitions import storage_partitions  # noqa: PLC0415 (few sources are storages)

    named = named_store(source)
    repository = None if named.repository is None else str(named.repository)
    if not taken.take_storage(named.path, repository):
        return
    for partition in storage_partitions(source, rules):
        match partition.part:
            case Repositories(names):
                left = tuple(name for name in names if not taken.has_repository(named.path, name))
                if left:
                    yield replace(partition, part=Repositories(left))
            case _:
                yield partition


def _files(source: str, taken: TakenSources, on_left_out: OnLeftOut) -> Iterator[tuple[StoredFile, str]]:
    """Yield the files that a source names and that were not taken before, and the directory that was searched."""
    try:
        found = find_source(source)
    except (FileNotFoundError, NotFoundError):
        if not is_pattern(source):
            raise
        yield from _matches(source, taken, on_left_out)
        return
    if found.is_directory:
        if (yield from _below(source, taken, on_left_out)):
            _raise_empty(source)
    elif found.is_special:
        advice = "save it to a file, or pass lines as standard input: dreg validate --lines -"
        raise FileError(source, f"is a pipe or a device, which cannot be read again; {advice}")
    elif taken.take(found):
        yield found, directory_of(source)


def matching(pattern: str) -> Iterator[Found]:
    """Yield the files and directories that match a pattern, without reports of runs.

    If the end of the pattern matches any name, files without a known ending are left out.
    """
    is_open = without_query(pattern)[0].endswith("*")
    for found in without_reports(matches(pattern)):
        if found.is_directory or not is_open or is_known(found.source):
            yield found


def _matches(pattern: str, taken: TakenSources, on_left_out: OnLeftOut) -> Iterator[tuple[StoredFile, str]]:
    is_empty = True
    for found in matching(pattern):
        if isinstance(found, StoredFile) and found.is_directory:
            with suppress(*GONE):
                is_empty &= yield from _below(found.source, taken, on_left_out)
            continue
        is_empty = False
        if isinstance(found, UnreadEntry):
            on_left_out(found)
        elif taken.take(found):
            yield found, directory_of(found.source)
    if is_empty:
        raise FileNotFoundError(ENOENT, NO_MATCH, shown_source(pattern))


def _below(
    directory: str, taken: TakenSources, on_left_out: OnLeftOut
) -> Generator[tuple[StoredFile, str], None, bool]:
    """Yield the files below a directory that were not taken before; return whether there is nothing to read."""
    is_empty = True
    for found in documents_below(directory):
        is_empty = False
        if not isinstance(found, StoredFile):
            on_left_out(found)
        elif not taken.has(found):
            yield found, directory
    taken.take_directory(directory)
    return is_empty


def _raise_empty(source: str) -> None:
    """Raise the error for a folder without documents. The storage of a registry has none in files of a known format."""
    if storage_at(source):
        raise UnsupportedError(storage_reason(storage_root(source)))
    raise FileError(shown_source(source), only_reports(source) or _NOTHING)


def storage_root(place: str) -> str:
    """Return the path or URL of the storage of a registry, given that or a directory in it."""
    from dreg_client.files.registry_storage import TREE  # noqa: PLC0415 (few sources are storages)

    return storage_at(place.removesuffix(f"/{TREE}") or "/").removeprefix(STORAGE)


def storage_reason(root: str) -> str:
    """Return how to validate the storage of a registry that is named without its prefix."""
    name = shown_source(root)
    return f"{name} {_IS_STORAGE}; run: dreg validate {STORAGE}{name}"


def is_mistaken(failure: Exception) -> bool:
    """Return whether a source is a folder without documents, or a storage: for commands, these are errors of usage."""
    if isinstance(failure, FileError):
        return failure.reason == _NOTHING or failure.reason.startswith(_ONLY_REPORTS)
    return isinstance(failure, UnsupportedError) and _IS_STORAGE in str(failure)


def only_reports(folder: str) -> str:
    """Return the reason why a folder without documents is empty if it has the reports of a run; otherwise nothing."""
    return f"{_ONLY_REPORTS}; sum them up with: dreg report {shown_source(folder)}" if has_run(folder) else ""


@dataclass(slots=True)
class _Groups:
    """Groups JSON files of the same directory."""

    size: int
    _directory: str = ""
    _files: list[StoredFile] = field(default_factory=list[StoredFile])
    _bytes: int = 0

    def add(self, file: StoredFile, directory: str) -> Iterator[Partition]:
        """Add a file; yield the group before if it is full or of another directory."""
        if directory != self._directory or len(self._files) >= _MOST_NAMES or self._bytes + file.size > self.size:
            yield from self.rest()
        self._directory = directory
        self._files.append(file)
        self._bytes += file.size

    def rest(self) -> Iterator[Partition]:
        """Yield the group that is not full, if any."""
        files, octets = self._files, self._bytes
        self._files, self._bytes = [], 0
        if len(files) == 1:
            yield Partition(files[0].source, "json", size=octets, version=files[0].version)
        elif files:
            names = tuple(relative_to(file.source, self._directory) for file in files)
            # Without the version of one file, nothing shows that the group is still the same.
            versions = "\n".join(file.version for file in files) if all(file.version for file in files) else ""
            version = versions and sha256(versions.encode()).hexdigest()
            yield Partition(self._directory, "json", part=Files(names), size=octets, version=version)
