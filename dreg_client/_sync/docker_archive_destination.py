# Generated from dreg_client/_async/docker_archive_destination.py by tools/generate_sync.py. Do not edit.
"""Archives of `docker save` as destinations (`docker-archive:`)."""

import os
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import NoReturn

from dreg_client import errors
from dreg_client._sync._compat import run_in_thread
from dreg_client._sync.archive_session import ArchiveSession
from dreg_client._sync.blob_file import write_blob
from dreg_client._sync.file_reader import FileReader
from dreg_client._sync.ports import Content, Destination, OnTags
from dreg_client.files import layout as layout_files
from dreg_client.files.archive_spool import ArchiveSpool
from dreg_client.files.docker_archive import SavedImages
from dreg_client.files.regular import Version
from dreg_client.files.saved_spool import SavedSpool, full_name, image_of
from dreg_client.files.tar import TarFiles
from dreg_client.models.descriptor import Descriptor
from dreg_client.protocol.content import BlobRequest, RawManifest
from dreg_client.protocol.tag_conflicts import not_as_expected
from dreg_client.values.arguments import check_flag
from dreg_client.values.digest import Digest, is_registered_digest
from dreg_client.values.media_type import OCTET_STREAM


class DockerArchiveDestination:
    """An archive of `docker save`, which is written as a whole (a `Destination`).

    It holds images of one platform, each with a config and layers, but no manifests. Layers are stored as they are,
    compressed or not. The images that the archive has already are kept, unless their names are moved. The same images
    give the same bytes.

    Args:
        path: The archive. It need not exist; if it is a link, its target is replaced.
        strict: Whether documents with minor errors are rejected.

    Raises:
        LayoutError: There is another file, which is not such an archive.
    """

    client = None
    refetches = has_closures = False
    writes_manifests = lists_written = is_atomic = True

    def __init__(self, path: str | os.PathLike[str], *, strict: bool = True) -> None:
        check_flag("strict", strict)
        self.name = self.address = os.fspath(path)
        self.strict = strict
        self._spool = ArchiveSpool(path)
        self._old = self._opened()
        self._new: SavedSpool | None = None
        self._pushed: dict[Digest, RawManifest] = {}
        self._session = ArchiveSession(self._begin, self._finish, self._close)

    def _opened(self) -> SavedImages | None:
        self._version: Version | None = None
        if not self._spool.path.exists():
            return None
        files = TarFiles(self._spool.path)
        try:
            self._version = files.version
            return SavedImages(files, strict=self.strict)
        except BaseException:
            files.close()
            raise

    @property
    def writable(self) -> Destination | None:
        """This object."""
        return self

    def close(self) -> None:
        """Close the archive."""
        if self._old is not None:
            self._old.files.close()

    def writing(self, *, on_deferred: OnTags | None = None) -> AbstractContextManager[None]:  # noqa: ARG002 (port)
        """Write the archive at the end of the block. If the block raises, the archive stays as it was."""
        return self._session.writer()

    def _begin(self) -> None:
        self._spool.__enter__()
        if self._version != self._spool.version:  # another process has replaced it since it was opened
            self._open_again()
        self._new = SavedSpool(self._spool.folder, self._old)

    def _open_again(self) -> None:
        old, self._old = self._old, self._opened()
        if old is not None:
            old.files.close()

    def _finish(self) -> None:
        self._spool.write(self._writable.members(), self._version)
        self._open_again()

    def _close(self) -> None:
        self._new, self._pushed = None, {}
        self._spool.__exit__()

    @property
    def _writable(self) -> SavedSpool:
        assert self._new is not None  # noqa: S101 (set by `_begin`)
        return self._new

    # --- reading

    def resolve(self, reference: str) -> Descriptor:
        """Return the descriptor of the generated manifest for a name or a digest."""
        found = self.fetch_manifest(reference)
        return Descriptor(mediaType=found.media_type, digest=found.digest, size=len(found.raw))

    def current_digest(self, reference: str, *, surely: bool = False) -> Digest | None:  # noqa: ARG002 (port)
        """Return None, because a docker-archive does not keep the digests of manifests."""
        return None

    def fetch_manifest(self, reference: str, *, legacy: bool = False) -> RawManifest:  # noqa: ARG002 (port)
        """Return a manifest that was pushed, or generate that of an image which the archive had."""
        if is_registered_digest(reference) and (pushed := self._pushed.get(Digest(reference))):
            return pushed
        if self._old is None:
            self._raise_missing(f"image {reference}")
        manifest = run_in_thread(self._old.manifest, reference)
        return RawManifest(manifest.raw, manifest.media_type)

    def fetch_document(self, descriptor: Descriptor, *, is_blob: bool = False) -> bytes:
        """Read a config, or a manifest."""
        if not is_blob and (pushed := self._pushed.get(descriptor.digest)):
            return pushed.raw
        if self._new is not None and run_in_thread(layout_files.has_blob, self._new.blobs, descriptor.digest):
            return run_in_thread(layout_files.read_blob, self._new.blobs, descriptor.digest)
        if self._old is None:
            self._raise_missing(f"blob {descriptor.digest}")
        return run_in_thread(self._old.read, descriptor.digest)

    def _raise_missing(self, what: str) -> NoReturn:
        raise errors.NotFoundError(what, self.name)

    def tags(self) -> tuple[str, ...]:
        """List the names of all images that the archive had."""
        return self._old.tags() if self._old is not None else ()

    def manifest_list(self) -> None:
        """Return None, because a docker-archive does not state dates."""

    def untagged(self) -> None:
        """Return None, because a docker-archive has no manifests."""

    def referrers(
        self,
        digest: Digest,  # noqa: ARG002 (port)
        artifact_type: str | None = None,  # noqa: ARG002 (port)
    ) -> tuple[Descriptor, ...]:
        """Return an empty list, because a docker-archive cannot have referrers."""
        return ()

    def has_blob(self, digest: Digest) -> bool:
        """Return whether the archive has this config or layer."""
        if self._new is not None:
            return run_in_thread(self._new.has, digest)
        return self._old is not None and run_in_thread(self._old.has_blob, digest)

    def open_blob(self, request: BlobRequest) -> FileReader:
        """Return a reader of a config or a layer that the archive had."""
        if self._old is None:
            self._raise_missing(f"blob {request.digest}")
        open_file = partial(self._old.open_blob, request.digest, request.start, request.size)
        return FileReader(open_file, f"{self.name}, blob {request.digest.short}")

    # --- writing

    def current_tags(self) -> Mapping[str, Descriptor]:
        """Return all names, with the manifests that are generated for their images."""
        return {name: self.resolve(name) for name in self.tags()}

    def push_blob(self, content: Content) -> Descriptor:
        """Write a config or a layer, unless it exists."""
        with self.writing():
            digest = content.digest
            if digest is not None and content.size is not None and self.has_blob(digest):
                return Descriptor(mediaType=OCTET_STREAM, digest=digest, size=content.size)
            return write_blob(self._writable.blobs, content)

    def mount_blob(self, digest: Digest, repository: str) -> bool:  # noqa: ARG002 (port)
        """Return False, because an archive has no repositories."""
        return False

    def push_manifest(
        self, manifest: RawManifest, reference: str, *, no_clobber: bool = False, expected: Digest | None = None
    ) -> bool:
        """Add an image under a name such as `acme/web:1.4`, or, for a digest, without a name.

        Raises:
            UnsupportedError: It is an index; choose a platform. Or its config states another number of layers. Or a
                digest is `expected`, but an archive keeps no manifests.
            NotAnImageError: It is an artifact.
            InvalidReferenceError: The name is not valid.
            NotFoundError: Its config or a layer is missing.
            ConflictError: With `no_clobber`, an image with another config or other layers has the name.
        """
        if expected is not None:
            raise errors.UnsupportedError(f"{self.name} keeps no manifests, so its names have no digests")
        image = image_of(manifest, self.name)
        name = None if is_registered_digest(reference) else full_name(reference)
        with self.writing():
            run_in_thread(partial(self._writable.add, image, name, self.name, no_clobber=no_clobber))
            self._pushed[manifest.digest] = manifest
        return True

    def delete_tag(
        self,
        tag: str,
        *,
        expected: Digest | None = None,
        known: RawManifest | None = None,  # noqa: ARG002 (port)
    ) -> None:
        """Delete a name, and the image if it has no other."""
        with self.writing():
            if expected is not None and (now := self.current_digest(tag)) not in {None, expected}:
                raise not_as_expected(tag, str(now), expected)
            if not self._writable.remove_name(full_name(tag)):
                self._raise_missing(f"image {tag}")

    def delete_manifest(
        self,
        digest: Digest,
        *,
        tags: Collection[str] | None = None,  # noqa: ARG002 (port)
        known: RawManifest | None = None,  # noqa: ARG002 (port)
    ) -> None:
        """Raise an error: an image is deleted with its last name."""
        raise errors.UnsupportedError(f"{self.name} has no manifest {digest}: delete the names of the image instead")

    def delete_blob(self, digest: Digest) -> None:
        """Raise an error: a blob is deleted with its image."""
        raise errors.UnsupportedError(f"{self.name} has no blob {digest} apart from its images")
