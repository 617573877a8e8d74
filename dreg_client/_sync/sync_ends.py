# Generated from dreg_client/_async/sync_ends.py by tools/generate_sync.py. Do not edit.
"""The ends of `sync`: two stores, or all repositories of a registry and where each of them is written."""

from collections.abc import Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from dreg_client import errors
from dreg_client._sync.copy_ends import open_source, open_target, target_of
from dreg_client._sync.ports import Destination, Source
from dreg_client._sync.registry import Registry
from dreg_client._sync.store import Store
from dreg_client.copying.options import CopyOptions, options_of_ends
from dreg_client.copying.sync_options import SyncChoice
from dreg_client.credentials.lookup import with_defaults
from dreg_client.files.store_path import named_store
from dreg_client.values.reference import RepositoryName, shown
from dreg_client.values.registry_name import DOCKER, host_alone
from dreg_client.values.store_name import StoreName, reference_of

if TYPE_CHECKING:
    from dreg_client.protocol.options import RegistryOptions

SyncEnd = str | StoreName | Store | Registry
"""One side of a sync: the name of a store or of a whole registry, or an open one."""

_FILES_OF_LAYOUTS: Final = frozenset({"blobs", "index.json", "oci-layout"})
_EXPECTED: Final = "a repository or a layout without a tag: sync copies several tags; to choose them, use tags="


@dataclass(frozen=True, slots=True)
class SyncPair:
    """A source and a destination.

    Attributes:
        source: The medium to read.
        destination: The medium to write. A layout is created only after the tags of the source were listed.
        names: The names of both, without a tag.
        listed: All tags of the source.
    """

    source: Source
    destination: Destination
    names: tuple[str, str]
    listed: tuple[str, ...]


class SyncEnds(Protocol):
    """What is to be synchronised: one pair of stores or many."""

    def keys(self, choice: SyncChoice) -> list[str]:
        """List the pairs, in order."""
        ...

    def names(self, key: str) -> tuple[str, str]:
        """Return the names of the source and destination of a pair, without a tag."""
        ...

    def open(self, key: str) -> AbstractContextManager[SyncPair]:
        """Open a pair."""
        ...


@contextmanager
def open_ends(source: SyncEnd, destination: SyncEnd, options: CopyOptions, *, dry_run: bool) -> Generator[SyncEnds]:
    """Open what is to be synchronised; with `dry_run`, without creating layouts."""
    read, write = options_of_ends(options)
    with ExitStack() as stack:
        if (registry := _registry(source, read, stack)) is None:
            given = _one_destination(source, destination, write, stack)
            yield _Single(source, given, (read, write), dry_run)
            return
        into = _registry(destination, write, stack)
        prefix = "" if into else destination
        if isinstance(prefix, str | StoreName) and prefix:
            name = _without_tag(named_store(prefix))
            if name.kind == "registry" and name.reference is not None:
                into = stack.enter_context(_opened(name.reference.registry, write))
                prefix = _prefix_of(prefix, name)
            elif name.kind == "oci":
                yield _Whole(registry, None, name.path, write, dry_run)
                return
        if into is None or not isinstance(prefix, str):
            raise errors.UnsupportedError(
                "a whole registry can only be copied to a registry, or to layouts in oci:PATH"
            )
        yield _Whole(registry, into, prefix, write, dry_run)


def _opened(url: str, options: "RegistryOptions") -> Registry:
    return Registry(url, strict=False, **with_defaults(options))


def _registry(given: SyncEnd, options: "RegistryOptions", stack: ExitStack) -> Registry | None:
    """Return the registry that is given or named; None if it is a store. One that is named is closed at the end."""
    if isinstance(given, Registry):
        return given
    host = host_alone(given) if isinstance(given, str) else None
    return stack.enter_context(_opened(host, options)) if host else None


def _prefix_of(given: str | StoreName, name: StoreName) -> str:
    """Return the repository that the names of all others are put below."""
    repository = name.reference.repository if name.reference else ""
    text = str(given).removeprefix(DOCKER)
    return repository if text.endswith(repository) else repository.removeprefix("library/")


def _one_destination(
    source: SyncEnd, destination: SyncEnd, options: "RegistryOptions", stack: ExitStack
) -> str | StoreName | Store:
    """Return where a single store is written. In a whole registry, that is the repository of the same name."""
    into = _registry(destination, options, stack)
    if into is None:
        assert not isinstance(destination, Registry)  # noqa: S101 (see `_registry`)
        return destination
    if isinstance(source, Store):
        repository = source.name if source.source.client else ""
    else:
        repository = _repository_in(source) if isinstance(source, str | StoreName) else ""
    if not repository:
        expected = f"a repository, such as {into.name}/NAME, because the source is not a repository"
        raise errors.InvalidReferenceError(into.name, "destination", expected)
    return into.repository(repository)


def _repository_in(given: str | StoreName) -> str:
    """Return the repository that a name has; empty if it is the name of a layout or an archive."""
    name = named_store(given)
    return name.reference.repository if name.kind == "registry" and name.reference else ""


def _without_tag(name: StoreName) -> StoreName:
    """Return the name of a store; raise InvalidReferenceError if it has a tag or digest."""
    if name.is_named and reference_of(name):
        raise errors.InvalidReferenceError(shown(str(name)), "reference", _EXPECTED)
    return name


def _name_of(given: str | StoreName | Store, medium: Source | None = None) -> str:
    if not isinstance(given, str | StoreName):
        read = medium or given.source
        return read.address if read.client else f"oci:{read.address}"
    name = named_store(given)
    if name.reference is not None and name.kind == "registry":
        return f"{name.reference.registry}/{name.reference.repository}"
    return f"{name.kind}:{name.path}"


class _Single:
    """One pair of stores."""

    def __init__(
        self,
        source: SyncEnd,
        destination: str | StoreName | Store,
        options: "tuple[RegistryOptions, RegistryOptions]",
        dry_run: bool,  # noqa: FBT001 (private)
    ) -> None:
        assert not isinstance(source, Registry)  # noqa: S101 (a whole registry is not a store)
        for given in (source, destination):
            if isinstance(given, str | StoreName):
                _without_tag(named_store(given))
        self._source, self._destination, self._options, self._dry_run = source, destination, options, dry_run

    def keys(self, choice: SyncChoice) -> list[str]:
        if choice.repositories:
            raise ValueError("repositories= chooses from a whole registry, but the source is a single store")
        return [""]

    def names(self, key: str) -> tuple[str, str]:  # noqa: ARG002 (there is only one)
        return _name_of(self._source), _name_of(self._destination)

    @contextmanager
    def open(self, key: str) -> Generator[SyncPair]:
        target = target_of(_writable(target_of(self._destination).given))
        with open_source(self._source, self._options[0]) as read:
            listed = read.medium.tags()
            with open_target(target, self._options[1], dry_run=self._dry_run) as written:
                yield SyncPair(read.medium, written, self.names(key), listed)


def _writable(given: StoreName | Store) -> StoreName | Store:
    if isinstance(given, StoreName) and given.kind not in {"registry", "oci"}:
        what = f"{given} cannot be the destination of sync: an archive is written as a whole"
        raise errors.UnsupportedError(f"{what}; sync to oci:PATH, or copy all tags to the archive")
    return given


def _layout_of(repository: str, path: str) -> StoreName:
    """Return the layout of a repository. Its directory may be in that of another one, but not among its files."""
    if not _FILES_OF_LAYOUTS.isdisjoint(repository.split("/")[1:]):
        reason = f"would be among the files of another layout; copy {repository} separately, to a directory of its own"
        raise errors.UnsafePathError(path, reason)
    return StoreName("oci", path)


class _Whole:
    """All repositories of a registry, and the registry or the directory that they are written to."""

    def __init__(
        self,
        source: Registry,
        destination: Registry | None,
        prefix: str,
        options: "RegistryOptions",
        dry_run: bool,  # noqa: FBT001 (private)
    ) -> None:
        self._source, self._destination, self._prefix = source, destination, prefix
        self._options, self._dry_run = options, dry_run

    def keys(self, choice: SyncChoice) -> list[str]:
        return [name for name in self._source.catalog() if choice.has_repository(name)]

    def names(self, key: str) -> tuple[str, str]:
        below = f"{self._prefix}/{key}" if self._prefix else key
        read = f"{self._source.name}/{key}"
        return read, f"{self._destination.name}/{below}" if self._destination else f"oci:{below}"

    @contextmanager
    def open(self, key: str) -> Generator[SyncPair]:
        read = self._source.repository(RepositoryName(key)).source
        listed = read.tags()
        below = f"{self._prefix}/{key}" if self._prefix else key
        target = self._destination.repository(below) if self._destination else _layout_of(key, below)
        with open_target(target_of(target), self._options, dry_run=self._dry_run) as written:
            yield SyncPair(read, written, self.names(key), listed)
