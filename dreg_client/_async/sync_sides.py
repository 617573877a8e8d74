"""Places with several repositories: registries, directories of layouts, and layouts or archives with full names."""

import os
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Protocol

from dreg_client import errors
from dreg_client._async._compat import run_in_thread
from dreg_client._async.copy_ends import open_source, open_target, target_of
from dreg_client._async.named_images import AsyncNamedImages, AsyncNamedRepository
from dreg_client._async.ports import AsyncDestination, AsyncSource
from dreg_client._async.registry import AsyncRegistry
from dreg_client._async.registry_storage import AsyncRegistryStorage
from dreg_client.copying.repository_names import without_registry
from dreg_client.files.layout_writer import create_layout
from dreg_client.files.path_kinds import is_layout
from dreg_client.values.reference import RepositoryName
from dreg_client.values.store_name import StoreName

_FILES_OF_LAYOUTS: Final = frozenset({"blobs", "index.json", "oci-layout"})
_MOST_DIRECTORIES: Final = 100_000


class AsyncReadSide(Protocol):
    """Repositories to read. Unless a class says otherwise, their names have no registry."""

    async def repositories(self) -> list[str]:
        """List their names, in order."""
        ...

    def name_of(self, repository: str) -> str:
        """Return the name of a repository for messages and plans."""
        ...

    def full_name_of(self, repository: str) -> str:
        """Return the name of a repository with its registry, if that is known."""
        return repository

    def below(self, repository: str) -> str:
        """Return the name of a repository without its registry."""
        return repository

    def open(self, repository: str) -> AbstractAsyncContextManager[AsyncSource]:
        """Open a repository."""
        ...


class AsyncWriteSide(Protocol):
    """Where repositories are written. `name` is the full name in the source, `below` that without a registry."""

    def name_of(self, name: str, below: str) -> str:
        """Return the name of a repository for messages and plans."""
        ...

    def open(self, name: str, below: str) -> AbstractAsyncContextManager[AsyncDestination]:
        """Open a repository."""
        ...


class AsyncCatalog(AsyncReadSide):
    """All repositories of a registry."""

    def __init__(self, registry: AsyncRegistry) -> None:
        self._registry = registry

    async def repositories(self) -> list[str]:
        """List the repositories of the catalog."""
        return [name async for name in self._registry.catalog()]

    def name_of(self, repository: str) -> str:
        """Return the name with the registry."""
        return f"{self._registry.name}/{repository}"

    def full_name_of(self, repository: str) -> str:
        """Return the name with the registry."""
        return self.name_of(repository)

    @asynccontextmanager
    async def open(self, repository: str) -> AsyncGenerator[AsyncSource]:
        """Open a repository."""
        yield self._registry.repository(RepositoryName(repository)).source


class AsyncStorageCatalog(AsyncReadSide):
    """All repositories in the storage of a registry."""

    def __init__(self, storage: AsyncRegistryStorage) -> None:
        self._storage = storage

    async def repositories(self) -> list[str]:
        """List the repositories of the storage."""
        return [name async for name in self._storage.catalog()]

    def name_of(self, repository: str) -> str:
        """Return the name with the path of the storage."""
        return f"registry-storage:{self._storage.name.rstrip('/')}/{repository}"

    @asynccontextmanager
    async def open(self, repository: str) -> AsyncGenerator[AsyncSource]:
        """Open a repository."""
        yield self._storage.repository(repository).source


class AsyncNames(AsyncReadSide):
    """All repositories in a layout or archive whose images have full names."""

    def __init__(self, medium: AsyncSource, names: dict[str, dict[str, str]], address: str) -> None:
        self._medium, self._names, self._address = medium, names, address

    async def repositories(self) -> list[str]:
        """List the repositories that images are named after."""
        return list(self._names)

    def name_of(self, repository: str) -> str:
        """Return the name with the path."""
        return f"{self._address}:{repository}"

    def below(self, repository: str) -> str:
        """Return the name without a registry."""
        return without_registry(repository)

    @asynccontextmanager
    async def open(self, repository: str) -> AsyncGenerator[AsyncSource]:
        """Open a repository."""
        yield AsyncNamedImages(self._medium, self._names[repository])


class AsyncFolders(AsyncReadSide):
    """A directory of layouts, each of which is a repository that is named by its path."""

    def __init__(self, path: str) -> None:
        self._path = path

    async def repositories(self) -> list[str]:
        """List the layouts in the directory, at any depth."""
        return await run_in_thread(layouts_in, self._path)

    def name_of(self, repository: str) -> str:
        """Return the name of the layout."""
        return f"oci:{self._path}/{repository}"

    @asynccontextmanager
    async def open(self, repository: str) -> AsyncGenerator[AsyncSource]:
        """Open a layout."""
        async with open_source(StoreName("oci", f"{self._path}/{repository}"), {}) as read:
            yield read.medium


class AsyncIntoRegistry:
    """A registry to write to, below a prefix."""

    def __init__(self, registry: AsyncRegistry, prefix: str) -> None:
        self._registry, self._prefix = registry, prefix

    def _below(self, below: str) -> str:
        return f"{self._prefix}/{below}" if self._prefix else below

    def name_of(self, name: str, below: str) -> str:  # noqa: ARG002 (protocol)
        """Return the name with the registry."""
        return f"{self._registry.name}/{self._below(below)}"

    @asynccontextmanager
    async def open(self, name: str, below: str) -> AsyncGenerator[AsyncDestination]:  # noqa: ARG002 (protocol)
        """Open a repository."""
        repository = self._registry.repository(RepositoryName(self._below(below)))
        async with open_target(target_of(repository), {}, dry_run=False) as written:
            yield written


class AsyncIntoFolders:
    """A directory to write layouts to."""

    def __init__(self, path: str, *, dry_run: bool) -> None:
        self._path, self._dry_run = path, dry_run

    def name_of(self, name: str, below: str) -> str:  # noqa: ARG002 (protocol)
        """Return the name of the layout."""
        return f"oci:{self._path}/{below}"

    @asynccontextmanager
    async def open(self, name: str, below: str) -> AsyncGenerator[AsyncDestination]:  # noqa: ARG002 (protocol)
        """Create or open a layout. It may be in the directory of another one, but not among its files."""
        path = f"{self._path}/{RepositoryName(below)}"
        if not _FILES_OF_LAYOUTS.isdisjoint(below.split("/")[1:]):
            advice = f"copy {below} separately, to a directory of its own"
            raise errors.UnsafePathError(path, f"would be among the files of another layout; {advice}")
        with ExitStack() as stack:
            if not self._dry_run:
                await run_in_thread(partial(create_layout, path, among_others=True))
            elif not is_layout(path):
                path = stack.enter_context(TemporaryDirectory())
            async with open_target(target_of(StoreName("oci", path)), {}, dry_run=self._dry_run) as written:
                yield written


class AsyncIntoNames:
    """A layout or archive to write to, with full names."""

    def __init__(self, medium: AsyncDestination, address: str) -> None:
        self._medium, self._address = medium, address
        self.is_docker_archive = medium.writes_manifests

    def name_of(self, name: str, below: str) -> str:  # noqa: ARG002 (protocol)
        """Return the name with the path."""
        return f"{self._address}:{name}"

    @asynccontextmanager
    async def open(self, name: str, below: str) -> AsyncGenerator[AsyncDestination]:  # noqa: ARG002 (protocol)
        """Open a repository."""
        yield AsyncNamedRepository(self._medium, name)


def layouts_in(path: str) -> list[str]:
    """Return the layouts in a directory, relative to it. Links are not followed.

    Raises:
        LayoutError: There are too many directories.
    """
    found: list[str] = []
    for number, (folder, names, files) in enumerate(os.walk(path)):
        if number >= _MOST_DIRECTORIES:
            raise errors.LayoutError(path, f"it has more than {_MOST_DIRECTORIES} directories; name one of them")
        if "oci-layout" in files and folder != path:
            found.append(Path(folder).relative_to(path).as_posix())
            names[:] = [name for name in names if name != "blobs"]
        names.sort()
    return found
