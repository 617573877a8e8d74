"""Indexes: OCI image indexes (image-index.md) and Docker manifest lists (distribution manifest-v2-2)."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Final, Literal, cast

from pydantic import Field

from dreg_client.errors.problems import Problem
from dreg_client.models import annotations as annotation_rules
from dreg_client.models import rules
from dreg_client.models.base import Members
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.fields import (
    EmptyIsLenient,
    MediaType,
    NullIsDefault,
    NullIsEmpty,
    NullIsEmptyUnbounded,
    Rule,
    SchemaVersion2,
    TextMap,
)
from dreg_client.models.kinds import MEDIA_TYPES
from dreg_client.models.manifest import DockerManifest, Manifest, OciManifest, foreign_remarks
from dreg_client.models.paths import Place, objects, path_at
from dreg_client.values import media_type as types

OciIndexType = Literal["application/vnd.oci.image.index.v1+json"]
DockerManifestListType = Literal["application/vnd.docker.distribution.manifest.list.v2+json"]
_TWO = "the integer 2"
_ATTESTATION: Final = "vnd.docker.reference.type"
_ENTRIES = "a list of descriptors"


class Index(Manifest, frozen=True):
    """A list of manifests, one for each platform; entries may also be indexes, or have any other media type."""

    rivals: ClassVar[frozenset[str]] = frozenset({"layers", "config", "fsLayers"})

    manifests: Annotated[tuple[Descriptor, ...], NullIsEmpty]
    """The descriptors of manifests and indexes; clients take the first that matches their platform."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._shown_digest}, {len(self.manifests)} manifests)"

    @classmethod
    def remarks(cls, members: Members, place: Place, *, pedantic: bool) -> Iterator[Problem]:
        """Yield the problems of the entries: LYT-06 and IDX-09, for OCI also DSC-11, for Docker also DKL-04."""
        platforms: dict[object, object] | None = {} if pedantic else None
        for entry, here in objects(members, "manifests", place):
            yield from cls._entry_remarks(entry, here, platforms)

    @classmethod
    def _entry_remarks(cls, entry: Members, place: Place, platforms: dict[object, object] | None) -> Iterator[Problem]:
        """Yield the problems of an entry. `platforms` are those of earlier entries, None if notes are not needed."""
        if "annotations" in entry:
            yield from annotation_rules.ref_name_remarks(entry, place)
        platform = entry.get("platform")
        if platforms is None or not isinstance(platform, dict) or entry.get("annotations"):
            return
        key = repr(sorted(cast("Members", platform).items()))
        if platforms.setdefault(key, entry.get("digest")) != entry.get("digest"):
            expected = "one entry per platform, or annotations that distinguish the entries"
            yield rules.note("IDX-09", path_at(place), "the same platform as an earlier entry", expected)


class OciIndex(Index, frozen=True, title="OCI image index"):
    """A list of manifests, such as one for each platform, in OCI format (image-index.md)."""

    kind: ClassVar[str] = "oci-index"
    media_types: ClassVar[tuple[str, ...]] = MEDIA_TYPES["oci-index"]

    schema_version: Annotated[SchemaVersion2, Rule("IDX-01", _TWO)] = Field(alias="schemaVersion")
    """The version of the format; always 2."""
    media_type: Annotated[OciIndexType, NullIsDefault, Rule("IDX-02", types.OCI_INDEX)] = Field(
        default=types.OCI_INDEX, alias="mediaType"
    )
    manifests: Annotated[tuple[Descriptor, ...], NullIsEmpty, Rule("IDX-03", _ENTRIES)]
    artifact_type: Annotated[MediaType | None, Rule("IDX-06", "a media type")] = Field(
        default=None, alias="artifactType"
    )
    """The type of the artifact, as a media type."""
    subject: Annotated[Descriptor | None, Rule("IDX-07", "a descriptor object")] = None
    """The manifest that this index belongs to."""
    annotations: Annotated[TextMap | None, Rule("IDX-08", "an object of strings", "ANN-01")] = None
    """Annotations by key; values are strings."""

    @classmethod
    def remarks(cls, members: Members, place: Place, *, pedantic: bool) -> Iterator[Problem]:
        """Yield IDX-02 for a missing media type, and the problems of all indexes."""
        if pedantic and members.get("mediaType") is None:
            yield rules.note("IDX-02", path_at(place, "mediaType"), "nothing", types.OCI_INDEX)
        yield from annotation_rules.remarks(members, place, pedantic=pedantic)
        yield from super().remarks(members, place, pedantic=pedantic)

    @classmethod
    def _entry_remarks(cls, entry: Members, place: Place, platforms: dict[object, object] | None) -> Iterator[Problem]:
        # Entries may have any media type (IDX-04), and builders list Docker manifests in OCI indexes.
        if platforms is not None:
            yield from foreign_remarks(entry, place, rules.note)
        yield from super()._entry_remarks(entry, place, platforms)


class LayoutIndex(OciIndex, frozen=True, title="Index of an OCI image layout"):
    """The `index.json` of an image layout. It is never pushed, so the number of its entries is not limited."""

    manifests: Annotated[tuple[Descriptor, ...], NullIsEmptyUnbounded, Rule("IDX-03", _ENTRIES)]


class DockerManifestList(Index, frozen=True, title="Docker manifest list, version 2"):
    """A list of manifests, one for each platform, in Docker format, version 2 (distribution manifest-v2-2)."""

    kind: ClassVar[str] = "docker-manifest-list"
    media_types: ClassVar[tuple[str, ...]] = MEDIA_TYPES["docker-manifest-list"]

    schema_version: Annotated[SchemaVersion2, Rule("DKL-01", _TWO)] = Field(alias="schemaVersion")
    """The version of the format; always 2."""
    media_type: Annotated[DockerManifestListType, EmptyIsLenient, Rule("DKL-02", types.DOCKER_MANIFEST_LIST)] = Field(
        alias="mediaType"
    )
    manifests: Annotated[tuple[Descriptor, ...], NullIsEmpty, Rule("DKL-03", _ENTRIES)]

    @classmethod
    def _entry_remarks(cls, entry: Members, place: Place, platforms: dict[object, object] | None) -> Iterator[Problem]:
        if entry.get("platform") is None:
            yield rules.warning("DKL-04", path_at(place, "platform"), "nothing", "an object with architecture and os")
        yield from super()._entry_remarks(entry, place, platforms)


AnyManifest = OciManifest | DockerManifest | OciIndex | DockerManifestList
"""A manifest or an index of any modern kind."""


def is_attestation(descriptor: Descriptor) -> bool:
    """Return whether an entry of an index is an attestation about an image."""
    platform = descriptor.platform.value if descriptor.platform else None
    return (platform is not None and platform.is_unknown) or _ATTESTATION in (descriptor.annotations or {})
