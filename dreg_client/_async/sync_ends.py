"""The ends of `sync`: two stores, or many repositories and where each of them is written."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from dreg_client import errors
from dreg_client._async.copy_ends import open_source, open_target, target_of
from dreg_client._async.ports import AsyncDestination, AsyncSource
from dreg_client._async.registry import AsyncRegistry
from dreg_client._async.registry_storage import AsyncRegistryStorage
from dreg_client._async.store import AsyncStore
from dreg_client._async.sync_run import AsyncSyncRun
from dreg_client._async.sync_sides import (
    AsyncCatalog,
    AsyncFolders,
    AsyncIntoFolders,
    AsyncIntoNames,
    AsyncIntoRegistry,
    AsyncNames,
    AsyncReadSide,
    AsyncStorageCatalog,
    AsyncWriteSide,
    layouts_in,
)
from dreg_client._async.sync_stores import AsyncStores, address_of, check_without_tag, repository_of
from dreg_client.copying.repository_names import by_repository
from dreg_client.copying.sync_options import SyncChoice
from dreg_client.files.path_kinds import is_layout
from dreg_client.files.store_path import named_store
from dreg_client.values.registry_name import DOCKER, host_alone
from dreg_client.values.store_name import StoreName, reference_of

AsyncSyncEnd = str | StoreName | AsyncStore | AsyncRegistry
"""One side of a sync: the name of a store, of a whole registry or of a storage, or an open store or registry."""


@dataclass(frozen=True, slots=True)
class AsyncSyncPair:
    """A source and a destination.

    Attributes:
        source: The medium to read.
        destination: The medium to write. A layout is created only after the tags of the source were listed.
        names: The names of both, without a tag.
        listed: All tags of the source.
        is_whole: Whether the destination is an archive, which is written as a whole.
    """

    source: AsyncSource
    destination: AsyncDestination
    names: tuple[str, str]
    listed: tuple[str, ...]
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class AsyncNamedPair:
    """A source and a destination that are not open yet.

    Attributes:
        names: The names of both, without a tag.
        open: Opens them.
    """

    names: tuple[str, str]
    open: Callable[[], AbstractAsyncContextManager[AsyncSyncPair]]


class AsyncSyncEnds(Protocol):
    """The pairs of stores to synchronise: one or many."""

    @property
    def is_single(self) -> bool:
        """Whether it is one pair of stores, so that its failure is that of the sync."""
        ...

    async def pairs(self, choice: SyncChoice) -> list[AsyncNamedPair]:
        """List the pairs, in order."""
        ...


@asynccontextmanager
async def open_ends(
    source: AsyncSyncEnd, destination: AsyncSyncEnd, run: AsyncSyncRun, *, dry_run: bool
) -> AsyncGenerator[AsyncSyncEnds]:
    """Open the stores to synchronise; with `dry_run`, without creating layouts or writing archives."""
    async with AsyncExitStack() as stack:
        if (read := await _read_side(source, destination, run, stack)) is not None:
            yield _Many(read, await _write_side(destination, run, stack, dry_run=dry_run))
            return
        assert not isinstance(source, AsyncRegistry)  # noqa: S101 (it has a side)
        yield _Single(AsyncStores(source, await _one_destination(source, destination, run), run, dry_run=dry_run))


async def _registry(given: AsyncSyncEnd, run: AsyncSyncRun, *, is_destination: bool = False) -> AsyncRegistry | None:
    """Return the registry that is given or named; None if it is a store."""
    if isinstance(given, AsyncRegistry):
        return given
    host = host_alone(given) if isinstance(given, str) else None
    return await run.registry(host, is_destination=is_destination) if host else None


async def _read_side(
    source: AsyncSyncEnd, destination: AsyncSyncEnd, run: AsyncSyncRun, stack: AsyncExitStack
) -> AsyncReadSide | None:
    """Return the repositories to read; None if the source is a single one."""
    if (registry := await _registry(source, run)) is not None:
        return AsyncCatalog(registry)
    assert not isinstance(source, AsyncRegistry)  # noqa: S101 (see above)
    name = named_store(source) if isinstance(source, str | StoreName) else None
    if name is not None and name.kind == "registry-storage" and name.repository is None:
        return AsyncStorageCatalog(await stack.enter_async_context(AsyncRegistryStorage(name.path, strict=False)))
    if name is not None and (name.kind == "registry" or reference_of(name)):
        return None
    if name is not None and name.kind == "oci" and _is_directory_of_layouts(name.path):
        return AsyncFolders(name.path)
    if not isinstance(destination, AsyncRegistry) and not (isinstance(destination, str) and host_alone(destination)):
        return None
    read = await stack.enter_async_context(open_source(source, {}))
    if read.medium.client is not None:  # an open repository
        return None
    found = by_repository(await read.medium.tags())
    found.pop("", None)
    return AsyncNames(read.medium, found, address_of(source, read.medium)) if found else None


def _is_directory_of_layouts(path: str) -> bool:
    return Path(path).is_dir() and not is_layout(path) and bool(layouts_in(path))


async def _write_side(
    destination: AsyncSyncEnd, run: AsyncSyncRun, stack: AsyncExitStack, *, dry_run: bool
) -> AsyncWriteSide:
    """Return where several repositories are written."""
    if (registry := await _registry(destination, run, is_destination=True)) is not None:
        return AsyncIntoRegistry(registry, "")
    if isinstance(destination, str | StoreName):
        name = named_store(destination)
        check_without_tag(name)
        if name.reference is not None and name.kind == "registry":
            registry = await run.registry(name.reference.registry, is_destination=True)
            return AsyncIntoRegistry(registry, _prefix_of(destination, name.reference.repository))
        if name.kind == "oci" and not is_layout(name.path):
            return AsyncIntoFolders(name.path, dry_run=dry_run)
    assert not isinstance(destination, AsyncRegistry)  # noqa: S101 (see above)
    target = target_of(destination)
    if target.is_registry:
        raise errors.UnsupportedError(
            "several repositories cannot be copied to one; name a registry as the destination"
        )
    written = await stack.enter_async_context(open_target(target, {}, dry_run=dry_run))
    if target.is_archive and not dry_run:
        await stack.enter_async_context(written.writing())
    return AsyncIntoNames(written, address_of(destination, written))


def _prefix_of(given: str | StoreName, repository: str) -> str:
    """Return the repository that the names of all others are put below."""
    text = str(given).removeprefix(DOCKER)
    return repository if text.endswith(repository) else repository.removeprefix("library/")


async def _one_destination(
    source: str | StoreName | AsyncStore, destination: AsyncSyncEnd, run: AsyncSyncRun
) -> str | StoreName | AsyncStore:
    """Return where a single store is written. In a whole registry, that is the repository of the same name."""
    into = await _registry(destination, run, is_destination=True)
    if into is None:
        assert not isinstance(destination, AsyncRegistry)  # noqa: S101 (see `_registry`)
        return destination
    if not (repository := repository_of(source)):
        expected = f"a repository, such as {into.name}/NAME, because the source is not a repository"
        raise errors.InvalidReferenceError(into.name, "destination", expected)
    return into.repository(repository)


class _Single:
    """One pair of stores."""

    is_single = True

    def __init__(self, stores: AsyncStores) -> None:
        self._stores = stores

    async def pairs(self, choice: SyncChoice) -> list[AsyncNamedPair]:
        source, destination = self._stores.names
        if choice.repositories:
            expected = "a whole registry, or a directory of layouts: repositories= chooses from several"
            raise errors.InvalidReferenceError(source, "source", expected)
        if choice.prune and self._stores.is_docker_archive:
            _refuse_to_prune(destination)
        return [AsyncNamedPair(self._stores.names, self._open)]

    @asynccontextmanager
    async def _open(self) -> AsyncGenerator[AsyncSyncPair]:
        async with self._stores.opened() as (source, listed, destination):
            yield AsyncSyncPair(source, destination, self._stores.names, listed, self._stores.is_archive)


class _Many:
    """Several repositories, and where each of them is written."""

    is_single = False

    def __init__(self, read: AsyncReadSide, write: AsyncWriteSide) -> None:
        self._read, self._write = read, write

    async def pairs(self, choice: SyncChoice) -> list[AsyncNamedPair]:
        if choice.prune and isinstance(self._write, AsyncIntoNames) and self._write.is_docker_archive:
            _refuse_to_prune(self._write.name_of("NAME", ""))
        found = await self._read.repositories()
        chosen = [name for name in found if choice.has_repository(self._read.below(name))]
        return [AsyncNamedPair(self._names(name), partial(self._open, name)) for name in chosen]

    def _names(self, repository: str) -> tuple[str, str]:
        name = self._read.name_of(repository)
        return name, self._write.name_of(self._read.full_name_of(repository), self._read.below(repository))

    @asynccontextmanager
    async def _open(self, repository: str) -> AsyncGenerator[AsyncSyncPair]:
        async with self._read.open(repository) as read:
            listed = await self._tags(read)
            full_name, below = self._read.full_name_of(repository), self._read.below(repository)
            async with self._write.open(full_name, below) as written:
                yield AsyncSyncPair(read, written, self._names(repository), listed)

    async def _tags(self, read: AsyncSource) -> tuple[str, ...]:
        """Return the tags of a repository; none if only a catalog has it, as after an upload that was cancelled."""
        try:
            return await read.tags()
        except errors.NotFoundError:
            if not isinstance(self._read, AsyncCatalog):
                raise
            return ()


def _refuse_to_prune(name: str) -> None:
    """Raise UnsupportedError, because a docker-archive does not keep the digests by which tags are compared."""
    raise errors.UnsupportedError(f"{name} cannot be pruned; delete the archive, and sync again")
