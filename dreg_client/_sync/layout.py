# Generated from dreg_client/_async/layout.py by tools/generate_sync.py. Do not edit.
"""OCI image layouts in a directory or in a tar archive (image-layout.md)."""

import os
from typing import TYPE_CHECKING, Self

from dreg_client import errors
from dreg_client._sync.layout_destination import LayoutDestination
from dreg_client._sync.layout_source import LayoutSource
from dreg_client._sync.ports import Destination
from dreg_client._sync.writable import WritableStore
from dreg_client.files.path_kinds import layout_directory
from dreg_client.files.rooted import DirectoryFiles, Files
from dreg_client.files.tar import TarFiles
from dreg_client.models.index import LayoutIndex

if TYPE_CHECKING:  # few programs delete
    from dreg_client.files.layout_gc import GCResult


class Layout(WritableStore):
    """An OCI image layout, read and written in place. To create a new one, use `create`.

    The constructor reads `oci-layout` and `index.json`.

    Args:
        path: The directory with `oci-layout`, `index.json` and `blobs`; or a `Files` object.
        strict: If False, also return documents with only minor errors, such as a media type with parameters (see
            Rules, "Read invalid documents"); `.problems` lists them.

    Raises:
        NotFoundError: There is no such directory.
        LayoutCorruptError: `oci-layout` or `index.json` is missing, or the layout's version is not 1.0.0 (LYT-01).
        InvalidDocumentError: `index.json` is not a valid OCI index (LYT-02).
        UnsafePathError: One of these files is a link.

    Example:
        with Layout("build/web") as layout:
            image = layout.get_image("1.4")
    """

    def __init__(self, path: str | os.PathLike[str] | Files, *, strict: bool = True) -> None:
        files = path if isinstance(path, Files) else layout_directory(path)
        if isinstance(files, DirectoryFiles):
            self._layout: LayoutSource = LayoutDestination(files, strict=strict)
        else:
            self._layout = LayoutSource(files, strict=strict)
        super().__init__(self._layout)

    @classmethod
    def create(cls, path: str | os.PathLike[str], *, strict: bool = True) -> Self:
        """Create an empty layout in a new or an empty directory; open an existing layout.

        This blocks while it writes `oci-layout` and `index.json`, which are small.

        Args:
            path: The directory. It and its parents are created.
            strict: See the constructor.

        Raises:
            LayoutError: The directory contains other files, or cannot be written.

        Source: image-spec, image-layout.md, "Content".
        """
        from dreg_client.files.layout_writer import create_layout  # noqa: PLC0415 (most layouts are only read)

        create_layout(path)
        return cls(path, strict=strict)

    def gc(self, *, dry_run: bool = False) -> "GCResult":
        """Delete the blobs that no image needs, and the temporary files of killed processes.

        Everything that an entry of the index leads to is needed, through any number of nested indexes. An entry without
        a name that refers to another manifest by its `subject`, such as a signature, is needed as long as that
        manifest is. What only seems to be named is kept.

        No writer of this library can be active meanwhile. Other tools do not lock a layout: do not run them at the
        same time.

        Args:
            dry_run: Whether to return what would be deleted, and delete nothing.

        Raises:
            LayoutCorruptError: A manifest is damaged, so the blobs that it names are not known. Nothing was deleted.
            LayoutLockedError: Another process has been writing the layout for 30 seconds.
            LayoutError: A file cannot be deleted.
        """
        return self._writable().gc(dry_run=dry_run)

    @property
    def destination(self) -> Destination:
        """The files of the layout, as a storage medium that can be written.

        Raises:
            UnsupportedError: The layout is in an archive, which cannot be changed.
        """
        return self._writable()

    def _writable(self) -> LayoutDestination:
        if isinstance(self._layout, LayoutDestination):
            return self._layout
        advice = "it is an archive, which is written as a whole; copy its images into a layout first"
        raise errors.UnsupportedError(f"{self.name} cannot be changed: {advice}")

    @property
    def files(self) -> Files:
        """The files below the layout's root."""
        return self._layout.files

    @property
    def index(self) -> LayoutIndex:
        """The document `index.json`, as it was when it was last read or changed through this object."""
        return self._layout.index

    def refresh(self) -> None:
        """Read `index.json` again."""
        self._layout.refresh()


def open_oci_archive(path: str | os.PathLike[str], *, strict: bool = True) -> Layout:
    """Open the image layout in a tar archive, and read it in place.

    The headers of all members are read immediately; a compressed archive is unpacked to a temporary file.

    Raises:
        NotFoundError: There is no such file.
        UnsafePathError: The name of a member leads outside, or a member is a link or a device (LAY-18).
        LayoutCorruptError: It is not a tar archive, or not an image layout.
    """
    files = TarFiles(path)
    try:
        return Layout(files, strict=strict)
    except BaseException:
        files.close()
        raise
