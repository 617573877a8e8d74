"""The twins of opening, for tasks."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Unpack

from dreg_client.async_image import AsyncImage, AsyncImageStore
from dreg_client.async_local import AsyncLocalStore
from dreg_client.async_registry import AsyncRegistry
from dreg_client.opening import open_store, reference_of, with_defaults
from dreg_client.protocol.options import RegistryOptions
from dreg_client.values.store_name import StoreName


def aopen_store(text: str | StoreName, **options: Unpack[RegistryOptions]) -> AsyncImageStore:
    """The store that a name stands for (see `open_store`); nothing is awaited, since no registry is asked yet."""
    name = StoreName.parse(text) if isinstance(text, str) else text
    if name.kind == "registry" and name.reference is not None:
        registry = AsyncRegistry(name.reference.registry, **with_defaults(options))
        return registry.lone_repository(name.reference.repository)
    return AsyncLocalStore(open_store(name))


@asynccontextmanager
async def aopen_image(text: str, **options: Unpack[RegistryOptions]) -> AsyncGenerator[AsyncImage]:
    """The image that a line of text names (see `open_image`); the store is closed at the end of the block.

    Example:
        async with aopen_image("ubuntu:22.04") as image:
            print(image.platforms)
    """
    name = StoreName.parse(text)
    async with aopen_store(name, **options) as store:
        yield await store.get_image(reference_of(name))
