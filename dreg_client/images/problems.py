"""The problems of a viewed image: problems in its documents, and documents that are missing or unreadable."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dreg_client import errors
from dreg_client.errors.problems import Problem, Severity
from dreg_client.images.image import PlatformImage, ShownImage
from dreg_client.models import rules
from dreg_client.models.config import layer_count_remarks
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import Index
from dreg_client.models.stored import StoredDocument, examine
from dreg_client.values.platform import Platform


@dataclass(frozen=True, slots=True)
class Unread:
    """A document that is missing or unreadable, with the reason, and its platform if it is known."""

    name: str
    descriptor: Descriptor
    failure: errors.DregError
    platform: Platform | None = None


def problems_of_documents(documents: Iterable[tuple[str, StoredDocument]]) -> Iterator[dict[str, Any]]:
    """Yield the problems of documents, given with their names. A repeated document is reported once."""
    once = {document.digest: (name, document) for name, document in reversed(list(documents))}
    for name, document in reversed(once.values()):
        for problem in _as_shown(document):
            yield _view_problem(name, document.digest, problem)


def problems_of_image(
    index: Index | None, images: Sequence[ShownImage], unread: Sequence[Unread]
) -> list[dict[str, Any]]:
    """Return the problems of an image: of its documents, its layer counts, and its unreadable parts."""
    return [
        *problems_of_documents(_documents(index, images)),
        *_layer_count_problems(images),
        *_unread_problems([*_unread_configs(index, images), *unread]),
    ]


def _as_shown(document: StoredDocument) -> Iterator[Problem]:
    """Yield the problems of a document. Errors become warnings if `strict=False` reads the complete document."""
    is_incomplete = bool(failures_of(document))
    for problem in document.problems:
        is_warning = problem.severity is Severity.ERROR and not is_incomplete
        yield replace(problem, severity=Severity.WARNING) if is_warning else problem


def _documents(index: Index | None, images: Iterable[ShownImage]) -> Iterator[tuple[str, StoredDocument]]:
    """Yield the documents that were read, with their names."""
    if index:
        yield "the index", index
    for found in images:
        yield _name("manifest", index, found), found.manifest
        if found.config:
            yield _name("config", index, found), found.config


def _name(kind: str, index: Index | None, image: ShownImage) -> str:
    return f"the {kind} of {image.platform}" if image.platform and index else f"the {kind}"


def _layer_count_problems(images: Iterable[ShownImage]) -> Iterator[dict[str, Any]]:
    for found in images:
        if found.config is None or failures_of(found.config):
            continue  # the list of layers itself may be what is wrong
        name = f"the manifest of {found.platform}" if found.platform else "the manifest"
        for problem in layer_count_remarks(len(found.config.rootfs.diff_ids), len(found.manifest.layers)):
            yield _view_problem(name, found.manifest.digest, problem)


def _unread_configs(index: Index | None, images: Iterable[ShownImage]) -> Iterator[Unread]:
    for found in images:
        if found.failure:
            yield Unread(_name("config", index, found), found.manifest.config, found.failure)


def _unread_problems(documents: Iterable[Unread]) -> Iterator[dict[str, Any]]:
    for document in documents:
        for problem in _problems_of_failure(document.failure):
            yield _view_problem(document.name, document.descriptor.digest, problem)


def _problems_of_failure(failure: errors.DregError) -> tuple[Problem, ...]:
    match failure:
        case errors.InvalidDocumentError():
            return failure.problems
        case errors.NotFoundError():
            return (rules.error("LYT-04", "$", "nothing", "an existing blob, as a document refers to it"),)
        case errors.ResponseTooLargeError():
            return (rules.error("GEN-05", "$", f"{failure.size} bytes", f"at most {failure.limit} bytes"),)
        case errors.TooManyEntriesError():
            expected = f"at most {failure.limit:,} {failure.entries}"
            return (rules.error("GEN-05", "$", f"more {failure.entries}", expected),)
        case errors.UnsupportedMediaTypeError():
            return (rules.error("GEN-12", "$", failure.media_type or "an unknown type", "a known kind of document"),)
        case _:
            return (rules.error("LYT-03", "$", str(failure), "content that can be verified"),)


def _view_problem(document: str, digest: str, problem: Problem) -> dict[str, Any]:
    return {"document": document, "digest": digest, **problem.plain()}


def failures_of(document: StoredDocument) -> tuple[errors.InvalidDocumentError, ...]:
    """Return the error of a document that was read without the parts that break rules; empty if it was read whole."""
    problems = document.problems
    if not rules.has_error(problems):
        return ()
    examined = examine(type(document), document.raw, limit=document.size, strict=False)
    if examined.document is not None:
        return ()
    return (errors.InvalidDocumentError(examined.problems, document.kind, document.digest),)


def failures_of_config(image: ShownImage) -> tuple[errors.DregError, ...]:
    """Return the error of an image's config; empty if it was read whole."""
    if image.failure:
        return (image.failure,)
    return failures_of(image.config) if image.config else ()


def whole_image(image: ShownImage, *, strict: bool) -> PlatformImage | None:
    """Return the image if its documents are valid (with `strict`) or readable (without); otherwise None."""
    if image.config is None:
        return None
    for document in (image.manifest, image.config):
        if rules.has_error(document.problems) if strict else failures_of(document):
            return None
    return PlatformImage(image.platform, image.manifest, image.config)
