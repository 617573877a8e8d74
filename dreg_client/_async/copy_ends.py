"""The ends of a copy: stores, and images in them, by name or as objects."""

from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from dreg_client import errors
from dreg_client._async.opening import aopen_store
from dreg_client._async.ports import AsyncDestination, AsyncSource
from dreg_client._async.store import AsyncStore
from dreg_client.files.store_path import named_store
from dreg_client.values.digest import Digest, is_registered_digest
from dreg_client.values.store_name import STORAGE_IS_READ, StoreName, reference_of

_ARCHIVES: Final = frozenset({"oci-archive", "docker-archive"})

if TYPE_CHECKING:
    from dreg_client.protocol.options import RegistryOptions

AsyncCopyEnd = str | StoreName | AsyncStore | tuple[AsyncStore, str]
"""A store and an image in it: by name, or as an open store, alone or in a pair with a tag or digest."""


@dataclass(frozen=True, slots=True)
class AsyncCopySource:
    """The source of a copy.

    Attributes:
        medium: The storage medium.
        reference: The tag or digest of the image; empty if none is given.
    """

    medium: AsyncSource
    reference: str


@dataclass(frozen=True, slots=True)
class AsyncCopyTarget:
    """The destination of a copy, before it is opened.

    Attributes:
        given: The name, or the open store.
        reference: The tag or digest of the image; empty if none is given.
        is_registry: Whether the store is a registry, whose default tag is `latest`.
    """

    given: StoreName | AsyncStore
    reference: str
    is_registry: bool

    @property
    def is_archive(self) -> bool:
        """Whether it is an archive, which is written as a whole."""
        return isinstance(self.given, StoreName) and self.given.kind in _ARCHIVES

    @property
    def is_docker_archive(self) -> bool:
        """Whether it is a docker-archive, which holds images of one platform, with full names."""
        return isinstance(self.given, StoreName) and self.given.kind == "docker-archive"

    @property
    def tag(self) -> str:
        """The tag of the image; empty if none is given."""
        return "" if is_registered_digest(self.reference) else self.reference

    @property
    def digest(self) -> Digest | None:
        """The digest of the image, if it is given."""
        return Digest(self.reference) if is_registered_digest(self.reference) else None


@asynccontextmanager
async def open_source(given: AsyncCopyEnd, options: "RegistryOptions") -> AsyncGenerator[AsyncCopySource]:
    """Open the source of a copy. A store that was given as an object stays open at the end."""
    if not isinstance(given, str | StoreName):
        store, reference = _store_in(given)
        yield AsyncCopySource(store.source, reference)
        return
    name = named_store(given)
    async with aopen_store(name, strict=False, **options) as store:
        yield AsyncCopySource(store.source, reference_of(name))


def target_of(given: AsyncCopyEnd) -> AsyncCopyTarget:
    """Return the destination of a copy."""
    if not isinstance(given, str | StoreName):
        store, reference = _store_in(given)
        return AsyncCopyTarget(store, reference, store.source.client is not None)
    name = named_store(given)
    return AsyncCopyTarget(name, reference_of(name) if name.is_named else "", name.kind == "registry")


@asynccontextmanager
async def open_target(
    target: AsyncCopyTarget, options: "RegistryOptions", *, dry_run: bool
) -> AsyncGenerator[AsyncDestination]:
    """Open the destination of a copy. A layout that does not exist is created; for a dry run, in another directory."""
    name = target.given
    if isinstance(name, StoreName) and name.kind == "registry-storage":
        raise errors.UnsupportedError(f"{name} cannot be written: {STORAGE_IS_READ}")
    if not isinstance(name, StoreName):
        try:
            yield _destination_in(name)
        finally:
            if target.is_registry:
                _forget_tags(name)
        return
    if target.is_archive:
        archive = _archive(name)
        try:
            yield archive
        finally:
            await archive.aclose()
        return
    with ExitStack() as stack:
        if dry_run and _is_new_layout(name):
            name = replace(name, path=stack.enter_context(TemporaryDirectory()))
        async with _opened(name, options) as store:
            yield _destination_in(store)


def _forget_tags(store: AsyncStore) -> None:
    from dreg_client._async.repository import AsyncRepository  # noqa: PLC0415 (not every copy needs a registry)

    if isinstance(store, AsyncRepository):
        store.refresh()


def _store_in(given: AsyncStore | tuple[AsyncStore, str]) -> tuple[AsyncStore, str]:
    store, reference = given if isinstance(given, tuple) else (given, "")
    if not isinstance(store, AsyncStore):  # pyright: ignore[reportUnnecessaryIsInstance]
        expected = "a name such as 'oci:PATH:TAG', a store, or a pair (store, tag)"
        raise TypeError(f"the source and destination of a copy must be {expected}, not {type(store).__name__}")
    return store, reference


def _destination_in(store: AsyncStore) -> AsyncDestination:
    if (writable := store.source.writable) is None:
        raise errors.UnsupportedError(f"{store.address} cannot be written; copy to a registry or to oci:PATH")
    return writable


def _archive(name: StoreName) -> AsyncDestination:
    # Few copies write an archive.
    if name.kind == "oci-archive":
        from dreg_client._async.oci_archive_destination import AsyncOciArchiveDestination  # noqa: PLC0415 (as above)

        return AsyncOciArchiveDestination(name.path, strict=False)
    from dreg_client._async.docker_archive_destination import AsyncDockerArchiveDestination  # noqa: PLC0415 (as above)

    return AsyncDockerArchiveDestination(name.path, strict=False)


def _is_new_layout(name: StoreName) -> bool:
    if name.kind != "oci":
        return False
    from dreg_client.files.layout_writer import is_new_layout  # noqa: PLC0415 (not every copy needs a layout)

    return is_new_layout(name.path)


def _opened(name: StoreName, options: "RegistryOptions") -> AsyncStore:
    if name.kind == "oci":
        from dreg_client._async.layout import AsyncLayout  # noqa: PLC0415 (not every copy needs a layout)

        return AsyncLayout.create(name.path, strict=False)
    return aopen_store(name, strict=False, **options)
