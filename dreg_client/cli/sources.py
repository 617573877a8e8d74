"""What commands are given: names of stores, platforms, digests, and who reads the output."""

import sys
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from dreg_client.cli.registry_names import refuse_host_alone
from dreg_client.cli.registry_options import given, registry_options

if TYPE_CHECKING:
    from dreg_client._sync.client import Client
    from dreg_client._sync.repository import Repository
    from dreg_client._sync.store import Store
    from dreg_client.protocol.options import RegistryOptions
    from dreg_client.values.digest import Digest
    from dreg_client.values.platform import Platform
    from dreg_client.values.reference import Reference
    from dreg_client.values.store_name import StoreName

F = TypeVar("F", bound=Callable[..., Any])
STORE_KINDS: Final = ("oci:", "oci-archive:", "docker-archive:")


def _read_source(ctx: click.Context, param: click.Parameter, value: str) -> "StoreName":
    """The name of a store, with what is asked of it."""
    from dreg_client.errors import InvalidReferenceError
    from dreg_client.values.store_name import StoreName

    if not value.startswith((*STORE_KINDS, "docker://")) and (kind := _kind_of_path(value)):
        raise click.BadParameter(f"a path needs the kind of its store before it, as in {kind}:{value}", ctx, param)
    refuse_host_alone(ctx, param, value)
    try:
        return StoreName.parse(value)
    except InvalidReferenceError as failure:
        raise click.BadParameter(str(failure), ctx, param) from failure


def _kind_of_path(text: str) -> str | None:
    """The kind of store that a path, with or without a tag behind it, may be; None where there is no such path."""
    with suppress(OSError):  # a text too long for a path is none
        for path in (Path(text), Path(text.rpartition(":")[0] or text)):
            if path.is_dir():
                return "oci"
            if path.is_file():
                return "oci-archive"
    return None


def _complete_source(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    kinds = [kind for kind in STORE_KINDS if kind.startswith(incomplete)]
    if kinds or "/" not in incomplete or incomplete.startswith(STORE_KINDS):
        return kinds
    from dreg_client.cli.completing import names_in_registry

    return names_in_registry(ctx, incomplete)


def _read_sources(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> "tuple[StoreName, ...]":
    return tuple(_read_source(ctx, param, value) for value in values)


def read_digest(ctx: click.Context, param: click.Parameter, value: str | None) -> "Digest | None":
    """A digest, where one was given."""
    from dreg_client.errors import InvalidDigestError
    from dreg_client.values.digest import Digest

    try:
        return Digest(value) if value is not None else None
    except InvalidDigestError as failure:
        raise click.BadParameter(str(failure), ctx, param) from failure


def read_platform(ctx: click.Context, param: click.Parameter, value: str | None) -> "Platform | None":
    """A platform, where one was given; `local` is this machine's."""
    if value is None:
        return None
    from dreg_client.errors import InvalidPlatformError
    from dreg_client.values.platform import Platform

    try:
        return Platform.local() if value == "local" else Platform.from_name(value)
    except InvalidPlatformError as failure:
        raise click.BadParameter(str(failure), ctx, param) from failure


def source_argument(command: F) -> F:
    """The argument SOURCE, and the options of registries."""
    argument = click.argument("source", callback=_read_source, shell_complete=_complete_source)
    return argument(registry_options(command))


def sources_argument(command: F) -> F:
    """The argument SOURCE..., and the options of registries."""
    argument = click.argument(
        "sources",
        metavar="SOURCE...",
        nargs=-1,
        required=True,
        callback=_read_sources,
        shell_complete=_complete_source,
    )
    return argument(registry_options(command))


def ref_name_option(command: F) -> F:
    """The option for names that no tag can hold."""
    text = "The name of an entry of a layout, exactly as its annotation has it; for names that are no tags."
    return click.option("--ref-name", metavar="NAME", help=text)(command)


def format_option(command: F) -> F:
    """The option that chooses between people and programs."""
    text = "text for people, json for programs."
    choice = click.Choice(["text", "json"])
    return click.option("--format", "output", type=choice, default="text", show_default=True, help=text)(command)


def platform_option(command: F) -> F:
    """The option that chooses one platform."""
    text = "OS/ARCH[/VARIANT], or local for this machine."
    return click.option("--platform", metavar="P", callback=read_platform, help=text)(command)


@contextmanager
def opened(source: "StoreName", ref_name: str | None = None) -> Generator[tuple["Store", str], None, None]:
    """The store, and what is asked of it."""
    from dreg_client._sync.opening import open_store
    from dreg_client.values.store_name import reference_of

    asked = reference_of(source)
    if ref_name is not None and asked:
        raise click.UsageError("give a tag or digest behind the path, or --ref-name, not both")
    with open_store(source, **options_for(source)) as store:
        yield store, ref_name if ref_name is not None else asked


def client_of(source: "StoreName", reference: "Reference") -> "closing[Client]":
    """Open the client of a registry, for what needs no models; they take longer to build than a registry to respond."""
    from dreg_client._sync.client import Client
    from dreg_client.credentials.defaults import with_defaults

    return closing(Client.open(reference.registry, **with_defaults(options_for(source))))


def options_for(source: "StoreName", **more: Any) -> "RegistryOptions":  # noqa: ANN401 (of any option)
    """How the registry of a source is talked to; for other sources nothing is looked up."""
    if source.kind != "registry":
        return {}
    from dreg_client.cli.logging import speak_of_registries

    speak_of_registries(debug="--debug" in sys.argv)
    return {**given(), **more}  # type: ignore[typeddict-item]


@contextmanager
def opened_repository(source: "StoreName", **more: Any) -> Generator["Repository", None, None]:  # noqa: ANN401
    """The repository of a registry, where something is to be changed."""
    from dreg_client._sync.opening import open_store
    from dreg_client._sync.repository import Repository
    from dreg_client.errors import UnsupportedError

    with open_store(source, **options_for(source, **more)) as store:
        if not isinstance(store, Repository):
            raise UnsupportedError(f"{store.name}: only what is in a registry is changed by this version")
        yield store
