"""Which blobs of a layout its index leads to, so that all others can be deleted."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, cast

from dreg_client import errors
from dreg_client.files import layout as layout_files
from dreg_client.files.rooted import Files
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import LayoutIndex
from dreg_client.models.json_text import scan
from dreg_client.models.layout import names_in
from dreg_client.values.digest import Digest, digest_fault
from dreg_client.values.media_type import Family, family

_DOCUMENTS: Final = frozenset({Family.INDEX, Family.MANIFEST, Family.SCHEMA1})

KnownDocuments = dict[Digest, tuple[tuple[Digest, bool | None], ...]]
"""The digests that documents name, and whether each must be a document; None if it is not read."""


@dataclass(slots=True)
class LayoutReach:
    """The blobs that a layout's index leads to.

    Everything that looks like a descriptor counts, known or not, except for a `subject`: if in doubt, a blob is kept.

    Attributes:
        files: The layout.
        digests: Each digest, with the digest of a document that names it; None for the index.
        known: What documents name that were read before. Those are not read again, since they cannot change.
    """

    files: Files
    digests: dict[Digest, Digest | None] = field(default_factory=dict[Digest, Digest | None])
    known: KnownDocuments = field(default_factory=KnownDocuments)
    _read: set[Digest] = field(default_factory=set[Digest])

    def add(self, entry: Descriptor) -> None:
        """Add an entry of the index, and everything below it.

        Raises:
            LayoutCorruptError: A document is damaged, so the blobs that it names are not known.
        """
        self.digests.setdefault(entry.digest, None)
        ahead = [(entry.digest, entry.family in _DOCUMENTS)]
        while ahead:
            digest, is_document = ahead.pop()
            if digest in self._read:
                continue
            self._read.add(digest)
            for named, is_inner in self._named_by(digest, is_document=is_document):
                self.digests.setdefault(named, digest)
                if is_inner is not None:
                    ahead.append((named, is_inner))

    def _named_by(self, digest: Digest, *, is_document: bool) -> tuple[tuple[Digest, bool | None], ...]:
        if (known := self.known.get(digest)) is not None:
            return known
        named = tuple(_named_in(read_tree(self.files, digest, is_document=is_document)))
        if named:  # a document that is missing now may be written later
            self.known[digest] = named
        return named


def reachable_in(files: Files, index: LayoutIndex, known: KnownDocuments | None = None) -> LayoutReach:
    """Return what all entries of an index lead to. What documents name is added to `known`."""
    reach = LayoutReach(files) if known is None else LayoutReach(files, known=known)
    for entry in index.manifests:
        reach.add(entry)
    return reach


def reachable_from_names(files: Files, index: LayoutIndex) -> tuple[LayoutReach, list[Descriptor]]:
    """Return what an index leads to, and the entries to remove from it.

    An entry without a name whose `subject` is in the layout, such as a signature, is only kept with its subject.
    """
    reach, attached = LayoutReach(files), list[tuple[Descriptor, Digest]]()
    for entry in index.manifests:
        subject = None if names_in(entry.annotations) else _subject(read_tree(files, entry.digest, is_document=False))
        if subject is not None and layout_files.has_blob(files, subject):
            attached.append((entry, subject))
        else:
            reach.add(entry)
    while kept := [it for it in attached if it[1] in reach.digests]:
        for entry, _ in kept:
            reach.add(entry)
        attached = [it for it in attached if it not in kept]
    return reach, [entry for entry, _ in attached]


def untagged_in(files: Files, index: LayoutIndex) -> list[Descriptor]:
    """Return the manifests of an index that have no name and no `subject`, and that no other document names.

    Raises:
        LayoutCorruptError: A document is damaged, so the manifests that it names are not known.
    """
    documents = {entry.digest: entry for entry in index.manifests if entry.family in _DOCUMENTS}
    kept = {entry.digest for entry in index.manifests if names_in(entry.annotations)}
    ahead, is_read = [(digest, True) for digest in documents], set[Digest]()
    while ahead:
        digest, is_document = ahead.pop()
        if digest in is_read:
            continue
        is_read.add(digest)
        tree = read_tree(files, digest, is_document=is_document)
        if _subject(tree) is not None:
            kept.add(digest)
        for inner, is_inner in _named_in(tree):
            kept.add(inner)
            if is_inner is not None:
                ahead.append((inner, is_inner))
    return [entry for digest, entry in documents.items() if digest not in kept]


def read_tree(files: Files, digest: Digest, *, is_document: bool) -> dict[str, object]:
    """Read a document; empty if it is missing, or, unless it must be a document, if it is not one."""
    try:
        raw = layout_files.read_blob(files, digest)
    except errors.NotFoundError:
        return {}
    except errors.ResponseTooLargeError as failure:
        if is_document:
            raise _damaged(files, digest, "it is too large for a manifest") from failure
        return {}
    tree = scan(raw)[0]
    if is_document and tree is None:
        raise _damaged(files, digest, "it is not a JSON object")
    if tree is not None and digest.computable and Digest.of(raw, digest.algorithm) != digest:
        raise _damaged(files, digest, "its bytes do not match its digest")
    return tree or {}


def _damaged(files: Files, digest: Digest, what: str) -> errors.LayoutCorruptError:
    reason = f"is damaged: {what}, so the blobs that it names are not known; nothing was deleted"
    return errors.LayoutCorruptError(f"{files.name}/{layout_files.blob_name(digest)}", reason)


def _named_in(tree: dict[str, object]) -> Iterator[tuple[Digest, bool | None]]:
    """Yield each digest in a document, and whether it must be a document; None if it is not read."""
    for name, value in tree.items():
        if name != "subject":
            for item in _objects_in(value):
                kind = item.get("mediaType")
                is_document = isinstance(kind, str) and family(kind) in _DOCUMENTS
                may_be = name == "manifests" or is_document
                for digest in _digests((item.get("digest"), item.get("blobSum"))):
                    yield digest, is_document if may_be else None


def _objects_in(value: object) -> Iterator[dict[str, object]]:
    ahead = [value]
    while ahead:
        found = ahead.pop()
        if isinstance(found, dict):
            members = cast("dict[str, object]", found)
            yield members
            ahead += members.values()
        elif isinstance(found, list):
            ahead += cast("list[object]", found)


def _digests(values: Iterable[object]) -> Iterator[Digest]:
    for value in values:
        if isinstance(value, str) and digest_fault(value) is None:
            yield Digest(value)


def _subject(tree: dict[str, object]) -> Digest | None:
    subject = tree.get("subject")
    digest = cast("dict[str, object]", subject).get("digest") if isinstance(subject, dict) else None
    return next(_digests([digest]), None)
