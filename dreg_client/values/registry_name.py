"""Names of registries, where the name of a repository could also be."""

from typing import Final

DOCKER: Final = "docker://"
URLS: Final = ("http://", "https://")
STORAGE: Final = "registry-storage:"
STORE_KINDS: Final = ("oci:", "oci-archive:", "docker-archive:", "registry-storage:")
"""What the names of layouts, archives and storages begin with."""


def may_be_host(component: str) -> bool:
    """Return whether the first component of a name may be a registry: it has a `.` or a `:`, or is `localhost`."""
    return component == "localhost" or "." in component or ":" in component


def host_alone(source: str) -> str | None:
    """Return the registry if the source names no repository: `HOST:PORT`, `HOST/`, or a URL."""
    if source.startswith(URLS):
        base = source.partition("://")[2].rstrip("/").removesuffix("/v2")
        return None if "/" in base else source.rstrip("/")
    host, slash, rest = source.removeprefix(DOCKER).partition("/")
    if rest or source.startswith(STORE_KINDS):
        return None
    if slash or (host.partition(":")[2].isdigit() and ("." in host or host.startswith("localhost:"))):
        return host
    return None
