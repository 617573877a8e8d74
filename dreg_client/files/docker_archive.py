"""What a docker-archive lacks: manifests, which are written here, and one way to name an image."""

import re
from collections.abc import Sequence
from typing import Final

from dreg_client import errors
from dreg_client.models.config import ImageConfig
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.docker_archive import ArchivedImage
from dreg_client.models.manifest import DockerManifest
from dreg_client.models.parse import parse_document
from dreg_client.models.paths import show
from dreg_client.values import media_type as types
from dreg_client.values.digest import Digest
from dreg_client.values.reference import Reference

_BLOB: Final = re.compile(r"blobs/sha256/([a-f0-9]{64})")
_POSITION: Final = re.compile(r"@([0-9]{1,9})", re.ASCII)
_MOST_LISTED: Final = 20
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"


def tags_in(images: Sequence[ArchivedImage]) -> tuple[str, ...]:
    """Return the references of all images, each once, in the archive's order."""
    return tuple(dict.fromkeys(tag for image in images for tag in image.repo_tags or ()))


def positions_named(images: Sequence[ArchivedImage], reference: str) -> list[int]:
    """Return the positions of the images that a reference, `@INDEX` or an empty text stands for."""
    if not reference:
        return list(range(len(images)))
    if found := _POSITION.fullmatch(reference):
        return [position for position in range(len(images)) if position == int(found[1])]
    return [
        position
        for position, image in enumerate(images)
        if any(_is_same(tag, reference) for tag in image.repo_tags or ())
    ]


def agreed_position(images: Sequence[ArchivedImage], positions: list[int], reference: str, where: str) -> int:
    """Return the first of several positions that all have the same image.

    Args:
        images: All images of the archive.
        positions: Those that the reference stands for.
        reference: The reference.
        where: What an error calls the archive.

    Raises:
        NotFoundError: There are no positions.
        ConflictError: The images differ.
    """
    if not positions:
        what = f"image {show(reference)}" if reference else "image at all"
        raise errors.NotFoundError(what, where, f"there are: {_listed(images, range(len(images)))}")
    if len({(images[position].config, images[position].layers) for position in positions}) > 1:
        what = f"the name {show(reference)}" if reference else "the archive without a name"
        listed = _listed(images, positions)
        raise errors.ConflictError(f"{where}: {what} stands for {len(positions)} images; ask for one of: {listed}")
    return positions[0]


def _listed(images: Sequence[ArchivedImage], positions: Sequence[int]) -> str:
    names = [show(image.repo_tags[0]) if image.repo_tags else "" for image in images]
    shown = [f"@{position} {names[position]}".rstrip() for position in positions]
    return ", ".join(shown[:_MOST_LISTED]) or "none"


def _is_same(tag: str, reference: str) -> bool:
    """Return whether two references have the same full form."""
    if tag == reference:
        return True
    try:
        return Reference.parse(tag) == Reference.parse(reference)
    except errors.InvalidReferenceError:
        return False


def parse_config(raw: bytes, image: ArchivedImage, where: str) -> ImageConfig:
    """Parse the config of an image.

    Raises:
        InvalidDocumentError: It is not valid.
        LayoutCorruptError: It has more or fewer layers than the archive.
    """
    try:
        config = parse_document(raw, kind="image-config")
    except errors.InvalidDocumentError as failure:
        raise type(failure)(failure.problems, failure.kind, f"{where}, {image.config}") from None
    if len(config.rootfs.diff_ids) != len(image.layers):
        reason = f"{image.config} has {len(config.rootfs.diff_ids)} diff_ids for {len(image.layers)} layers"
        raise errors.LayoutCorruptError(where, reason)
    return config


def layer_media_type(start: bytes) -> str:
    """Return the media type of a layer by its first bytes."""
    if start.startswith(_GZIP):
        return types.DOCKER_LAYER_GZIP
    return types.DOCKER_LAYER_ZSTD if start.startswith(_ZSTD) else types.DOCKER_LAYER


def digest_in_name(member: str) -> Digest | None:
    """Return the digest in the name of a member, as today's docker writes them; reading the member verifies it."""
    named = _BLOB.fullmatch(member)
    return Digest(f"sha256:{named[1]}") if named else None


def write_manifest(config: ImageConfig, layers: list[Descriptor]) -> DockerManifest:
    """Write the manifest that the archive lacks, as `skopeo copy` would (distribution manifest-v2-2)."""
    described = Descriptor(mediaType=types.DOCKER_CONFIG, digest=config.digest, size=config.size)
    return DockerManifest.build(schema_version=2, media_type=types.DOCKER_MANIFEST, config=described, layers=layers)
