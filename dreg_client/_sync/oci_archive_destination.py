# Generated from dreg_client/_async/oci_archive_destination.py by tools/generate_sync.py. Do not edit.
"""Tar archives of image layouts as destinations (`oci-archive:`)."""

import os
from collections.abc import Collection, Generator
from contextlib import contextmanager

from dreg_client import errors
from dreg_client._sync._compat import run_in_thread
from dreg_client._sync.archive_session import ArchiveSession
from dreg_client._sync.layout_destination import LayoutDestination
from dreg_client._sync.ports import OnTags
from dreg_client.files import layout_deletions
from dreg_client.files.archive_spool import ArchiveSpool
from dreg_client.files.layout import check_marker, index_octets
from dreg_client.files.pending_entries import PendingEntries
from dreg_client.files.spooled_layout import NoFiles, SpooledFiles
from dreg_client.files.tar import TarFiles
from dreg_client.models.index_text import IndexText
from dreg_client.protocol.content import RawManifest
from dreg_client.values.digest import Digest


class OciArchiveDestination(LayoutDestination):
    """An image layout in a tar archive, which is written as a whole (a `Destination`).

    The images that the archive has already are kept, unless their tags are moved. While it is written, blobs are
    collected in a directory next to it. The same images give the same bytes.

    Args:
        path: The archive. It need not exist; if it is a link, its target is replaced.
        strict: Whether documents with minor errors are rejected.

    Raises:
        LayoutError: There is another file, which is not such an archive.
    """

    is_atomic = True

    def __init__(self, path: str | os.PathLike[str], *, strict: bool = True) -> None:
        self._spool = ArchiveSpool(path)
        self._old = self._opened()
        try:
            super().__init__(self._old, strict=strict)
        except BaseException:
            self._old.close()
            raise
        self.name = self.address = os.fspath(path)
        self._session = ArchiveSession(self._begin, self._finish, self._close)

    def _opened(self) -> TarFiles | NoFiles:
        return TarFiles(self._spool.path) if self._spool.path.exists() else NoFiles(str(self._spool.path))

    def close(self) -> None:
        """Close the archive."""
        self._old.close()
        self.files.close()

    @contextmanager
    def writing(self, *, on_deferred: OnTags | None = None) -> Generator[None]:
        """Write the archive at the end of the block. If the block raises, the archive stays as it was."""
        with self._writer(on_deferred):
            yield

    @contextmanager
    def _writer(self, on_deferred: OnTags | None = None) -> Generator[PendingEntries]:
        self.files.check_open()
        with self._session.writer(), super()._writer(on_deferred) as pending:
            yield pending

    def _begin(self) -> None:
        self._spool.__enter__()
        if self._old.version != self._spool.version:  # another process has replaced it since it was opened
            self._open_again()
            check_marker(self._old)
        self.files = SpooledFiles(self._spool.folder, self._old)

    def _open_again(self) -> None:
        new = self._opened()
        self._old.close()
        self._old = new

    def _finish(self) -> None:
        """Write the archive, and read it from now on."""
        assert isinstance(self.files, SpooledFiles)  # noqa: S101 (set by `_begin`)
        self._spool.write(self.files.members(self.index), self._old.version)
        self._open_again()

    def _close(self) -> None:
        """Delete the directory for new blobs."""
        self.files = self._old
        try:
            self.keep_index(index_octets(self._old))
        finally:
            self._spool.__exit__()

    def delete_manifest(
        self,
        digest: Digest,
        *,
        tags: Collection[str] | None = None,
        known: RawManifest | None = None,  # noqa: ARG002 (port)
    ) -> None:
        """Delete a manifest and its entries; it stays if an index in the archive names it."""

        def change(index: IndexText) -> bool:
            layout_deletions.check_names(self.files, index, digest, tags)
            if not index.remove([digest]):
                raise errors.NotFoundError(f"manifest {digest}", self.name, "check the digest")
            return True

        with self._writer():
            self._change_index(change)

    def delete_blob(self, digest: Digest) -> None:
        """Raise an error: an archive has only blobs that its images need."""
        if not run_in_thread(self.files.has, f"blobs/{digest.algorithm}/{digest.encoded}"):
            raise errors.NotFoundError(f"blob {digest}", self.name, "check the digest")
        raise errors.ConflictError(f"{self.name}: {digest} was not deleted, because an image needs it")
