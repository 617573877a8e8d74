"""The port that a storage medium implements. Everything users call is written once on top of it."""

from typing import TYPE_CHECKING, Protocol, Self

from dreg_client.protocol.content import BlobRequest, RawManifest
from dreg_client.values.digest import Digest

if TYPE_CHECKING:  # commands that only list or resolve need no models
    from dreg_client.models.descriptor import Descriptor


class AsyncBlobReader(Protocol):
    """The bytes of a blob in order, not verified yet: an async context manager and, inside it, an async iterator."""

    @property
    def encoding(self) -> str:
        """The `Content-Encoding` that the bytes came with although `identity` was requested; empty if none."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> bytes: ...


class AsyncSource(Protocol):
    """A storage medium: a repository of a registry, an image layout, an archive.

    No method needs to verify bytes: `RawManifest` does when it is made, and the code on top does for all others.
    """

    @property
    def name(self) -> str:
        """The short name, for messages: a repository's name or a path."""
        ...

    @property
    def address(self) -> str:
        """The full address: a repository's name with its registry, or a path."""
        ...

    @property
    def strict(self) -> bool:
        """False if documents with only minor errors are read, too."""
        ...

    @property
    def refetches(self) -> bool:
        """Whether to request bytes once more that do not match their digest, as they came over a network."""
        ...

    @property
    def writes_manifests(self) -> bool:
        """Whether its manifests are written by this library, as a docker-archive has none."""
        ...

    async def resolve(self, reference: str) -> "Descriptor":
        """Return the descriptor of a tag or digest; of an empty text, of the only manifest (registries: of `latest`).

        Raises:
            NotFoundError: There is no such manifest.
            ConflictError: The name is ambiguous.
        """
        ...

    async def fetch_manifest(self, reference: str, *, legacy: bool = False) -> RawManifest:
        """Fetch the manifest at a tag or digest (see `resolve`); with `legacy`, schema 1 is accepted too.

        Make the result with the digest that the bytes must have (that of the request, or of the medium's own list).
        """
        ...

    async def fetch_document(self, descriptor: "Descriptor", *, is_blob: bool = False) -> bytes:
        """Fetch a manifest, or with `is_blob` a config; documents of more than 4 MiB are rejected."""
        ...

    async def tags(self) -> tuple[str, ...]:
        """List all tags, in the medium's order."""
        ...

    async def referrers(self, digest: Digest, artifact_type: str | None = None) -> "tuple[Descriptor, ...]":
        """List the manifests whose `subject` is this digest, as the medium states them, in its order."""
        ...

    async def has_blob(self, digest: Digest) -> bool:
        """Return whether a blob exists; it is not read."""
        ...

    def open_blob(self, request: BlobRequest) -> AsyncBlobReader:
        """Return a reader of a blob; nothing is requested before the reader is entered."""
        ...

    async def aclose(self) -> None:
        """Close what the medium holds open."""
        ...
