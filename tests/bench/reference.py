"""A plain model of an OCI manifest, as a good engineer would write it: what strictness costs is measured against it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

_DIGEST = r"^(sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128}|[a-z0-9]+([+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+)$"


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="allow")


class PlainPlatform(_Plain):
    """A platform."""

    architecture: str
    os: str
    os_version: str | None = Field(default=None, alias="os.version")
    os_features: tuple[str, ...] | None = Field(default=None, alias="os.features")
    variant: str | None = None
    features: tuple[str, ...] | None = None


class PlainDescriptor(_Plain):
    """A descriptor."""

    media_type: str = Field(alias="mediaType")
    digest: Annotated[str, Field(pattern=_DIGEST)]
    size: Annotated[int, Field(ge=0)]
    urls: tuple[str, ...] | None = None
    annotations: dict[str, str] | None = None
    data: str | None = None
    artifact_type: str | None = Field(default=None, alias="artifactType")
    platform: PlainPlatform | None = None


class PlainManifest(_Plain):
    """An image manifest."""

    schema_version: int = Field(alias="schemaVersion")
    media_type: str | None = Field(default=None, alias="mediaType")
    artifact_type: str | None = Field(default=None, alias="artifactType")
    config: PlainDescriptor
    layers: tuple[PlainDescriptor, ...]
    subject: PlainDescriptor | None = None
    annotations: dict[str, str] | None = None
