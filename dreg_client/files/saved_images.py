"""The images of a docker-archive, as `docker save` writes it, and their blobs by digest."""

import hashlib
from typing import BinaryIO

from dreg_client import errors
from dreg_client.files import docker_archive
from dreg_client.files.rooted import Files, chunks_of, size_of
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.docker_archive import ArchiveContents, ArchivedImage
from dreg_client.models.limits import MAX_DOCUMENT
from dreg_client.models.manifest import DockerManifest
from dreg_client.values import media_type as types
from dreg_client.values.digest import Digest, digest_fault


class SavedImages:
    """The images of a docker-archive. Configs and layers are looked at when they are needed, each once.

    Args:
        files: The members of the archive.

    Raises:
        LayoutCorruptError: It was not written by `docker save`.
    """

    def __init__(self, files: Files) -> None:
        self.files = files
        self._images = self._contents().images
        self._manifests: dict[int, DockerManifest] = {}
        self._members: dict[Digest, str] = {}

    def _contents(self) -> ArchiveContents:
        try:
            raw = self.files.read("manifest.json", limit=MAX_DOCUMENT)
        except FileNotFoundError:
            reason = "has no manifest.json, so it is nothing that docker save writes; is it an oci-archive?"
            raise errors.LayoutCorruptError(self.files.name, reason) from None
        return ArchiveContents.parse(raw, self.files.name)

    def tags(self) -> tuple[str, ...]:
        """Return the references of all images."""
        return docker_archive.tags_in(self._images)

    def manifest(self, reference: str) -> DockerManifest:
        """Return the manifest of the image that a reference, a digest, `@INDEX` or an empty text stands for.

        Raises:
            NotFoundError: There is no such image.
            ConflictError: There are several.
            LayoutCorruptError: A member is missing.
        """
        if digest_fault(reference) is None:
            positions = self._positions_of(reference)
        else:
            positions = docker_archive.positions_named(self._images, reference)
        return self._manifest(docker_archive.agreed_position(self._images, positions, reference, self.files.name))

    def _positions_of(self, digest: str) -> list[int]:
        for position in range(len(self._images)):
            manifest = self._manifest(position)
            if digest in {manifest.digest, manifest.config.digest}:
                return [position]
        return []

    def read(self, digest: Digest, limit: int) -> bytes:
        """Read a config, a layer or a manifest of at most `limit` bytes.

        Raises:
            NotFoundError: There is no such blob.
            ResponseTooLargeError: It is larger. Nothing of it was read.
        """
        member = self._member(digest)
        if member is not None:
            return self._read(member, limit)
        manifest = next((written for written in self._manifests.values() if written.digest == digest), None)
        if manifest is None:
            raise self._missing(digest)
        return manifest.raw

    def has_blob(self, digest: Digest) -> bool:
        """Return whether the archive has a config or a layer."""
        return self._member(digest) is not None

    def open_blob(self, digest: Digest, start: int) -> BinaryIO:
        """Open a config or a layer at an offset.

        Raises:
            NotFoundError: There is no such blob.
            LayoutCorruptError: Its member is missing.
        """
        self.files.check_open()
        member = self._member(digest)
        if member is None:
            raise self._missing(digest)
        file = self._open(member)
        file.seek(start)
        return file

    def _member(self, digest: Digest) -> str | None:
        """Return the member that is a config or a layer; None for the manifests that were written here."""
        if digest not in self._members and not any(found.digest == digest for found in self._manifests.values()):
            for position in range(len(self._images)):
                self._manifest(position)
        return self._members.get(digest)

    def _manifest(self, position: int) -> DockerManifest:
        if position not in self._manifests:
            self._manifests[position] = self._write_manifest(self._images[position])
        return self._manifests[position]

    def _write_manifest(self, image: ArchivedImage) -> DockerManifest:
        config = docker_archive.parse_config(self._read(image.config, MAX_DOCUMENT), image, self.files.name)
        self._members[config.digest] = image.config
        layers = [self._layer(*pair) for pair in zip(image.layers, config.rootfs.diff_ids, strict=True)]
        return docker_archive.write_manifest(config, layers)

    def _layer(self, member: str, diff_id: Digest) -> Descriptor:
        """Describe a layer. Its digest is its diff_id unless it is compressed; reading the layer verifies it."""
        with self._open(member) as file:
            size = size_of(file)
            if not size:
                raise errors.LayoutCorruptError(self.files.name, f"has nothing in {member}, which should be a layer")
            media_type = docker_archive.layer_media_type(file.read(4))
            digest = diff_id
            if media_type != types.DOCKER_LAYER:
                digest = docker_archive.digest_in_name(member) or _digest_of(file, member)
        self._members[digest] = member
        return Descriptor(mediaType=media_type, digest=digest, size=size)

    def _read(self, member: str, limit: int) -> bytes:
        try:
            return self.files.read(member, limit=limit)
        except FileNotFoundError:
            raise self._lacks(member) from None

    def _open(self, member: str) -> BinaryIO:
        try:
            return self.files.open(member)
        except FileNotFoundError:
            raise self._lacks(member) from None

    def _lacks(self, member: str) -> errors.LayoutCorruptError:
        return errors.LayoutCorruptError(self.files.name, f"lacks {member}, which its manifest.json names")

    def _missing(self, digest: Digest) -> errors.NotFoundError:
        return errors.NotFoundError(f"blob {digest}", self.files.name)


def _digest_of(file: BinaryIO, name: str) -> Digest:
    file.seek(0)
    hashed = hashlib.sha256()
    for chunk in chunks_of(file, name):
        hashed.update(chunk)
    return Digest(f"sha256:{hashed.hexdigest()}")
