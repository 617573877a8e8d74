"""The files of an image layout: its marker, its index and the entries in it, and blobs by digest (image-layout.md)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Final

from dreg_client import errors
from dreg_client.errors.problems import Severity
from dreg_client.files.rooted import Files, chunks_of
from dreg_client.files.store_kinds import OCI, OCI_ARCHIVE, other_kind
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import LayoutIndex
from dreg_client.models.layout import ImageLayout, ref_name
from dreg_client.models.parse import recognise
from dreg_client.models.paths import show
from dreg_client.models.stored import examine, read_or_scan
from dreg_client.values.digest import Digest, digest_fault
from dreg_client.values.reference import is_tag
from dreg_client.values.sizes import MAX_DOCUMENT, MEBIBYTE

MAX_INDEX: Final = 64 * MEBIBYTE
_MAX_MARKER: Final = 64 * 1024
_CONTAINERD_NAME: Final = "io.containerd.image.name"
_MOST_LISTED: Final = 20
_LONGEST_SHOWN: Final = 128


def check_marker(files: Files) -> None:
    """Check that `oci-layout` names version 1.0.0; raise LayoutCorruptError (LYT-01)."""
    found = examine(ImageLayout, _top_file(files, "oci-layout", "LYT-01", _MAX_MARKER)).problems
    problem = next((problem for problem in found if problem.severity is Severity.ERROR), None)
    if problem is not None:
        raise errors.LayoutCorruptError(f"{files.name}/oci-layout", f"is no marker of an image layout: {problem}")


def read_index(files: Files, *, strict: bool = True) -> LayoutIndex:
    """Read `index.json`; raise LayoutCorruptError if it is missing or too large (LYT-02)."""
    raw = _top_file(files, "index.json", "LYT-02", MAX_INDEX)
    try:
        return LayoutIndex.parse(raw, limit=MAX_INDEX, strict=strict)
    except errors.InvalidDocumentError as failure:
        raise failure.at(f"{files.name}/index.json") from None


def _top_file(files: Files, name: str, rule: str, limit: int) -> bytes:
    try:
        return files.read(name, limit=limit)
    except FileNotFoundError:
        found = other_kind(files, than=(OCI, OCI_ARCHIVE))
        reason = f"has no {name}, so it is not an image layout ({rule})" + (f"; it is {found}" if found else "")
        raise errors.LayoutCorruptError(files.name, reason) from None
    except errors.ResponseTooLargeError as failure:
        reason = f"is of {failure.size} bytes, more than {limit} ({rule})"
        raise errors.LayoutCorruptError(f"{files.name}/{name}", reason) from None


@dataclass(frozen=True, slots=True)
class HashedBlob:
    """The size of a blob's bytes, and their digest; None if its algorithm cannot be computed."""

    size: int
    digest: Digest | None


def blob_name(digest: Digest) -> str:
    """Return the name of a blob's file below the root."""
    return f"blobs/{digest.algorithm}/{digest.encoded}"


def read_blob(files: Files, digest: Digest) -> bytes:
    """Read a document, without verifying it; `ResponseTooLargeError` if it is over the limit for documents."""
    try:
        return files.read("blobs", digest.algorithm, digest.encoded, limit=MAX_DOCUMENT)
    except FileNotFoundError:
        raise _missing(files, digest) from None


def open_blob(files: Files, digest: Digest, start: int = 0) -> BinaryIO:
    """Open a blob at an offset; raise `NotFoundError` or `LayoutError` if that is not possible."""
    try:
        file = files.open("blobs", digest.algorithm, digest.encoded)
    except FileNotFoundError:
        raise _missing(files, digest) from None
    file.seek(start)
    return file


def _missing(files: Files, digest: Digest) -> errors.NotFoundError:
    return errors.NotFoundError(f"blob {digest}", files.name, "the layout is not whole, or the digest is another's")


def has_blob(files: Files, digest: Digest) -> bool:
    """Return whether there is a blob, without reading it; raise `LayoutError` if it cannot be opened."""
    try:
        open_blob(files, digest).close()
    except errors.NotFoundError:
        return False
    return True


def hash_blob(files: Files, digest: Digest, is_cancelled: Callable[[], bool]) -> HashedBlob:
    """Return the size and the digest of a blob's bytes; once `is_cancelled()`, asked between chunks, of only a part."""
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


def tags_in(index: LayoutIndex) -> tuple[str, ...]:
    """Return the names of all entries, each once, in document order."""
    return tuple(dict.fromkeys(filter(None, map(ref_name, index.manifests))))


def find_entry(index: LayoutIndex, reference: str, where: str) -> Descriptor | None:
    """Return the entry of a name or digest, None if there is none; of an empty text, the only entry (LYT-07)."""
    if not reference:
        if not index.manifests:
            raise errors.NotFoundError("image at all", where)
        return _agreed(list(index.manifests), "the layout without a tag", where)
    if named := entries_named(index, reference):
        return _agreed(named, f"the name {show(reference)}", where)
    return next((entry for entry in index.manifests if entry.digest == reference), None)


def entries_named(index: LayoutIndex, reference: str) -> list[Descriptor]:
    """Return the entries with a name, preferably those that containerd knows by it (D-06)."""
    named = [entry for entry in index.manifests if ref_name(entry) == reference]
    known = [entry for entry in named or index.manifests if _containerd_name(entry) == reference]
    return known or named


def _agreed(entries: list[Descriptor], what: str, where: str) -> Descriptor:
    """Return one of several entries that all have the same digest (LYT-07)."""
    different: dict[Digest, Descriptor] = {}
    for entry in entries:
        different.setdefault(entry.digest, entry)
    if len(different) == 1:
        return entries[0]
    listed = ", ".join(map(_called, list(different.values())[:_MOST_LISTED]))
    raise errors.ConflictError(f"{where}: {what} stands for {len(different)} images; ask for one of: {listed}")


def _called(entry: Descriptor) -> str:
    names = [_shown(name) for name in (ref_name(entry), _containerd_name(entry)) if name]
    return f"{' or '.join(names) or 'without a name'} {entry.digest}"


def _containerd_name(entry: Descriptor) -> str | None:
    return (entry.annotations or {}).get(_CONTAINERD_NAME)


def _shown(name: str) -> str:
    """Return a name as a user would type it, escaped if it is very long or cannot be printed."""
    return name if name.isprintable() and len(name) <= _LONGEST_SHOWN else show(name)


def not_found(index: LayoutIndex, reference: str, where: str) -> errors.NotFoundError:
    """Return the error for a reference that names nothing, with the names that there are."""
    names = tags_in(index)[:_MOST_LISTED]
    there = ", ".join(map(_shown, names)) or "none"
    if not all(map(is_tag, names)):
        there += "; one that is not a tag is asked for by --ref-name NAME (in Python: get_image(NAME))"
    return errors.NotFoundError(f"tag {show(reference)}", where, f"there are: {there}")


def names_stored_document(reference: str) -> bool:
    """Return whether a text is a registered digest; one of another algorithm may as well be a name, as in `web:1`."""
    return digest_fault(reference) is None and Digest(reference).registered


def descriptor_of_stored(raw: bytes, digest: Digest, where: str) -> Descriptor:
    """Return a descriptor of a document that no entry lists, which is verified; its type follows from its content."""
    actual = Digest.of(raw, digest.algorithm)
    if actual != digest:
        raise errors.DigestMismatchError(digest, actual, f"{where}, blob {digest.short}")
    tree, _ = read_or_scan(raw, nul=False)
    model = recognise(tree) if tree is not None else None
    media_type = model.media_types[0] if model else "application/octet-stream"
    return Descriptor(mediaType=media_type, digest=digest, size=len(raw))
