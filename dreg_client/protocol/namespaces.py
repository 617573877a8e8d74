"""The names of a catalog: namespaces, and the repositories in each."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Generic, TypeVar

from dreg_client.errors import UnknownNamespaceError
from dreg_client.values.docker_hub import DOCKER_HUB
from dreg_client.values.reference import RepositoryName

R = TypeVar("R")
_LIBRARY: Final = "library"


class Namespaces(Generic[R]):
    """The repositories of a catalog, by namespace; `registry` is its name in errors."""

    def __init__(self, repositories: Iterable[tuple[str, R]], registry: str) -> None:
        self._all = dict(repositories)
        self._registry = registry

    @property
    def names(self) -> tuple[str, ...]:
        """The namespaces, each once, in the catalog's order: the first part of each name, else `library`."""
        return tuple(dict.fromkeys(map(namespace_of, self._all)))

    def of(self, namespace: str | None) -> Mapping[str, R]:
        """Return the repositories of a namespace by their whole names, all for None; raise UnknownNamespaceError."""
        if namespace is None:
            return MappingProxyType(self._all)
        found = {name: repository for name, repository in self._all.items() if namespace_of(name) == namespace}
        if not found:
            advice = f"there are: {', '.join(self.names[:20]) or 'none'}"
            raise UnknownNamespaceError(f"the catalog has no namespace {namespace!r}", self._registry, advice)
        return MappingProxyType(found)


def namespace_of(name: str) -> str:
    """Return the namespace of a repository.

    Examples:
        >>> namespace_of("acme/team/web"), namespace_of("nginx")
        ('acme', 'library')
    """
    first, slash, _ = name.partition("/")
    return first if slash else _LIBRARY


def whole_name(name: str, namespace: str | None, registry: str) -> RepositoryName:
    """Return the name of a repository with its namespace; raise ValueError if it has one already."""
    if namespace is not None and "/" in name:
        raise ValueError(f"{name!r} has its namespace in it; give it without namespace=")
    if namespace is None and registry == DOCKER_HUB and "/" not in name:
        namespace = _LIBRARY
    return RepositoryName(name if namespace is None else f"{namespace}/{name}")
