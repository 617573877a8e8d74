"""The images of a docker-archive that is being written: those that it had, and new ones."""

import io
import json
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from dreg_client import errors
from dreg_client.files.docker_archive import SavedImages
from dreg_client.files.layout import blob_name, read_blob
from dreg_client.files.layout_writer import stored_size
from dreg_client.files.rooted import DirectoryFiles
from dreg_client.files.tar_writer import Member
from dreg_client.models.manifest import ImageManifest, has_image_config
from dreg_client.models.parse import parse_document, parse_manifest
from dreg_client.protocol.content import RawManifest
from dreg_client.protocol.tag_conflicts import not_replaced
from dreg_client.values.digest import Digest
from dreg_client.values.reference import Reference, shown

_EXPECTED: Final = "the name of an image in a docker-archive: REPOSITORY:TAG, such as acme/web:1.4"


@dataclass(slots=True)
class SavedImage:
    """An image: the digests of its config and its layers (bottom first), and its names."""

    config: Digest
    layers: tuple[Digest, ...]
    names: list[str] = field(default_factory=list[str])


class SpooledBlobs(DirectoryFiles):
    """New configs and layers, in a directory."""

    is_durable = False

    def member(self, digest: Digest) -> Member | None:
        """Return a blob as a member of the archive; None if it is not new."""
        if stored_size(self, digest) is None:
            return None
        path = Path(self.name, blob_name(digest))
        return Member.moved(blob_name(digest), path)


class SavedSpool:
    """The images of a docker-archive that is being written.

    Args:
        folder: The directory for new blobs.
        old: The images of the archive as it is; None if it does not exist.
    """

    def __init__(self, folder: str, old: SavedImages | None) -> None:
        self.blobs: SpooledBlobs = SpooledBlobs(folder)
        self._old = old
        self._images: list[SavedImage] = []
        for manifest, names in old.all_images() if old else ():
            layers = tuple(layer.digest for layer in manifest.layers)
            self._images.append(SavedImage(manifest.config.digest, layers, list(names)))

    def has(self, digest: Digest) -> bool:
        """Return whether a config or a layer is there."""
        return stored_size(self.blobs, digest) is not None or (self._old is not None and self._old.has_blob(digest))

    def add(self, manifest: ImageManifest, name: str | None, where: str, *, no_clobber: bool = False) -> None:
        """Add an image, or a name to it. Another image loses the name; if it has no other, it is removed.

        Raises:
            NotFoundError: Its config or a layer is not there.
            ConflictError: With `no_clobber`, another image has the name.
            UnsupportedError: Its config states another number of layers.
        """
        layers = tuple(layer.digest for layer in manifest.layers)
        for digest in (manifest.config.digest, *layers):
            if not self.has(digest):
                raise errors.NotFoundError(f"blob {digest}", where, "a docker-archive needs all layers of its images")
        self._check_layers(manifest, where)
        image = next((it for it in self._images if (it.config, it.layers) == (manifest.config.digest, layers)), None)
        named = self._named(name) if name is not None and no_clobber else []
        for other in named:
            if other is not image:
                raise not_replaced(str(name), f"that of the image with config {other.config}")
        if image is None:
            self._images.append(image := SavedImage(manifest.config.digest, layers))
        if name is not None:
            self.remove_name(name, besides=image)
            image.names = sorted({*image.names, name})

    def _check_layers(self, manifest: ImageManifest, where: str) -> None:
        """Raise an error if the config and the manifest disagree: docker and skopeo cannot load such an image."""
        digest = manifest.config.digest
        if stored_size(self.blobs, digest) is not None:
            raw = read_blob(self.blobs, digest)
        else:
            assert self._old is not None  # noqa: S101 (see `has`)
            raw = self._old.read(digest)
        try:
            diff_ids = parse_document(raw, kind="image-config", strict=False).rootfs.diff_ids
        except errors.InvalidDocumentError as failure:
            raise failure.at(f"config {digest}") from None
        if len(diff_ids) != len(manifest.layers):
            what = f"{where} cannot hold {manifest.digest}"
            reason = f"its config has {len(diff_ids)} diff_ids for {len(manifest.layers)} layers"
            raise errors.UnsupportedError(f"{what}: {reason}; copy it to a registry, or to an oci-archive")

    def remove_name(self, name: str, besides: SavedImage | None = None) -> bool:
        """Remove a name from all images but one, and the images that have no other; return whether any had it."""
        named = [it for it in self._named(name) if it is not besides]
        for image in named:
            image.names = [it for it in image.names if not _is_same(name, it)]
        self._images = [it for it in self._images if it.names or not any(it is each for each in named)]
        return bool(named)

    def _named(self, name: str) -> list[SavedImage]:
        return [it for it in self._images if any(map(partial(_is_same, name), it.names))]

    def members(self) -> list[Member]:
        """Return the members of the new archive."""
        images = sorted(self._images, key=lambda it: (it.names[:1], it.config, it.layers))
        contents = [
            {
                "Config": blob_name(image.config),
                "RepoTags": image.names or None,
                "Layers": [blob_name(layer) for layer in image.layers],
            }
            for image in images
        ]
        raw = json.dumps(contents, ensure_ascii=False, separators=(",", ":")).encode()
        needed = dict.fromkeys(digest for image in images for digest in (image.config, *image.layers))
        return [Member("manifest.json", partial(io.BytesIO, raw)), *map(self._member, needed)]

    def _member(self, digest: Digest) -> Member:
        if (found := self.blobs.member(digest)) is not None:
            return found
        assert self._old is not None  # noqa: S101 (see `has`)
        return Member(blob_name(digest), partial(self._old.open_blob, digest, 0), digest if digest.computable else None)


def image_of(manifest: RawManifest, where: str) -> ImageManifest:
    """Parse the manifest of an image for a docker-archive.

    Raises:
        UnsupportedError: It is an index.
        NotAnImageError: It is an artifact.
    """
    found = parse_manifest(manifest.raw, manifest.media_type, strict=False)
    if not isinstance(found, ImageManifest):
        what = f"{where} cannot hold {manifest.digest}, which has several platforms"
        raise errors.UnsupportedError(f"{what}; choose one with platforms=")
    if not has_image_config(found):
        raise errors.NotAnImageError(found.config.media_type, manifest.digest)
    return found


def full_name(text: str) -> str:
    """Return the name of an image with its registry and tag, as in `RepoTags`."""
    reference = Reference.parse(text)
    if reference.digest is not None:
        raise errors.InvalidReferenceError(shown(text), "reference", _EXPECTED)
    return str(reference)


def _is_same(name: str, other: str) -> bool:
    try:
        return name == other or full_name(other) == name
    except errors.InvalidReferenceError:
        return False
