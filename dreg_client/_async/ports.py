"""The interface of storage media. The methods that users call are written once, on top of it."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol, Self

from dreg_client.protocol.content import BlobRequest, RawManifest
from dreg_client.values.digest import Digest

if TYPE_CHECKING:  # commands that only list or resolve need no models
    from dreg_client._async.client import AsyncClient
    from dreg_client.models.descriptor import Descriptor
    from dreg_client.protocol.manifest_list import ListedManifest


OnTags = Callable[[Sequence[str]], object]
"""A function that is called with tags that were written."""


class AsyncBlobReader(Protocol):
    """The bytes of a blob, in order, not verified yet. An async context manager and, inside it, an async iterator."""

    @property
    def encoding(self) -> str:
        """The `Content-Encoding` of the bytes, although `identity` was requested; empty if there is none."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> bytes: ...


class AsyncSource(Protocol):
    """A storage medium: a repository of a registry, an image layout, an archive.

    Implementations do not need to verify bytes: `RawManifest` verifies manifests, and the callers verify the rest.
    """

    @property
    def name(self) -> str:
        """The short name for messages: a repository's name or a path."""
        ...

    @property
    def address(self) -> str:
        """The full address: a repository's name with its registry, or a path."""
        ...

    @property
    def client(self) -> "AsyncClient | None":
        """The client of the registry. None if it is a layout or an archive."""
        ...

    @property
    def writable(self) -> "AsyncDestination | None":
        """The medium as a destination. None if it cannot be written."""
        ...

    @property
    def strict(self) -> bool:
        """Whether documents with minor errors are rejected."""
        ...

    @property
    def refetches(self) -> bool:
        """Whether bytes that do not match their digest are read again: True if they come over a network."""
        ...

    @property
    def writes_manifests(self) -> bool:
        """Whether this library generates the manifests: True for a docker-archive, which contains none."""
        ...

    async def resolve(self, reference: str) -> "Descriptor":
        """Return the descriptor of a tag or digest. An empty text stands for the only manifest (registries: `latest`).

        Raises:
            NotFoundError: There is no such manifest.
            ConflictError: The name is ambiguous.
        """
        ...

    async def fetch_manifest(self, reference: str, *, legacy: bool = False) -> RawManifest:
        """Fetch the manifest at a tag or digest (see `resolve`); with `legacy`, schema 1 is also accepted.

        Create the result with the expected digest (of the request, or of the medium's own list), which verifies it.
        """
        ...

    async def fetch_document(self, descriptor: "Descriptor", *, is_blob: bool = False) -> bytes:
        """Fetch a manifest, or, with `is_blob`, a config. Documents of more than 4 MiB are rejected."""
        ...

    async def tags(self) -> tuple[str, ...]:
        """List all tags, in the medium's order."""
        ...

    async def referrers(self, digest: Digest, artifact_type: str | None = None) -> "tuple[Descriptor, ...]":
        """List the manifests whose `subject` is this digest, according to the medium, in its order."""
        ...

    async def manifest_list(self) -> "tuple[ListedManifest, ...] | None":
        """List all manifests, with and without a tag, with the dates that the medium states for them.

        None if the medium has no such list: only Google's registries (GCR and GAR) do. It takes the requests of `tags`.
        """
        ...

    async def untagged(self) -> "tuple[Descriptor, ...] | None":
        """List the manifests and indexes without a tag; None if the medium does not tell them.

        Layouts list the entries of `index.json` without a name, except for those that an index in the layout names, and
        those with a `subject`, which `referrers` lists. Registries that have a `manifest_list` list everything without
        a tag, including children of indexes and referrers. That list does not state sizes, so they are 0, and a missing
        media type is `application/octet-stream`.
        """
        ...

    async def has_blob(self, digest: Digest) -> bool:
        """Return whether a blob exists, without reading it."""
        ...

    def open_blob(self, request: BlobRequest) -> AsyncBlobReader:
        """Return a reader of a blob. Nothing is requested before the reader is entered."""
        ...

    async def aclose(self) -> None:
        """Close connections and files."""
        ...


class AsyncContent(Protocol):
    """The bytes of a blob to write: those of the caller, or those of another store."""

    @property
    def digest(self) -> Digest | None:
        """The digest of the bytes; None if it is only known once they were read."""
        ...

    @property
    def size(self) -> int | None:
        """The number of bytes; None if it is only known once they were read."""
        ...

    @property
    def is_repeatable(self) -> bool:
        """Whether `chunks` can be called more than once, and from any offset."""
        ...

    def chunks(self, start: int = 0) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Open the bytes from an offset. They need not match the digest: whoever writes them verifies them."""
        ...


class AsyncDestination(AsyncSource, Protocol):
    """A storage medium that can be written.

    Implementations write nothing that does not match its digest. Blobs and child manifests are written before the
    manifests that name them, and a tag is written last.
    """

    @property
    def has_closures(self) -> bool:
        """Whether a manifest that it has can be relied on to be complete, with everything that it names.

        True for a registry, which checks this itself. A layout may lack any file.
        """
        ...

    @property
    def lists_written(self) -> bool:
        """Whether it keeps a list of the manifests that were written, so that even one that it has is written again."""
        ...

    @property
    def is_atomic(self) -> bool:
        """Whether nothing of what was written stays if `writing` raises. True for an archive."""
        ...

    def writing(self, *, on_deferred: OnTags | None = None) -> AbstractAsyncContextManager[None]:
        """Enter this before the first change, and leave it after the last one.

        What was written stays at least until then: a layout keeps `gc` out. An archive is complete only afterwards; if
        the block raises, the file stays as it was.

        Args:
            on_deferred: With it, tags may be written about a second after they were pushed, and at the end of the block
                at the latest, because a layout writes several of them as fast as one. It is called with these tags as
                soon as they were written.

        Raises:
            ConflictError: Deferred tags were not written, because they name other manifests (see `push_manifest`).
        """
        ...

    async def current_digest(self, reference: str, *, surely: bool = False) -> Digest | None:
        """Return the digest of the manifest at a tag or digest in the medium itself, by a single request at most.

        None if there is none, or if the medium does not say so: what is written again does no harm. With `surely`, as
        for the condition of a change, None means that there is none; a registry that returns 404 is asked by GET, too.

        Raises:
            ProtocolError: With `surely`, a web page, not the registry, states that there is none.
        """
        ...

    async def current_tags(self) -> "Mapping[str, Descriptor]":
        """Return all tags with what they name now in the medium itself: of a registry, by one HEAD for each tag.

        Tags that are listed, but do not exist, are omitted. If any other tag cannot be read, its error is raised.
        """
        ...

    async def push_blob(self, content: AsyncContent) -> "Descriptor":
        """Write a blob, unless it exists; return its descriptor (media type `application/octet-stream`).

        Raises:
            DigestMismatchError: The bytes do not match the digest. Nothing was written.
            SizeMismatchError: The number of bytes is not the stated one. Nothing was written.
        """
        ...

    async def mount_blob(self, digest: Digest, repository: str) -> bool:
        """Add a blob of another repository of the same registry without transferring it; return whether it was added.

        Media without repositories return False.
        """
        ...

    async def push_manifest(
        self, manifest: RawManifest, reference: str, *, no_clobber: bool = False, expected: Digest | None = None
    ) -> bool:
        """Write a manifest, byte for byte, under a tag or under its digest. Everything that it names exists already.

        Returns whether it was written; False if the tag was deferred (see `writing`).

        With `no_clobber`, a tag of another manifest is not replaced. With `expected`, a tag is only replaced if it
        names that manifest; with both, it may also be missing. With `expected`, nothing is written if the tag already
        names the new manifest, and False is returned. Layouts and archives check this when they write the tag.
        Registries have no such operation, so they are asked just before.

        Raises:
            DigestMismatchError: The medium reports another digest than the manifest's.
            ConflictError: With `no_clobber` or `expected`, the tag names another manifest. With `expected` alone, it
                does not exist.
            UnsupportedError: With `expected`, the medium does not keep manifests.
        """
        ...

    async def delete_tag(self, tag: str, *, expected: Digest | None = None, known: RawManifest | None = None) -> None:
        """Delete a tag. The manifest and its other tags stay.

        `known` is the `expected` manifest, if it is known: the registry may no longer have it (see `untag`).

        Raises:
            NotFoundError: There is no such tag.
            ConflictError: The tag does not name the `expected` manifest. Registries are asked just before.
        """
        ...

    async def delete_manifest(
        self, digest: Digest, *, tags: Collection[str] | None = None, known: RawManifest | None = None
    ) -> None:
        """Delete a manifest and all its tags.

        With `tags`, layouts and archives delete it only if it has no other tags. Registries do not check this. With
        `known`, the manifest itself, a registry need not be asked what it refers to.

        Raises:
            NotFoundError: There is no such manifest.
            ConflictError: It has other tags than `tags`, or a layout needs it.
        """
        ...

    async def delete_blob(self, digest: Digest) -> None:
        """Delete a blob."""
        ...
