"""The images and blobs of an archive of `docker save`, and the manifests that it lacks."""

import hashlib
import re
from collections.abc import Iterable
from typing import BinaryIO, Final

from dreg_client import errors
from dreg_client.files.rooted import Files, check_size, chunks_of, size_of
from dreg_client.files.store_kinds import DOCKER_ARCHIVE, other_kind
from dreg_client.models.annotations import REF_NAME
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.docker_archive import ArchiveContents
from dreg_client.models.manifest import DockerManifest
from dreg_client.models.parse import parse_document
from dreg_client.models.paths import show
from dreg_client.values import media_type as types
from dreg_client.values.digest import Digest, is_registered_digest
from dreg_client.values.reference import Reference
from dreg_client.values.sizes import MAX_DOCUMENT

_BLOB: Final = re.compile(r"blobs/sha256/([a-f0-9]{64})")
_POSITION: Final = re.compile(r"@([0-9]{1,9})", re.ASCII)
_MOST_LISTED: Final = 20
_COMPRESSED: Final = {b"\x1f\x8b": types.DOCKER_LAYER_GZIP, b"\x28\xb5\x2f\xfd": types.DOCKER_LAYER_ZSTD}


class SavedImages:
    """The images of a docker-archive. Configs and layers are read when they are first needed."""

    def __init__(self, files: Files, *, strict: bool = True) -> None:
        self.files = files
        self.strict = strict
        try:
            raw = files.read("manifest.json", limit=MAX_DOCUMENT)
        except FileNotFoundError:
            found = other_kind(files, than=(DOCKER_ARCHIVE,))
            reason = "is not an archive of docker save: it has no manifest.json" + (f"; it is {found}" if found else "")
            raise errors.LayoutCorruptError(files.name, reason) from None
        self._images = ArchiveContents.parse(raw, files.name).images
        # `manifest.json` may name a member very many times. Each is read once.
        self._built: dict[tuple[str, tuple[str, ...]], DockerManifest] = {}
        self._configs: dict[str, tuple[Descriptor, tuple[Digest, ...]]] = {}
        self._layers: dict[str, tuple[str, int, Digest | None]] = {}
        self._manifests: dict[Digest, DockerManifest] = {}
        self._members: dict[Digest, str] = {}

    def tags(self) -> tuple[str, ...]:
        """Return the distinct references of all images, in archive order."""
        return tuple(dict.fromkeys(tag for image in self._images for tag in image.repo_tags or ()))

    def all_images(self) -> list[tuple[DockerManifest, tuple[str, ...]]]:
        """Return the manifests of all images, with their references, in archive order."""
        return [(self._manifest(position), image.repo_tags or ()) for position, image in enumerate(self._images)]

    def manifest(self, reference: str) -> DockerManifest:
        """Return the manifest of the image with a reference, a digest or `@INDEX`; if empty, of the only image."""
        positions, where = self._positions(reference), self.files.name
        if not positions:
            what = f"image {show(reference)}" if reference else "images"
            raise errors.NotFoundError(what, where, f"available: {self._listed(range(len(self._images)))}")
        if len({(self._images[position].config, self._images[position].layers) for position in positions}) > 1:
            what = f"the name {show(reference)} matches" if reference else "the archive contains"
            listed = self._listed(positions)
            raise errors.ConflictError(f"{where}: {what} {len(positions)} images; request one of: {listed}")
        return self._manifest(positions[0])

    def descriptor(self, reference: str) -> Descriptor:
        """Return the descriptor of a manifest; for `@INDEX` or the only image, with the image's name, if it has one."""
        found = self.manifest(reference).descriptor
        if reference and not reference.startswith("@"):
            return found
        names = {name for position in self._positions(reference) for name in self._images[position].repo_tags or ()}
        if len(names) != 1:
            return found
        annotations = {REF_NAME: names.pop()}  # as the entries of a layout have it
        return Descriptor(mediaType=found.media_type, digest=found.digest, size=found.size, annotations=annotations)

    def _positions(self, reference: str) -> list[int]:
        """Return the positions of the images that match a reference; for a digest, only the first."""
        everywhere = range(len(self._images))
        if not reference:
            return list(everywhere)
        if found := _POSITION.fullmatch(reference):
            return [position for position in everywhere if position == int(found[1])]
        if not is_registered_digest(reference):
            tags = [image.repo_tags or () for image in self._images]
            return [position for position in everywhere if any(_is_same(tag, reference) for tag in tags[position])]
        for position in everywhere:
            manifest = self._manifest(position)
            if reference in {manifest.digest, manifest.config.digest}:
                return [position]
        return []

    def _listed(self, positions: Iterable[int]) -> str:
        names = [show(image.repo_tags[0]) if image.repo_tags else "" for image in self._images]
        shown = [f"@{position} {names[position]}".rstrip() for position in positions]
        return ", ".join(shown[:_MOST_LISTED]) or "none"

    def read(self, digest: Digest) -> bytes:
        """Read a config, a layer or a manifest.

        Raises:
            NotFoundError: The archive has no such blob.
            ResponseTooLargeError: It is larger than `MAX_DOCUMENT`.
        """
        member = self._member(digest)
        if member is not None:
            return self._read(member)
        manifest = self._manifests.get(digest)
        if manifest is None:
            raise self._missing(digest)
        return manifest.raw

    def has_blob(self, digest: Digest) -> bool:
        """Return whether the archive has a config or layer with this digest."""
        return self._member(digest) is not None

    def open_blob(self, digest: Digest, start: int, size: int | None = None) -> BinaryIO:
        """Open a config or a layer at an offset; raise SizeMismatchError if it has another size than the given one."""
        self.files.check_open()
        member = self._member(digest)
        if member is None:
            raise self._missing(digest)
        file = self._open(member)
        try:
            check_size(file, size, f"{self.files.name}, {member}")
            file.seek(start)
        except BaseException:
            file.close()
            raise
        return file

    def _member(self, digest: Digest) -> str | None:
        """Return the archive member of a config or layer; None for other digests, also those of generated manifests."""
        if digest not in self._members and digest not in self._manifests:
            for position in range(len(self._images)):
                self._manifest(position)
        return self._members.get(digest)

    def _missing(self, digest: Digest) -> errors.NotFoundError:
        return errors.NotFoundError(f"blob {digest}", self.files.name)

    def _read(self, member: str) -> bytes:
        try:
            return self.files.read(member, limit=MAX_DOCUMENT)
        except FileNotFoundError:
            raise self._lacks(member) from None

    def _open(self, member: str) -> BinaryIO:
        try:
            return self.files.open(member)
        except FileNotFoundError:
            raise self._lacks(member) from None

    def _lacks(self, member: str) -> errors.LayoutCorruptError:
        return errors.LayoutCorruptError(self.files.name, f"has no {member}, to which its manifest.json refers")

    def _manifest(self, position: int) -> DockerManifest:
        """Build the manifest that the archive lacks, as `skopeo copy` would write it (distribution manifest-v2-2)."""
        image = self._images[position]
        key = image.config, image.layers
        if key not in self._built:
            config, diff_ids = self._config(image.config)
            if len(diff_ids) != len(image.layers):
                reason = f"{image.config} has {len(diff_ids)} diff_ids for {len(image.layers)} layers"
                raise errors.LayoutCorruptError(self.files.name, reason)
            built = DockerManifest.build(
                schema_version=2,
                media_type=types.DOCKER_MANIFEST,
                config=config,
                layers=[self._layer(*pair) for pair in zip(image.layers, diff_ids, strict=True)],
            )
            self._built[key] = self._manifests[built.digest] = built
        return self._built[key]

    def _config(self, member: str) -> tuple[Descriptor, tuple[Digest, ...]]:
        """Return the descriptor of a config, and its diff_ids."""
        if member not in self._configs:
            try:
                config = parse_document(self._read(member), kind="image-config", strict=self.strict)
            except errors.InvalidDocumentError as failure:
                raise failure.at(f"{self.files.name}, {member}") from None
            descriptor = Descriptor(mediaType=types.DOCKER_CONFIG, digest=config.digest, size=config.size)
            self._configs[member] = descriptor, config.rootfs.diff_ids
            self._members[config.digest] = member
        return self._configs[member]

    def _layer(self, member: str, diff_id: Digest) -> Descriptor:
        """Describe a layer. Its digest is its diff_id unless it is compressed; reading the layer verifies it."""
        if member not in self._layers:
            self._layers[member] = self._examined(member)
        media_type, size, compressed = self._layers[member]
        digest = compressed or diff_id
        self._members[digest] = member
        return Descriptor(mediaType=media_type, digest=digest, size=size)

    def _examined(self, member: str) -> tuple[str, int, Digest | None]:
        """Return the media type and size of a layer, and its digest if it is compressed."""
        with self._open(member) as file:
            size = size_of(file)
            if not size:
                raise errors.LayoutCorruptError(self.files.name, f"has an empty layer: {member}")
            start = file.read(4)
            media_type = next((found for magic, found in _COMPRESSED.items() if start.startswith(magic)), None)
            digest = None if media_type is None else _digest_of_compressed(file, member)
        return media_type or types.DOCKER_LAYER, size, digest


def _is_same(tag: str, reference: str) -> bool:
    """Return whether two references have the same full form."""
    if tag == reference:
        return True
    try:
        return Reference.parse(tag) == Reference.parse(reference)
    except errors.InvalidReferenceError:
        return False


def _digest_of_compressed(file: BinaryIO, member: str) -> Digest:
    """Return the digest in a member's name, as current versions of docker write it, or compute it from the content."""
    if named := _BLOB.fullmatch(member):
        return Digest(f"sha256:{named[1]}")
    file.seek(0)
    hashed = hashlib.sha256()
    for chunk in chunks_of(file, member):
        hashed.update(chunk)
    return Digest(f"sha256:{hashed.hexdigest()}")
