"""The media types of images, and their families (media-types.md; distribution manifest-v2-2)."""

import re
from enum import StrEnum
from typing import Final

_OCI: Final = "application/vnd.oci."
_DOCKER: Final = "application/vnd.docker."

OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
OCI_LAYER: Final = _OCI + "image.layer.v1.tar"
OCI_LAYER_GZIP: Final = OCI_LAYER + "+gzip"
OCI_LAYER_ZSTD: Final = OCI_LAYER + "+zstd"
OCI_NONDISTRIBUTABLE_LAYER: Final = _OCI + "image.layer.nondistributable.v1.tar"
OCI_NONDISTRIBUTABLE_LAYER_GZIP: Final = OCI_NONDISTRIBUTABLE_LAYER + "+gzip"
OCI_NONDISTRIBUTABLE_LAYER_ZSTD: Final = OCI_NONDISTRIBUTABLE_LAYER + "+zstd"
OCI_EMPTY: Final = _OCI + "empty.v1+json"
OCI_LAYOUT: Final = _OCI + "layout.header.v1+json"
OCI_DESCRIPTOR: Final = _OCI + "descriptor.v1+json"
OCI_ARTIFACT_MANIFEST: Final = _OCI + "artifact.manifest.v1+json"
"""Withdrawn before OCI 1.1 was released."""
OCTET_STREAM: Final = "application/octet-stream"

DOCKER_MANIFEST_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_SCHEMA1: Final = _DOCKER + "distribution.manifest.v1+json"
DOCKER_SCHEMA1_SIGNED: Final = _DOCKER + "distribution.manifest.v1+prettyjws"
DOCKER_CONFIG: Final = _DOCKER + "container.image.v1+json"
DOCKER_PLUGIN_CONFIG: Final = _DOCKER + "plugin.v1+json"
DOCKER_LAYER: Final = _DOCKER + "image.rootfs.diff.tar"
DOCKER_LAYER_GZIP: Final = DOCKER_LAYER + ".gzip"
DOCKER_LAYER_ZSTD: Final = DOCKER_LAYER + ".zstd"
DOCKER_FOREIGN_LAYER: Final = _DOCKER + "image.rootfs.foreign.diff.tar"
DOCKER_FOREIGN_LAYER_GZIP: Final = DOCKER_FOREIGN_LAYER + ".gzip"

INDEXES: Final = frozenset({OCI_INDEX, DOCKER_MANIFEST_LIST})
MANIFESTS: Final = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
SCHEMA1: Final = frozenset({DOCKER_SCHEMA1, DOCKER_SCHEMA1_SIGNED})
CONFIGS: Final = frozenset({OCI_CONFIG, DOCKER_CONFIG})
LAYERS: Final = frozenset(
    {OCI_LAYER, OCI_LAYER_GZIP, OCI_LAYER_ZSTD, DOCKER_LAYER, DOCKER_LAYER_GZIP, DOCKER_LAYER_ZSTD}
)
NONDISTRIBUTABLE_LAYERS: Final = frozenset(
    {
        OCI_NONDISTRIBUTABLE_LAYER,
        OCI_NONDISTRIBUTABLE_LAYER_GZIP,
        OCI_NONDISTRIBUTABLE_LAYER_ZSTD,
        DOCKER_FOREIGN_LAYER,
        DOCKER_FOREIGN_LAYER_GZIP,
    }
)

EMPTY_DIGEST: Final = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
"""The digest of the two bytes `{}`, the content of the empty media type (manifest.md)."""
EMPTY_SIZE: Final = 2


class Family(StrEnum):
    """The kind of content that a media type names, for OCI and Docker media types alike."""

    INDEX = "index"
    MANIFEST = "manifest"
    SCHEMA1 = "schema1"
    CONFIG = "config"
    LAYER = "layer"
    NONDISTRIBUTABLE = "nondistributable"
    EMPTY = "empty"
    LAYOUT = "layout"
    DESCRIPTOR = "descriptor"
    OTHER = "other"


_FAMILIES: Final = {
    **dict.fromkeys(INDEXES, Family.INDEX),
    **dict.fromkeys(MANIFESTS, Family.MANIFEST),
    **dict.fromkeys(SCHEMA1, Family.SCHEMA1),
    **dict.fromkeys(CONFIGS, Family.CONFIG),
    **dict.fromkeys(LAYERS, Family.LAYER),
    **dict.fromkeys(NONDISTRIBUTABLE_LAYERS, Family.NONDISTRIBUTABLE),
    OCI_EMPTY: Family.EMPTY,
    OCI_LAYOUT: Family.LAYOUT,
    OCI_DESCRIPTOR: Family.DESCRIPTOR,
}
KNOWN: Final = frozenset(_FAMILIES) | {OCI_ARTIFACT_MANIFEST, DOCKER_PLUGIN_CONFIG}
PAGES: Final = frozenset({"text/html", "application/xhtml+xml"})
"""Media types of web pages, which registries do not serve."""

_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9!#\x24&^_.+-]{0,126}"
MEDIA_TYPE_PATTERN: Final = rf"^{_NAME}/{_NAME}$"
"""Matches media types (MED-01, RFC 6838 4.2), identically in Python, Rust and ECMA-262."""
_MEDIA_TYPE: Final = re.compile(MEDIA_TYPE_PATTERN[1:-1], re.ASCII)


def family(media_type: str) -> Family:
    """Return the family of a media type; `OTHER` if it is unknown. Parameters are invalid but ignored."""
    return _FAMILIES.get(media_type.partition(";")[0].rstrip(), Family.OTHER)


def is_media_type(text: str) -> bool:
    """Return whether a string is a media type without parameters (MED-01)."""
    return len(text) <= 255 and _MEDIA_TYPE.fullmatch(text) is not None


def essence(served: str) -> str:
    """Return a `Content-Type` in lower case and without parameters, for comparisons (GEN-07).

    Examples:
        >>> essence("Application/VND.oci.image.index.v1+json; charset=utf-8")
        'application/vnd.oci.image.index.v1+json'
    """
    return served.partition(";")[0].strip().lower()
