"""Find the partitions in files, folders, patterns and URLs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from errno import ENOENT
from hashlib import sha256
from pathlib import Path
from typing import Final

from dreg_client.errors import FileError, NotFoundError, UnsupportedError
from dreg_client.files.places import (
    StoredFile,
    directory_of,
    files_below,
    find_source,
    is_pattern,
    matches,
    relative_to,
)
from dreg_client.files.store_path import storage_at
from dreg_client.partitions.input.divide import divided
from dreg_client.partitions.input.formats import ENDINGS, format_of
from dreg_client.partitions.partition import Partition, PartitionRules
from dreg_client.values.registry_name import STORAGE
from dreg_client.values.sizes import MEBIBYTE
from dreg_client.values.source_url import is_source_url, shown_source, without_query

PARTITION_SIZE: Final = 64 * MEBIBYTE
_MOST_NAMES: Final = 1000
_RULES: Final = PartitionRules()


def find_partitions(
    sources: Iterable[str], rules: PartitionRules = _RULES, *, size: int = PARTITION_SIZE
) -> Iterator[Partition]:
    """Find the partitions in files, folders, patterns and URLs, in a fixed order.

    These files are found in folders: `*.parquet`; `*.json`, `*.jsonl` and `*.ndjson`, also with the endings `.gz`,
    `.zst`, `.bz2` and `.xz`; `*.tar` with or without these endings, and `*.tgz`. Hidden files and directories, those
    whose names begin with `_`, and links to directories are skipped. A file that is named itself may have any ending.

    Uncompressed JSON Lines and Parquet files are divided, and small JSON files are grouped.

    Args:
        sources: Paths or URLs of files and folders, or patterns with `*`, `?`, `[...]` and `**`;
            `registry-storage:PATH` or `registry-storage:PATH/REPOSITORY` for the storage of a registry.
        rules: How to find the documents in the files.
        size: The number of bytes at which a file is divided: those of JSON Lines, or those of a Parquet file's
            columns without compression. A row group is divided into at most 8 parts.

    Returns:
        An iterator of partitions. Their documents are read by `reports_in` and `validate_partition`.

    Raises:
        OSError: A path does not exist, or cannot be read. Raised by the iterator, as the following ones.
        NotFoundError: There is nothing at a URL, no file matches a pattern, or there is no such storage or repository.
        FileError: A URL cannot be read, or a folder contains no documents.
        UnsupportedError: A folder is an image layout, or the storage of a registry.
        MissingLibraryError: A library that the format or the URL requires is not installed.
    """
    groups = _Groups(size)
    for source in sources:
        if source.startswith(STORAGE):
            from dreg_client.partitions.storage.partitions import storage_partitions  # noqa: PLC0415 (few sources are storages)

            yield from storage_partitions(source, rules)
            continue
        for file, directory in _files(source):
            for part in divided(file, rules, size):
                if part.format == "json" and not part.compression:
                    yield from groups.add(file, directory)
                else:
                    yield part
    yield from groups.rest()


def _files(source: str) -> Iterator[tuple[StoredFile, str]]:
    """Yield the files that a source names, and the directory in which each was searched for."""
    try:
        found = find_source(source)
    except (FileNotFoundError, NotFoundError):
        if not is_pattern(source):
            raise
        yield from _matches(source)
        return
    if found.is_directory:
        yield from _of_directory(source)
    else:
        yield found, directory_of(source)


def _matches(pattern: str) -> Iterator[tuple[StoredFile, str]]:
    """Yield the files that match a pattern. If its end matches any name, files without a known ending are left out."""
    path, is_empty = without_query(pattern)[0], True
    is_open, is_deep = path.endswith("*"), path.endswith("**")
    for found in matches(pattern):
        if not found.is_directory and (not is_open or _is_known(found.source)):
            yield found, directory_of(found.source)
            is_empty = False
        elif found.is_directory and not is_deep:
            for file in files_below(found.source, _is_known):
                yield file, found.source
                is_empty = False
    if is_empty:
        raise FileNotFoundError(ENOENT, "no file matches this pattern", shown_source(pattern))


def _of_directory(source: str) -> Iterator[tuple[StoredFile, str]]:
    if not is_source_url(source) and Path(source, "oci-layout").is_file():
        raise UnsupportedError(f"{source} is an image layout; validate it with: dreg validate oci:{source}")
    is_empty = True
    for file in files_below(source, _is_known):
        yield file, source
        is_empty = False
    if is_empty:
        if storage := shown_source(storage_at(source)):
            name = shown_source(source)
            raise UnsupportedError(f"{name} is the storage of a registry; validate it with: dreg validate {storage}")
        raise FileError(shown_source(source), f"has no {', '.join(ENDINGS)} files, compressed or not")


def _is_known(name: str) -> bool:
    return format_of(name) is not None


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
            version = sha256("\n".join(file.version for file in files).encode()).hexdigest()
            yield Partition(self._directory, "json", names=names, size=octets, version=version)
