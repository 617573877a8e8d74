"""Docker's schema 1 manifests, deprecated since 2019: recognised and read leniently, never verified."""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, cast

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from dreg_client.models.fields import Rule
from dreg_client.models.kinds import MEDIA_TYPES
from dreg_client.models.stored import StoredDocument
from dreg_client.values import media_type as types
from dreg_client.values.digest import Digest, digest_fault


class _Lenient:
    """A member that reads as absent if it is missing or has another type (SC1-01)."""

    read: Callable[[object], object]

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: type[Any], _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(cls.read, core_schema.any_schema())


class _Text(_Lenient):
    @staticmethod
    def read(value: object) -> str | None:
        return value if isinstance(value, str) else None


class _Layers(_Lenient):
    @staticmethod
    def read(value: object) -> tuple[Digest, ...]:
        entries = cast("list[object]", value) if isinstance(value, list | tuple) else ()
        sums = (cast("dict[str, object]", entry).get("blobSum") for entry in entries if isinstance(entry, dict))
        return tuple(Digest(text) for text in sums if isinstance(text, str) and digest_fault(text) is None)


class _History(_Lenient):
    @staticmethod
    def read(value: object) -> int:
        return len(cast("list[object]", value)) if isinstance(value, list) else 0


class _Signatures(_Lenient):
    @staticmethod
    def read(value: object) -> bool:
        return bool(value)


class LegacyManifest(StoredDocument, frozen=True, title="Docker image manifest, version 2, schema 1"):
    """A Docker image manifest, version 2, schema 1, plain or signed.

    Attributes:
        layers: The digests of the blobs, top layer first, as in the document.
        history: The number of its history entries, which are not parsed.
        is_signed: Whether it has signatures, which are not verified. The digest covers the bytes as served.
    """

    kind: ClassVar[str] = "legacy-manifest"
    media_types: ClassVar[tuple[str, ...]] = MEDIA_TYPES["legacy-manifest"]
    rivals: ClassVar[frozenset[str]] = frozenset({"layers", "manifests"})
    folded_names_refused: ClassVar[bool] = False
    tolerated: ClassVar[frozenset[str]] = frozenset({"schemaVersion"})

    name: Annotated[str | None, _Text, Rule("SC1-01", "a string")] = None
    """The repository of the image."""
    tag: Annotated[str | None, _Text, Rule("SC1-01", "a string")] = None
    """The tag of the image."""
    architecture: Annotated[str | None, _Text, Rule("SC1-01", "a string")] = None
    """The processor that the image runs on."""
    layers: Annotated[tuple[Digest, ...], _Layers, Rule("SC1-01", "a list of objects")] = Field(
        default=(), alias="fsLayers"
    )
    """The digests of the layers, top layer first."""
    history: Annotated[int, _History, Rule("SC1-01", "a list of objects")] = 0
    """The history entries, which are counted and not parsed."""
    is_signed: Annotated[bool, _Signatures, Rule("SC1-01", "a list of objects")] = Field(
        default=False, alias="signatures"
    )
    """The signatures, which are not verified."""

    @property
    def media_type(self) -> str:
        """The media type of the signed or of the plain form."""
        return types.DOCKER_SCHEMA1_SIGNED if self.is_signed else types.DOCKER_SCHEMA1

    def __repr__(self) -> str:
        name = self.digest.short if self.is_stored else "not stored"
        return f"LegacyManifest({name}, {self.name}:{self.tag}, {len(self.layers)} layers)"
