"""Names of stores, as the command line accepts them: kind, path, and the image inside."""

from dataclasses import dataclass, field
from typing import Final, Literal

from dreg_client.errors import InvalidReferenceError
from dreg_client.values.digest import Digest, digest_fault
from dreg_client.values.reference import Reference, Tag, shown

Kind = Literal["registry", "oci", "oci-archive", "docker-archive"]
_DOCKER: Final = "docker://"
_LONGEST: Final = 8192


@dataclass(frozen=True, slots=True)
class StoreName:
    """The name of a store, and optionally of an image in it.

    Attributes:
        kind: The kind of store: a registry, a layout directory, an archive of a layout, or one of `docker save`.
        path: The directory or file; empty for a registry.
        reference: The image in a registry, or in a `docker save` archive.
        tag: The tag in a layout.
        digest: The digest in a layout.
        index: The position in a `docker save` archive, from 0.
        is_named: Whether the text itself has a tag or digest of a registry; otherwise `latest` is the default.
    """

    kind: Kind
    path: str = ""
    reference: Reference | None = None
    tag: str | None = None
    digest: Digest | None = None
    index: int | None = None
    is_named: bool = field(default=True, compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> "StoreName":
        """Read `oci:PATH[:TAG|@DIGEST]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:REF|:@INDEX]`, `[docker://]REF`.

        Raises:
            InvalidReferenceError: The text is not a valid name.

        Examples:
            >>> StoreName.parse("oci:build/web:1.4").tag
            '1.4'
        """
        if len(text) > _LONGEST:
            raise InvalidReferenceError(shown(text), "reference", f"at most {_LONGEST} characters")
        kind, colon, rest = text.partition(":")
        if colon and kind in {"oci", "oci-archive", "docker-archive"}:
            if not rest or "\0" in rest:
                raise InvalidReferenceError(shown(text), "reference", f"a path, as {kind}:PATH")
            return _PARSERS[kind](rest)
        name = text.removeprefix(_DOCKER)
        reference = Reference.parse(name)
        named = "@" in name or ":" in name.rpartition("/")[2]
        return cls("registry", reference=reference, is_named=named)

    def __str__(self) -> str:
        if self.kind == "registry":
            return str(self.reference)
        asked = ""
        if self.digest is not None:
            asked = f"@{self.digest}" if self.kind == "oci" else f":@{self.digest}"
        elif self.index is not None:
            asked = f":@{self.index}"
        elif self.tag is not None or self.reference is not None:
            asked = f":{self.tag or self.reference}"
        return f"{self.kind}:{self.path}{asked}"


def reference_of(name: StoreName) -> str:
    """Return what a name requests from its store: a digest, a tag, a position in an archive, or an empty text."""
    if name.kind == "registry" and name.reference is not None:
        return name.reference.digest or name.reference.tag or ""
    if name.digest is not None:
        return name.digest
    if name.index is not None:
        return f"@{name.index}"
    if name.kind == "docker-archive" and name.reference is not None:
        return str(name.reference)
    return name.tag or ""


def _layout(text: str) -> StoreName:
    """Parse a valid digest after the last `@`, else a valid tag after the last `:` that does not end a drive letter."""
    path, at, digest = text.rpartition("@")
    if at and path and digest_fault(digest) is None:
        return StoreName("oci", path, digest=Digest(digest))
    path, colon, tag = text.rpartition(":")
    if colon and path and _is_tag(tag) and not (len(path) == 1 and path.isalpha()):
        return StoreName("oci", path, tag=tag)
    return StoreName("oci", text)


def _layout_archive(text: str) -> StoreName:
    path, asked = _cut_archive(text)
    if not asked:
        return StoreName("oci-archive", path)
    if asked.startswith("@") and digest_fault(asked[1:]) is None:
        return StoreName("oci-archive", path, digest=Digest(asked[1:]))
    return StoreName("oci-archive", path, tag=Tag(asked))


def _docker_archive(text: str) -> StoreName:
    path, asked = _cut_archive(text)
    if not asked:
        return StoreName("docker-archive", path)
    if asked.startswith("@"):
        if not (asked[1:].isascii() and asked[1:].isdigit() and len(asked) < 8):
            raise InvalidReferenceError(shown(asked), "reference", "@ and the place of the image, the first being 0")
        return StoreName("docker-archive", path, index=int(asked[1:]))
    return StoreName("docker-archive", path, reference=Reference.parse(asked))


def _cut_archive(text: str) -> tuple[str, str]:
    """Return the file, and the text after the first colon that does not end a drive letter."""
    drive = text[:2] if len(text) > 2 and text[0].isalpha() and text[1] == ":" and text[2] in "/\\" else ""
    path, _, asked = text[len(drive) :].partition(":")
    if not path:
        raise InvalidReferenceError(shown(text), "reference", "the path of an archive")
    return drive + path, asked


def _is_tag(text: str) -> bool:
    try:
        Tag(text)
    except InvalidReferenceError:
        return False
    return True


_PARSERS: Final = {"oci": _layout, "oci-archive": _layout_archive, "docker-archive": _docker_archive}
