"""The files of an image layout: its marker, its index, and blobs by digest (image-layout.md)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Final

from dreg_client import errors
from dreg_client.errors.problems import Severity
from dreg_client.files.rooted import Files, chunks_of
from dreg_client.models.index import LayoutIndex
from dreg_client.models.layout import ImageLayout
from dreg_client.models.stored import examine
from dreg_client.values.digest import Digest
from dreg_client.values.sizes import MEBIBYTE

MAX_INDEX: Final = 64 * MEBIBYTE
_MAX_MARKER: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class HashedBlob:
    """The size of a blob's bytes, and their digest; None if its algorithm cannot be computed."""

    size: int
    digest: Digest | None


def check_marker(files: Files) -> None:
    """Check that `oci-layout` names version 1.0.0.

    Raises:
        LayoutCorruptError: It is missing or not valid (LYT-01).
        UnsafePathError: It is a link.
    """
    found = examine(ImageLayout, _top_file(files, "oci-layout", "LYT-01", _MAX_MARKER)).problems
    problem = next((problem for problem in found if problem.severity is Severity.ERROR), None)
    if problem is not None:
        raise errors.LayoutCorruptError(f"{files.name}/oci-layout", f"is no marker of an image layout: {problem}")


def read_index(files: Files) -> LayoutIndex:
    """Read `index.json`.

    Raises:
        LayoutCorruptError: It is missing or too large (LYT-02).
        InvalidDocumentError: It is not a valid OCI index.
        UnsafePathError: It is a link.
    """
    raw = _top_file(files, "index.json", "LYT-02", MAX_INDEX)
    try:
        return LayoutIndex.parse(raw, limit=MAX_INDEX)
    except errors.InvalidDocumentError as failure:
        raise type(failure)(failure.problems, failure.kind, f"{files.name}/index.json") from None


def _top_file(files: Files, name: str, rule: str, limit: int) -> bytes:
    try:
        return files.read(name, limit=limit)
    except FileNotFoundError:
        reason = f"has no {name}, so it is no image layout ({rule})"
        raise errors.LayoutCorruptError(files.name, reason) from None
    except errors.ResponseTooLargeError as failure:
        reason = f"is of {failure.size} bytes, more than {limit} ({rule})"
        raise errors.LayoutCorruptError(f"{files.name}/{name}", reason) from None


def read_blob(files: Files, digest: Digest, limit: int) -> bytes:
    """Read a whole blob of at most `limit` bytes; it is not verified.

    Raises:
        NotFoundError: There is no such blob.
        ResponseTooLargeError: It is larger. Nothing of it was read.
        LayoutError: It cannot be read.
    """
    try:
        return files.read("blobs", digest.algorithm, digest.encoded, limit=limit)
    except FileNotFoundError:
        raise _missing(files, digest) from None


def open_blob(files: Files, digest: Digest, start: int = 0) -> BinaryIO:
    """Open a blob at an offset.

    Raises:
        NotFoundError: There is no such blob.
        LayoutError: It cannot be read.
    """
    try:
        file = files.open("blobs", digest.algorithm, digest.encoded)
    except FileNotFoundError:
        raise _missing(files, digest) from None
    file.seek(start)
    return file


def has_blob(files: Files, digest: Digest) -> bool:
    """Return whether there is a blob; it is not read.

    Raises:
        LayoutError: It cannot be opened.
    """
    try:
        open_blob(files, digest).close()
    except errors.NotFoundError:
        return False
    return True


def hash_blob(files: Files, digest: Digest, is_cancelled: Callable[[], bool]) -> HashedBlob:
    """Return the size and the digest of the bytes that are stored under a digest.

    Args:
        files: The files of the layout.
        digest: The name of the blob.
        is_cancelled: Called between chunks. If it returns True, the rest is not read and the result is meaningless.

    Raises:
        NotFoundError: There is no such blob.
        LayoutError: It cannot be read.
    """
    verifier = digest.verifier() if digest.computable else None
    size = 0
    with open_blob(files, digest) as file:
        for chunk in chunks_of(file, blob_name(digest)):
            size += len(chunk)
            if verifier:
                verifier.update(chunk)
            if is_cancelled():
                break
    return HashedBlob(size, verifier.digest() if verifier else None)


def blob_name(digest: Digest) -> str:
    """Return the name of a blob's file below the root."""
    return f"blobs/{digest.algorithm}/{digest.encoded}"


def _missing(files: Files, digest: Digest) -> errors.NotFoundError:
    return errors.NotFoundError(f"blob {digest}", files.name, "the layout is not whole, or the digest is another's")
