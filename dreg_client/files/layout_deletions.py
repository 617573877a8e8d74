"""Delete names, manifests and blobs of a layout, so that what is still needed stays."""

from collections.abc import Collection
from contextlib import suppress

from dreg_client import errors
from dreg_client.files import layout as layout_files
from dreg_client.files.layout_reach import KnownDocuments, LayoutReach, reachable_in
from dreg_client.files.layout_writer import change_index, delete_file
from dreg_client.files.rooted import DirectoryFiles, Files
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import LayoutIndex
from dreg_client.models.index_text import IndexText
from dreg_client.models.layout import names_in
from dreg_client.protocol.referrers import subject_in
from dreg_client.protocol.tag_conflicts import not_as_expected
from dreg_client.values.digest import Digest


def untag(files: Files, tag: str, expected: Digest | None, index: IndexText) -> bool:
    """Remove a name from an index, but keep manifests with a `subject` listed. Returns True.

    Raises:
        NotFoundError: No entry has the name.
        ConflictError: One has, but not with the expected digest.
    """
    before = _parsed(files, index)
    named = layout_files.Entries(before).named(tag)
    if not named:
        raise layout_files.not_found(before, tag, files.name)
    other = next((it.digest for it in named if it.digest != expected), None)
    if expected is not None and other is not None:
        raise not_as_expected(tag, other, expected)
    index.remove_name(tag)
    index.add_all([_unnamed(entry) for entry in named if _has_subject(files, entry)])
    return True


def _has_subject(files: Files, entry: Descriptor) -> bool:
    with suppress(errors.DregError):  # a broken manifest can still lose its name
        return subject_in(layout_files.read_blob(files, entry.digest)) is not None
    return False


def _unnamed(entry: Descriptor) -> Descriptor:
    return Descriptor(mediaType=entry.media_type, digest=entry.digest, size=entry.size)


def check_names(files: Files, index: IndexText, digest: Digest, names: Collection[str] | None) -> None:
    """Raise ConflictError if a manifest has other names than `names`; None stands for any."""
    if names is None:
        return
    for entry in _parsed(files, index).manifests:
        if entry.digest == digest and (others := [it for it in names_in(entry.annotations)[:1] if it not in names]):
            what = f"{files.name}: {digest} was not deleted, because it has the name {others[0]} now"
            raise errors.ConflictError(what)


def delete_manifest(
    files: DirectoryFiles, digest: Digest, names: Collection[str] | None = None, known: KnownDocuments | None = None
) -> bytes:
    """Delete a manifest and its entries; return the index. No writer may be active, and the index must be locked.

    With `names`, it must have no others. With `known`, several deletions read each document once.

    Raises:
        NotFoundError: There is no such manifest.
        ConflictError: It has no entry, but another manifest names it; or it has another name.
        LayoutCorruptError: A manifest is damaged, so it is not known what can be deleted. Nothing was changed.
    """
    reach = LayoutReach(files)

    def change(index: IndexText) -> bool:
        nonlocal reach
        check_names(files, index, digest, names)
        was_listed = index.remove([digest])
        if not was_listed and not layout_files.has_blob(files, digest):
            raise errors.NotFoundError(f"manifest {digest}", files.name, "check the digest")
        reach = reachable_in(files, _parsed(files, index), known)
        if not was_listed:
            _check_is_unnamed(files, digest, reach)
        return was_listed

    raw = change_index(files, change)
    if digest not in reach.digests:
        delete_file(files, digest)
    return raw


def delete_blob(files: DirectoryFiles, digest: Digest) -> None:
    """Delete a blob. No writer may be active.

    Raises:
        NotFoundError: There is no such blob.
        ConflictError: A manifest names it.
    """
    if not layout_files.has_blob(files, digest):
        raise errors.NotFoundError(f"blob {digest}", files.name, "check the digest")
    _check_is_unnamed(files, digest, reachable_in(files, layout_files.read_index(files, strict=False)))
    delete_file(files, digest)


def _parsed(files: Files, index: IndexText) -> LayoutIndex:
    return layout_files.parse_index(index.text(), files.name, strict=False)


def _check_is_unnamed(files: Files, digest: Digest, reach: LayoutReach) -> None:
    if digest in reach.digests:
        parent = reach.digests[digest]
        what = f"{files.name}: {digest} was not deleted, because {parent or 'index.json'} names it"
        raise errors.ConflictError(f"{what}; delete that first")
