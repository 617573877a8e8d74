"""Stores on disk, and images."""

from dreg_client.errors.root import DregError

# --- stores on disk


class LayoutError(DregError):
    """A store on disk cannot be used.

    Attributes:
        path: The file or directory.
        reason: What is wrong with it and what to do.
    """

    path: str
    reason: str

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def _sentence(self) -> str:
        return f"{self.path}: {self.reason}"


class UnsafePathError(LayoutError):
    """A name would lead outside of the store, or to something that is no regular file."""


class LayoutCorruptError(LayoutError):
    """The store's own files are broken."""


class LayoutLockedError(LayoutError):
    """Another process is at work there."""


# --- stores of any kind


class ClosedError(DregError):
    """A registry, a repository, a layout or an archive was used after it was closed; closing it twice is no error.

    Attributes:
        where: What was closed.
    """

    where: str

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where

    def _sentence(self) -> str:
        return f"{self.where}: was closed; read what you need while it is open"


# --- images


class NotAnImageError(DregError):
    """An artifact was asked for as an image (its config is not an image's).

    Attributes:
        media_type: The media type of its config; of an index, its own.
        digest: Its digest.
    """

    media_type: str
    digest: str

    def __init__(self, media_type: str, digest: str) -> None:
        super().__init__(media_type, digest)
        self.media_type, self.digest = media_type, digest

    def _sentence(self) -> str:
        if "index" in self.media_type or "list" in self.media_type:
            return f"{self.digest} is an index, not the image of one platform; choose a platform of it first"
        return f"{self.digest} is no image: its config is {self.media_type!r}; read it with get_manifest and get_blob"


class PlatformNotFoundError(DregError):
    """No image of the index serves the platform.

    Attributes:
        wanted: The platform that was asked for, as text.
        available: The platforms that there are, as texts.
    """

    wanted: str
    available: tuple[str, ...]

    def __init__(self, wanted: str, available: tuple[str, ...]) -> None:
        super().__init__(wanted, available)
        self.wanted, self.available = wanted, available

    def _sentence(self) -> str:
        return f"no image for platform {self.wanted}; there are: {', '.join(self.available) or 'none'}"


class ConflictError(DregError):
    """One name stands for several things, and nobody guesses which."""
