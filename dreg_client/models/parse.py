"""Find the model of a document by its name, its served media type, its own media type, or its members.

Models are imported when the first document of their kind is read: building all of them takes longer than reading one.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, Union, cast, overload

from pydantic import ValidationError

from dreg_client import errors
from dreg_client.models.json_text import DishonestTextError, read_members, scan
from dreg_client.models.kinds import BY_TYPE, MANIFEST_KINDS, SAYS_NOTHING, Kind, kind_of
from dreg_client.models.manifest import Manifest
from dreg_client.models.octets import RawDocument, octets_of, with_path_advice
from dreg_client.models.stored import ParsedModel, refusal
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
    """Return the model of a kind, imported on first use; raise ValueError if it is unknown."""
    if kind not in _MODULES:
        message = f"{kind!r} is not a kind of document; the kinds are: {', '.join(_MODULES)}"
        raise ValueError(message)
    module, name = _MODULES[kind]
    model: type[ParsedModel] = getattr(import_module(f"dreg_client.models.{module}"), name)
    return model


def recognise(tree: Mapping[str, object], media_type: str | None = None) -> type[ParsedModel] | None:
    """Return the model of a document by its served type, else its own type, else its members; None if unknown."""
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
    """Read a manifest or an index of any modern kind.

    Args:
        raw: The exact bytes, the text as a `str`, the file as a `Path`, or a file opened with `rb`.
        media_type: The media type that it was served with (a `Content-Type`; parameters are ignored). If None, the
            body's `mediaType` or its members decide.
        legacy: Whether to read Docker's schema 1, too.
        limit: The maximum number of bytes (GEN-05).
        strict: If false, also return documents with only minor errors, such as a media type with parameters (see
            Rules, "Readable errors"); `.problems` lists them.

    Raises:
        InvalidDocumentError: It breaks rules (also AmbiguousDocumentError, MediaTypeMismatchError).
        UnsupportedMediaTypeError: It is of another kind, or its kind is unknown (GEN-12).
        ResponseTooLargeError: It has more than `limit` bytes.

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
        advice = "schema 1 is read only when it is asked for: parse_manifest(raw, legacy=True)"
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
    """Read a document of any kind.

    Args:
        raw: The exact bytes, the text as a `str`, the file as a `Path`, or a file opened with `rb`.
        media_type: The media type that it was served with or referred to by, None if unknown.
        kind: The expected kind, by the name of its JSON Schema. A config is only recognised by `kind` or
            `media_type`.
        limit: The maximum number of bytes (GEN-05).
        strict: If false, also return documents with only minor errors, such as a media type with parameters (see
            Rules, "Readable errors"); `.problems` lists them.

    Raises:
        InvalidDocumentError: It breaks rules (also AmbiguousDocumentError, MediaTypeMismatchError).
        UnsupportedMediaTypeError: Its kind is unknown (GEN-12).
        ResponseTooLargeError: It has more than `limit` bytes.
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
    """Read a document; `by` is the parameter that says what a document is that does not say so itself."""
    if type(strict) is not bool:
        raise not_a_flag("strict", strict)
    if len(octets) > limit:
        raise errors.ResponseTooLargeError("the document", len(octets), limit)
    try:
        tree = read_members(octets)
    except DishonestTextError:  # parsers may read it differently, or it is a config with NUL: its model decides
        scanned, problems = scan(octets)
        model = recognise(scanned or {}, media_type)
        if model is None:
            raise refusal("document", tuple(problems), octets, limit) from None
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
    del tree  # a broken document's tree can be large, and is made again
    return model.parse(octets, media_type=media_type, limit=limit, strict=strict)  # type: ignore[return-value]


def _unknown(octets: bytes, tree: Mapping[str, object], media_type: str | None, by: str) -> errors.DregError:
    served = essence(media_type) if media_type else ""
    own = tree.get("mediaType")
    known = served if served not in SAYS_NOTHING else (own if isinstance(own, str) else "")
    choices = list(_MODULES) if by == "kind" else [name for name, kind in BY_TYPE.items() if kind in MANIFEST_KINDS]
    advice = f"name what it is: {by}=, one of {', '.join(choices)}"
    return errors.UnsupportedMediaTypeError(known[:255], Digest.of(octets), advice)
