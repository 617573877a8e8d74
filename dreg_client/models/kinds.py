"""The kinds of documents and their media types. This module imports no models, so that commands start quickly."""

from collections.abc import Mapping
from typing import Final, Literal, get_args

from dreg_client.values import media_type as types

Kind = Literal[
    "descriptor",
    "oci-manifest",
    "docker-manifest",
    "oci-index",
    "docker-manifest-list",
    "image-config",
    "image-layout",
    "legacy-manifest",
]
KIND_NAMES: Final[tuple[Kind, ...]] = get_args(Kind)
MEDIA_TYPES: Final[Mapping[Kind, tuple[str, ...]]] = {
    "descriptor": (types.OCI_DESCRIPTOR,),
    "oci-manifest": (types.OCI_MANIFEST,),
    "docker-manifest": (types.DOCKER_MANIFEST,),
    "oci-index": (types.OCI_INDEX,),
    "docker-manifest-list": (types.DOCKER_MANIFEST_LIST,),
    "image-config": (types.OCI_CONFIG, types.DOCKER_CONFIG),
    "image-layout": (types.OCI_LAYOUT,),
    "legacy-manifest": (types.DOCKER_SCHEMA1, types.DOCKER_SCHEMA1_SIGNED),
}
"""The media types of each kind, as in a `Content-Type` or descriptor."""
MANIFEST_KINDS: Final = frozenset({"oci-manifest", "docker-manifest", "oci-index", "docker-manifest-list"})
"""The kinds that `parse_manifest` reads."""
SAYS_NOTHING: Final = frozenset({"", "application/json"})
"""Generic media types in responses. The document's own media type is used instead."""
BY_TYPE: Final[Mapping[str, Kind]] = {media_type: kind for kind, served in MEDIA_TYPES.items() for media_type in served}


def kind_of(tree: Mapping[str, object], media_type: str | None = None) -> Kind | None:
    """Return the kind of a document; None if it is unknown.

    The kind is determined by the given media type, otherwise by the document's own, otherwise by its members.
    """
    own = tree.get("mediaType")
    if media_type and (served := types.essence(media_type)) not in SAYS_NOTHING:
        kind = BY_TYPE.get(served)
        # A document that states another known type is parsed as that type, so that only GEN-07 is reported.
        # (The `mediaType` of a descriptor is that of its content.)
        other = BY_TYPE.get(own) if isinstance(own, str) and kind not in {None, "descriptor"} else None
        return other or kind
    describes_another = "digest" in tree and "schemaVersion" not in tree  # as in a descriptor
    if isinstance(own, str) and own and not describes_another:
        return BY_TYPE.get(own) or BY_TYPE.get(own.lower())
    if "manifests" in tree:
        return "oci-index"
    if "layers" in tree and ("config" in tree or "fsLayers" in tree):
        return "oci-manifest"
    is_legacy = "fsLayers" in tree or "signatures" in tree or tree.get("schemaVersion") == 1
    return "legacy-manifest" if is_legacy else None
