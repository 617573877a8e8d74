"""What commands are given: names of stores, platforms, digests, and who reads the output."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from dreg_client.image import ImageStore
    from dreg_client.values.digest import Digest
    from dreg_client.values.platform import Platform
    from dreg_client.values.store_name import StoreName

F = TypeVar("F", bound=Callable[..., Any])
STORE_KINDS: Final = ("oci:", "oci-archive:", "docker-archive:")


class SourceType(click.ParamType):
    """The name of a store, with what is asked of it."""

    name = "source"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "StoreName":  # noqa: ANN401 (as click has it)
        """Read the name; a wrong one is an error of usage."""
        from dreg_client.errors import InvalidReferenceError
        from dreg_client.values.store_name import StoreName

        if isinstance(value, StoreName):
            return value
        if not value.startswith((*STORE_KINDS, "docker://")) and (kind := _kind_of_path(value)):
            self.fail(f"a path needs the kind of its store before it, as in {kind}:{value}", param, ctx)
        try:
            return StoreName.parse(value)
        except InvalidReferenceError as failure:
            self.fail(str(failure), param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002 (click calls it so)
        """The kinds of stores."""
        return [CompletionItem(kind) for kind in STORE_KINDS if kind.startswith(incomplete)]


def _kind_of_path(text: str) -> str | None:
    """The kind of store that a path, with or without a tag behind it, may be; None where there is no such path."""
    for path in (text, text.rpartition(":")[0]):
        if os.path.isdir(path):
            return "oci"
        if os.path.isfile(path):
            return "oci-archive"
    return None


class DigestType(click.ParamType):
    """A digest."""

    name = "digest"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Digest":  # noqa: ANN401 (as click has it)
        """Read the digest; a wrong one is an error of usage."""
        from dreg_client.errors import InvalidDigestError
        from dreg_client.values.digest import Digest

        try:
            return Digest(value)
        except InvalidDigestError as failure:
            self.fail(str(failure), param, ctx)


class PlatformType(click.ParamType):
    """A platform; `local` is this machine's. `None` is `all` of them, where a command knows that word."""

    name = "platform"

    def __init__(self, *, knows_all: bool = False) -> None:
        self._knows_all = knows_all

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Platform | None":  # noqa: ANN401 (as click has it)
        """Read the platform; a wrong one is an error of usage."""
        from dreg_client.errors import InvalidPlatformError
        from dreg_client.values.platform import Platform

        if value is None or isinstance(value, Platform) or (value == "all" and self._knows_all):
            return None if value == "all" else value
        try:
            return Platform.local() if value == "local" else Platform.from_name(value)
        except InvalidPlatformError as failure:
            self.fail(str(failure), param, ctx)


def source_argument(command: F) -> F:
    """The argument SOURCE."""
    return click.argument("source", type=SourceType())(command)


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
    return click.option("--platform", metavar="P", type=PlatformType(), help=text)(command)


@contextmanager
def opened(source: "StoreName", ref_name: str | None = None) -> Iterator[tuple["ImageStore", str]]:
    """The store, and what is asked of it."""
    from dreg_client.opening import open_store, reference_of

    asked = reference_of(source)
    if ref_name is not None and asked:
        raise click.UsageError("give a tag or digest behind the path, or --ref-name, not both")
    with open_store(source) as store:
        yield store, ref_name if ref_name is not None else asked
