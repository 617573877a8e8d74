"""What commands are given: names of stores, platforms, and where the output goes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from dreg_client.image import ImageStore
    from dreg_client.values.digest import Digest
    from dreg_client.values.store_name import StoreName

F = TypeVar("F", bound=Callable[..., Any])


class SourceType(click.ParamType):
    """The name of a store, with what is asked of it."""

    name = "source"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "StoreName":  # noqa: ANN401
        """Read the name; a wrong one is an error of usage."""
        from dreg_client.errors import InvalidReferenceError  # noqa: PLC0415
        from dreg_client.values.store_name import StoreName  # noqa: PLC0415

        try:
            return value if isinstance(value, StoreName) else StoreName.parse(value)
        except InvalidReferenceError as failure:
            self.fail(str(failure), param, ctx)


class DigestType(click.ParamType):
    """A digest."""

    name = "digest"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Digest":  # noqa: ANN401
        """Read the digest; a wrong one is an error of usage."""
        from dreg_client.errors import InvalidDigestError  # noqa: PLC0415
        from dreg_client.values.digest import Digest  # noqa: PLC0415

        try:
            return Digest(value)
        except InvalidDigestError as failure:
            self.fail(str(failure), param, ctx)


SOURCE = SourceType()
DIGEST = DigestType()


def source_argument(command: F) -> F:
    """The argument SOURCE."""
    return click.argument("source", type=SOURCE)(command)


def ref_name_option(command: F) -> F:
    """The option for names that no tag can hold."""
    text = "The name of an entry of a layout, exactly as its annotation has it; for names that are no tags."
    return click.option("--ref-name", metavar="NAME", help=text)(command)


def format_option(command: F) -> F:
    """The option that chooses between people and programs."""
    text = "text for people, json for programs."
    return click.option(
        "--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True, help=text
    )(command)


def platform_option(command: F) -> F:
    """The option that chooses a platform."""
    text = "OS/ARCH[/VARIANT], or local for this machine."
    return click.option("--platform", metavar="P", help=text)(command)


@contextmanager
def opened(source: "StoreName", ref_name: str | None = None) -> Iterator[tuple["ImageStore", str]]:
    """The store, and what is asked of it."""
    from dreg_client.opening import open_store, reference_of  # noqa: PLC0415

    if ref_name is not None and (source.tag or source.digest):
        message = "give a tag or digest behind the path, or --ref-name, not both"
        raise click.UsageError(message)
    with open_store(source) as store:
        yield store, ref_name if ref_name is not None else reference_of(source)
