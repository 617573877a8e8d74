"""What a catalog's names mean: namespaces, and the repositories in each."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Generic, TypeVar

from dreg_client.errors import UnknownNamespaceError
from dreg_client.values.docker_hub import DOCKER_HUB
from dreg_client.values.reference import RepositoryName

R = TypeVar("R")
LIBRARY: Final = "library"
"""The namespace of repositories without one."""


class Namespaces(Generic[R]):
    """The repositories of a catalog, by namespace.

    Args:
        repositories: Name and repository, in the catalog's order.
        registry: What the registry is called, for errors.
    """

    def __init__(self, repositories: Iterable[tuple[str, R]], registry: str) -> None:
        self._all = dict(repositories)
        self._registry = registry

    @property
    def names(self) -> tuple[str, ...]:
        """The namespaces, each once, in the catalog's order: the first part of each name, else `library`."""
        return tuple(dict.fromkeys(map(namespace_of, self._all)))

    def of(self, namespace: str | None) -> Mapping[str, R]:
        """The repositories of a namespace by their whole names, those of all where it is None.

        Raises:
            UnknownNamespaceError: The catalog has no such namespace.
        """
        if namespace is None:
            return MappingProxyType(self._all)
        found = {name: repository for name, repository in self._all.items() if namespace_of(name) == namespace}
        if not found:
            there = ", ".join(self.names[:20]) or "none"
            raise UnknownNamespaceError(
                f"the catalog has no namespace {namespace!r}", self._registry, f"there are: {there}"
            )
        return MappingProxyType(found)


def namespace_of(name: str) -> str:
    """The namespace of a repository.

    Examples:
        >>> namespace_of("acme/team/web"), namespace_of("nginx")
        ('acme', 'library')
    """
    first, slash, _ = name.partition("/")
    return first if slash else LIBRARY


def whole_name(name: str, namespace: str | None, registry: str) -> RepositoryName:
    """The name of a repository, with its namespace before it where that is given apart.

    Raises:
        ValueError: The name has a namespace already.
        InvalidReferenceError: It is no name.
    """
    if namespace is not None and "/" in name:
        raise ValueError(f"{name!r} has its namespace in it; give it without namespace=")
    if namespace is not None:
        name = f"{namespace}/{name}"
    elif registry == DOCKER_HUB and "/" not in name:
        name = f"{LIBRARY}/{name}"
    return RepositoryName(name)
