"""Archives of `docker save`, from 2016 to today."""

import os
from functools import partial

from dreg_client._async._compat import run_in_thread
from dreg_client._async.file_reader import AsyncFileReader
from dreg_client._async.store import AsyncStore
from dreg_client.files.docker_archive import SavedImages
from dreg_client.files.tar import TarFiles
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.manifest import DockerManifest
from dreg_client.protocol.content import BlobRequest, RawManifest
from dreg_client.values.arguments import check_flag
from dreg_client.values.digest import Digest


class AsyncDockerArchiveSource:
    """The images of a docker-archive (an `AsyncSource`). Async code reads in a thread."""

    client = writable = None
    refetches = False
    writes_manifests = True

    def __init__(self, images: SavedImages) -> None:
        self._images, self._files, self.strict = images, images.files, images.strict
        self.name = self.address = images.files.name

    async def aclose(self) -> None:
        """Close the archive."""
        self._files.close()

    async def resolve(self, reference: str) -> Descriptor:
        """Return the descriptor of the generated manifest for a reference, a digest, or `@INDEX`."""
        self._files.check_open()
        return await run_in_thread(self._images.descriptor, reference)

    async def fetch_manifest(self, reference: str, *, legacy: bool = False) -> RawManifest:  # noqa: ARG002 (port)
        """Generate the manifest for a reference, a digest, or `@INDEX`. `legacy` has no effect."""
        manifest = await self._manifest(reference)
        return RawManifest(manifest.raw, manifest.media_type)

    async def _manifest(self, reference: str) -> DockerManifest:
        self._files.check_open()
        return await run_in_thread(self._images.manifest, reference)

    async def fetch_document(self, descriptor: Descriptor, *, is_blob: bool = False) -> bytes:  # noqa: ARG002 (port)
        """Read a config, or generate a manifest."""
        self._files.check_open()
        return await run_in_thread(self._images.read, descriptor.digest)

    async def tags(self) -> tuple[str, ...]:
        """List the references of all images, each once, in the archive's order."""
        self._files.check_open()
        return self._images.tags()

    async def manifest_list(self) -> None:
        """Return None, because a docker-archive does not state dates."""

    async def untagged(self) -> None:
        """Return None, because a docker-archive has no manifests."""

    async def referrers(
        self,
        digest: Digest,  # noqa: ARG002 (port)
        artifact_type: str | None = None,  # noqa: ARG002 (port)
    ) -> tuple[Descriptor, ...]:
        """Return an empty list, because a docker-archive cannot have referrers."""
        self._files.check_open()
        return ()

    async def has_blob(self, digest: Digest) -> bool:
        """Return whether the archive has this config or layer."""
        self._files.check_open()
        return await run_in_thread(self._images.has_blob, digest)

    def open_blob(self, request: BlobRequest) -> AsyncFileReader:
        """Return a reader of a config or a layer."""
        self._files.check_open()
        open_file = partial(self._images.open_blob, request.digest, request.start, request.size)
        return AsyncFileReader(open_file, f"{self.name}, blob {request.digest.short}")


class AsyncDockerArchive(AsyncStore):
    """An archive of `docker save`, from 2016 to today, read in place.

    Such an archive has no manifests. This library generates one for each image from its config and layers, as
    `skopeo copy` does. So its digest is not that of the image's manifest in a registry.

    The constructor blocks while it reads `manifest.json` and the headers of all members, and while it unpacks a
    compressed archive to a temporary file.

    Args:
        path: The archive, uncompressed or compressed with gzip, bzip2 or xz.
        strict: If False, also return documents with only minor errors, such as a media type with parameters (see
            Rules, "Read invalid documents"); `.problems` lists them.

    Raises:
        NotFoundError: There is no such file.
        UnsafePathError: The name of a member leads outside of the archive (LAY-18).
        LayoutCorruptError: It is not an archive of `docker save`, or it is broken.
    """

    def __init__(self, path: str | os.PathLike[str], *, strict: bool = True) -> None:
        check_flag("strict", strict)
        files = TarFiles(path)
        try:
            super().__init__(AsyncDockerArchiveSource(SavedImages(files, strict=strict)))
        except BaseException:
            files.close()
            raise
