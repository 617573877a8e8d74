"""Find and delete the files of a layout that nothing names."""

import posixpath
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dreg_client import errors
from dreg_client.files.atomic import is_part
from dreg_client.files.layout import blob_name, digest_of_name
from dreg_client.files.layout_reach import reachable_from_names
from dreg_client.files.layout_writer import change_index, delete_file
from dreg_client.files.rooted import DirectoryFiles
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import LayoutIndex
from dreg_client.values.digest import Digest


@dataclass(frozen=True, slots=True)
class GCResult:
    """The result of `Layout.gc`.

    Attributes:
        blobs: The digests of the blobs that no image needs, sorted.
        bytes: Their size, with that of the temporary files of killed processes.
        dry_run: Whether nothing was deleted.
        referrers: The entries that were removed from the index, because the image that they refer to is not needed.
        temporary_files: The temporary files of killed processes: their paths below the layout, sorted.
    """

    blobs: tuple[Digest, ...]
    bytes: int
    dry_run: bool
    referrers: tuple[Descriptor, ...] = ()
    temporary_files: tuple[str, ...] = ()


def find_garbage(files: DirectoryFiles, index: LayoutIndex, *, dry_run: bool) -> GCResult:
    """Find what can be deleted, without deleting anything.

    Raises:
        LayoutCorruptError: A manifest is damaged, so the blobs that it names are not known.
    """
    reach, referrers = reachable_from_names(files, index)
    names = list(files.names("blobs"))
    blobs = {it for it in map(digest_of_name, names) if it is not None and it not in reach.digests}
    parts = [name for name in (*names, *_names_beside(files)) if is_part(posixpath.basename(name))]
    size = sum(_size(files, name) for name in (*map(blob_name, blobs), *parts))
    return GCResult(tuple(sorted(blobs)), size, dry_run, tuple(referrers), tuple(sorted(parts)))


def delete_garbage(files: DirectoryFiles, garbage: GCResult) -> None:
    """Delete what `find_garbage` has found. No writer may be active, and the index must be locked."""
    if garbage.referrers:
        removed = {entry.digest for entry in garbage.referrers}
        change_index(files, lambda index: index.remove_unnamed(removed))
    for digest in garbage.blobs:
        delete_file(files, digest)
    for name in garbage.temporary_files:
        path = Path(files.name, name)
        try:
            path.unlink(missing_ok=True)
        except OSError as failure:
            raise errors.LayoutError(str(path), f"cannot be deleted: {failure.strerror}") from failure


def _names_beside(files: DirectoryFiles) -> list[str]:
    """Return the names of the files next to `index.json`."""
    try:
        return [path.name for path in Path(files.name).iterdir()]
    except OSError as failure:
        raise errors.LayoutError(files.name, f"cannot be listed: {failure.strerror}") from failure


def _size(files: DirectoryFiles, name: str) -> int:
    with suppress(OSError):
        return Path(files.name, name).lstat().st_size
    return 0
