"""Errors of files, stores and images, and of the environment that the library runs in."""

from collections.abc import Sequence
from dataclasses import dataclass

from dreg_client.errors.root import DregError


@dataclass(eq=False, repr=False)
class _PathError(DregError):
    """Something is wrong with a file or folder; never raised by itself."""

    path: str
    reason: str

    def _sentence(self) -> str:
        return f"{self.path}: {self.reason}"


class FileError(_PathError):
    """A file or folder cannot be read or written.

    Attributes:
        path: The file or folder.
        reason: What is wrong with it and what to do.
    """


class LayoutError(FileError):
    """A layout, an archive or the target of a download cannot be used."""


class UnsafePathError(LayoutError):
    """A name leads outside of the store, or to something that is not a regular file."""


class LayoutCorruptError(LayoutError):
    """A store's own files are broken."""


class LayoutLockedError(LayoutError):
    """Another process has locked the store."""


@dataclass(eq=False, repr=False)
class ClosedError(DregError):
    """A registry, a repository, a layout or an archive was used after it was closed; closing it twice is no error.

    Attributes:
        where: What was closed.
    """

    where: str

    def _sentence(self) -> str:
        return f"{self.where}: was closed; read what you need while it is open"


@dataclass(eq=False, repr=False)
class NotAnImageError(DregError):
    """An artifact was requested as an image, or an index was found where one manifest is needed.

    Attributes:
        media_type: The media type of its config; for an index, its own.
        digest: Its digest.
    """

    media_type: str
    digest: str

    def _sentence(self) -> str:
        if "index" in self.media_type or "list" in self.media_type:
            return f"{self.digest} is an index, not the image of one platform; choose a platform of it first"
        return f"{self.digest} is no image: its config is {self.media_type!r}; read it with get_manifest and get_blob"


@dataclass(eq=False, repr=False)
class PlatformNotFoundError(DregError):
    """An index has no image for the requested platform.

    Attributes:
        wanted: The requested platform, as text.
        available: The platforms of the index, as texts.
        unreadable: The digests of entries that could not be read, so that their platforms are unknown.
    """

    wanted: str
    available: tuple[str, ...]
    unreadable: tuple[str, ...] = ()

    def _sentence(self) -> str:
        found = f"no image for platform {self.wanted}; there are: {listed(self.available)}"
        if not self.unreadable:
            return found
        return f"{found}; these could not be read, ask for one by its digest to see why: {listed(self.unreadable)}"


def listed(names: Sequence[str], most: int = 10) -> str:
    """Return the first names of a list and the number of others, for the message of an error.

    Examples:
        >>> listed(["a", "b", "c"], most=1), listed([])
        ('a and 2 more', 'none')
    """
    shown = ", ".join(name if len(name) <= 100 else f"{name[:100]}…" for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown or "none"


class ConflictError(DregError):
    """One name stands for several things, so it cannot be resolved; or another client changed what is to be changed."""


@dataclass(eq=False, repr=False)
class MissingLibraryError(DregError):
    """An optional library is required by an option and is not installed.

    Attributes:
        library: The library.
        extra: The extra of dreg-client that installs it.
    """

    library: str
    extra: str

    def _sentence(self) -> str:
        return f"{self.library} is not installed; add it by: pip install 'dreg-client[{self.extra}]'"


class WorkerKilledError(_PathError):
    """A worker process was killed, for example because memory ran out.

    Attributes:
        path: The file that the process was validating.
        reason: What happened and what to do.
    """
