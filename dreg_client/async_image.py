"""The twins of images and their stores, for tasks."""

from dreg_client.asks import Named
from dreg_client.async_store import AsyncStore
from dreg_client.image import Entry, NamedImage, PlatformImage, image_at
from dreg_client.models.descriptor import Descriptor
from dreg_client.models.index import AnyManifest
from dreg_client.values.platform import Platform


class AsyncImage(NamedImage):
    """The twin of `Image`, for tasks: what still reads is awaited."""

    def __init__(
        self, store: "AsyncImageStore", reference: Named, document: AnyManifest, entries: tuple[Entry, ...]
    ) -> None:
        super().__init__(store.name, reference, document, entries)
        self._store = store

    async def get_platform_image(self, platform: Platform | str | Descriptor) -> PlatformImage:
        """The image for a platform (see `Image.get_platform_image`)."""
        return await self._store.run(self.chosen(platform))

    async def get_platform_images(self) -> tuple[PlatformImage, ...]:
        """The images of all platforms, in document order."""
        return await self._store.run(self.every())


class AsyncImageStore(AsyncStore):
    """The twin of `ImageStore`, for tasks."""

    async def get_image(self, reference: Named) -> AsyncImage:
        """What a tag, a digest or a descriptor names, as an image (see `ImageStore.get_image`)."""
        document, entries = await self.run(image_at(reference))
        return AsyncImage(self, reference, document, entries)
