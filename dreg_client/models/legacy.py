"""Docker's schema 1 manifests, deprecated since 2019. They are parsed leniently, and signatures are not verified."""

from collections.abc import Callable
from typing import Annotated, ClassVar, cast

from pydantic import Field, GetPydanticSchema
from pydantic_core import core_schema

from dreg_client.models.fields import Rule
from dreg_client.models.kinds import MEDIA_TYPES
from dreg_client.models.stored import StoredDocument
from dreg_client.values import media_type as types
from dreg_client.values.digest import Digest, is_digest


def _lenient(read: Callable[[object], object]) -> GetPydanticSchema:
    """Return the schema of a member; `read` returns a default if the value has the wrong type (SC1-01)."""
    return GetPydanticSchema(
        lambda _, __: core_schema.no_info_before_validator_function(read, core_schema.any_schema())
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _layers(value: object) -> tuple[Digest, ...]:
    entries = cast("list[object]", value) if isinstance(value, list | tuple) else ()
    sums = [cast("dict[str, object]", entry).get("blobSum") for entry in entries if isinstance(entry, dict)]
    return tuple(Digest(text) for text in sums if isinstance(text, str) and is_digest(text))


def _count(value: object) -> int:
    return len(cast("list[object]", value)) if isinstance(value, list) else 0


_Text = Annotated[str | None, _lenient(_text), Rule("SC1-01", "a string")]
_OBJECTS = Rule("SC1-01", "a list of objects")


class LegacyManifest(StoredDocument, frozen=True, title="Docker image manifest, version 2, schema 1"):
    """The manifest of one image, in Docker's old format, version 2, schema 1, plain or signed.

    Its digest covers the bytes as served.
    """

    kind: ClassVar[str] = "legacy-manifest"
    media_types: ClassVar[tuple[str, ...]] = MEDIA_TYPES["legacy-manifest"]
    rivals: ClassVar[frozenset[str]] = frozenset({"layers", "manifests"})
    folded_names_refused: ClassVar[bool] = False
    tolerated: ClassVar[frozenset[str]] = frozenset({"schemaVersion"})

    name: _Text = None
    """The repository of the image."""
    tag: _Text = None
    """The tag of the image."""
    architecture: _Text = None
    """The CPU architecture that the image runs on."""
    layers: Annotated[tuple[Digest, ...], _lenient(_layers), _OBJECTS] = Field(default=(), alias="fsLayers")
    """The digests of the layers, top layer first."""
    history: Annotated[int, _lenient(_count), _OBJECTS] = 0
    """The history entries; in Python, only their number."""
    is_signed: Annotated[bool, _lenient(bool), _OBJECTS] = Field(default=False, alias="signatures")
    """The signatures, which are not verified; in Python, whether there are any."""

    @property
    def media_type(self) -> str:
        """The media type of the signed or the unsigned form."""
        return types.DOCKER_SCHEMA1_SIGNED if self.is_signed else types.DOCKER_SCHEMA1

    def __repr__(self) -> str:
        return f"LegacyManifest({self._shown_digest}, {self.name}:{self.tag}, {len(self.layers)} layers)"
