"""The kinds of store on disk: what each is, how to recognise it, and what to write in order to read it."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Final

from dreg_client.files.rooted import DirectoryFiles, Files


@dataclass(frozen=True, slots=True)
class StoreKind:
    """A kind of store.

    Attributes:
        name: What names it before a path; empty if it cannot be read.
        what: What it is, for people.
        marks: The files at its root that tell it from others.
        is_directory: Whether it is a directory, rather than an archive.
        advice: What to do in order to read it, with `{path}` in it.
    """

    name: str
    what: str
    marks: tuple[str, ...]
    is_directory: bool = False
    advice: str = ""

    def to_read(self, path: str) -> str:
        """Return what to do in order to read such a store at a path."""
        return self.advice.format_map({"path": path}) if self.advice else f"open it as {self.name}:{path}"


OCI: Final = StoreKind("oci", "an image layout", ("index.json",), is_directory=True)
OCI_ARCHIVE: Final = StoreKind("oci-archive", "an image layout", ("index.json",))
DOCKER_ARCHIVE: Final = StoreKind("docker-archive", "an archive of docker save", ("manifest.json",))
ARCHIVES: Final = (OCI_ARCHIVE, DOCKER_ARCHIVE)
_SKOPEO: Final = StoreKind(
    "",
    "a directory as skopeo writes it",
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
_KINDS: Final = (OCI, *ARCHIVES, _SKOPEO, _UNPACKED)


def other_kind(files: Files, than: Container[StoreKind]) -> str:
    """Return what files are that are not of the kinds expected, and how to read them; empty if that is not known."""
    is_directory = isinstance(files, DirectoryFiles)
    for kind in _KINDS:
        if kind not in than and kind.is_directory == is_directory and all(map(files.has, kind.marks)):
            return f"{kind.what}: {kind.to_read(files.name)}"
    return ""


def archive_kinds(files: Files) -> tuple[StoreKind, ...]:
    """Return the kinds of archive that files make; modern versions of `docker save` write both at once."""
    return tuple(kind for kind in ARCHIVES if all(map(files.has, kind.marks)))


def names_with_kinds(kinds: Iterable[StoreKind], path: str) -> str:
    """Return how to write a path as a store of one of some kinds."""
    return " or ".join(f"{kind.name}:{path}" for kind in kinds)
