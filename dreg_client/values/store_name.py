"""Names of stores as on the command line: kind, path, and the image in the store."""

import re
from dataclasses import dataclass, field
from typing import Final, Literal, cast

from dreg_client.errors import InvalidReferenceError
from dreg_client.values.digest import Digest, is_digest
from dreg_client.values.reference import DEFAULT_TAG, Reference, RepositoryName, Tag, is_tag, shown
from dreg_client.values.registry_name import may_be_host

Kind = Literal["registry", "oci", "oci-archive", "docker-archive", "registry-storage"]
_LONGEST: Final = 8192
_WRITTEN: Final = ("oci", "oci-archive", "docker-archive")
"""The kinds to write before the path of a source or a destination. A storage is only read, and must exist."""
KINDS: Final = (*_WRITTEN, "registry-storage")
_WITH_PASSWORD: Final = re.compile(r"[^/]*://[^/@]*:[^/]*@")
_TREE: Final = "/docker/registry/v2"
STORAGE_IS_READ: Final = "the storage of a registry is only read; change it through the registry"
_SIMILAR: Final = 0.8
"""The similarity from which a prefix counts as misspelt, from 0 to 1: `ocii` and `oci` have 0.86."""
_PATH: Final = re.compile(r"/|\.\.?(?:/|\\|$)|~|[A-Za-z]:[/\\]")
_ARCHIVE: Final = re.compile(r"\.(?:tar|tar\.(?:gz|bz2|xz)|tgz|cnb)(?::|$)")
# A port has at least two digits here: `rocket.chat:4` is an image of Docker Hub.
_HOST_ALONE: Final = re.compile(r"localhost(?::[0-9]+)?|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+:[0-9]{2,5}", re.ASCII)
_OTHER_TOOLS: Final = {
    "dir": "convert it with: skopeo copy dir:PATH oci:PATH",
    "docker-daemon": "run: docker save -o FILE IMAGE, then use docker-archive:FILE",
    "containers-storage": "run: podman save -o FILE IMAGE, then use docker-archive:FILE",
    "oci-layout": "use oci:PATH",
    "oci-dir": "use oci:PATH",
    "file": "use oci:PATH for a layout",
    "tarball": "use docker-archive:FILE",
}
"""Prefixes of other tools, and what to do instead. All of them would be valid repositories of Docker Hub."""


@dataclass(frozen=True, slots=True)
class StoreName:
    """The name of a store, and optionally of an image in it.

    Attributes:
        kind: The kind of store: a registry, a layout directory, an archive of a layout, an archive of `docker save`, or
            the storage of a registry.
        path: The directory, the file, or the URL of a storage; empty for a registry.
        repository: The repository in the storage of a registry; None if the storage as a whole is named.
        reference: The image in a registry or in an archive of `docker save`.
        tag: The name of an entry in a layout, or the tag in a repository of a storage.
        digest: The digest of an entry in a layout, or of a manifest in a repository of a storage.
        index: The position in an archive of `docker save`, starting at 0.
        is_named: Whether the parsed string contains a tag or digest; if not, the tag in a registry or in its storage is
            `latest`.
        written: The reference in an archive of `docker save` as it was written, for messages.
    """

    kind: Kind
    path: str = ""
    reference: Reference | None = None
    tag: str | None = None
    digest: Digest | None = None
    index: int | None = None
    repository: RepositoryName | None = None
    is_named: bool = field(default=True, compare=False, repr=False)
    written: str = field(default="", compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> "StoreName":
        """Parse `oci:PATH[:TAG|@DIGEST]`, `oci-archive:FILE[:NAME]`, `docker-archive:FILE[:REF|:@INDEX]`, `[docker://]REF`.

        In `registry-storage:PATH[/REPOSITORY[:TAG|@DIGEST]]`, only the files that exist tell where the path ends.
        Therefore all of it becomes the path, unless it contains `docker/registry/v2`.

        Raises:
            InvalidReferenceError: The string is not a valid name.

        Examples:
            >>> StoreName.parse("oci:build/web:1.4").tag
            '1.4'
        """
        if len(text) > _LONGEST:
            raise InvalidReferenceError(shown(text), "reference", f"at most {_LONGEST} characters")
        kind, colon, rest = text.partition(":")
        if colon and kind in KINDS:
            if not rest or "\0" in rest:
                raise InvalidReferenceError(shown(text), "reference", f"a path: {kind}:PATH")
            return _in_files(cast("Kind", kind), rest)
        name = text.removeprefix("docker://")
        if name == text and (expected := _mistake(text)):
            raise InvalidReferenceError(shown(text), "reference", expected)
        named = "@" in name or ":" in name.rpartition("/")[2]
        return cls("registry", reference=Reference.parse(name), is_named=named)

    def __str__(self) -> str:
        if self.kind == "registry":
            return str(self.reference)
        if self.kind == "registry-storage":
            return f"{repository_of(self)}{_suffix(self)}"
        if self.digest is not None:
            return f"{self.kind}:{self.path}@{self.digest}"
        image = str(self.reference or reference_of(self))
        return f"{self.kind}:{self.path}" + (f":{image}" if image else "")


def reference_of(name: StoreName) -> str:
    """Return the image that a name requests from its store: a digest, a tag, `@POSITION`, or an empty string."""
    if name.kind == "registry" and name.reference is not None:
        return name.reference.digest or name.reference.tag or ""
    if name.digest is not None:
        return name.digest
    if name.index is not None:
        return f"@{name.index}"
    if name.kind == "docker-archive" and name.reference is not None:
        return name.reference.digest or name.written or str(name.reference)
    return name.tag or ""


def repository_of(name: StoreName) -> str:
    """Return the name of a repository, a layout or an archive: without an image."""
    if name.kind == "registry" and name.reference is not None:
        return f"{name.reference.registry}/{name.reference.repository}"
    below = "" if name.repository is None else f"{'' if name.path.endswith('/') else '/'}{name.repository}"
    return f"{name.kind}:{name.path}{below}"


def why_not_changed(name: StoreName) -> str:
    """Return why a store that is neither a repository nor a layout cannot be changed, for messages."""
    if name.kind == "registry-storage":
        return STORAGE_IS_READ
    return "dreg can only change registries and layouts"


def _suffix(name: StoreName) -> str:
    if name.digest is not None:
        return f"@{name.digest}"
    return f":{name.tag}" if name.tag and name.is_named else ""


def _in_files(kind: Kind, rest: str) -> StoreName:
    if kind == "registry-storage":
        _check_no_password(rest)
        before, tree, after = rest.rpartition(_TREE)
        is_end = bool(tree) and after[:1] in {"", "/"}
        return image_in_storage(before + tree, after) if is_end else StoreName(kind, rest, is_named=False)
    return _layout(rest) if kind == "oci" else _archive(kind, rest)


def _mistake(text: str) -> str | None:
    """Return what to write instead of a path, a bare host or another tool's prefix; None if it is none of these."""
    if _PATH.match(text) or (_ARCHIVE.search(text) and not _has_host(text)):
        return f"a store prefix before a path, such as {', '.join(f'{kind}:{shown(text)}' for kind in _WRITTEN)}"
    first, colon, rest = text.partition(":")
    if _HOST_ALONE.fullmatch(text):
        return f"a repository, such as {shown(text)}/NAME; for the registry itself, use Registry({shown(text)!r})"
    if colon and "/" not in first and "." not in first:
        from difflib import get_close_matches  # noqa: PLC0415 (most names do not get here)

        for kind in get_close_matches(first.lower(), KINDS, n=1, cutoff=_SIMILAR):
            return f"a known store prefix; did you mean {kind}:{shown(rest)}?"
        if first in _OTHER_TOOLS:
            return f"a registry, or one of the prefixes {', '.join(KINDS)}; {_OTHER_TOOLS[first]}"
    return None


def _has_host(text: str) -> bool:
    first, slash, _ = text.partition("/")
    return bool(slash) and may_be_host(first)


def _layout(text: str) -> StoreName:
    """Parse a path, with a digest after the last `@` or a tag after the last `:` (unless it follows a drive letter)."""
    path, at, digest = text.rpartition("@")
    if at and path and is_digest(digest):
        return StoreName("oci", path, digest=Digest(digest))
    path, colon, tag = text.rpartition(":")
    if colon and path and is_tag(tag) and not (len(path) == 1 and path.isalpha()):
        return StoreName("oci", path, tag=tag)
    return StoreName("oci", text)


def _archive(kind: Kind, text: str) -> StoreName:
    """Parse a file, and the image after the first colon (unless it follows a drive letter)."""
    drive = text[:2] if len(text) > 2 and text[0].isalpha() and text[1] == ":" and text[2] in "/\\" else ""
    path, _, image = text[len(drive) :].partition(":")
    if not path:
        raise InvalidReferenceError(shown(text), "reference", "the path of an archive")
    file, at, algorithm = path.rpartition("@")
    digest = f"{algorithm}:{image}"
    if at and file and is_digest(digest) and (kind == "oci-archive" or Digest(digest).computable):  # FILE@DIGEST
        return image_at(kind, drive + file, f"@{digest}")
    return image_at(kind, drive + path, f":{image}")


def image_at(kind: Kind, path: str, rest: str) -> StoreName:
    """Return the name of an image in the store at a path; `rest` is what follows the path in the string.

    Raises:
        InvalidReferenceError: `rest` does not name an image in such a store.
    """
    image = rest if rest.startswith("@") else rest.removeprefix(":")
    if not image:
        return StoreName(kind, path)
    if kind == "docker-archive":
        return _saved(path, image)
    _, at, digest = image.rpartition("@")
    if at and is_digest(digest):  # if there are a tag and a digest, the digest is used
        return StoreName(kind, path, digest=Digest(digest))
    if kind == "oci-archive" and image.startswith("@"):
        if image[1:].isdigit():
            advice = f"list the tags with open_store({shown(f'{kind}:{path}')!r}).tags()"
            expected = f"a tag or digest; positions work only with docker-archive; {advice}"
            raise InvalidReferenceError(image[:100], "reference", expected)
        raise InvalidReferenceError(shown(image), "digest", "a digest after @, such as @sha256:...")
    return StoreName(kind, path, tag=image)


def image_in_storage(path: str, rest: str) -> StoreName:
    """Return the name of an image in the storage at a path; `rest` is what follows the path in the string.

    Raises:
        InvalidReferenceError: `rest` is not `/REPOSITORY[:TAG|@DIGEST]`.
    """
    _check_no_password(path)
    if not rest.strip("/"):
        return StoreName("registry-storage", path, is_named=False)
    if not rest.startswith("/"):
        expected = (
            f"a repository between the path and {rest[0]!r}: registry-storage:{shown(path)}/REPOSITORY{shown(rest)}"
        )
        raise InvalidReferenceError(shown(f"registry-storage:{path}{rest}"), "reference", expected)
    name, at, digest = rest.strip("/").partition("@")
    if at and not is_digest(digest):
        raise InvalidReferenceError(shown(rest), "digest", "a digest after @, such as @sha256:...")
    name, colon, tag = name.partition(":")
    return StoreName(
        "registry-storage",
        path,
        repository=RepositoryName(name),
        tag=None if at else Tag(tag if colon else DEFAULT_TAG),
        digest=Digest(digest) if at else None,
        is_named=bool(at or colon),
    )


def _check_no_password(path: str) -> None:
    if _WITH_PASSWORD.match(path):
        expected = "a URL without a password; set it where the library for such URLs looks for it"
        raise InvalidReferenceError(shown(path), "reference", expected)


def _saved(path: str, image: str) -> StoreName:
    """Return the name of an image in an archive of `docker save`."""
    if not image.startswith("@"):
        return StoreName("docker-archive", path, reference=Reference.parse(image), written=image)
    if is_digest(image[1:]):
        expected = "an image of a docker-archive, which is named by :NAME:TAG or :@N (its position), not by @DIGEST"
        raise InvalidReferenceError(image, "reference", expected)
    if not (image[1:].isascii() and image[1:].isdigit() and len(image) < 8):
        raise InvalidReferenceError(shown(image), "reference", "the position of the image after @, such as @0")
    return StoreName("docker-archive", path, index=int(image[1:]))
