"""The twins of repositories, for tasks."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, ClassVar, TypeVar

from dreg_client import repository_plans
from dreg_client.asks import Ask, Blob, Named, Wanted, digest_of
from dreg_client.async_connection import AsyncConnection
from dreg_client.async_image import AsyncImageStore
from dreg_client.async_side_by_side import AsyncSideBySide
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.stored import StoredDocument
from dreg_client.protocol import blobs, manifests
from dreg_client.protocol import tags_and_catalog as listing
from dreg_client.protocol.messages import Exchange
from dreg_client.values.digest import Digest
from dreg_client.values.reference import RepositoryName, Tag

if TYPE_CHECKING:
    from dreg_client.async_registry import AsyncRegistry

T = TypeVar("T")


class AsyncRepository(AsyncImageStore):
    """The twin of `Repository`, for tasks. Get one by `AsyncRegistry.repository`, or by `aopen_store`.

    Args:
        connection: The client of its registry.
        name: Its name.
        owner: The registry, where closing this repository is to close it.
    """

    rereads: ClassVar[bool] = True

    def __init__(self, connection: AsyncConnection, name: RepositoryName, owner: "AsyncRegistry | None" = None) -> None:
        self._connection, self._name, self._owner = connection, name, owner
        self._tags: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """Its name, such as `acme/web`."""
        return self._name

    @property
    def address(self) -> str:
        """Its name with its registry before it, such as `registry.example/acme/web`."""
        return f"{self._connection.base.name}/{self._name}"

    async def close(self) -> None:
        """Close the registry, where it was opened for this repository alone."""
        if self._owner is not None:
            await self._owner.close()

    async def answer(self, ask: Ask) -> object:
        """Answer a question by asking the registry."""
        if isinstance(ask, Blob):
            beside = AsyncSideBySide(self._connection, self._name, ask) if ask.connections > 1 else None
            return beside or self._connection.blob(self._name, ask)
        return await self._connection.carry(repository_plans.wire_plan(ask, self._name, self._connection.habits))

    async def tags(self) -> tuple[str, ...]:
        """All tags, in the registry's order; read once, until `refresh` or a change made here.

        Raises:
            NotFoundError: There is no such repository.
        """
        if self._tags is None:
            self._tags = await super().tags()
        return self._tags

    def refresh(self) -> None:
        """Forget the tags, so that they are read anew."""
        self._tags = None

    async def iter_tags(self, *, n: int | None = None, last: str | None = None) -> AsyncIterator[str]:
        """The tags, page by page as they are taken; nothing is kept.

        Args:
            n: How many a page should have; the registry's choice where it is None, at most 1,000.
            last: Begin behind this tag.
        """
        pages = listing.tag_pages(self._name, n, last)
        while pages.request is not None:
            for tag in await self._connection.carry(listing.tags(pages)):
                yield tag

    async def put_manifest(
        self, document: StoredDocument | bytes, reference: str | None = None, *, media_type: str | None = None
    ) -> Descriptor:
        """Write a manifest or index, byte for byte, once it was found valid (distribution-spec "Pushing Manifests").

        Args:
            document: The document, or its bytes.
            reference: A tag, or its digest; by its digest alone where it is None.
            media_type: What it is, where the bytes do not say so.

        Raises:
            InvalidDocumentError: It breaks rules. Nothing was sent.
            DigestMismatchError: `reference` is the digest of other bytes (nothing was sent), or others were taken.
        """
        return await self._change(repository_plans.put(self._name, document, reference, media_type))

    async def tag(self, reference: Named, *new_tags: str) -> Digest:
        """Give further tags to what a tag, digest or descriptor names: the bytes go back as they came.

        Where one of several tags cannot be written, those before it are.

        Raises:
            NotFoundError: There is no such thing.
            InvalidReferenceError: One of the tags is none. Nothing was sent.
        """
        return await self._change(repository_plans.tag(self._name, reference, new_tags))

    async def untag(self, tag: str) -> None:
        """Delete a tag, and nothing else (distribution-spec "Deleting tags").

        Raises:
            UnsupportedError: The registry does not offer it. What it would delete besides is in the sentence.
            NotFoundError: There is no such tag.
        """
        await self._change(repository_plans.untag(self._name, Tag(tag), self._connection.habits))

    delete_tag = untag

    async def delete_manifest(self, digest: Wanted) -> None:
        """Delete a manifest by its digest: all tags that name it go with it (distribution-spec "Deleting Manifests").

        Raises:
            InvalidDigestError: The text is no digest, but a tag, say; that is what `untag` is for. Nothing was sent.
            NotFoundError: There is no such manifest.
            UnsupportedError: The registry does not offer it.
        """
        await self._change(manifests.delete(self._name, digest_of(digest)))

    async def delete_blob(self, digest: Wanted) -> None:
        """Delete a blob (distribution-spec "Deleting Blobs").

        Raises:
            NotFoundError: There is no such blob.
            UnsupportedError: The registry does not offer it.
        """
        await self._change(blobs.delete(self._name, digest_of(digest)))

    async def _change(self, plan: Exchange[T]) -> T:
        try:
            return await self._connection.carry(plan)
        finally:
            self.refresh()

    def __repr__(self) -> str:
        return f"AsyncRepository({self.address})"
