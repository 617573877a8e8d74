"""Manifests, configs and referrers, read from any source, verified, and then parsed."""

from typing import TYPE_CHECKING, Literal, overload

from dreg_client import errors
from dreg_client._async.ports import AsyncSource
from dreg_client._logging import log
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import AnyManifest, Index
from dreg_client.models.listing import completed
from dreg_client.models.manifest import ImageManifest, has_image_config
from dreg_client.models.parse import parse_document, parse_manifest
from dreg_client.models.stored import keep_digest
from dreg_client.protocol.content import (
    MANIFEST_IS,
    ManifestRef,
    RawManifest,
    Verify,
    check_verify,
    verifiable,
    verifiable_in,
)
from dreg_client.protocol.referrers import artifact_type_of, is_fault_of_referrer, subject_of
from dreg_client.values import media_type as types
from dreg_client.values.digest import Digest
from dreg_client.values.text_fields import not_a_text

if TYPE_CHECKING:  # these models are imported when the first document of their kind is read
    from dreg_client.models.config import ImageConfig
    from dreg_client.models.legacy import LegacyManifest


async def read_verified(source: AsyncSource, descriptor: Descriptor, *, is_blob: bool = False) -> RawManifest:
    """Read a manifest, or, with `is_blob`, a config, and check it against its descriptor ("Verification")."""
    verifiable_in(descriptor)
    raw = await source.fetch_document(descriptor, is_blob=is_blob)
    if len(raw) != descriptor.size:
        raise errors.SizeMismatchError(descriptor.size, len(raw), descriptor.digest)
    return RawManifest(raw, descriptor.media_type, descriptor.digest)


async def read_raw_manifest(source: AsyncSource, reference: ManifestRef, *, legacy: bool = True) -> RawManifest:
    """Read the manifest at a reference, verified but not parsed."""
    if isinstance(reference, Descriptor):
        return await read_verified(source, reference)
    if not isinstance(reference, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise not_a_text(reference, MANIFEST_IS)
    return await source.fetch_manifest(reference, legacy=legacy)


@overload
async def read_manifest(
    source: AsyncSource, reference: ManifestRef, *, legacy: Literal[False] = False, strict: bool | None = None
) -> AnyManifest: ...
@overload
async def read_manifest(
    source: AsyncSource, reference: ManifestRef, *, legacy: bool, strict: bool | None = None
) -> "AnyManifest | LegacyManifest": ...
async def read_manifest(
    source: AsyncSource, reference: ManifestRef, *, legacy: bool = False, strict: bool | None = None
) -> "AnyManifest | LegacyManifest":
    """Read, verify and parse the manifest or index at a reference (default of `strict`: that of the source)."""
    found = await read_raw_manifest(source, reference, legacy=legacy)
    strict = source.strict if strict is None else strict
    try:
        if legacy:
            document = parse_manifest(found.raw, found.media_type, legacy=True, strict=strict)
        else:
            document = parse_manifest(found.raw, found.media_type, strict=strict)
    except errors.InvalidDocumentError as failure:
        raise with_digest(failure, found.digest) from None
    keep_digest(document, found.digest)
    return document


async def read_config(source: AsyncSource, manifest: ImageManifest, *, strict: bool | None = None) -> "ImageConfig":
    """Read the config of an image (default of `strict`: that of the source)."""
    return await read_config_blob(source, config_of(manifest), strict=source.strict if strict is None else strict)


def config_of(manifest: ImageManifest) -> Descriptor:
    """Return the descriptor of an image's config.

    Raises:
        NotAnImageError: It is the manifest of an artifact.
    """
    if not has_image_config(manifest):
        raise errors.NotAnImageError(manifest.config.media_type, manifest.digest)
    return manifest.config


async def read_config_at(source: AsyncSource, reference: ManifestRef | ImageManifest) -> "ImageConfig":
    """Read a config, given a reference to the image, its manifest, or the descriptor of the config itself."""
    if isinstance(reference, Descriptor) and reference.family is types.Family.CONFIG:
        return await read_config_blob(source, reference, strict=source.strict)
    manifest = reference if isinstance(reference, ImageManifest) else await read_image_manifest(source, reference)
    return await read_config(source, manifest)


async def read_image_manifest(source: AsyncSource, reference: ManifestRef) -> ImageManifest:
    """Read the manifest at a reference; NotAnImageError: it is an index."""
    manifest = await read_manifest(source, reference)
    if isinstance(manifest, Index):
        raise errors.NotAnImageError(manifest.media_type, manifest.digest)
    return manifest


async def read_config_blob(source: AsyncSource, descriptor: Descriptor, *, strict: bool) -> "ImageConfig":
    """Read a config at its descriptor."""
    found = await read_verified(source, descriptor, is_blob=True)
    try:
        config = parse_document(found.raw, kind="image-config", strict=strict)
    except errors.InvalidDocumentError as failure:
        raise with_digest(failure, descriptor.digest) from None
    keep_digest(config, found.digest)
    return config


def with_digest(failure: errors.InvalidDocumentError, digest: Digest) -> errors.InvalidDocumentError:
    """Add the document's digest to its error. A wrong media type (GEN-07) hides all other problems."""
    mismatch = tuple(problem for problem in failure.problems if problem.rule == "GEN-07")
    if mismatch:
        return errors.MediaTypeMismatchError(mismatch, failure.kind, digest)
    return failure.at(digest)


async def read_referrers(
    source: AsyncSource, digest: Digest, artifact_type: str | None, verified: Verify
) -> tuple[Descriptor, ...]:
    """List the referrers of a manifest; with `verified`, only those whose manifest has it as `subject` (DLD-25)."""
    check_verify(verified)
    if artifact_type is not None and not isinstance(artifact_type, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise not_a_text(artifact_type, "artifact_type= must be a media type as a str", digits=False)
    entries = await source.referrers(verifiable(digest), artifact_type)
    if not verified:
        return entries
    found: list[Descriptor] = []
    for entry in entries:
        try:
            # Minor errors leave no doubt about the subject, and an omitted entry might be a signature.
            document = await read_manifest(source, entry, strict=False)
            _check_referrer(entry, document, digest, artifact_type)
        except errors.DregError as failure:
            if verified == "strict" or not is_fault_of_referrer(failure):
                raise
            log.warning("skipping %s, which is listed as a referrer of %s: %s", entry.digest, digest, failure)
        else:
            found.append(entry)
    return tuple(found)


async def completed_entry(source: AsyncSource, entry: Descriptor) -> Descriptor:
    """Return an entry with the media type and size of its manifest; unchanged, with a warning, if that is broken."""
    try:
        named = await source.resolve(entry.digest)
    except errors.DregError as failure:
        if not is_fault_of_referrer(failure):
            raise
        log.warning("the media type and size of %s are unknown: %s", entry.digest, failure)
        return entry
    return completed(entry, named.media_type, named.size)


def _check_referrer(entry: Descriptor, document: AnyManifest, digest: Digest, artifact_type: str | None) -> None:
    subject = subject_of(document)
    if subject is None or subject.digest != digest:
        named = f"has {subject.digest} as its subject" if subject else "has no subject"
        raise errors.IntegrityError(f"{entry.digest}: {named}, so it does not refer to {digest}")
    if artifact_type not in {None, kind := artifact_type_of(document)}:
        raise errors.IntegrityError(f"{entry.digest}: the artifact type is {kind!r}, not {artifact_type!r}")
