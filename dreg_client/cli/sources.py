"""What commands are given: names of stores, platforms, digests, and who reads the output."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from dreg_client.image import ImageStore
    from dreg_client.values.digest import Digest
    from dreg_client.values.platform import Platform
    from dreg_client.values.store_name import StoreName

F = TypeVar("F", bound=Callable[..., Any])
STORE_KINDS: Final = ("oci:", "oci-archive:", "docker-archive:")


def _read_source(ctx: click.Context, param: click.Parameter, value: str) -> "StoreName":
    """The name of a store, with what is asked of it."""
    from dreg_client.errors import InvalidReferenceError
    from dreg_client.values.store_name import StoreName

    if not value.startswith((*STORE_KINDS, "docker://")) and (kind := _kind_of_path(value)):
        raise click.BadParameter(f"a path needs the kind of its store before it, as in {kind}:{value}", ctx, param)
    try:
        return StoreName.parse(value)
    except InvalidReferenceError as failure:
        raise click.BadParameter(str(failure), ctx, param) from failure


def _kind_of_path(text: str) -> str | None:
    """The kind of store that a path, with or without a tag behind it, may be; None where there is no such path."""
    for path in (Path(text), Path(text.rpartition(":")[0] or text)):
        if path.is_dir():
            return "oci"
        if path.is_file():
            return "oci-archive"
    return None


def _complete_source(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    return [kind for kind in STORE_KINDS if kind.startswith(incomplete)]


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
    from dreg_client.errors import InvalidPlatformError
    from dreg_client.values.platform import Platform

    try:
        return Platform.local() if value == "local" else Platform.from_name(value) if value is not None else None
    except InvalidPlatformError as failure:
        raise click.BadParameter(str(failure), ctx, param) from failure


def source_argument(command: F) -> F:
    """The argument SOURCE."""
    return click.argument("source", callback=_read_source, shell_complete=_complete_source)(command)


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
def opened(source: "StoreName", ref_name: str | None = None) -> Generator[tuple["ImageStore", str], None, None]:
    """The store, and what is asked of it."""
    from dreg_client.opening import open_store, reference_of

    asked = reference_of(source)
    if ref_name is not None and asked:
        raise click.UsageError("give a tag or digest behind the path, or --ref-name, not both")
    with open_store(source) as store:
        yield store, ref_name if ref_name is not None else asked
