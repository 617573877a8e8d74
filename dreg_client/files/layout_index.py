"""Which entry of a layout's `index.json` a tag, a digest or nothing stands for."""

from typing import Final

from dreg_client import errors
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import LayoutIndex
from dreg_client.models.layout import ref_name
from dreg_client.models.parse import recognise
from dreg_client.models.paths import show
from dreg_client.models.stored import read_or_scan
from dreg_client.values.digest import Digest, digest_fault

_CONTAINERD_NAME: Final = "io.containerd.image.name"
_MOST_LISTED: Final = 20
_LONGEST_SHOWN: Final = 128


def tags_in(index: LayoutIndex) -> tuple[str, ...]:
    """Return the names of all entries, each once, in document order."""
    return tuple(dict.fromkeys(filter(None, map(ref_name, index.manifests))))


def find_entry(index: LayoutIndex, reference: str, where: str) -> Descriptor | None:
    """Return the entry of a name or digest; of an empty text, the only entry.

    Args:
        index: The index.
        reference: The name, the digest, or an empty text.
        where: What an error calls the layout.

    Returns:
        The entry; None if no entry has this name or digest.

    Raises:
        NotFoundError: The text is empty, and the index too.
        ConflictError: The entries differ (LYT-07).
    """
    if not reference:
        if not index.manifests:
            raise errors.NotFoundError("image at all", where)
        return _agreed(list(index.manifests), "the layout without a tag", where)
    named = entries_named(index, reference)
    if named:
        return _agreed(named, f"the name {show(reference)}", where)
    if digest_fault(reference) is not None:
        return None
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


def names_stored_document(reference: str) -> bool:
    """Return whether a text is a digest by which a document may be looked up among the blobs.

    A digest of an unregistered algorithm may as well be a name, as in `web:1`.
    """
    return digest_fault(reference) is None and Digest(reference).registered


def descriptor_of_stored(raw: bytes, digest: Digest, where: str) -> Descriptor:
    """Return a descriptor of a document that no entry lists; its media type follows from its content.

    Raises:
        DigestMismatchError: The bytes have another digest.
        UnsupportedDigestError: Bytes cannot be checked against this digest.
    """
    actual = Digest.of(raw, digest.algorithm)
    if actual != digest:
        raise errors.DigestMismatchError(digest, actual, f"{where}, blob {digest.short}")
    tree, _ = read_or_scan(raw, nul=False)
    model = recognise(tree) if tree is not None else None
    media_type = model.media_types[0] if model else "application/octet-stream"
    return Descriptor(mediaType=media_type, digest=digest, size=len(raw))


def not_found(index: LayoutIndex, reference: str, where: str) -> errors.NotFoundError:
    """Return the error for a reference that names nothing, with the names that there are."""
    there = ", ".join(map(_shown, tags_in(index)[:_MOST_LISTED])) or "none"
    return errors.NotFoundError(f"tag {show(reference)}", where, f"there are: {there}")


def _containerd_name(entry: Descriptor) -> str | None:
    return (entry.annotations or {}).get(_CONTAINERD_NAME)


def _shown(name: str) -> str:
    """Return a name as a user would type it, escaped if it is very long or cannot be printed."""
    return name if name.isprintable() and len(name) <= _LONGEST_SHOWN else show(name)


def _called(entry: Descriptor) -> str:
    names = [_shown(name) for name in (ref_name(entry), _containerd_name(entry)) if name]
    return f"{' or '.join(names) or 'without a name'} {entry.digest}"
