"""Names of stores, as the command line accepts them: kind, path, and the image inside."""

import re
from dataclasses import dataclass, field
from typing import Final, Literal, cast

from dreg_client.errors import InvalidReferenceError
from dreg_client.values.digest import Digest, is_digest
from dreg_client.values.reference import Reference, is_tag, shown

Kind = Literal["registry", "oci", "oci-archive", "docker-archive"]
_LONGEST: Final = 8192
_KINDS: Final = ("oci", "oci-archive", "docker-archive")
_SIMILAR: Final = 0.8
"""How much alike a misspelt kind is, from 0 to 1: `ocii` has 0.86 of `oci`."""
_PATH: Final = re.compile(r"/|\.\.?(?:/|\\|$)|~|[A-Za-z]:[/\\]")
_ARCHIVE: Final = re.compile(r"\.(?:tar|tar\.(?:gz|bz2|xz)|tgz|cnb)(?::|$)")
# A port has at least two digits here: `rocket.chat:4` is an image of Docker Hub.
_HOST_ALONE: Final = re.compile(r"localhost(?::[0-9]+)?|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+:[0-9]{2,5}", re.ASCII)
_OTHER_TOOLS: Final = {
    "dir": "convert it by: skopeo copy dir:PATH oci:PATH",
    "docker-daemon": "save the image by: docker save -o FILE IMAGE, and read docker-archive:FILE",
    "containers-storage": "save the image by: podman save -o FILE IMAGE, and read docker-archive:FILE",
    "oci-layout": "write oci:PATH",
    "oci-dir": "write oci:PATH",
    "file": "write oci:PATH for a layout",
    "tarball": "write docker-archive:FILE",
}
"""Kinds of other tools, and what to do; all would be taken for repositories of Docker Hub."""


@dataclass(frozen=True, slots=True)
class StoreName:
    """The name of a store, and optionally of an image in it.

    Attributes:
        kind: The kind of store: a registry, a layout directory, an archive of a layout, or one of `docker save`.
        path: The directory or file; empty for a registry.
        reference: The image in a registry, or in a `docker save` archive.
        tag: The name of an entry in a layout.
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
        """Read `oci:PATH[:TAG|@DIGEST]`, `oci-archive:FILE[:NAME]`, `docker-archive:FILE[:REF|:@INDEX]`, `[docker://]REF`.

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
            return _layout(rest) if kind == "oci" else _archive(cast("Kind", kind), rest)
        name = text.removeprefix("docker://")
        if name == text and (expected := _mistake(text)):
            raise InvalidReferenceError(shown(text), "reference", expected)
        named = "@" in name or ":" in name.rpartition("/")[2]
        return cls("registry", reference=Reference.parse(name), is_named=named)

    def __str__(self) -> str:
        if self.kind == "registry":
            return str(self.reference)
        if self.digest is not None and (self.kind == "oci" or ":" not in self.path):
            return f"{self.kind}:{self.path}@{self.digest}"
        asked = f"@{self.digest}" if self.digest is not None else str(self.reference or reference_of(self))
        return f"{self.kind}:{self.path}" + (f":{asked}" if asked else "")


def reference_of(name: StoreName) -> str:
    """Return what a name requests from its store: a digest, a tag, a position in an archive, or an empty text."""
    if name.kind == "registry" and name.reference is not None:
        return name.reference.digest or name.reference.tag or ""
    if name.digest is not None:
        return name.digest
    if name.index is not None:
        return f"@{name.index}"
    if name.kind == "docker-archive" and name.reference is not None:
        return name.reference.digest or str(name.reference)
    return name.tag or ""


def _mistake(text: str) -> str | None:
    """Return what is expected instead of a text that is valid as a reference, or not, but names something else."""
    if _PATH.match(text) or (_ARCHIVE.search(text) and not _has_host(text)):
        return f"the kind of store before a path: {', '.join(f'{kind}:{shown(text)}' for kind in _KINDS)}"
    first, colon, rest = text.partition(":")
    if _HOST_ALONE.fullmatch(text):
        return f"a repository in that registry, as {shown(text)}/NAME; Registry({shown(text)!r}) is the registry itself"
    if colon and "/" not in first and "." not in first:
        from difflib import get_close_matches  # noqa: PLC0415 (most names do not get here)

        for kind in get_close_matches(first.lower(), _KINDS, n=1, cutoff=_SIMILAR):
            return f"a kind of store that is known; did you mean {kind}:{shown(rest)}?"
        if first in _OTHER_TOOLS:
            return f"a kind of store that dreg-client reads: a registry, or {', '.join(_KINDS)}; {_OTHER_TOOLS[first]}"
    return None


def _has_host(text: str) -> bool:
    first, slash, _ = text.partition("/")
    return bool(slash) and (first == "localhost" or "." in first or ":" in first)


def _layout(text: str) -> StoreName:
    """Parse a valid digest after the last `@`, else a valid tag after the last `:` that does not end a drive letter."""
    path, at, digest = text.rpartition("@")
    if at and path and is_digest(digest):
        return StoreName("oci", path, digest=Digest(digest))
    path, colon, tag = text.rpartition(":")
    if colon and path and is_tag(tag) and not (len(path) == 1 and path.isalpha()):
        return StoreName("oci", path, tag=tag)
    return StoreName("oci", text)


def _archive(kind: Kind, text: str) -> StoreName:
    """Parse a file, and the image after the first colon that does not end a drive letter."""
    drive = text[:2] if len(text) > 2 and text[0].isalpha() and text[1] == ":" and text[2] in "/\\" else ""
    path, _, asked = text[len(drive) :].partition(":")
    if not path:
        raise InvalidReferenceError(shown(text), "reference", "the path of an archive")
    file, at, algorithm = path.rpartition("@")
    if kind == "oci-archive" and at and file and is_digest(f"{algorithm}:{asked}"):  # without a colon before the @
        return StoreName(kind, drive + file, digest=Digest(f"{algorithm}:{asked}"))
    return archived(kind, drive + path, asked)


def archived(kind: Kind, path: str, asked: str) -> StoreName:
    """Return the name of what is asked for in an archive: a name, `@INDEX` or a digest; everything if it is empty."""
    if not asked:
        return StoreName(kind, path)
    if kind == "oci-archive":
        _, at, digest = asked.rpartition("@")
        if at and is_digest(digest):  # of a tag and a digest, the digest decides
            return StoreName(kind, path, digest=Digest(digest))
        if asked.startswith("@"):
            raise InvalidReferenceError(shown(asked), "digest", "@ and a digest, such as @sha256:...")
        return StoreName(kind, path, tag=asked)
    if asked.startswith("@"):
        if not (asked[1:].isascii() and asked[1:].isdigit() and len(asked) < 8):
            raise InvalidReferenceError(shown(asked), "reference", "@ and the place of the image, the first being 0")
        return StoreName(kind, path, index=int(asked[1:]))
    return StoreName(kind, path, reference=Reference.parse(asked))
