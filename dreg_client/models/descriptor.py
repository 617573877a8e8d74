"""Descriptors (descriptor.md), and their platforms (image-index.md "platform")."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Final

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetPydanticSchema, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from dreg_client import errors
from dreg_client.errors.problems import Problem
from dreg_client.models import annotations as annotation_rules
from dreg_client.models import rules
from dreg_client.models.base import Members, StrictModel
from dreg_client.models.fields import MAX_SIZE, Base64, DigestText, MediaType, Rule, TextMap, Texts, Uris
from dreg_client.models.grammars import broken, decoded, is_uri
from dreg_client.models.json_schema import comment
from dreg_client.models.kinds import MEDIA_TYPES
from dreg_client.models.lenient import first_of
from dreg_client.models.paths import Place, entries, path_at, show
from dreg_client.models.stored import ParsedModel
from dreg_client.values import media_type as types
from dreg_client.values.digest import COMPUTABLE, REGISTERED, Digest, is_digest
from dreg_client.values.platform import Platform
from dreg_client.values.sizes import KIBIBYTE

MAX_DATA = 64 * KIBIBYTE
_GOOS = (
    "aix android darwin dragonfly freebsd illumos ios js linux netbsd openbsd plan9 solaris wasip1 windows unknown"
).split()
_GOARCH = "386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x wasm unknown".split()
_NAMES: Final = (("architecture", frozenset(_GOARCH)), ("os", frozenset(_GOOS)))
_REGISTERED_PREFIXES: Final = tuple(f"{algorithm}:" for algorithm in REGISTERED)


class DocumentPlatform(StrictModel, frozen=True, title="Platform"):
    """The platform that an image runs on, as written in its document (image-index.md "platform")."""

    architecture: Annotated[str, Rule("PLT-01", "a value of Go's GOARCH, as a string")]
    """The CPU architecture, as in Go's `GOARCH`, such as `amd64`."""
    os: Annotated[str, Rule("PLT-01", "a value of Go's GOOS, as a string")]
    """The operating system, as in Go's `GOOS`, such as `linux`."""
    os_version: Annotated[str | None, Rule("PLT-02", "a string")] = Field(default=None, alias="os.version")
    """The version of the operating system; used mainly for Windows images."""
    os_features: Annotated[Texts | None, Rule("PLT-03", "a list of strings")] = Field(default=None, alias="os.features")
    """Features that the operating system must have, such as `win32k`."""
    variant: Annotated[str | None, Rule("PLT-02", "a string")] = None
    """The CPU variant, such as `v7` for `arm`."""
    features: Annotated[Texts | None, Rule("PLT-03", "a list of strings")] = None
    """Features that the CPU must have; reserved by the specification."""

    @property
    def value(self) -> Platform | None:
        """The platform; None if `os` or `architecture` is empty, which is how Go writes unknown names."""
        if not self.os or not self.architecture:
            return None
        return Platform(self.os, self.architecture, self.variant or "", self.os_version or "", self.os_features or ())

    @classmethod
    def remarks(cls, members: Members, place: Place, *, pedantic: bool) -> Iterator[Problem]:
        """Yield PLT-01 for empty names, and, if `pedantic`, PLT-04."""
        for name, known in _NAMES:
            value = members.get(name)
            if not isinstance(value, str) or value in known:
                continue
            path, expected = path_at(place, name), f"a value of Go's GO{name[:4].upper()}"
            if not value:
                yield rules.warning("PLT-01", path, "an empty string", f"{expected} (the platform is unknown)")
            elif pedantic:
                yield rules.note("PLT-04", path, show(value), expected)


def _empty(size: int, info: ValidationInfo) -> int:
    """Check DSC-10: if the size is zero, the digest must be that of empty content."""
    digest = info.data.get("digest")
    if isinstance(digest, Digest) and digest.computable and digest != Digest.of(b"", digest.algorithm):
        raise broken("DSC-10", "the digest of empty content, as size is 0")
    return size


def _size_schema(_source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
    zero = core_schema.int_schema(strict=True, ge=0, le=0)
    return first_of(
        core_schema.int_schema(strict=True, ge=1, le=MAX_SIZE),
        core_schema.with_info_after_validator_function(_empty, zero),
    )


_Size = Annotated[
    int, GetPydanticSchema(_size_schema, lambda _, __: {"type": "integer", "minimum": 0, "maximum": MAX_SIZE})
]


def _embedded(data: str, info: ValidationInfo) -> str:
    """Check DSC-07: embedded content must match the digest and the size of the descriptor."""
    octets = decoded(data)
    if octets is None:  # invalid base64, which `strict=False` accepts; there is no content to verify
        return data
    digest, size = info.data.get("digest"), info.data.get("size")
    if isinstance(size, int) and len(octets) != size:
        raise broken("DSC-07", f"base64 of {size} bytes (the stated size), not of {len(octets)}")
    if isinstance(digest, Digest) and digest.computable and Digest.of(octets, digest.algorithm) != digest:
        raise broken("DSC-07", f"base64 of content with the digest {digest.short}")
    return data


class Descriptor(ParsedModel, frozen=True, title="Descriptor"):
    """A reference to content by media type, digest and size (descriptor.md "Properties")."""

    kind: ClassVar[str] = "descriptor"
    media_types: ClassVar[tuple[str, ...]] = MEDIA_TYPES["descriptor"]
    names_itself: ClassVar[bool] = False

    media_type: Annotated[MediaType, Rule("DSC-01", "a media type")] = Field(alias="mediaType")
    """The media type of the content."""
    digest: Annotated[DigestText, Rule("DSC-02", "a digest, such as sha256: followed by 64 hex digits")]
    """The digest of the content, such as `sha256:` and 64 hex digits."""
    size: Annotated[_Size, Rule("DSC-03", "an integer from 0 to 2^63 - 1, the size in bytes")]
    """The size of the content in bytes."""
    urls: Annotated[Uris | None, Rule("DSC-04", "a list of URIs")] = None
    """Other URLs from which the content can be downloaded."""
    annotations: Annotated[TextMap | None, Rule("DSC-05", "an object of strings", "ANN-01")] = None
    """Annotations by key; values are strings."""
    data: Annotated[Annotated[Base64, AfterValidator(_embedded)] | None, Rule("DSC-06", "a base64 string")] = None
    """The content itself, embedded as base64."""
    artifact_type: Annotated[MediaType | None, Rule("DSC-08", "a media type")] = Field(
        default=None, alias="artifactType"
    )
    """The type of the artifact, if the descriptor refers to the manifest of an artifact."""
    platform: Annotated[DocumentPlatform | None, Rule("DSC-09", "an object")] = None
    """The platform of the image, if the descriptor refers to the manifest of an image."""

    @property
    def embedded(self) -> bytes | None:
        """The decoded content of `data`, verified by the digest; None if there is none.

        Raises:
            UnsupportedDigestError: It cannot be verified, because the algorithm of the digest is not supported.
        """
        if self.data is None or (octets := decoded(self.data)) is None:
            return None
        # Parsing has compared the content with the digest only if its algorithm can be computed.
        if Digest.of(octets, self.digest.algorithm) != self.digest:
            raise errors.DigestMismatchError(self.digest, Digest.of(octets, self.digest.algorithm), "embedded data")
        return octets

    @property
    def family(self) -> types.Family:
        """The family of the media type."""
        return types.family(self.media_type)

    def __repr__(self) -> str:
        return f"Descriptor({self.media_type}, {self.digest.short}, {self.size} bytes)"

    @classmethod
    def schema_conditions(cls) -> JsonSchemaValue:
        """Return the keywords for DSC-10 and, for empty content, DSC-07: one digest per algorithm, no `data`."""
        nothing = [str(Digest.of(b"", algorithm)) for algorithm in sorted(COMPUTABLE)]
        others = {"not": {"pattern": f"^(?:{'|'.join(sorted(COMPUTABLE))}):"}}
        digest = {"type": "string", "anyOf": [{"enum": nothing}, others]}
        of_nothing = {"digest": digest, "data": {"enum": ["", None]}}
        of_something = {"data": {"not": {"const": ""}}}
        return {
            "if": {"properties": {"size": {"const": 0}}},
            "then": {"$comment": comment("DSC-10", "DSC-07"), "properties": of_nothing},
            "else": {"$comment": comment("DSC-07"), "properties": of_something},
        }

    @classmethod
    def remarks(cls, members: Members, place: Place, *, pedantic: bool) -> Iterator[Problem]:
        """Yield DIG-03, URI-02, DSC-07 for large data, and the problems of annotations."""
        digest = members.get("digest")
        if not is_registered(digest):
            yield from digest_remarks(digest, (place, "digest"))
        for url, here in entries(members, "urls", place) if "urls" in members else ():
            if isinstance(url, str) and is_uri(url) and not url.lower().startswith(("http:", "https:")):
                yield rules.warning("URI-02", path_at(here), show(url), "an http or https URI")
        if "data" in members:
            yield from _data_remarks(members, place)
        if "annotations" in members:
            yield from annotation_rules.remarks(members, place, pedantic=pedantic)


def _data_remarks(members: Members, place: Place) -> Iterator[Problem]:
    """Yield DSC-07 for embedded content that is large, or cannot be verified."""
    data, digest = members["data"], members.get("digest")
    octets = decoded(data) if isinstance(data, str) else None
    if octets is None:
        return
    if len(octets) > MAX_DATA:
        yield rules.warning("DSC-07", path_at(place, "data"), f"{len(octets)} bytes", f"at most {MAX_DATA} bytes")
    if isinstance(digest, str) and is_digest(digest) and not Digest(digest).computable:
        expected = f"a digest that can be computed: {' or '.join(sorted(COMPUTABLE))}"
        yield rules.warning("DSC-07", path_at(place, "data"), "content that cannot be verified", expected)


def is_registered(digest: object) -> bool:
    """Return whether a digest starts with a registered algorithm, as nearly all do."""
    return isinstance(digest, str) and digest.startswith(_REGISTERED_PREFIXES)


def digest_remarks(digest: object, place: Place) -> Iterator[Problem]:
    """Yield DIG-03 if the algorithm of a digest is not registered."""
    if isinstance(digest, str) and not is_registered(digest) and is_digest(digest):
        yield rules.warning("DIG-03", path_at(place), show(digest), "a registered algorithm: sha256 or sha512")


def empty_remarks(members: Members, place: Place) -> Iterator[Problem]:
    """Yield MAN-06 if content of the empty media type is not the two bytes `{}`."""
    is_empty = members.get("mediaType") == types.OCI_EMPTY
    if is_empty and (members.get("digest"), members.get("size")) != (types.EMPTY_DIGEST, types.EMPTY_SIZE):
        found = f"{show(members.get('digest'))} of {show(members.get('size'))} bytes"
        yield rules.warning("MAN-06", path_at(place), found, f"the digest and size of {{}}: {types.EMPTY_DIGEST}, 2")
