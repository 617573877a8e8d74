"""Open the stores that commands are given."""

from collections.abc import Generator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, cast

import click

from dreg_client.cli.registry_options import given_options

if TYPE_CHECKING:
    from dreg_client._sync.client import Client
    from dreg_client._sync.layout import Layout
    from dreg_client._sync.repository import Repository
    from dreg_client._sync.store import Store
    from dreg_client.protocol.options import RegistryOptions
    from dreg_client.values.reference import Reference
    from dreg_client.values.store_name import StoreName


@contextmanager
def opened(source: "StoreName", ref_name: str | None = None) -> Generator[tuple["Store", str], None, None]:
    """Open a store; yield it with the requested reference. Documents with minor errors are accepted."""
    from dreg_client._sync.opening import open_store
    from dreg_client.values.store_name import reference_of

    reference = reference_of(source)
    if ref_name is not None and reference:
        raise click.UsageError("--ref-name cannot be used with a tag or digest after the path")
    with open_store(source, strict=False, **options_for(source)) as store:
        yield store, ref_name if ref_name is not None else reference


@contextmanager
def opened_writable(source: "StoreName") -> Generator["Repository | Layout", None, None]:
    """Open a repository in a registry, or a layout, to change it."""
    from dreg_client.errors import UnsupportedError
    from dreg_client.values.store_name import why_not_changed

    with opened(source) as (store, _):
        if source.kind not in {"registry", "oci"}:
            what = source if source.kind == "registry-storage" else store.name
            raise UnsupportedError(f"{what} cannot be changed: {why_not_changed(source)}")
        yield cast("Repository | Layout", store)


@contextmanager
def opened_repository(source: "StoreName", **more: Any) -> Generator["Repository", None, None]:  # noqa: ANN401 (of any option)
    """Open a repository in a registry, to change it."""
    from dreg_client._sync.opening import open_store
    from dreg_client.errors import UnsupportedError

    if source.kind != "registry":
        raise UnsupportedError(f"{source} is not in a registry; to write to a layout or an archive, use dreg copy")
    with open_store(source, strict=False, **options_for(source, **more)) as store:
        yield cast("Repository", store)


def reference_given(source: "StoreName") -> str:
    """Return the tag or digest in a name; empty if it has none."""
    from dreg_client.values.store_name import reference_of

    return reference_of(source) if source.is_named else ""


def repository_name(source: "StoreName") -> str:
    """Return the name of a repository or a layout without a tag or digest."""
    from dreg_client.values.store_name import repository_of

    if source.reference is None or source.kind == "registry":
        return repository_of(source)
    return f"{source.reference.registry}/{source.reference.repository}"


def opened_client(source: "StoreName", reference: "Reference") -> "closing[Client]":
    """Open the client of a registry, for commands that need no models: importing them takes longer than a request."""
    from dreg_client._sync.client import Client
    from dreg_client.credentials.lookup import with_defaults

    return closing(Client.open(reference.registry, **with_defaults(options_for(source))))


def options_for(source: "StoreName", **more: Any) -> "RegistryOptions":  # noqa: ANN401 (of any option)
    """Return the options for the registry of a source; none for other stores. Show the library's warnings."""
    from dreg_client.cli.logging import show_log

    if source.kind in {"registry", "docker-archive", "registry-storage"}:
        show_log()
    if source.kind != "registry":
        return {}
    return {**given_options(), **more}  # type: ignore[typeddict-item]
