"""Views of images and artifacts: plain values to be printed as text, JSON or HTML. Every key is always present.

This module does no I/O: `_async/image_view.py` reads the documents.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from dreg_client.images.image import ShownImage, Step
from dreg_client.images.problems import Unread, problems_of_documents, problems_of_image
from dreg_client.models.config import ExecutionParameters
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import Index, is_attestation
from dreg_client.models.manifest import ImageManifest, Manifest
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import Family, family
from dreg_client.values.platform import Platform

Plain = dict[str, Any]
_ZERO_TIME: Final = re.compile(r"0001-01-01[Tt]00:00:00(?:\.0+)?(?:[Zz]|[+-]00:00)")


@dataclass(frozen=True, slots=True)
class DocumentRead:
    """A manifest or index, the name of its store, and the requested tag or digest, which may be empty."""

    document: Manifest
    store: str
    reference: str
    written_by_dreg: bool
    """Whether this library wrote the manifest, because the store is a docker-archive, which has none."""


@dataclass(frozen=True, slots=True)
class ImageRead:
    """The documents of an image: all platforms, and the selected images with what belongs to them."""

    platforms: tuple[Platform, ...]  # of the whole image
    images: tuple[ShownImage, ...]
    missing: tuple[Unread, ...]  # selected images that the store does not have, all with a platform
    attestations: tuple[tuple[Descriptor, tuple[str, ...]], ...]  # each with its `predicate_types`
    is_whole: bool  # whether all platforms are selected
    artifacts: tuple[Descriptor, ...] = ()  # selected entries with a platform that are artifacts
    unreadable: tuple[Unread, ...] = ()  # selected entries that cannot be read
    indexes: frozenset[Digest] = frozenset()  # nested indexes that contain a selected image

    @property
    def faults(self) -> tuple[Unread, ...]:
        """The entries that count as problems: unreadable ones, and missing ones if platforms were selected.

        A store may have only some images of an index, so a missing image is a problem only if it was requested.
        """
        return self.unreadable if self.is_whole else (*self.missing, *self.unreadable)


def view_image(read: DocumentRead, image: ImageRead) -> Plain:
    """Return the view of an image."""
    index = read.document if isinstance(read.document, Index) else None
    entries = index.manifests if index else ()
    return _view_document(read) | {
        "platforms": list(map(str, image.platforms)),
        "images": list(map(_view_platform, image.images)),
        "missing": [{"platform": str(absent.platform), "problem": str(absent.failure)} for absent in image.missing],
        "unreadable": list(map(_view_unreadable, image.unreadable)),
        "attestations": _view_attestations(entries, image),
        "others": list(map(_view_other, _others(entries, image))),
        "problems": problems_of_image(index, image.images, image.faults),
    }


def view_artifact(read: DocumentRead) -> Plain:
    """Return the view of a document that is not an image."""
    document, contents = read.document, None
    if isinstance(document, ImageManifest):
        contents = {
            "type": document.artifact_type or document.config.media_type,
            "config": view_descriptor(document.config),
            "layers": list(map(view_descriptor, document.layers)),
        }
    return _view_document(read) | {
        "artifact": contents,
        "problems": list(problems_of_documents([("the manifest", document)])),
    }


def view_history(steps: Iterable[Step]) -> list[Plain]:
    """Return the views of build steps. `layer` is the position of the step's layer, null if it created none."""
    numbers = count()
    return [view_step(step, next(numbers) if step.layer else None) for step in steps]


def view_step(step: Step, number: int | None) -> Plain:
    """Return the view of a build step; `number` is the position of its layer in the manifest, from 0."""
    entry, layer = step.entry, step.layer
    return {
        "layer": number,
        "emptyLayer": bool(entry and entry.empty_layer),
        "instruction": entry.clean_created_by if entry else None,
        "created": entry.created if entry else None,
        "createdBy": entry.created_by if entry else None,
        "comment": entry.comment if entry else None,
        "digest": layer.digest if layer else None,
        "mediaType": layer.media_type if layer else None,
        "size": layer.size if layer else 0,
    }


def full_name(seen: Plain) -> str:
    """Return the full name of the viewed image: its store, with its tag or digest if there is one."""
    reference = seen["reference"]
    if not reference:
        return str(seen["store"])
    return f"{seen['store']}{'@' if reference == seen['digest'] else ':'}{reference}"


def owner_of(seen: Plain) -> str:
    """Return the document that a view's annotations belong to: the index or the manifest."""
    return "the index" if family(seen["mediaType"]) is Family.INDEX else "the manifest"


def time_of(created: str) -> str:
    """Format a time for display: `-` for Go's zero time, which tools write for an unknown time.

    Examples:
        >>> time_of("0001-01-01T00:00:00Z"), time_of("2024-05-20T08:00:00Z")
        ('-', '2024-05-20T08:00:00Z')
    """
    return "-" if _ZERO_TIME.fullmatch(created) else created


def attestations_of(
    attestations: Iterable[Descriptor], images: Iterable[ShownImage], *, is_whole: bool
) -> list[Descriptor]:
    """Return the attestations to show: all, or only those about the given images."""
    shown = {found.manifest.digest for found in images}
    return [descriptor for descriptor in attestations if is_whole or _subject(descriptor) in shown]


def predicate_types(attestation: Manifest) -> tuple[str, ...]:
    """Return the predicate types of an attestation's in-toto statements, from the annotations that BuildKit writes."""
    layers = attestation.layers if isinstance(attestation, ImageManifest) else ()
    return tuple(kind for layer in layers if (kind := (layer.annotations or {}).get("in-toto.io/predicate-type")))


def _view_document(read: DocumentRead) -> Plain:
    document = read.document
    subject: Descriptor | None = getattr(document, "subject", None)
    return {
        "store": read.store,
        "reference": read.reference or None,
        "mediaType": document.media_type,
        "digest": document.digest,
        "size": document.size,
        "writtenByDreg": read.written_by_dreg,
        "annotations": dict(getattr(document, "annotations", None) or {}),
        "subject": view_descriptor(subject) if subject else None,
        "artifact": None,
        "platforms": [],
        "images": [],
        "missing": [],
        "unreadable": [],
        "attestations": [],
        "others": [],
        "problems": [],
    }


def view_descriptor(descriptor: Descriptor) -> Plain:
    """Return the view of a descriptor."""
    return {
        "mediaType": descriptor.media_type,
        "digest": descriptor.digest,
        "size": descriptor.size,
        "artifactType": descriptor.artifact_type,
        "annotations": dict(descriptor.annotations or {}),
    }


def _view_layer(step: Step, layer: Descriptor) -> Plain:
    return {**view_descriptor(layer), "instruction": step.entry.clean_created_by if step.entry else None}


def _view_other(descriptor: Descriptor) -> Plain:
    platform = descriptor.platform.value if descriptor.platform else None
    return {**view_descriptor(descriptor), "platform": str(platform) if platform else None}


def _view_unreadable(entry: Unread) -> Plain:
    platform = str(entry.platform) if entry.platform else None
    return {**view_descriptor(entry.descriptor), "platform": platform, "problem": str(entry.failure)}


def _view_platform(image: ShownImage) -> Plain:
    manifest, config = image.manifest, image.config
    run = (config.config if config else None) or ExecutionParameters()
    return {
        "platform": str(image.platform) if image.platform else None,
        "digest": manifest.digest,
        "config": manifest.config.digest,
        "created": config.created if config else None,
        "author": config.author if config else None,
        "size": manifest.image_size,
        "layers": [_view_layer(step, step.layer) for step in image.steps if step.layer],
        "history": view_history(image.steps),
        "entrypoint": list(run.entrypoint or ()),
        "cmd": list(run.cmd or ()),
        "env": list(run.env or ()),
        "user": run.user,
        "workingDir": run.working_dir,
        "exposedPorts": list(run.exposed_ports or ()),
        "volumes": list(run.volumes or ()),
        "labels": dict(run.labels or {}),
        "annotations": dict(manifest.annotations or {}),
    }


def _view_attestations(entries: Iterable[Descriptor], image: ImageRead) -> list[Plain]:
    """Return attestations, each with the platform of the image that it is about."""
    platforms: dict[str | None, Platform | None] = {
        entry.digest: entry.platform.value for entry in entries if entry.platform
    }
    platforms |= {found.manifest.digest: found.platform for found in image.images}
    views: list[Plain] = []
    for descriptor, predicates in image.attestations:
        subject = _subject(descriptor)
        platform = platforms.get(subject)
        about = {"platform": str(platform) if platform else None, "subject": subject, "predicates": list(predicates)}
        views.append(view_descriptor(descriptor) | about)
    return views


def _subject(attestation: Descriptor) -> str | None:
    """Return the digest of the image that an attestation is about, from BuildKit's annotation."""
    return (attestation.annotations or {}).get("vnd.docker.reference.digest")


def _others(entries: Iterable[Descriptor], image: ImageRead) -> Iterator[Descriptor]:
    """Yield the entries that are not shown elsewhere: artifacts, and indexes without an image."""
    artifacts = dict.fromkeys(image.artifacts)
    shown = image.indexes.union(
        (found.manifest.digest for found in image.images),
        (entry.descriptor.digest for entry in image.unreadable),
    )
    for entry in entries if image.is_whole else ():
        if entry in artifacts:
            del artifacts[entry]
        elif entry.digest in shown or is_attestation(entry):
            continue
        elif entry.platform and entry.family in {Family.MANIFEST, Family.SCHEMA1}:
            continue  # an image that the store does not have
        yield entry
    yield from artifacts  # artifacts of nested indexes, and selected ones
