"""What is shown of an image or an artifact, as plain values; every key is always there."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dreg_client.errors import DregError, NotAnImageError, NotFoundError
from dreg_client.models.config import ExecutionParameters, layer_count_remarks
from dreg_client.models.index import Index, is_attestation
from dreg_client.models.manifest import ImageManifest, Manifest
from dreg_client.models.stored import StoredDocument
from dreg_client.values.media_type import Family

if TYPE_CHECKING:
    from dreg_client.errors.problems import Problem
    from dreg_client.image import Image, ImageStore, PlatformImage, Step
    from dreg_client.models.descriptor import Descriptor
    from dreg_client.values.platform import Platform

Plain = dict[str, Any]
_SUBJECT = "vnd.docker.reference.digest"
_PREDICATE = "in-toto.io/predicate-type"


def view(store: "ImageStore", reference: str, chosen: "tuple[Platform, ...]" = ()) -> Plain:
    """Everything that is shown.

    Args:
        store: The store.
        reference: What is asked of it.
        chosen: The platforms to show; none: all of them.

    Raises:
        PlatformNotFoundError: One of the chosen is not there.
    """
    try:
        image = store.get_image(reference)
    except NotAnImageError:
        document = store.get_manifest(reference)
        problems = list(_problems([("the manifest", document)]))
        return _document(store, reference, document) | {"artifact": _artifact(document), "problems": problems}
    return image_view(store, image, reference, chosen)


def image_view(store: "ImageStore", image: "Image", reference: str, chosen: "tuple[Platform, ...]" = ()) -> Plain:
    """The same of an image that was found already.

    Raises:
        PlatformNotFoundError: One of the chosen is not there.
    """
    images, missing = _images(image, chosen)
    return _document(store, reference, image.index or image.manifest) | {
        "platforms": [str(platform) for platform in image.platforms],
        "images": [_image(found) for found in images],
        "missing": missing,
        "attestations": list(_attestations(store, image, images, all_of_them=not chosen)),
        "others": [] if chosen else _others(image, images),
        "problems": [*_problems(_documents(image, images)), *_unfitting(images)],
    }


def full_name(seen: Plain) -> str:
    """Return the name of what is shown: its store, with its tag or digest if there is one."""
    reference = seen["reference"]
    if not reference:
        return str(seen["store"])
    return f"{seen['store']}{'@' if reference == seen['digest'] else ':'}{reference}"


def _document(store: "ImageStore", reference: str, document: Manifest | None) -> Plain:
    assert document is not None  # noqa: S101 (an image is a manifest or an index)
    return {
        "store": store.address,
        "reference": reference or None,
        "mediaType": document.media_type,
        "digest": document.digest,
        "size": document.size,
        "writtenByDreg": store.writes_manifests,
        "annotations": _mapping(getattr(document, "annotations", None)),
        "subject": _described(subject) if (subject := getattr(document, "subject", None)) else None,
        "artifact": None,
        "platforms": [],
        "images": [],
        "missing": [],
        "attestations": [],
        "others": [],
        "problems": [],
    }


def _artifact(document: Manifest) -> Plain | None:
    if not isinstance(document, ImageManifest):
        return None
    return {
        "type": document.artifact_type or document.config.media_type,
        "config": _described(document.config),
        "layers": [_described(layer) for layer in document.layers],
    }


def _described(descriptor: "Descriptor") -> Plain:
    return {
        "mediaType": descriptor.media_type,
        "digest": descriptor.digest,
        "size": descriptor.size,
        "artifactType": descriptor.artifact_type,
        "annotations": _mapping(descriptor.annotations),
    }


# --- images


def _images(image: "Image", chosen: "tuple[Platform, ...]") -> "tuple[list[PlatformImage], list[Plain]]":
    """The images, and the platforms whose images the store lacks, as where one of many was pulled."""
    try:
        if chosen:
            return list({found.digest: found for found in map(image.get_platform_image, chosen)}.values()), []
        return list(image.get_platform_images()), []
    except NotFoundError:
        if not image.index:
            raise
    images: list[PlatformImage] = []
    missing: list[Plain] = []
    for platform in chosen or image.platforms:
        try:
            images.append(image.get_platform_image(platform))
        except NotFoundError as failure:
            missing.append({"platform": str(platform), "problem": str(failure)})
    return images, missing


def _image(image: "PlatformImage") -> Plain:
    run = image.config.config or ExecutionParameters()
    return {
        "platform": str(image.platform) if image.platform else None,
        "digest": image.digest,
        "config": image.config.digest,
        "created": image.config.created,
        "author": image.config.author,
        "size": image.size,
        "layers": [seen_step(step) for step in image.steps],
        "entrypoint": _listed(run.entrypoint),
        "cmd": _listed(run.cmd),
        "env": _listed(run.env),
        "user": run.user,
        "workingDir": run.working_dir,
        "exposedPorts": _listed(run.exposed_ports),
        "volumes": _listed(run.volumes),
        "labels": _mapping(run.labels),
        "annotations": _mapping(image.manifest.annotations),
    }


def seen_step(step: "Step") -> Plain:
    """A step of how an image was made; `digest` is null where it left no layer."""
    entry, layer = step.entry, step.layer
    return {
        "instruction": entry.clean_created_by if entry else None,
        "created": entry.created if entry else None,
        "createdBy": entry.created_by if entry else None,
        "comment": entry.comment if entry else None,
        "digest": layer.digest if layer else None,
        "mediaType": layer.media_type if layer else None,
        "size": layer.size if layer else 0,
    }


def _listed(values: Iterable[str] | None) -> list[str]:
    return list(values or ())


def _mapping(values: Mapping[str, str] | None) -> dict[str, str]:
    return dict(values or {})


# --- what is wrong


def _documents(image: "Image", images: "Iterable[PlatformImage]") -> Iterator[tuple[str, StoredDocument]]:
    """The documents that were read, each with what it is."""
    if image.index:
        yield "the index", image.index
    for found in images:
        of = f" of {found.platform}" if found.platform and image.index else ""
        yield f"the manifest{of}", found.manifest
        yield f"the config{of}", found.config


def _problems(documents: Iterable[tuple[str, StoredDocument]]) -> Iterator[Plain]:
    """The warnings of documents, each document once; one with an error was not read."""
    once = {document.digest: (name, document) for name, document in reversed(list(documents))}
    for name, document in reversed(once.values()):
        for problem in document.warnings:
            yield _problem(name, document.digest, problem)


def _unfitting(images: "Iterable[PlatformImage]") -> Iterator[Plain]:
    for found in images:
        of = f"the manifest of {found.platform}" if found.platform else "the manifest"
        for problem in layer_count_remarks(found.config, len(found.layers)):
            yield _problem(of, found.digest, problem)


def _problem(document: str, digest: str, problem: "Problem") -> Plain:
    return {"document": document, "digest": digest, **problem.plain()}


# --- what is in an index besides images


def _attestations(
    store: "ImageStore", image: "Image", images: "Iterable[PlatformImage]", *, all_of_them: bool
) -> Iterator[Plain]:
    """What tools attach to images, with the platform of the image that each is about (BuildKit's annotations)."""
    shown = {found.digest: found.platform for found in images}
    stated = {entry.digest: entry.platform.value for entry in _entries(image) if entry.platform}
    for descriptor in image.attestations:
        subject = (descriptor.annotations or {}).get(_SUBJECT)
        platform = {**stated, **shown}.get(subject)  # type: ignore[call-overload]
        if all_of_them or subject in shown:
            yield _described(descriptor) | {
                "platform": str(platform) if platform else None,
                "subject": subject,
                "predicates": _predicates(store, descriptor),
            }


def _predicates(store: "ImageStore", descriptor: "Descriptor") -> list[str]:
    """What an attestation states, by the types of its statements; nothing where it cannot be read."""
    try:
        manifest = store.get_manifest(descriptor)
    except DregError:
        return []
    layers = manifest.layers if isinstance(manifest, ImageManifest) else ()
    return [kind for layer in layers if (kind := (layer.annotations or {}).get(_PREDICATE))]


def _others(image: "Image", images: "Iterable[PlatformImage]") -> list[Plain]:
    """Entries of the index that are neither images nor indexes nor attestations: artifacts."""
    shown = {found.digest for found in images}
    return [
        _described(entry)
        for entry in _entries(image)
        if not (entry.digest in shown or entry.platform or is_attestation(entry) or entry.family is Family.INDEX)
    ]


def _entries(image: "Image") -> "tuple[Descriptor, ...]":
    return image.index.manifests if isinstance(image.index, Index) else ()
