"""The kinds of store on disk: how to recognise them and how to open them."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Final

from dreg_client.files.rooted import DirectoryFiles, Files


@dataclass(frozen=True, slots=True)
class StoreKind:
    """A kind of store.

    Attributes:
        name: The prefix before a path; empty if dreg-client cannot read this kind.
        what: A description for messages.
        marks: The files at its root that identify it.
        is_directory: Whether it is a directory, not an archive.
        advice: How to make it readable, with the placeholder `{path}`.
    """

    name: str
    what: str
    marks: tuple[str, ...]
    is_directory: bool = False
    advice: str = ""

    def to_read(self, path: str) -> str:
        """Return how to read such a store at a path, for messages."""
        return self.advice.format_map({"path": path}) if self.advice else f"open it as {self.name}:{path}"


OCI: Final = StoreKind("oci", "an image layout", ("index.json",), is_directory=True)
OCI_ARCHIVE: Final = StoreKind("oci-archive", "an image layout", ("index.json",))
DOCKER_ARCHIVE: Final = StoreKind("docker-archive", "an archive of docker save", ("manifest.json",))
ARCHIVES: Final = (OCI_ARCHIVE, DOCKER_ARCHIVE)
REGISTRY_STORAGE: Final = StoreKind(
    "registry-storage", "the storage of a registry", ("docker/registry/v2",), is_directory=True
)
_STORAGE_TREE: Final = StoreKind(
    "registry-storage", "the storage of a registry", ("repositories", "blobs"), is_directory=True
)
_SKOPEO: Final = StoreKind(
    "",
    "a dir: directory of skopeo",
    ("manifest.json", "version"),
    is_directory=True,
    advice="convert it with: skopeo copy dir:{path} oci:OTHER",
)
_UNPACKED: Final = StoreKind(
    "",
    "an unpacked archive of docker save",
    ("manifest.json",),
    is_directory=True,
    advice="pack it with: tar -C {path} -cf web.tar .",
)
_KINDS: Final = (OCI, *ARCHIVES, REGISTRY_STORAGE, _STORAGE_TREE, _SKOPEO, _UNPACKED)


def other_kind(files: Files, than: Container[StoreKind]) -> str:
    """Return which other kind of store the files are, and how to read it, for messages; empty if it is not known."""
    is_directory = isinstance(files, DirectoryFiles)
    for kind in _KINDS:
        if kind not in than and kind.is_directory == is_directory and all(map(files.has, kind.marks)):
            return f"{kind.what}; {kind.to_read(files.name)}"
    return ""


def archive_kinds(files: Files) -> tuple[StoreKind, ...]:
    """Return the kinds of an archive. Current versions of `docker save` write archives that are of both kinds."""
    return tuple(kind for kind in ARCHIVES if all(map(files.has, kind.marks)))


def names_with_kinds(kinds: Iterable[StoreKind], path: str) -> str:
    """Return a path with the prefix of each kind, for messages."""
    return " or ".join(f"{kind.name}:{path}" for kind in kinds)
