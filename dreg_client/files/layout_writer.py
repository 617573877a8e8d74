"""Write the files of an image layout on disk: marker, index and blobs (image-layout.md)."""

import hashlib
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

from dreg_client import errors
from dreg_client.files import layout as layout_files
from dreg_client.files.atomic import sweep_parts
from dreg_client.files.block_buffer import BlockBuffer
from dreg_client.files.layout_lock import CONTENT, INDEX
from dreg_client.files.new_file import NewFile, create_folders, open_folder, sync_folder_below
from dreg_client.files.pending_entries import Change
from dreg_client.files.rooted import DirectoryFiles, size_of
from dreg_client.files.step_thread import Block
from dreg_client.files.store_kinds import OCI, other_kind
from dreg_client.models.index_text import EMPTY, MARKER, IndexText
from dreg_client.values.digest import COMPUTABLE, SHA256, Digest

_OURS: Final = frozenset({CONTENT, INDEX, "blobs", "oci-layout"})


def create_layout(path: str | os.PathLike[str], *, among_others: bool = False) -> None:
    """Create an empty layout in a new or an empty directory. An existing layout is not changed.

    Several processes may do this at a time. If one is killed, the next call completes the layout.

    Args:
        path: The directory. It and its parents are created.
        among_others: Whether the directory may already contain other directories, which contain layouts.

    Raises:
        LayoutError: The directory is not empty and not a layout, or cannot be written.
    """
    root = os.fspath(path)
    create_folders(Path(root))
    files = DirectoryFiles(root)
    if not files.has("index.json"):
        _check_is_empty(files, among_others=among_others)
        with open_folder(root, "blobs"), open_folder(root) as folder:
            for name, octets in (("oci-layout", MARKER), ("index.json", EMPTY)):
                with NewFile(folder, name, Path(root, name)) as file:
                    file.write(octets)
                    file.finish_new()  # another process may have created the layout meanwhile
        sync_folder_below(root)


def is_new_layout(path: str | os.PathLike[str]) -> bool:
    """Return whether `create_layout` would create a layout, without creating anything.

    Raises:
        LayoutError: The path is that of a file, or of a directory that is not empty and not a layout.
    """
    root = Path(path)
    present = next(place for place in (root, *root.absolute().parents) if os.path.lexists(place))
    if not present.is_dir():
        raise errors.LayoutError(str(present), "cannot be created: it is not a directory")
    if present is not root:
        return True
    files = DirectoryFiles(path)
    if files.has("index.json"):
        return False
    _check_is_empty(files, among_others=False)
    return not files.has("index.json")


def _check_is_empty(files: DirectoryFiles, *, among_others: bool) -> None:
    """Raise LayoutError if a directory contains anything but what an interrupted `create_layout` leaves."""
    try:
        found = [path for path in Path(files.name).iterdir() if not (among_others and _is_directory(path))]
    except OSError as failure:
        raise errors.LayoutError(files.name, f"cannot be read: {failure.strerror}") from failure
    names = sorted(path.name for path in found)
    others = [name for name in names if name not in _OURS and not name.endswith(".part")]
    if not others and next(files.names("blobs"), None) is None:
        return
    if files.has("index.json"):  # created meanwhile
        return
    kind = other_kind(files, than=(OCI,))
    what = f"it is {kind}" if kind else f"it contains {', '.join(others[:3]) or 'blobs without index.json'}"
    reason = f"is not an image layout, and is not empty ({what}); choose a new or an empty directory"
    raise errors.LayoutError(files.name, reason)


def _is_directory(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and path.name != "blobs"


def change_index(files: DirectoryFiles, change: Change) -> bytes:
    """Change `index.json` as it is now on disk, while the index is locked; return its content.

    The names of new blobs are synced before, and the name of the index is synced afterwards.

    Args:
        files: The layout.
        change: Changes the entries, and returns whether anything is different. If it raises an error, nothing changes.

    Raises:
        InvalidDocumentError: `index.json` is not a valid index. It was not changed.
        LayoutError: It cannot be read or written. The old index stays.
    """
    raw = layout_files.index_octets(files)
    index = IndexText.parse(raw)
    if index is None:
        layout_files.parse_index(raw, files.name)
        reason = "cannot be changed: it has members that would be lost, or too many entries"
        raise errors.LayoutError(f"{files.name}/index.json", reason)
    if not change(index):
        return raw
    sync_blobs(files)
    raw = index.text()
    if len(raw) > layout_files.MAX_INDEX:
        reason = f"cannot be changed: it would have {len(raw)} bytes; at most {layout_files.MAX_INDEX} are supported"
        raise errors.LayoutError(f"{files.name}/index.json", reason)
    with open_folder(files.name) as folder, NewFile(folder, "index.json", Path(files.name, "index.json")) as file:
        file.write(raw)
        file.finish(keeps_rights=True, synced=files.is_durable)
    if files.is_durable:
        sync_folder_below(files.name)
    return raw


def sync_blobs(files: DirectoryFiles) -> None:
    """Make the names of blobs survive a power failure, whoever has written them. This is fast if nothing is new."""
    for algorithm in COMPUTABLE if files.is_durable else ():
        if files.has_directory(f"blobs/{algorithm}"):
            sync_folder_below(files.name, "blobs", algorithm)


def stored_size(files: DirectoryFiles, digest: Digest) -> int | None:
    """Return the size of a blob in bytes; None if it does not exist, or is not a regular file in the layout."""
    try:
        with layout_files.open_blob(files, digest) as file:
            return size_of(file)
    except (errors.NotFoundError, errors.UnsafePathError):
        return None


def write_document(files: DirectoryFiles, digest: Digest, raw: bytes) -> bool:
    """Write a manifest or index, unless it exists with the same bytes; return whether it was written."""
    try:
        if layout_files.read_blob(files, digest) == raw:
            return False
    except (errors.NotFoundError, errors.UnsafePathError, errors.ResponseTooLargeError):
        pass
    with NewBlob(files, digest, len(raw)) as file:
        file.add(raw)
        file.finish()
    return True


def delete_file(files: DirectoryFiles, digest: Digest) -> None:
    """Delete the file of a blob."""
    path = str(Path(files.name, layout_files.blob_name(digest)))
    with open_folder(files.name, "blobs", digest.algorithm) as folder:
        try:
            os.unlink(digest.encoded, dir_fd=folder)
            os.fsync(folder)
        except FileNotFoundError:
            pass
        except OSError as failure:
            raise errors.LayoutError(path, f"cannot be deleted: {failure.strerror}") from failure


class NewBlob:
    """A blob that is being written. A context manager; unless it is finished, nothing is left.

    Args:
        files: The layout.
        digest: The digest that the content must have; None if it is not known yet.
        size: The size that it must have, in bytes; None if it is not known yet.

    Raises:
        LayoutError: The file cannot be written; also raised by `write` and `finish`.
    """

    def __init__(self, files: DirectoryFiles, digest: Digest | None, size: int | None) -> None:
        self._files, self._expected, self._expected_size = files, digest, size
        self._hash = hashlib.new(digest.algorithm if digest else SHA256)
        self._buffer = BlockBuffer()
        self._opened = ExitStack()
        self._is_broken = False
        self.size: int = 0

    def __enter__(self) -> Self:
        try:
            self.open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def open(self) -> None:
        """Create the file. If this is interrupted, call `close`."""
        folder = self._opened.enter_context(open_folder(self._files.name, "blobs", self._hash.name))
        parent = Path(self._files.name, "blobs", self._hash.name)
        sweep_parts(parent)
        name = self._expected.encoded if self._expected else "blob"
        self._file = self._opened.enter_context(NewFile(folder, name, parent / name))

    def close(self) -> None:
        """Close the file, and delete it unless it is finished."""
        self._opened.close()

    def add(self, chunk: bytes) -> bool:
        """Add a chunk; return whether there are enough chunks for a block."""
        self.size += len(chunk)
        if self._expected_size is not None and self.size > self._expected_size:
            raise errors.SizeMismatchError(self._expected_size, self.size, self._what)
        return self._buffer.add(chunk)

    def take_block(self) -> Block:
        """Remove and return the chunks as one block, which must be passed to `write` and `hash` in order."""
        return self._buffer.take()

    def write(self, block: Block) -> None:
        """Write a block. After a failure, further blocks are ignored, so that the file has no gaps."""
        try:
            for piece in () if self._is_broken else block:
                self._file.write(piece)
        except BaseException:
            self._is_broken = True
            raise

    def hash(self, block: Block) -> None:
        """Hash a block."""
        for piece in block:
            self._hash.update(piece)

    def finish(self) -> Digest:
        """Verify the content, and give the file its name; return the digest.

        Raises:
            SizeMismatchError: There are fewer bytes than expected.
            DigestMismatchError: The bytes do not match the digest.
        """
        block = self.take_block()
        self.write(block)
        self.hash(block)
        if self._expected_size is not None and self.size != self._expected_size:
            raise errors.SizeMismatchError(self._expected_size, self.size, self._what)
        actual = Digest(f"{self._hash.name}:{self._hash.hexdigest()}")
        if self._expected not in {None, actual}:
            assert self._expected is not None  # noqa: S101 (for type checkers)
            raise errors.DigestMismatchError(self._expected, actual, self._what)
        if self._expected is None and stored_size(self._files, actual) == self.size:
            return actual
        self._file.finish(as_name=actual.encoded, synced=self._files.is_durable)
        return actual

    @property
    def _what(self) -> str:
        return f"blob {self._expected.short if self._expected else 'of unknown digest'} to write to {self._files.name}"
