"""Manifests: the base class of all kinds, and image manifests (manifest.md, distribution manifest-v2-2)."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from dreg_client.errors.problems import Problem
from dreg_client.models import annotations as annotation_rules
from dreg_client.models import rules
from dreg_client.models.base import Members
from dreg_client.models.descriptor import Descriptor, empty_remarks
from dreg_client.models.fields import (
    EmptyIsLenient,
    MediaType,
    NullIsDefault,
    NullIsEmpty,
    Rule,
    SchemaVersion2,
    TextMap,
)
from dreg_client.models.kinds import MEDIA_TYPES
from dreg_client.models.paths import Place, object_at, objects, path_at, show
from dreg_client.models.stored import StoredDocument
from dreg_client.values import media_type as types

OciManifestType = Literal["application/vnd.oci.image.manifest.v1+json"]
DockerManifestType = Literal["application/vnd.docker.distribution.manifest.v2+json"]
Descriptors = Annotated[tuple[Descriptor, ...], NullIsEmpty]
OPEN_CONFIG_TYPES = frozenset({"application/octet-stream", "application/json", "text/html", ""})
"""Generic media types that old registries wrote for the config of an image."""
_TWO = "the integer 2"
_DESCRIPTOR = "a descriptor object"
_DOCKER_TYPES: Final = frozenset(known for known in types.KNOWN if known.startswith("application/vnd.docker."))
_DESCRIPTORS = "a list of descriptors"


class Manifest(StoredDocument, frozen=True):
    """The target of a tag: an image manifest or an index, of OCI or Docker."""

    media_type: str
    """The media type of this document."""

    @property
    def descriptor(self) -> Descriptor:
        """The descriptor of this document: its media type, and the digest and size of its bytes."""
        return Descriptor(mediaType=self.media_type, digest=self.digest, size=self.size)


class ImageManifest(Manifest, frozen=True):
    """A manifest of one image or artifact: a config, and layers in order, including duplicates."""

    rivals: ClassVar[frozenset[str]] = frozenset({"manifests", "fsLayers"})
    remarkable_types: ClassVar[frozenset[str]] = frozenset({types.OCI_EMPTY})
    """The media types of contents that are looked at; `content_remarks` yields nothing for others."""

    config: Descriptor
    """The descriptor of the config."""
    layers: Descriptors
    """The descriptors of the layers, lowest layer first, or of an artifact's content."""
    artifact_type: Annotated[MediaType | None, Rule("MAN-03", "a media type")] = Field(
        default=None, alias="artifactType"
    )
    """The type of the artifact, as a media type."""
    subject: Annotated[Descriptor | None, Rule("MAN-09", _DESCRIPTOR)] = None
    """The manifest that this one belongs to, such as the image that a signature is for."""
    annotations: Annotated[TextMap | None, Rule("MAN-10", "an object of strings", "ANN-01")] = None
    """Annotations by key; values are strings."""

    @property
    def image_size(self) -> int:
        """The total size of the layers in bytes, as stored (compressed)."""
        return sum(layer.size for layer in self.layers)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._shown_digest}, {len(self.layers)} layers of {self.image_size} bytes)"

    @classmethod
    def remarks(cls, members: Members, place: Place, *, pedantic: bool) -> Iterator[Problem]:
        """Yield MAN-06, MAN-08, and the problems of annotations."""
        if "annotations" in members:
            yield from annotation_rules.remarks(members, place, pedantic=pedantic)
        config = (object_at(members, "config"), (place, "config"))
        for content, here in chain((config,), objects(members, "layers", place)):
            media_type = content.get("mediaType")
            if isinstance(media_type, str) and media_type in cls.remarkable_types:
                yield from cls.content_remarks(content, here)
        if members.get("layers", ()) in ([], None):
            yield rules.warning("MAN-08", path_at(place, "layers"), "no layers", "at least one layer, for portability")

    @classmethod
    def content_remarks(cls, content: Members, place: Place) -> Iterator[Problem]:
        """Yield the problems of the descriptor of the config or of a layer."""
        yield from empty_remarks(content, place)


def has_image_config(manifest: ImageManifest) -> bool:
    """Return whether the config is an image config, judging by its media type and the kind of the manifest."""
    if manifest.config.family is types.Family.CONFIG:
        return True
    if manifest.media_type == types.DOCKER_MANIFEST:
        return manifest.config.media_type in OPEN_CONFIG_TYPES
    return not manifest.config.media_type and manifest.artifact_type is None  # possible only with strict=False


def foreign_remarks(descriptor: Members, place: Place, verdict: Callable[..., Problem]) -> Iterator[Problem]:
    """Yield DSC-11 for a Docker media type in an OCI document, and for a deprecated one."""
    media_type = descriptor.get("mediaType")
    if not isinstance(media_type, str):
        return
    if media_type in types.NONDISTRIBUTABLE_LAYERS:
        yield verdict("DSC-11", path_at(place, "mediaType"), show(media_type), "a media type that is not deprecated")
    elif media_type in _DOCKER_TYPES:
        yield verdict("DSC-11", path_at(place, "mediaType"), show(media_type), "an OCI media type, as in this document")


class OciManifest(ImageManifest, frozen=True, title="OCI image manifest"):
    """The manifest of one image or artifact, in OCI format (manifest.md)."""

    kind: ClassVar[str] = "oci-manifest"
    media_types: ClassVar[tuple[str, ...]] = MEDIA_TYPES["oci-manifest"]
    remarkable_types: ClassVar[frozenset[str]] = (
        ImageManifest.remarkable_types | types.NONDISTRIBUTABLE_LAYERS | _DOCKER_TYPES
    )

    schema_version: Annotated[SchemaVersion2, Rule("MAN-01", _TWO)] = Field(alias="schemaVersion")
    """The version of the format; always 2."""
    media_type: Annotated[OciManifestType, NullIsDefault, Rule("MAN-02", types.OCI_MANIFEST)] = Field(
        default=types.OCI_MANIFEST, alias="mediaType"
    )
    config: Annotated[Descriptor, Rule("MAN-05", _DESCRIPTOR)]
    layers: Annotated[Descriptors, Rule("MAN-07", _DESCRIPTORS)]

    @classmethod
    def remarks(cls, members: Members, place: Place, *, pedantic: bool) -> Iterator[Problem]:
        """Yield MAN-02 for a missing media type, MAN-04, and the problems of all image manifests."""
        if pedantic and members.get("mediaType") is None:
            yield rules.note("MAN-02", path_at(place, "mediaType"), "nothing", types.OCI_MANIFEST)
        if object_at(members, "config").get("mediaType") == types.OCI_EMPTY and members.get("artifactType") is None:
            found = "nothing, although the config has the empty media type"
            yield rules.warning("MAN-04", path_at(place, "artifactType"), found, "the media type of the artifact")
        yield from super().remarks(members, place, pedantic=pedantic)

    @classmethod
    def content_remarks(cls, content: Members, place: Place) -> Iterator[Problem]:
        """Yield MAN-06 and DSC-11 for the descriptor of the config or of a layer."""
        yield from super().content_remarks(content, place)
        yield from foreign_remarks(content, place, rules.warning)


class DockerConfigDescriptor(Descriptor, frozen=True, title="Descriptor of a Docker image's config"):
    """The descriptor of a Docker image's config; old registries wrote a generic or empty media type."""

    media_type: Annotated[MediaType | Literal[""], Rule("DSC-01", "a media type")] = Field(alias="mediaType")


class DockerManifest(ImageManifest, frozen=True, title="Docker image manifest, version 2, schema 2"):
    """The manifest of one image, in Docker format, version 2, schema 2 (distribution manifest-v2-2)."""

    kind: ClassVar[str] = "docker-manifest"
    media_types: ClassVar[tuple[str, ...]] = MEDIA_TYPES["docker-manifest"]

    schema_version: Annotated[SchemaVersion2, Rule("DKM-01", _TWO)] = Field(alias="schemaVersion")
    """The version of the format; always 2."""
    media_type: Annotated[DockerManifestType, EmptyIsLenient, Rule("DKM-02", types.DOCKER_MANIFEST)] = Field(
        alias="mediaType"
    )
    config: Annotated[DockerConfigDescriptor, Rule("DKM-03", _DESCRIPTOR)]
    layers: Annotated[Descriptors, Rule("DKM-04", _DESCRIPTORS)]

    @classmethod
    def remarks(cls, members: Members, place: Place, *, pedantic: bool) -> Iterator[Problem]:
        """Yield DKM-03 for a config with a generic media type, DKM-05, and the problems of all image manifests."""
        media_type = object_at(members, "config").get("mediaType")
        if isinstance(media_type, str) and media_type in OPEN_CONFIG_TYPES:
            yield rules.warning("DKM-03", path_at(place, "config", "mediaType"), show(media_type), types.DOCKER_CONFIG)
        for name in ("annotations", "subject", "artifactType"):
            if members.get(name) is not None:
                expected = "no such member, as only OCI manifests have it"
                yield rules.warning("DKM-05", path_at(place, name), f"the member {name!r}", expected)
        yield from super().remarks(members, place, pedantic=pedantic)
