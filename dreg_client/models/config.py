"""Image configs: how to run an image, the digests of its unpacked layers, and its history (config.md)."""

import re
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal, cast

from pydantic import Field, GetPydanticSchema
from pydantic_core import core_schema

from dreg_client.errors.problems import Problem
from dreg_client.models import rules
from dreg_client.models.base import Members, StrictModel
from dreg_client.models.descriptor import digest_remarks, is_registered
from dreg_client.models.fields import (
    MAX_SIZE,
    DigestText,
    EmptyIsDefault,
    EmptyObjects,
    NullIsEmptyUnbounded,
    Rule,
    TextMap,
    Texts,
    Time,
)
from dreg_client.models.kinds import MEDIA_TYPES
from dreg_client.models.lenient import first_of, lenient, strict_part
from dreg_client.models.paths import Place, entries, object_at, objects, path_at, show
from dreg_client.models.stored import StoredDocument
from dreg_client.values.platform import Platform

_PORT = re.compile(r"[0-9]{1,5}(?:-[0-9]{1,5})?(?:/(?:tcp|udp|sctp))?", re.ASCII)
_DOCKER_TOP = (
    "id parent container container_config docker_version comment throwaway Size "
    "moby.buildkit.buildinfo.v1 moby.buildkit.cache.v0"
)
_DOCKER_CONFIG = (
    "Hostname Domainname AttachStdin AttachStdout AttachStderr Tty OpenStdin StdinOnce Image MacAddress "
    "NetworkDisabled StopTimeout PublishService Memory MemorySwap CpuShares"
)
_Integer = Annotated[
    int,
    GetPydanticSchema(
        lambda _, __: first_of(
            core_schema.int_schema(strict=True, ge=0, le=MAX_SIZE), lenient(core_schema.int_schema(strict=True))
        ),
        strict_part,
    ),
]
_Count = Annotated[_Integer | None, Rule("CFG-15", "a non-negative integer")]
_Words = Annotated[Texts | None, Rule("CFG-10", "a list of strings")]
_Names = Annotated[EmptyObjects | None, Rule("CFG-11", "an object of empty objects", "CFG-11")]
_Word = Annotated[str | None, Rule("CFG-08", "a string")]
_SPACES = re.compile(r"\s+")
_NOP = re.compile(r"^(?:/bin/sh -c|cmd /S /C|powershell -Command .*?)\s+#\(nop\)\s+", re.DOTALL)
_BUILD_ARGS = re.compile(r"^\|\d+ ")
_SHELLS = ("/bin/sh -c ", "/bin/bash -o pipefail -c ", "/bin/bash -c ", "cmd /S /C ", "powershell -Command ")
_INSTRUCTIONS = frozenset(
    "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL "
    "USER VOLUME WORKDIR".split()
)


class _ConfigObject(StrictModel, frozen=True):
    nul_allowed: ClassVar[bool] = True
    folded_names_refused: ClassVar[bool] = False


class Healthcheck(_ConfigObject, frozen=True, title="Health check"):
    """How Docker checks whether a container is healthy; times are in nanoseconds (moby image specification v1.2)."""

    test: Annotated[Texts | None, Rule("CFG-15", "a list of strings")] = Field(default=None, alias="Test")
    """How to run the command (`NONE`, `CMD` or `CMD-SHELL`), followed by the command."""
    interval: _Count = Field(default=None, alias="Interval")
    """The time between two checks, in nanoseconds."""
    timeout: _Count = Field(default=None, alias="Timeout")
    """The timeout of one check, in nanoseconds."""
    start_period: _Count = Field(default=None, alias="StartPeriod")
    """The time after the start during which failed checks do not count, in nanoseconds."""
    start_interval: _Count = Field(default=None, alias="StartInterval")
    """The time between two checks during the start period, in nanoseconds."""
    retries: _Count = Field(default=None, alias="Retries")
    """The number of consecutive failed checks that make a container unhealthy."""


class ExecutionParameters(_ConfigObject, frozen=True, title="Execution parameters"):
    """The default settings of a container that runs the image (config.md "config")."""

    tolerated: ClassVar[frozenset[str]] = frozenset(_DOCKER_CONFIG.split())

    user: _Word = Field(default=None, alias="User")
    """The user, or user and group, that runs the process, such as `1000:1000`."""
    exposed_ports: _Names = Field(default=None, alias="ExposedPorts")
    """The ports that the container exposes, such as `8080/tcp`, each with the value `{}`."""
    env: Annotated[Texts | None, Rule("CFG-09", "a list of strings, each NAME=VALUE")] = Field(
        default=None, alias="Env"
    )
    """The environment variables, each as `NAME=VALUE`."""
    entrypoint: _Words = Field(default=None, alias="Entrypoint")
    """The command to run; arguments are appended."""
    cmd: _Words = Field(default=None, alias="Cmd")
    """The arguments of the entrypoint, or the whole command if there is none."""
    volumes: _Names = Field(default=None, alias="Volumes")
    """The directories whose data is kept outside the container, each with the value `{}`."""
    working_dir: _Word = Field(default=None, alias="WorkingDir")
    """The working directory of the process."""
    labels: Annotated[TextMap | None, Rule("CFG-13", "an object of strings", "CFG-13")] = Field(
        default=None, alias="Labels"
    )
    """Labels by key; values are strings."""
    stop_signal: _Word = Field(default=None, alias="StopSignal")
    """The signal that stops the process, such as `SIGTERM`."""
    args_escaped: Annotated[bool | None, Rule("CFG-14", "true or false")] = Field(default=None, alias="ArgsEscaped")
    """Whether the command is a single string that is already escaped (Windows only, deprecated)."""
    healthcheck: Annotated[Healthcheck | None, Rule("CFG-15", "an object")] = Field(default=None, alias="Healthcheck")
    """How to check whether the container is healthy."""
    shell: _Words = Field(default=None, alias="Shell")
    """The shell that runs commands given as a single string."""
    on_build: _Words = Field(default=None, alias="OnBuild")
    """Dockerfile instructions that run first when another image is built on this one."""

    @classmethod
    def remarks(cls, members: Members, place: Place, *, pedantic: bool) -> Iterator[Problem]:  # noqa: ARG003 (no notes)
        """Yield CFG-09 and CFG-12 for invalid entries."""
        for entry, here in entries(members, "Env", place):
            if isinstance(entry, str) and entry.find("=") < 1:
                yield rules.warning("CFG-09", path_at(here), show(entry), "NAME=VALUE")
        for port in object_at(members, "ExposedPorts"):
            if not _PORT.fullmatch(port):
                expected = "a port or range, optionally with /tcp, /udp or /sctp"
                yield rules.warning("CFG-12", path_at(place, "ExposedPorts", port), show(port), expected)


class RootFs(_ConfigObject, frozen=True, title="Root file system"):
    """The digests of the uncompressed layers, lowest layer first (config.md "rootfs")."""

    tolerated: ClassVar[frozenset[str]] = frozenset({"base_layer"})

    type: Annotated[Literal["layers"], EmptyIsDefault, Rule("CFG-05", '"layers"')] = "layers"
    """The type of the root file system; always `layers`."""
    diff_ids: Annotated[tuple[DigestText, ...], NullIsEmptyUnbounded, Rule("CFG-06", "a list of digests")]
    """The digests of the uncompressed layers, lowest layer first."""

    @classmethod
    def remarks(cls, members: Members, place: Place, *, pedantic: bool) -> Iterator[Problem]:  # noqa: ARG003 (no notes)
        """Yield CFG-05 for a missing type, and DIG-03 for the digests."""
        if members.get("type") in (None, ""):
            yield rules.warning("CFG-05", path_at(place, "type"), show(members.get("type", "nothing")), '"layers"')
        for digest, here in entries(members, "diff_ids", place):
            if not is_registered(digest):
                yield from digest_remarks(digest, here)


class HistoryEntry(_ConfigObject, frozen=True, title="History entry"):
    """One build step of an image (config.md "history")."""

    created: Annotated[Time | None, Rule("CFG-17", "a date and time as a string")] = None
    """The time when the step ran."""
    created_by: Annotated[str | None, Rule("CFG-18", "a string")] = None
    """The command that the step ran."""
    author: Annotated[str | None, Rule("CFG-18", "a string")] = None
    """The author of the step."""
    comment: Annotated[str | None, Rule("CFG-18", "a string")] = None
    """A comment about the step."""
    empty_layer: Annotated[bool | None, Rule("CFG-19", "true or false")] = None
    """Whether the step created no layer."""

    @property
    def clean_created_by(self) -> str:
        """The instruction as in the Dockerfile, without the wrappers of build tools."""
        return clean_instruction(self.created_by or "")


class ImageConfig(_ConfigObject, StoredDocument, frozen=True, title="Image config"):
    """The config of an image, in OCI or Docker format (config.md "Properties")."""

    kind: ClassVar[str] = "image-config"
    media_types: ClassVar[tuple[str, ...]] = MEDIA_TYPES["image-config"]
    tolerated: ClassVar[frozenset[str]] = frozenset(_DOCKER_TOP.split())

    architecture: Annotated[str, Rule("CFG-01", "a value of Go's GOARCH, as a string")]
    """The CPU architecture that the image runs on, as in Go's `GOARCH`, such as `amd64`."""
    os: Annotated[str, Rule("CFG-01", "a value of Go's GOOS, as a string")]
    """The operating system that the image runs on, as in Go's `GOOS`, such as `linux`."""
    rootfs: Annotated[RootFs, Rule("CFG-05", "an object with type and diff_ids")]
    """The digests of the uncompressed layers."""
    created: Annotated[Time | None, Rule("CFG-02", "a date and time as a string")] = None
    """The time when the image was created."""
    author: Annotated[str | None, Rule("CFG-03", "a string")] = None
    """The author of the image."""
    os_version: Annotated[str | None, Rule("CFG-03", "a string")] = Field(default=None, alias="os.version")
    """The version of the operating system; used mainly for Windows images."""
    os_features: Annotated[Texts | None, Rule("CFG-04", "a list of strings")] = Field(default=None, alias="os.features")
    """Features that the operating system must have, such as `win32k`."""
    variant: Annotated[str | None, Rule("CFG-03", "a string")] = None
    """The CPU variant, such as `v7` for `arm`."""
    config: Annotated[ExecutionParameters | None, Rule("CFG-07", "an object")] = None
    """The default settings of a container that runs the image."""
    history: Annotated[tuple[HistoryEntry, ...], NullIsEmptyUnbounded, Rule("CFG-16", "a list of objects")] = ()
    """The build steps, first step first."""

    @property
    def platform(self) -> Platform | None:
        """The platform of the image; None if `os` or `architecture` is empty."""
        if not self.os or not self.architecture:
            return None
        return Platform(self.os, self.architecture, self.variant or "", self.os_version or "", self.os_features or ())

    @property
    def non_empty_history(self) -> tuple[HistoryEntry, ...]:
        """The steps that created a layer, bottom first."""
        return tuple(entry for entry in self.history if not entry.empty_layer)

    def __repr__(self) -> str:
        return f"ImageConfig({self._shown_digest}, {self.os}/{self.architecture}, {len(self.rootfs.diff_ids)} layers)"

    @classmethod
    def remarks(cls, members: Members, place: Place, *, pedantic: bool) -> Iterator[Problem]:  # noqa: ARG003 (no notes)
        """Yield CFG-01 for empty names, and CFG-20."""
        empty = [name for name in ("architecture", "os") if members.get(name) == ""]
        if len(empty) == 2:
            found = "empty strings for architecture and os"
            yield rules.warning("CFG-01", path_at(place), found, "the platform of the image")
        elif empty:
            yield rules.warning("CFG-01", path_at(place, empty[0]), "an empty string", "the platform of the image")
        yield from cls._history_remarks(members, place)

    @classmethod
    def _history_remarks(cls, members: Members, place: Place) -> Iterator[Problem]:
        history, diff_ids = members.get("history"), object_at(members, "rootfs").get("diff_ids")
        if not isinstance(history, list) or not history or not isinstance(diff_ids, list | None):
            return
        empty = sum(entry.get("empty_layer") is True for entry, _ in objects(members, "history", place))
        steps, layers = len(cast("list[object]", history)) - empty, len(cast("list[object]", diff_ids or []))
        if steps != layers:
            expected = f"one for each of the {layers} diff_ids"
            yield rules.warning("CFG-20", path_at(place, "history"), f"{steps} entries that created a layer", expected)


def layer_count_remarks(diff_ids: int, layers: int) -> Iterator[Problem]:
    """Yield CFG-21 if the config has a different number of diff_ids than the manifest has layers."""
    if diff_ids != layers:
        expected = f"one layer for each of the config's {diff_ids} diff_ids"
        yield rules.warning("CFG-21", "$.layers", f"{layers} layers", expected)


def clean_instruction(created_by: str) -> str:
    """Return the Dockerfile instruction of a `created_by`, on one line.

    The forms of the classic builder (`/bin/sh -c #(nop) ...`, `|1 ARG=... /bin/sh -c ...`), of BuildKit (`RUN /bin/sh
    -c ... # buildkit`) and of Windows (`cmd /S /C ...`) are recognised. Any other string is returned unchanged.

    Examples:
        >>> clean_instruction('/bin/sh -c #(nop)  CMD ["bash"]')
        'CMD ["bash"]'
        >>> clean_instruction("|1 VERSION=1.4 /bin/sh -c make $VERSION")
        'RUN make $VERSION'
        >>> clean_instruction("RUN /bin/sh -c apt-get update # buildkit")
        'RUN apt-get update'
    """
    text = _SPACES.sub(" ", created_by).strip()
    text = text.removesuffix("# buildkit").rstrip()
    if _NOP.match(text):
        return _NOP.sub("", text)
    word, _, rest = text.partition(" ")
    if word == "RUN":
        return f"RUN {_without_shell(_without_arguments(rest)) or rest}"
    if word in _INSTRUCTIONS:
        return text
    command = _without_shell(_without_arguments(text))
    return f"RUN {command}" if command else text


def _without_arguments(text: str) -> str:
    """Return the command after `|2 NAME=VALUE OTHER=VALUE`. Values may contain spaces, so search for the shell."""
    if not _BUILD_ARGS.match(text):
        return text
    starts = [text.find(shell) for shell in _SHELLS if shell in text]
    return text[min(starts) :] if starts else text


def _without_shell(text: str) -> str | None:
    """Return the command that a shell runs; None if the string does not start with a shell."""
    return next((text.removeprefix(shell).strip() for shell in _SHELLS if text.startswith(shell)), None)
