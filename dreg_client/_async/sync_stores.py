"""Two stores that are synchronised."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from dreg_client import errors
from dreg_client._async.copy_ends import open_source, open_target, target_of
from dreg_client._async.named_images import AsyncNamedImages, AsyncNamedRepository
from dreg_client._async.ports import AsyncDestination, AsyncSource
from dreg_client._async.store import AsyncStore
from dreg_client._async.sync_run import AsyncSyncRun
from dreg_client.copying.repository_names import by_repository, in_one_repository, is_repository, without_registry
from dreg_client.files.store_path import named_store
from dreg_client.values.reference import shown
from dreg_client.values.registry_name import STORAGE
from dreg_client.values.store_name import StoreName, reference_of
from dreg_client.values.store_name import repository_of as name_of_repository

_EXPECTED: Final = "a repository or a layout without a tag or digest; to choose tags, use tags="


class AsyncStores:
    """A source and a destination, each a repository, a layout or an archive.

    Args:
        source: The source, by name or as an open store.
        destination: The destination, likewise.
        run: What all repositories of a sync share.
        dry_run: Whether layouts are not created.

    Attributes:
        names: The names of both, without a tag.
    """

    def __init__(
        self,
        source: str | StoreName | AsyncStore,
        destination: str | StoreName | AsyncStore,
        run: AsyncSyncRun,
        *,
        dry_run: bool,
    ) -> None:
        self._source, self._destination = _parsed(source), _parsed(destination)
        if isinstance(self._source, StoreName) and self._source.kind in {"registry", "registry-storage"}:
            check_without_tag(self._source)
        if isinstance(self._destination, StoreName):
            check_without_tag(self._destination)
        self._run, self._dry_run = run, dry_run
        self.names = address_of(self._source), address_of(self._destination)

    @property
    def is_archive(self) -> bool:
        """Whether the destination is written as a whole."""
        return target_of(self._destination).is_archive

    @property
    def is_docker_archive(self) -> bool:
        """Whether the destination is a docker-archive."""
        return target_of(self._destination).is_docker_archive

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[tuple[AsyncSource, tuple[str, ...], AsyncDestination]]:
        """Open both; yield the source, all its tags, and the destination."""
        source = await self._in_registry(self._source)
        destination = await self._in_registry(self._destination, is_destination=True)
        target = target_of(destination)
        async with open_source(source, {}) as read:
            medium = await self._named(read.medium, is_registry=target.is_registry)
            listed = await medium.tags()
            prefix = self._prefix(medium, listed)
            async with open_target(target, {}, dry_run=self._dry_run) as written:
                yield medium, listed, AsyncNamedRepository(written, prefix) if prefix else written

    async def _in_registry(
        self, given: StoreName | AsyncStore, *, is_destination: bool = False
    ) -> StoreName | AsyncStore:
        """Return the repository that is named; other stores unchanged."""
        if not isinstance(given, StoreName) or given.kind != "registry" or given.reference is None:
            return given
        registry = await self._run.registry(given.reference.registry, is_destination=is_destination)
        return registry.repository(given.reference.repository)

    async def _named(self, medium: AsyncSource, *, is_registry: bool) -> AsyncSource:
        """Return the images to copy under their tags, if they have full names."""
        wanted = _repository_in(self._source)
        if not wanted and not (is_registry and medium.client is None):
            return medium
        found = by_repository(await medium.tags())
        if wanted:
            if wanted not in found:
                _refuse_tag(self._source)
            return AsyncNamedImages(medium, found[wanted])
        repositories = [name for name in found if name]
        if len(repositories) > 1:
            raise _several(self.names[0], repositories)
        return AsyncNamedImages(medium, in_one_repository(found)) if repositories else medium

    def _prefix(self, source: AsyncSource, listed: tuple[str, ...]) -> str:
        """Return the repository that images are named after in a layout or archive; empty if names are not changed.

        Raises:
            InvalidReferenceError: There is none, although a docker-archive needs it.
        """
        wanted = _repository_in(self._destination)
        if wanted or not self.is_docker_archive:
            return wanted
        if source.client is not None:
            return source.address
        if isinstance(source, AsyncNamedImages) or "" in by_repository(listed):
            expected = "an archive and a repository, such as docker-archive:FILE:acme/web: some images have only a tag"
            raise errors.InvalidReferenceError(self.names[1], "destination", expected)
        return ""


def check_without_tag(name: StoreName) -> None:
    """Raise InvalidReferenceError if the name of a store has a tag or digest."""
    if not name.is_named or not reference_of(name):
        return
    if name.kind in {"registry", "registry-storage"} or not is_repository(reference_of(name)):
        _refuse_tag(name)


def repository_of(source: str | StoreName | AsyncStore) -> str:
    """Return the repository of a source without its registry; empty if it is a layout or an archive without names."""
    if isinstance(source, AsyncStore):
        is_repository_of_storage = source.address.startswith(STORAGE)
        return source.name if source.source.client is not None or is_repository_of_storage else ""
    name = named_store(source)
    if name.kind == "registry":
        return name.reference.repository if name.reference else ""
    if name.kind == "registry-storage":
        return name.repository or ""
    return without_registry(_repository_in(name))


def address_of(given: str | StoreName | AsyncStore, medium: AsyncSource | None = None) -> str:
    """Return the name of a store, without a tag."""
    if not isinstance(given, str | StoreName):
        read = medium or given.source
        is_whole = read.client is not None or read.address.startswith(STORAGE)
        return read.address if is_whole else f"oci:{read.address}"
    name = named_store(given)
    if name.kind in {"registry", "registry-storage"}:
        return name_of_repository(name)
    repository = _repository_in(name)
    return f"{name.kind}:{name.path}" + (f":{repository}" if repository else "")


def _parsed(given: str | StoreName | AsyncStore) -> StoreName | AsyncStore:
    return named_store(given) if isinstance(given, str | StoreName) else given


def _repository_in(given: StoreName | AsyncStore) -> str:
    """Return the repository in the name of a layout or archive, such as `oci-archive:FILE:acme/web`."""
    if not isinstance(given, StoreName) or given.kind in {"registry", "registry-storage"}:
        return ""
    return reference_of(given)


def _refuse_tag(given: StoreName | AsyncStore) -> None:
    raise errors.InvalidReferenceError(shown(str(given)), "name for sync", _EXPECTED)


def _several(name: str, repositories: list[str]) -> errors.InvalidReferenceError:
    more = f" and {len(repositories) - 3} more" if len(repositories) > 3 else ""
    those = f"{', '.join(map(shown, repositories[:3]))}{more}"
    advice = f"name one of them, as in {name}:{shown(repositories[0])}, or sync to a whole registry"
    return errors.InvalidReferenceError(name, "source", f"a single repository, but it has {those}; {advice}")
