"""Plain models, as a good engineer would write them; strict parsing is compared with them.

They have the same fields, exact types and digests by pattern. They read text in which a member stands twice, sizes
beyond 64 bits and anything as a media type, and keep no bytes, hence no digest.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

_DIGEST = r"^(sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128}|[a-z0-9]+([+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+)$"
_Digest = Annotated[str, Field(pattern=_DIGEST)]


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
    digest: _Digest
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


class PlainIndex(_Plain):
    """An index."""

    schema_version: int = Field(alias="schemaVersion")
    media_type: str | None = Field(default=None, alias="mediaType")
    artifact_type: str | None = Field(default=None, alias="artifactType")
    manifests: tuple[PlainDescriptor, ...]
    subject: PlainDescriptor | None = None
    annotations: dict[str, str] | None = None


class PlainHealthcheck(_Plain):
    """The health check of a container."""

    test: tuple[str, ...] | None = Field(default=None, alias="Test")
    interval: int | None = Field(default=None, alias="Interval")
    timeout: int | None = Field(default=None, alias="Timeout")
    start_period: int | None = Field(default=None, alias="StartPeriod")
    start_interval: int | None = Field(default=None, alias="StartInterval")
    retries: int | None = Field(default=None, alias="Retries")


class PlainParameters(_Plain):
    """The settings that a container runs with."""

    user: str | None = Field(default=None, alias="User")
    exposed_ports: dict[str, dict[str, object]] | None = Field(default=None, alias="ExposedPorts")
    env: tuple[str, ...] | None = Field(default=None, alias="Env")
    entrypoint: tuple[str, ...] | None = Field(default=None, alias="Entrypoint")
    cmd: tuple[str, ...] | None = Field(default=None, alias="Cmd")
    volumes: dict[str, dict[str, object]] | None = Field(default=None, alias="Volumes")
    working_dir: str | None = Field(default=None, alias="WorkingDir")
    labels: dict[str, str] | None = Field(default=None, alias="Labels")
    stop_signal: str | None = Field(default=None, alias="StopSignal")
    args_escaped: bool | None = Field(default=None, alias="ArgsEscaped")
    healthcheck: PlainHealthcheck | None = Field(default=None, alias="Healthcheck")
    shell: tuple[str, ...] | None = Field(default=None, alias="Shell")
    on_build: tuple[str, ...] | None = Field(default=None, alias="OnBuild")


class PlainRootFs(_Plain):
    """The layers of an image."""

    type: str = "layers"
    diff_ids: tuple[_Digest, ...]


class PlainHistoryEntry(_Plain):
    """A step of a build; its time is text, as in dreg-client."""

    created: str | None = None
    created_by: str | None = None
    author: str | None = None
    comment: str | None = None
    empty_layer: bool | None = None


class PlainConfig(_Plain):
    """An image config."""

    architecture: str
    os: str
    rootfs: PlainRootFs
    created: str | None = None
    author: str | None = None
    os_version: str | None = Field(default=None, alias="os.version")
    os_features: tuple[str, ...] | None = Field(default=None, alias="os.features")
    variant: str | None = None
    config: PlainParameters | None = None
    history: tuple[PlainHistoryEntry, ...] = ()
