"""The files of an image layout: `oci-layout`, `index.json` with its entries, and blobs (image-layout.md)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Final

from dreg_client import errors
from dreg_client.errors.problems import Severity
from dreg_client.files.rooted import Files, chunks_of, size_of
from dreg_client.files.sparse import at_offset, check_stored
from dreg_client.files.store_kinds import OCI, OCI_ARCHIVE, other_kind
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import LayoutIndex
from dreg_client.models.layout import OTHER_NAME, ImageLayout, ref_name
from dreg_client.models.parse import recognise
from dreg_client.models.paths import show
from dreg_client.models.stored import examine, read_or_scan
from dreg_client.values.digest import Digest, digest_fault
from dreg_client.values.reference import is_tag
from dreg_client.values.sizes import MAX_DOCUMENT, MEBIBYTE

MAX_INDEX: Final = 64 * MEBIBYTE
_MAX_MARKER: Final = 64 * 1024
_FAR: Final = 64 * MEBIBYTE
"""A blob that exceeds its stated size by more than this is not hashed: it may be a sparse file of any size."""
_MOST_LISTED: Final = 20
_MOST_REQUESTED: Final = 5
_OF_ANOTHER: Final = re.compile(r"sha(?:256|512)-[0-9a-f]{64}")  # a tag of signatures, or a referrers tag
_LONGEST_SHOWN: Final = 128


def check_marker(files: Files) -> None:
    """Check that `oci-layout` states version 1.0.0; raise LayoutCorruptError if not (LYT-01)."""
    found = examine(ImageLayout, _top_file(files, "oci-layout", "LYT-01", _MAX_MARKER)).problems
    problem = next((problem for problem in found if problem.severity is Severity.ERROR), None)
    if problem is not None:
        raise errors.LayoutCorruptError(f"{files.name}/oci-layout", f"is not valid: {problem}")


def read_index(files: Files, *, strict: bool = True) -> LayoutIndex:
    """Read `index.json`.

    Raises:
        LayoutCorruptError: It is missing or too large (LYT-02).
        InvalidDocumentError: It is not a valid index.
    """
    return parse_index(index_octets(files), files.name, strict=strict)


def index_octets(files: Files) -> bytes:
    """Read `index.json` without parsing it; raise LayoutCorruptError if it is missing or too large (LYT-02)."""
    return _top_file(files, "index.json", "LYT-02", MAX_INDEX)


def parse_index(raw: bytes, where: str, *, strict: bool = True) -> LayoutIndex:
    """Parse the `index.json` of the layout at a path; raise InvalidDocumentError if it is not a valid index."""
    try:
        return LayoutIndex.parse(raw, limit=MAX_INDEX, strict=strict)
    except errors.InvalidDocumentError as failure:
        raise failure.at(f"{where}/index.json") from None


def _top_file(files: Files, name: str, rule: str, limit: int) -> bytes:
    try:
        return files.read(name, limit=limit)
    except FileNotFoundError:
        found = other_kind(files, than=(OCI, OCI_ARCHIVE))
        reason = f"is not an image layout: it has no {name} ({rule})" + (f"; it is {found}" if found else "")
        raise errors.LayoutCorruptError(files.name, reason) from None
    except errors.ResponseTooLargeError as failure:
        reason = f"has {failure.size} bytes, which exceeds the limit of {limit} ({rule})"
        raise errors.LayoutCorruptError(f"{files.name}/{name}", reason) from None


@dataclass(frozen=True, slots=True)
class HashedBlob:
    """The size and digest of a blob's content. The digest is None if it was not computed."""

    size: int
    digest: Digest | None


def blob_name(digest: Digest) -> str:
    """Return the path of a blob's file below the root."""
    return f"blobs/{digest.algorithm}/{digest.encoded}"


def digest_of_name(name: str) -> Digest | None:
    """Return the digest that the path of a file in `blobs` stands for; None if it is not a digest."""
    text = name.removeprefix("blobs/").replace("/", ":", 1)
    return Digest(text) if digest_fault(text) is None and blob_name(Digest(text)) == name else None


def read_blob(files: Files, digest: Digest) -> bytes:
    """Read a document without verifying it.

    Raises:
        NotFoundError: The layout has no such blob.
        ResponseTooLargeError: It is larger than `MAX_DOCUMENT`.
    """
    try:
        return files.read("blobs", digest.algorithm, digest.encoded, limit=MAX_DOCUMENT)
    except FileNotFoundError:
        raise _missing(files, digest) from None


def open_blob(files: Files, digest: Digest, start: int = 0, size: int | None = None) -> BinaryIO:
    """Open a blob at an offset. `size` is the size that its descriptor states, if there is one.

    Raises:
        NotFoundError: The layout has no such blob.
        SizeMismatchError: It has another size. Nothing was read.
        LayoutError: It cannot be opened, or is a large sparse file.
    """
    return at_offset(_opened(files, digest), start, size, f"{files.name}, blob {digest.short}")


def _opened(files: Files, digest: Digest) -> BinaryIO:
    try:
        return files.open("blobs", digest.algorithm, digest.encoded)
    except FileNotFoundError:
        raise _missing(files, digest) from None


def _missing(files: Files, digest: Digest) -> errors.NotFoundError:
    return errors.NotFoundError(
        f"blob {digest}", files.name, "check the digest; if it is correct, the layout is incomplete"
    )


def has_blob(files: Files, digest: Digest) -> bool:
    """Return whether a blob exists, without reading it; raise `LayoutError` if it cannot be opened."""
    try:
        _opened(files, digest).close()
    except errors.NotFoundError:
        return False
    return True


def hash_blob(files: Files, digest: Digest, is_cancelled: Callable[[], bool], stated: int | None = None) -> HashedBlob:
    """Compute the size and digest of a blob's content; only the size if it is far larger than the `stated` size.

    A large sparse file is not read: `LayoutError`.
    `is_cancelled` is called between chunks. Once it returns True, reading stops, and the result covers only a part.
    """
    with _opened(files, digest) as file:
        if stated is not None and (found := size_of(file)) > stated + _FAR:
            return HashedBlob(found, None)
        check_stored(file, f"{files.name}, blob {digest.short}")
        return hash_file(file, digest, blob_name(digest), is_cancelled)


def hash_file(
    file: BinaryIO, digest: Digest, path: str, is_cancelled: Callable[[], bool] = lambda: False
) -> HashedBlob:
    """Compute the size of an open file, and its digest by the algorithm of another one; see `hash_blob`."""
    verifier = digest.verifier() if digest.computable else None
    size = 0
    for chunk in chunks_of(file, path):
        size += len(chunk)
        if verifier:
            verifier.update(chunk)
        if is_cancelled():
            break
    return HashedBlob(size, verifier.digest() if verifier else None)


def tags_in(index: LayoutIndex) -> tuple[str, ...]:
    """Return the distinct names of all entries, in document order."""
    return tuple(dict.fromkeys(filter(None, map(ref_name, index.manifests))))


class Entries:
    """The entries of an `index.json`, by name and by digest, which are found without reading all of them.

    Args:
        index: The index.
    """

    def __init__(self, index: LayoutIndex) -> None:
        self._all = index.manifests
        self._named: dict[str, list[Descriptor]] = {}
        self._named_by_containerd: dict[str, list[Descriptor]] = {}
        self._with_digest: dict[str, Descriptor] = {}
        for entry in index.manifests:
            self._with_digest.setdefault(entry.digest, entry)
            if (name := ref_name(entry)) is not None:
                self._named.setdefault(name, []).append(entry)
            if (name := _containerd_name(entry)) is not None:
                self._named_by_containerd.setdefault(name, []).append(entry)

    def named(self, reference: str) -> list[Descriptor]:
        """Return the entries with a name; if containerd's annotation has the name for some, only those (D-06)."""
        named = self._named.get(reference, [])
        if not named:
            return self._named_by_containerd.get(reference, [])
        return [entry for entry in named if _containerd_name(entry) == reference] or named

    def find(self, reference: str, where: str) -> Descriptor | None:
        """Return the entry with a name or digest, or None. An empty string stands for the only entry (LYT-07)."""
        if not reference:
            if not self._all:
                raise errors.NotFoundError("images", where)
            return _only(list(self._all), "the layout contains", where)
        if named := self.named(reference):
            return _only(named, f"the name {show(reference)} matches", where)
        return self._with_digest.get(reference)


def _only(entries: list[Descriptor], what: str, where: str) -> Descriptor:
    """Return the first of several entries; raise ConflictError unless all have the same digest (LYT-07)."""
    different: dict[Digest, Descriptor] = {}
    for entry in entries:
        different.setdefault(entry.digest, entry)
    if len(different) == 1:
        return entries[0]
    found = [*different.values()]
    images = [entry for entry in found if not _OF_ANOTHER.match(ref_name(entry) or "")] or found
    shown = images[:_MOST_REQUESTED]
    more = f" and {len(found) - len(shown)} more" if len(found) > len(shown) else ""
    listed = ", ".join(map(_described, shown)) + more
    raise errors.ConflictError(f"{where}: {what} {len(different)} images; request one of: {listed}")


def _described(entry: Descriptor) -> str:
    names = [_shown(name) for name in (ref_name(entry), _containerd_name(entry)) if name]
    return f"{' or '.join(names) or 'unnamed'} {entry.digest}"


def _containerd_name(entry: Descriptor) -> str | None:
    return (entry.annotations or {}).get(OTHER_NAME)


def _shown(name: str) -> str:
    """Return a name as a user would type it, or escaped if it is very long or not printable."""
    return name if name.isprintable() and len(name) <= _LONGEST_SHOWN else show(name)


def not_found(index: LayoutIndex, reference: str, where: str) -> errors.NotFoundError:
    """Return the error for a reference that matches no entry, with a list of the names in the index."""
    names = tags_in(index)[:_MOST_LISTED]
    available = ", ".join(map(_shown, names)) or "none"
    if not all(map(is_tag, names)):
        available += "; request a name that is not a tag with get_image(NAME)"
    return errors.NotFoundError(f"tag {show(reference)}", where, f"available: {available}")


def descriptor_of_stored(raw: bytes, digest: Digest, where: str) -> Descriptor:
    """Verify a document that no entry lists, and return a descriptor for it. Its content determines the media type."""
    actual = Digest.of(raw, digest.algorithm)
    if actual != digest:
        raise errors.DigestMismatchError(digest, actual, f"{where}, blob {digest.short}")
    tree, _ = read_or_scan(raw, nul=False)
    model = recognise(tree) if tree is not None else None
    media_type = model.media_types[0] if model else "application/octet-stream"
    return Descriptor(mediaType=media_type, digest=digest, size=len(raw))
