# Generated from dreg_client/_async/registry_storage.py by tools/generate_sync.py. Do not edit.
"""The storage of a registry, read without the server."""

import os
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Final, Self

from dreg_client import errors
from dreg_client._sync._compat import run_in_thread
from dreg_client._sync.storage_source import StorageSource
from dreg_client._sync.store import Store
from dreg_client.files.registry_storage import StorageTree, open_storage
from dreg_client.protocol.tags_and_catalog import Namespaces, whole_name
from dreg_client.values.arguments import check_flag
from dreg_client.values.reference import RepositoryName

if TYPE_CHECKING:
    from dreg_client.values.store_name import StoreName

_AT_ONCE: Final = 500
"""How many repositories to look for at a time."""


class RegistryStorage:
    """The storage of a registry: the directory of distribution (Docker's `registry:2` and `registry:3`), read in place.

    It is only read. A server may use it at the same time. Everything that is read is verified, as from a registry.
    Links in the storage that lead outside of it are not followed.

    The constructor blocks while it looks for the tree `docker/registry/v2`.

    Args:
        path: The directory that contains `docker/registry/v2`, or that directory itself; or a URL of it that fsspec can
            read, such as `s3://bucket/registry` (requires the extra `remote`).
        strict: If False, also return documents with only minor errors, such as a media type with parameters (see
            Rules, "Read invalid documents"); `.problems` lists them.

    Raises:
        NotFoundError: There is no such directory, or it is not the storage of a registry.
        MissingLibraryError: The path is a URL, and the library for it is not installed.
        LayoutError: It cannot be read.

    Example:
        with RegistryStorage("/var/lib/registry") as storage:
            web = storage.repository("acme/web")
            print(web.tags())
    """

    def __init__(self, path: str | os.PathLike[str], *, strict: bool = True) -> None:
        check_flag("strict", strict)
        self._tree, self._strict = open_storage(path), strict

    @property
    def name(self) -> str:
        """The path or URL of the storage."""
        return self._tree.name

    @property
    def tree(self) -> StorageTree:
        """The files of the storage."""
        return self._tree

    def close(self) -> None:
        """Close the storage, and with it all its repositories."""
        self._tree.files.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def repository(self, name: str, namespace: str | None = None) -> Store:
        """Return a repository by its name, without reading anything.

        Args:
            name: The full name, or, with `namespace`, the part after the namespace.
            namespace: The part of the name before the first slash, if `name` does not include it.

        Raises:
            InvalidReferenceError: The name is not valid.
            ValueError: `name` already includes a namespace.
        """
        return self._repository(whole_name(name, namespace, self._tree.name))

    def _repository(self, name: RepositoryName) -> Store:
        return Store(StorageSource(self._tree, name, strict=self._strict))

    def catalog(self) -> Iterator[str]:
        """Iterate over the names of all repositories while they are found, in the order of a registry's catalog.

        Raises:
            LayoutError: A directory cannot be listed.
        """
        self._tree.files.check_open()
        names = self._tree.repositories()
        while page := run_in_thread(_next, names):
            for name in page:
                yield name

    def repositories(self, namespace: str | None = None) -> Mapping[str, Store]:
        """Return a read-only mapping of all repositories, by full name; with `namespace`, only those in it.

        The storage is listed each time.

        Raises:
            UnknownNamespaceError: There is no such namespace. It is also a `KeyError`.
            LayoutError: A directory cannot be listed.
        """
        self._tree.files.check_open()
        names = run_in_thread(list, self._tree.repositories())
        return Namespaces(((name, self._repository(RepositoryName(name))) for name in names), self._tree.name).of(
            namespace
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._tree.name!r})"


def open_in_storage(name: "StoreName", *, strict: bool = True) -> Store:
    """Open a repository in the storage of a registry by its name.

    Raises:
        InvalidReferenceError: The name has no repository.
        NotFoundError: There is no such storage.
    """
    tree = open_storage(name.path)
    if name.repository is None:
        expected = f"a repository: {name}/REPOSITORY; list them with: dreg repos {name}"
        raise errors.InvalidReferenceError(str(name), "repository", expected)
    check_flag("strict", strict)
    return Store(StorageSource(tree, name.repository, owns_tree=True, strict=strict))


def _next(names: Iterator[str]) -> list[str]:
    return [*islice(names, _AT_ONCE)]
