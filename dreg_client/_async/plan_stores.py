"""Open the repositories and layouts of a plan by their names."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager

from dreg_client import errors
from dreg_client._async.copy_ends import open_target, target_of
from dreg_client._async.ports import AsyncDestination, AsyncSource
from dreg_client._async.store import AsyncStore
from dreg_client._async.sync_run import AsyncSyncRun
from dreg_client._async.sync_stores import address_of, check_without_tag
from dreg_client.files.store_path import named_store
from dreg_client.values.reference import shown
from dreg_client.values.store_name import StoreName


class AsyncPlanStores:
    """The stores of a plan: open ones, and those that are opened by their names.

    Args:
        stores: Open stores. They stay open.
        run: What all repositories share.
    """

    def __init__(self, stores: Iterable[AsyncStore], run: AsyncSyncRun) -> None:
        self._open = {address_of(store): store for store in stores}
        self._run = run

    @asynccontextmanager
    async def source(self, name: str) -> AsyncGenerator[AsyncSource]:
        """Open a store to read.

        Raises:
            InvalidReferenceError: It is not the name of a repository or a layout, or has a tag.
            NotFoundError: There is no such layout.
        """
        if (store := self._open.get(name)) is not None:
            yield store.source
            return
        parsed = _parsed(name)
        if parsed.reference is not None:
            registry = await self._run.registry(parsed.reference.registry)
            yield registry.repository(parsed.reference.repository).source
            return
        from dreg_client._async.layout import AsyncLayout  # noqa: PLC0415 (not every plan needs a layout)

        async with AsyncLayout(parsed.path, strict=False) as layout:
            yield layout.source

    @asynccontextmanager
    async def destination(self, name: str, *, is_new: bool) -> AsyncGenerator[AsyncDestination]:
        """Open a store to write. With `is_new`, a layout that does not exist is created."""
        async with open_target(target_of(await self._target(name, is_new=is_new)), {}, dry_run=False) as opened:
            yield opened

    async def _target(self, name: str, *, is_new: bool) -> StoreName | AsyncStore:
        if (store := self._open.get(name)) is not None:
            return store
        parsed = _parsed(name)
        if parsed.reference is not None:
            registry = await self._run.registry(parsed.reference.registry, is_destination=True)
            return registry.repository(parsed.reference.repository)
        if not is_new:
            from dreg_client._async.opening import aopen_layout  # noqa: PLC0415 (as above)

            await aopen_layout(parsed).close()  # raises an error if there is no such layout
        return parsed


def _parsed(name: str) -> StoreName:
    parsed = named_store(name)
    check_without_tag(parsed)
    if parsed.kind not in {"registry", "oci"}:
        raise errors.InvalidReferenceError(shown(name), "name in a plan", "a repository, or oci:PATH")
    return parsed
