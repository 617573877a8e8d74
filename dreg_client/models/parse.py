"""Find the model of a document by a given kind, its `Content-Type`, its own `mediaType`, or its members.

Models are imported when the first document of their kind is parsed, because building all models takes longer than
parsing a document.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, Union, cast, overload

from pydantic import ValidationError

from dreg_client import errors
from dreg_client.models.json_text import AmbiguousTextError, read_members, scan
from dreg_client.models.kinds import BY_TYPE, MANIFEST_KINDS, SAYS_NOTHING, Kind, kind_of
from dreg_client.models.manifest import Manifest
from dreg_client.models.octets import RawDocument, octets_of, with_path_advice
from dreg_client.models.stored import ALLOW_MORE, ParsedModel, rejection
from dreg_client.values.arguments import not_a_flag
from dreg_client.values.digest import Digest
from dreg_client.values.media_type import essence
from dreg_client.values.sizes import MAX_DOCUMENT

if TYPE_CHECKING:
    from dreg_client.models.config import ImageConfig
    from dreg_client.models.descriptor import Descriptor
    from dreg_client.models.index import AnyManifest, DockerManifestList, OciIndex
    from dreg_client.models.layout import ImageLayout
    from dreg_client.models.legacy import LegacyManifest
    from dreg_client.models.manifest import DockerManifest, OciManifest

Document: TypeAlias = Union["AnyManifest", "LegacyManifest", "ImageConfig", "ImageLayout", "Descriptor"]
_MODULES: Final[Mapping[str, tuple[str, str]]] = {
    "descriptor": ("descriptor", "Descriptor"),
    "oci-manifest": ("manifest", "OciManifest"),
    "docker-manifest": ("manifest", "DockerManifest"),
    "oci-index": ("index", "OciIndex"),
    "docker-manifest-list": ("index", "DockerManifestList"),
    "image-config": ("config", "ImageConfig"),
    "image-layout": ("layout", "ImageLayout"),
    "legacy-manifest": ("legacy", "LegacyManifest"),
}


@cache
def model_of(kind: str) -> type[ParsedModel]:
    """Return the model of a kind, which is imported on first use; raise ValueError if the kind is unknown."""
    if kind not in _MODULES:
        message = f"{kind!r} is not a known kind of document; expected one of: {', '.join(_MODULES)}"
        raise ValueError(message)
    module, name = _MODULES[kind]
    model: type[ParsedModel] = getattr(import_module(f"dreg_client.models.{module}"), name)
    return model


def recognise(tree: Mapping[str, object], media_type: str | None = None) -> type[ParsedModel] | None:
    """Return the model of a document; None if its kind is unknown (see `kind_of`)."""
    kind = kind_of(tree, media_type)
    return model_of(kind) if kind is not None else None


@overload
def parse_manifest(
    raw: RawDocument,
    media_type: str | None = None,
    *,
    legacy: Literal[False] = False,
    limit: int = MAX_DOCUMENT,
    strict: bool = True,
) -> "AnyManifest": ...
@overload
def parse_manifest(
    raw: RawDocument,
    media_type: str | None = None,
    *,
    legacy: Literal[True],
    limit: int = MAX_DOCUMENT,
    strict: bool = True,
) -> "AnyManifest | LegacyManifest": ...
def parse_manifest(
    raw: RawDocument,
    media_type: str | None = None,
    *,
    legacy: bool = False,
    limit: int = MAX_DOCUMENT,
    strict: bool = True,
) -> "AnyManifest | LegacyManifest":
    """Parse a manifest or an index: OCI or Docker, image manifest or index.

    Args:
        raw: The exact bytes, the JSON as a `str`, the file as a `Path`, or a file opened with `rb`.
        media_type: The `Content-Type` of the response, or the media type in the descriptor; parameters are ignored. If
            None, the kind is determined by the document's `mediaType` or its members.
        legacy: Whether to also accept Docker's schema 1.
        limit: The maximum size in bytes (GEN-05).
        strict: If false, documents with only minor errors, such as a media type with parameters, are returned, and
            their `.problems` lists the errors (see Rules, "Read invalid documents").

    Raises:
        InvalidDocumentError: The document breaks rules (also AmbiguousDocumentError, MediaTypeMismatchError).
        UnsupportedMediaTypeError: The document is of another kind, or its kind is unknown (GEN-12).
        ResponseTooLargeError: The document is larger than `limit`.

    Source: distribution-spec, "Pulling manifests"; image-spec, manifest.md and image-index.md.

    Examples:
        >>> parse_manifest('{"schemaVersion": 2, "manifests": []}').media_type
        'application/vnd.oci.image.index.v1+json'
    """
    octets = raw if type(raw) is bytes else octets_of(raw, limit)
    try:
        document = _parse(octets, media_type, limit, strict=strict, by="media_type")
    except errors.InvalidDocumentError as failure:
        failure.problems = with_path_advice(raw, failure.problems)
        raise
    if isinstance(document, Manifest):
        return document
    found, advice = document.media_types[0], "expected a manifest or an index"
    if document.kind == "legacy-manifest":
        document = cast("LegacyManifest", document)
        if legacy:
            return document
        found = document.media_type
        advice = "to read schema 1, use parse_manifest(raw, legacy=True)"
    raise errors.UnsupportedMediaTypeError(found, Digest.of(octets), advice)


@overload
def parse_document(
    raw: RawDocument,
    media_type: str | None = None,
    kind: None = None,
    *,
    limit: int = MAX_DOCUMENT,
    strict: bool = True,
) -> Document: ...
@overload
def parse_document(
    raw: RawDocument,
    media_type: str | None = None,
    *,
    kind: Literal["descriptor"],
    limit: int = MAX_DOCUMENT,
    strict: bool = True,
) -> "Descriptor": ...
@overload
def parse_document(
    raw: RawDocument,
    media_type: str | None = None,
    *,
    kind: Literal["oci-manifest"],
    limit: int = MAX_DOCUMENT,
    strict: bool = True,
) -> "OciManifest": ...
@overload
def parse_document(
    raw: RawDocument,
    media_type: str | None = None,
    *,
    kind: Literal["docker-manifest"],
    limit: int = MAX_DOCUMENT,
    strict: bool = True,
) -> "DockerManifest": ...
@overload
def parse_document(
    raw: RawDocument,
    media_type: str | None = None,
    *,
    kind: Literal["oci-index"],
    limit: int = MAX_DOCUMENT,
    strict: bool = True,
) -> "OciIndex": ...
@overload
def parse_document(
    raw: RawDocument,
    media_type: str | None = None,
    *,
    kind: Literal["docker-manifest-list"],
    limit: int = MAX_DOCUMENT,
    strict: bool = True,
) -> "DockerManifestList": ...
@overload
def parse_document(
    raw: RawDocument,
    media_type: str | None = None,
    *,
    kind: Literal["image-config"],
    limit: int = MAX_DOCUMENT,
    strict: bool = True,
) -> "ImageConfig": ...
@overload
def parse_document(
    raw: RawDocument,
    media_type: str | None = None,
    *,
    kind: Literal["image-layout"],
    limit: int = MAX_DOCUMENT,
    strict: bool = True,
) -> "ImageLayout": ...
@overload
def parse_document(
    raw: RawDocument,
    media_type: str | None = None,
    *,
    kind: Literal["legacy-manifest"],
    limit: int = MAX_DOCUMENT,
    strict: bool = True,
) -> "LegacyManifest": ...
def parse_document(
    raw: RawDocument,
    media_type: str | None = None,
    kind: Kind | None = None,
    *,
    limit: int = MAX_DOCUMENT,
    strict: bool = True,
) -> Document:
    """Parse a document of any kind.

    Args:
        raw: The exact bytes, the JSON as a `str`, the file as a `Path`, or a file opened with `rb`.
        media_type: The `Content-Type` of the response, or the media type in the descriptor; None if unknown.
        kind: The expected kind, which is also the name of a JSON Schema, such as `image-config`. A config is recognised
            only by `kind` or `media_type`.
        limit: The maximum size in bytes (GEN-05).
        strict: If false, documents with only minor errors, such as a media type with parameters, are returned, and
            their `.problems` lists the errors (see Rules, "Read invalid documents").

    Raises:
        InvalidDocumentError: The document breaks rules (also AmbiguousDocumentError, MediaTypeMismatchError).
        UnsupportedMediaTypeError: The kind of the document is unknown (GEN-12).
        ResponseTooLargeError: The document is larger than `limit`.
        ValueError: `kind` is unknown.
    """
    octets = octets_of(raw, limit)
    try:
        if kind is None:
            return _parse(octets, media_type, limit, strict=strict, by="kind")
        return model_of(kind).parse(octets, media_type=media_type, limit=limit, strict=strict)  # type: ignore[return-value]
    except errors.InvalidDocumentError as failure:
        failure.problems = with_path_advice(raw, failure.problems)
        raise


def _parse(octets: bytes, media_type: str | None, limit: int, *, strict: bool, by: str) -> Document:
    """Parse a document. `by` is the parameter to recommend if the kind of the document cannot be determined."""
    if type(strict) is not bool:
        raise not_a_flag("strict", strict)
    if len(octets) > limit:
        raise errors.ResponseTooLargeError("the document", len(octets), limit, ALLOW_MORE)
    try:
        tree = read_members(octets)
    except AmbiguousTextError:  # parsers may read it differently, or it is a config with NUL, which its model accepts
        scanned, problems = scan(octets)
        model = recognise(scanned or {}, media_type)
        if model is None:
            raise rejection("document", tuple(problems), octets, limit) from None
        return model.parse(octets, media_type=media_type, limit=limit, strict=strict)  # type: ignore[return-value]
    kind = BY_TYPE.get(media_type or "") if media_type == tree.get("mediaType") else None
    if kind is None and (kind := kind_of(tree, media_type)) is None:
        raise _unknown(octets, tree, media_type, by)
    model = model_of(kind)
    if media_type is None or media_type == tree.get("mediaType"):
        try:
            return model.from_tree(octets, tree)  # type: ignore[return-value]
        except ValidationError:
            pass  # parsed again below, to report all problems
    del tree  # the tree of an invalid document can be large, and is built again
    return model.parse(octets, media_type=media_type, limit=limit, strict=strict)  # type: ignore[return-value]


def _unknown(octets: bytes, tree: Mapping[str, object], media_type: str | None, by: str) -> errors.DregError:
    served = essence(media_type) if media_type else ""
    own = tree.get("mediaType")
    known = served if served not in SAYS_NOTHING else (own if isinstance(own, str) else "")
    choices = list(_MODULES) if by == "kind" else [name for name, kind in BY_TYPE.items() if kind in MANIFEST_KINDS]
    how = "expected one of" if known and by == "media_type" else f"specify {by}= as one of"
    advice = f"{how}: {', '.join(choices)}"
    return errors.UnsupportedMediaTypeError(known[:255], Digest.of(octets), advice)
