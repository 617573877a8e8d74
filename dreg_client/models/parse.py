"""Find the model of a document by its name, its served media type, its own media type, or its members."""

from collections.abc import Mapping
from typing import Final, Literal, Never, overload

from pydantic import ValidationError

from dreg_client import errors
from dreg_client.models.config import ImageConfig
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import DockerManifestList, OciIndex
from dreg_client.models.json_text import DishonestTextError, read_members, scan
from dreg_client.models.layout import ImageLayout
from dreg_client.models.legacy import LegacyManifest
from dreg_client.models.manifest import DockerManifest, OciManifest
from dreg_client.models.stored import MAX_DOCUMENT, SAYS_NOTHING, ParsedModel, octets_of, read_or_scan, refusal
from dreg_client.values.digest import Digest
from dreg_client.values.document_kinds import Kind
from dreg_client.values.media_type import essence

AnyManifest = OciManifest | DockerManifest | OciIndex | DockerManifestList
Document = AnyManifest | LegacyManifest | ImageConfig | ImageLayout | Descriptor

KINDS: Final[Mapping[str, type[ParsedModel]]] = {
    model.kind: model
    for model in (
        Descriptor,
        OciManifest,
        DockerManifest,
        OciIndex,
        DockerManifestList,
        ImageConfig,
        ImageLayout,
        LegacyManifest,
    )
}
_BY_TYPE: Final = {media_type: model for model in KINDS.values() for media_type in model.media_types}
_MODERN: Final = (OciManifest, DockerManifest, OciIndex, DockerManifestList)


def recognise(tree: Mapping[str, object], media_type: str | None = None) -> type[ParsedModel] | None:
    """Return the model of a document by its served type, else its own type, else its members; None if unknown."""
    own = tree.get("mediaType")
    if media_type and (served := essence(media_type)) not in SAYS_NOTHING:
        model = _BY_TYPE.get(served)
        # A document that states another known type is read as that type, so that only GEN-07 is reported.
        other = _BY_TYPE.get(own) if isinstance(own, str) and model and model.names_itself else None
        return other or model
    describes_another = "digest" in tree and "schemaVersion" not in tree  # as in a descriptor
    if isinstance(own, str) and own and not describes_another:
        return _BY_TYPE.get(own) or _BY_TYPE.get(own.lower())
    if "manifests" in tree:
        return OciIndex
    if "layers" in tree and ("config" in tree or "fsLayers" in tree):
        return OciManifest
    is_legacy = "fsLayers" in tree or "signatures" in tree or tree.get("schemaVersion") == 1
    return LegacyManifest if is_legacy else None


def own_media_type(raw: bytes) -> str:
    """Return the media type of a document by its members, else `application/octet-stream`."""
    tree = None if len(raw) > MAX_DOCUMENT else read_or_scan(raw, nul=False)[0]
    model = recognise(tree) if tree is not None else None
    return model.media_types[0] if model is not None else "application/octet-stream"


@overload
def parse_manifest(
    raw: bytes | str, media_type: str | None = None, *, legacy: Literal[False] = False, limit: int = MAX_DOCUMENT
) -> AnyManifest: ...
@overload
def parse_manifest(
    raw: bytes | str, media_type: str | None = None, *, legacy: Literal[True], limit: int = MAX_DOCUMENT
) -> AnyManifest | LegacyManifest: ...
def parse_manifest(
    raw: bytes | str, media_type: str | None = None, *, legacy: bool = False, limit: int = MAX_DOCUMENT
) -> AnyManifest | LegacyManifest:
    """Read a manifest or an index of any modern kind, strictly.

    Args:
        raw: The exact bytes; a `str` is encoded as UTF-8.
        media_type: The media type that it was served with (a `Content-Type`; parameters are ignored). If None, the
            body's `mediaType` or its members decide.
        legacy: Whether to read Docker's schema 1, too.
        limit: The maximum number of bytes (GEN-05).

    Raises:
        InvalidDocumentError: It breaks rules (also AmbiguousDocumentError, MediaTypeMismatchError).
        UnsupportedMediaTypeError: It is of another kind, or its kind is unknown (GEN-12).
        ResponseTooLargeError: It has more than `limit` bytes.

    Source: distribution-spec, "Pulling manifests"; image-spec, manifest.md and image-index.md.

    Examples:
        >>> parse_manifest('{"schemaVersion": 2, "manifests": []}').media_type
        'application/vnd.oci.image.index.v1+json'
    """
    document = _parse(octets_of(raw), media_type, limit)
    if isinstance(document, _MODERN) or (legacy and isinstance(document, LegacyManifest)):
        return document
    advice = "a manifest or an index is due"
    if isinstance(document, LegacyManifest):
        advice = "schema 1 is read only when it is asked for: parse_manifest(raw, legacy=True)"
    raise errors.UnsupportedMediaTypeError(_media_type_of(document), Digest.of(octets_of(raw)), advice)


def _media_type_of(document: Document) -> str:
    return document.media_type if isinstance(document, LegacyManifest) else document.media_types[0]


@overload
def parse_document(
    raw: bytes | str, media_type: str | None = None, kind: None = None, *, limit: int = MAX_DOCUMENT
) -> Document: ...
@overload
def parse_document(
    raw: bytes | str, media_type: str | None = None, *, kind: Literal["descriptor"], limit: int = MAX_DOCUMENT
) -> Descriptor: ...
@overload
def parse_document(
    raw: bytes | str, media_type: str | None = None, *, kind: Literal["oci-manifest"], limit: int = MAX_DOCUMENT
) -> OciManifest: ...
@overload
def parse_document(
    raw: bytes | str, media_type: str | None = None, *, kind: Literal["docker-manifest"], limit: int = MAX_DOCUMENT
) -> DockerManifest: ...
@overload
def parse_document(
    raw: bytes | str, media_type: str | None = None, *, kind: Literal["oci-index"], limit: int = MAX_DOCUMENT
) -> OciIndex: ...
@overload
def parse_document(
    raw: bytes | str, media_type: str | None = None, *, kind: Literal["docker-manifest-list"], limit: int = MAX_DOCUMENT
) -> DockerManifestList: ...
@overload
def parse_document(
    raw: bytes | str, media_type: str | None = None, *, kind: Literal["image-config"], limit: int = MAX_DOCUMENT
) -> ImageConfig: ...
@overload
def parse_document(
    raw: bytes | str, media_type: str | None = None, *, kind: Literal["image-layout"], limit: int = MAX_DOCUMENT
) -> ImageLayout: ...
@overload
def parse_document(
    raw: bytes | str, media_type: str | None = None, *, kind: Literal["legacy-manifest"], limit: int = MAX_DOCUMENT
) -> LegacyManifest: ...
def parse_document(
    raw: bytes | str, media_type: str | None = None, kind: Kind | None = None, *, limit: int = MAX_DOCUMENT
) -> Document:
    """Read a document of any kind, strictly.

    Args:
        raw: The exact bytes; a `str` is encoded as UTF-8.
        media_type: The media type that it was served with or referred to by, None if unknown.
        kind: The expected kind, by the name of its JSON Schema. A config is only recognised by `kind` or
            `media_type`.
        limit: The maximum number of bytes (GEN-05).

    Raises:
        InvalidDocumentError: It breaks rules (also AmbiguousDocumentError, MediaTypeMismatchError).
        UnsupportedMediaTypeError: Its kind is unknown (GEN-12).
        ResponseTooLargeError: It has more than `limit` bytes.
        ValueError: `kind` is unknown.
    """
    octets = octets_of(raw)
    if kind is None:
        return _parse(octets, media_type, limit)
    return model_of(kind).parse(octets, media_type=media_type, limit=limit)  # type: ignore[return-value]


def model_of(kind: str) -> type[ParsedModel]:
    """Return the model of a kind.

    Raises:
        ValueError: `kind` is unknown.
    """
    if kind not in KINDS:
        message = f"{kind!r} is no kind of document; there are: {', '.join(KINDS)}"
        raise ValueError(message)
    return KINDS[kind]


def _parse(octets: bytes, media_type: str | None, limit: int) -> Document:
    if len(octets) > limit:
        raise errors.ResponseTooLargeError("the document", len(octets), limit)
    try:
        tree = read_members(octets)
    except DishonestTextError:
        return _parse_slowly(octets, media_type, limit)
    model = recognise(tree, media_type)
    if model is None:
        _refuse_unknown(octets, tree, media_type)
    if media_type is None or media_type == tree.get("mediaType"):
        try:
            return model.from_tree(octets, tree)  # type: ignore[return-value]
        except ValidationError:
            pass  # parsed again below, to report all problems
    return model.parse(octets, media_type=media_type, limit=limit)  # type: ignore[return-value]


def _parse_slowly(octets: bytes, media_type: str | None, limit: int) -> Document:
    """Parse a text that parsers may read differently, or a config with NUL; its model decides."""
    tree, problems = scan(octets)
    model = recognise(tree or {}, media_type)
    if model is not None:
        return model.parse(octets, media_type=media_type, limit=limit)  # type: ignore[return-value]
    raise refusal("document", tuple(problems), octets, limit)


def _refuse_unknown(octets: bytes, tree: Mapping[str, object], media_type: str | None) -> Never:
    served = essence(media_type) if media_type else ""
    own = tree.get("mediaType")
    known = served if served not in SAYS_NOTHING else (own if isinstance(own, str) else "")
    advice = f"name what it is: kind=, one of {', '.join(KINDS)}"
    raise errors.UnsupportedMediaTypeError(known[:255], Digest.of(octets), advice)
