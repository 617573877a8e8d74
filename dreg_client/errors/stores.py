"""Errors of files, stores, images and the environment."""

from collections.abc import Sequence
from dataclasses import dataclass

from dreg_client.errors.root import DregError


@dataclass(eq=False, repr=False)
class _PathError(DregError):
    """The base of errors about a file or directory. Only subclasses are raised."""

    path: str
    reason: str

    def _sentence(self) -> str:
        verb = self.reason.partition(" ")[0]  # with "is" and "has", the path is the subject of the sentence
        return f"{self.path}{'' if verb in {'is', 'has'} else ':'} {self.reason}"


class FileError(_PathError):
    """A file or directory cannot be read or written.

    Attributes:
        path: The file or directory.
        reason: What is wrong and what to do.
    """


class LayoutError(FileError):
    """A layout, an archive or a download target cannot be used."""


class UnsafePathError(LayoutError):
    """A path leads outside the store, or is not a regular file."""


class LayoutCorruptError(LayoutError):
    """A layout or archive is damaged."""


class LayoutLockedError(LayoutError):
    """Another process has locked the store."""


@dataclass(eq=False, repr=False)
class ClosedError(DregError):
    """A registry, repository, layout or archive was used after it was closed. Closing it twice is not an error.

    Attributes:
        where: The closed object.
    """

    where: str

    def _sentence(self) -> str:
        return f"{self.where} is closed; read what you need before you close it"


@dataclass(eq=False, repr=False)
class NotAnImageError(DregError):
    """An artifact was requested as an image, or an index was found where a single manifest is required.

    Attributes:
        media_type: The media type of the artifact's config, or of the index.
        digest: The digest of the artifact or index.
    """

    media_type: str
    digest: str

    def _sentence(self) -> str:
        if "index" in self.media_type or "list" in self.media_type:
            return f"{self.digest} is an index, not the image of one platform; choose one of its platforms first"
        advice = "read it with get_manifest and get_blob"
        return f"{self.digest} is not an image: its config has media type {self.media_type!r}; {advice}"


@dataclass(eq=False, repr=False)
class PlatformNotFoundError(DregError):
    """An index has no image for the requested platform.

    Attributes:
        wanted: The requested platform, as a string.
        available: The platforms of the index, as strings.
        unreadable: The digests of entries that could not be read. Their platforms are unknown.
    """

    wanted: str
    available: tuple[str, ...]
    unreadable: tuple[str, ...] = ()

    def _sentence(self) -> str:
        found = f"no image for platform {self.wanted}; available: {listed(self.available)}"
        if not self.unreadable:
            return found
        return f"{found}; unreadable (request one by its digest to see why): {listed(self.unreadable)}"


def listed(names: Sequence[str], most: int = 10) -> str:
    """Return the first names of a list and the number of the others, for error messages.

    Examples:
        >>> listed(["a", "b", "c"], most=1), listed([])
        ('a and 2 more', 'none')
    """
    shown = ", ".join(name if len(name) <= 100 else f"{name[:100]}…" for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown or "none"


class ConflictError(DregError):
    """A name is ambiguous, or an object is not as expected, because it was changed meanwhile."""


@dataclass(eq=False, repr=False)
class MissingLibraryError(DregError):
    """An option requires an optional library that is not installed.

    Attributes:
        library: The name of the library.
        extra: The extra of dreg-client that installs it; empty if there is none.
    """

    library: str
    extra: str

    def _sentence(self) -> str:
        extra = f" (the extra {self.extra})" if self.extra else ""
        return f"{self.library}{extra} is not installed; install it with: pip install {self.library}"


@dataclass(eq=False, repr=False)
class ColumnError(DregError):
    """A table has no such column, or the column cannot be used.

    Attributes:
        column: The name of the column.
        reason: What is wrong and what to do.
        columns: The columns of the table, if the column is missing.
    """

    column: str
    reason: str
    columns: tuple[str, ...] = ()

    def _sentence(self) -> str:
        there = f"; the columns are: {listed(self.columns, most=100)}" if self.columns else ""
        return f"column {self.column!r:.200}: {self.reason}{there}"


class WorkerKilledError(_PathError):
    """A worker process was killed, for example because memory ran out, or none can be started.

    Attributes:
        path: The file that the process was validating, or the program that cannot start a process.
        reason: What happened and what to do.
    """


@dataclass(eq=False, repr=False)
class ClusterError(DregError):
    """A cluster cannot be used, or no longer.

    It cannot be reached, has no workers, or a worker lacks dreg-client or a library, has another version of it, or does
    not see the folder of the run.

    Attributes:
        where: The address of the scheduler, or the host of the worker.
        reason: What is wrong and what to do.
    """

    where: str
    reason: str

    def _sentence(self) -> str:
        return f"{self.where}: {self.reason}"
