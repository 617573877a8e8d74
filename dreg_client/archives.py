"""Archives as stores: `oci-archive` (a layout in a tar) and `docker-archive` (what `docker save` writes)."""

import hashlib
import os
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Final

from dreg_client import errors
from dreg_client.asks import Ask, Blob, Document, Fetch, Fetched, HasBlob, Referrers, Resolve, Tags
from dreg_client.files.rooted import chunks_of, size_of
from dreg_client.files.tar import TarFiles
from dreg_client.image import ImageStore
from dreg_client.layout import Layout
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.docker_archive import ArchiveContents, ArchivedImage
from dreg_client.models.limits import MAX_DOCUMENT
from dreg_client.models.manifest import DockerManifest
from dreg_client.models.parse import parse_document
from dreg_client.models.paths import show
from dreg_client.values import media_type as types
from dreg_client.values.digest import Digest, digest_fault
from dreg_client.values.reference import Reference

_BLOB: Final = re.compile(r"blobs/sha256/([a-f0-9]{64})")
_PLACE: Final = re.compile(r"@([0-9]{1,9})", re.ASCII)
_LISTED: Final = 20
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"


def open_oci_archive(path: str | os.PathLike[str]) -> Layout:
    """The image layout in a tar archive, read in place.

    Raises:
        NotFoundError: There is no such file.
        UnsafePathError: A member's name leads outside, or it is a link or a device (LAY-18).
        LayoutCorruptError: It is no tar archive, or no image layout.
    """
    files = TarFiles(path)
    try:
        return Layout(files)
    except BaseException:
        files.close()
        raise


@dataclass(frozen=True, slots=True)
class _Held:
    """An image of the archive: the manifest that was written for it, and where its blobs lie."""

    archived: ArchivedImage
    manifest: DockerManifest


class DockerArchive(ImageStore):
    """What `docker save` writes, of 2016 as of today, read in place.

    Such an archive has no manifests. The one that it shows is written here from the archive's configs and layers, as
    `skopeo copy` would: its digest names no content of any registry.

    Args:
        path: The archive; plain, or compressed by gzip, bzip2 or xz.

    Raises:
        NotFoundError: There is no such file.
        UnsafePathError: A member's name leads outside (LAY-18).
        LayoutCorruptError: It is no archive of `docker save`.
    """

    writes_manifests: bool = True

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._files = TarFiles(path, links=True)
        try:
            self._images = self._contents().images
        except BaseException:
            self._files.close()
            raise
        self._held: dict[int, _Held] = {}
        self._blobs: dict[Digest, str] = {}

    @property
    def name(self) -> str:
        """The path of the archive."""
        return self._files.name

    def close(self) -> None:
        """Close the archive."""
        self._files.close()

    def _contents(self) -> ArchiveContents:
        try:
            raw = self._files.read("manifest.json", limit=MAX_DOCUMENT)
        except FileNotFoundError:
            reason = "has no manifest.json, so it is nothing that docker save writes; is it an oci-archive?"
            raise errors.LayoutCorruptError(self.name, reason) from None
        return ArchiveContents.parse(raw, self.name)

    def answer(self, ask: Ask) -> object:
        """Answer a question from the archive."""
        self._files.check_open()
        match ask:
            case Resolve(reference):
                return self._image(self._position(reference)).manifest.descriptor
            case Fetch(reference):
                manifest = self._image(self._position(reference)).manifest
                return Fetched(manifest.descriptor, manifest.raw)
            case Document(descriptor, limit):
                return self._document(descriptor.digest, limit)
            case Tags():
                return tuple(dict.fromkeys(tag for image in self._images for tag in image.repo_tags or ()))
            case Referrers():
                return ()
            case HasBlob(digest):
                return self._place(digest) is not None
            case Blob(digest, start):
                return self._chunks(digest, start)

    def _position(self, reference: str) -> int:
        """Which image a reference, `@INDEX`, a digest, or nothing stands for."""
        found = list(self._positions(reference))
        if not found:
            what = f"image {show(reference)}" if reference else "image at all"
            raise errors.NotFoundError(what, self.name, f"there are: {self._listed()}")
        if len({(self._images[position].config, self._images[position].layers) for position in found}) > 1:
            what = f"the name {show(reference)}" if reference else "the archive without a name"
            message = f"{self.name}: {what} stands for {len(found)} images; ask for one of: {self._listed(*found)}"
            raise errors.ConflictError(message)
        return found[0]

    def _positions(self, reference: str) -> Iterator[int]:
        if not reference:
            yield from range(len(self._images))
        elif place := _PLACE.fullmatch(reference):
            yield from (position for position in range(len(self._images)) if position == int(place[1]))
        elif digest_fault(reference) is None:
            for position in range(len(self._images)):
                manifest = self._image(position).manifest
                if reference in {manifest.digest, manifest.config.digest}:
                    yield position
                    return
        else:
            for position, image in enumerate(self._images):
                if any(_same(tag, reference) for tag in image.repo_tags or ()):
                    yield position

    def _listed(self, *positions: int) -> str:
        """Some images by their names, or by their places where these say more; all of them unless told."""
        names = [show(image.repo_tags[0]) if image.repo_tags else "" for image in self._images]
        places = positions or range(len(names))
        shown = [f"@{place} {names[place]}".rstrip() for place in places]
        return ", ".join(shown[:_LISTED]) or "none"

    def _image(self, position: int) -> _Held:
        if position not in self._held:
            archived = self._images[position]
            self._held[position] = _Held(archived, self._written(archived))
        return self._held[position]

    def _written(self, archived: ArchivedImage) -> DockerManifest:
        """The manifest that the archive does not have (distribution manifest-v2-2)."""
        raw = self._member(archived.config, MAX_DOCUMENT)
        try:
            config = parse_document(raw, kind="image-config")
        except errors.InvalidDocumentError as failure:
            raise type(failure)(failure.problems, failure.kind, f"{self.name}, {archived.config}") from None
        if len(config.rootfs.diff_ids) != len(archived.layers):
            reason = f"{archived.config} has {len(config.rootfs.diff_ids)} diff_ids for {len(archived.layers)} layers"
            raise errors.LayoutCorruptError(self.name, reason)
        self._blobs[config.digest] = archived.config
        described = Descriptor(mediaType=types.DOCKER_CONFIG, digest=config.digest, size=config.size)
        layers = [self._layer(*pair) for pair in zip(archived.layers, config.rootfs.diff_ids, strict=True)]
        return DockerManifest.build(schema_version=2, media_type=types.DOCKER_MANIFEST, config=described, layers=layers)

    def _layer(self, member: str, diff_id: Digest) -> Descriptor:
        """A layer by its own digest: its diff_id unless it is compressed. Reading it proves what is claimed."""
        with self._opened(member) as file:
            size = size_of(file)
            if not size:
                raise errors.LayoutCorruptError(self.name, f"has nothing in {member}, which should be a layer")
            start = file.read(4)
            media_type = types.DOCKER_LAYER
            digest = diff_id
            if start.startswith((_GZIP, _ZSTD)):
                media_type = types.DOCKER_LAYER_GZIP if start.startswith(_GZIP) else types.DOCKER_LAYER_ZSTD
                named = _BLOB.fullmatch(member)
                digest = Digest(f"sha256:{named[1]}") if named else _digest_of(file, member)
        self._blobs[digest] = member
        return Descriptor(mediaType=media_type, digest=digest, size=size)

    def _opened(self, member: str) -> BinaryIO:
        try:
            return self._files.open(member)
        except FileNotFoundError:
            raise errors.LayoutCorruptError(self.name, f"lacks {member}, which its manifest.json names") from None

    def _member(self, member: str, limit: int) -> bytes:
        try:
            return self._files.read(member, limit=limit)
        except FileNotFoundError:
            raise errors.LayoutCorruptError(self.name, f"lacks {member}, which its manifest.json names") from None

    def _document(self, digest: Digest, limit: int) -> bytes:
        place = self._place(digest)
        if place is not None:
            return self._member(place, limit)
        written = (held.manifest for held in self._held.values() if held.manifest.digest == digest)
        if (manifest := next(written, None)) is None:
            raise errors.NotFoundError(f"blob {digest}", self.name)
        return manifest.raw

    def _place(self, digest: Digest) -> str | None:
        """The member that is a config or a layer; None for what the archive lacks, and for what was written here."""
        if digest not in self._blobs and not any(held.manifest.digest == digest for held in self._held.values()):
            for position in range(len(self._images)):
                self._image(position)
        return self._blobs.get(digest)

    @contextmanager
    def _chunks(self, digest: Digest, start: int) -> Generator[Iterator[bytes]]:
        place = self._place(digest)
        if place is None:
            raise errors.NotFoundError(f"blob {digest}", self.name)
        with self._opened(place) as file:
            file.seek(start)
            yield chunks_of(file, f"{self.name}, {place}")


def _same(tag: str, reference: str) -> bool:
    """Whether a tag of the archive is the reference that was asked for, by their full forms."""
    if tag == reference:
        return True
    try:
        return Reference.parse(tag) == Reference.parse(reference)
    except errors.InvalidReferenceError:
        return False


def _digest_of(file: BinaryIO, name: str) -> Digest:
    file.seek(0)
    hashed = hashlib.sha256()
    for chunk in chunks_of(file, name):
        hashed.update(chunk)
    return Digest(f"sha256:{hashed.hexdigest()}")
