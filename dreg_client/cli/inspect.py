"""`dreg inspect`: an image as a person wants to see it."""

from contextlib import redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING, Any

import click

from dreg_client.cli.fan_out import show
from dreg_client.cli.sources import opened, read_platform, ref_name_option, sources_argument
from dreg_client.cli.text import put, put_octets

if TYPE_CHECKING:
    from dreg_client.values.platform import Platform
    from dreg_client.values.store_name import StoreName


def _read_platforms(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> "tuple[Platform, ...]":
    """The platforms that are chosen; none where one of them is `all`."""
    platforms = [read_platform(ctx, param, value) for value in values if value != "all"]
    return () if "all" in values else tuple(filter(None, platforms))


@click.command("inspect")
@sources_argument
@ref_name_option
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    metavar="P",
    callback=_read_platforms,
    help="OS/ARCH[/VARIANT], local for this machine, or all, which is the default; may be repeated.",
)
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json", "html"]),
    default="text",
    show_default=True,
    help="text for people, json for programs, html: a page that needs nothing else.",
)
@click.option("-o", "--output", "file", metavar="FILE", help="Write to a file, whole or not at all.")
def inspect_command(
    sources: "tuple[StoreName, ...]",
    ref_name: str | None,
    platforms: "tuple[Platform, ...]",
    output: str,
    file: str | None,
) -> int | None:
    """Show an image: digest, platforms, sizes, each layer and what made it, environment, labels, annotations.

    Sizes are those of what is stored: layers are compressed.

    \b
    Examples:
      dreg inspect oci:fixtures/layouts/multi:1.4
      dreg inspect oci:fixtures/layouts/multi:1.4 --platform linux/arm64
      dreg inspect oci:fixtures/layouts/multi:artifact --format json
      dreg inspect docker-archive:fixtures/archives/web.docker.tar
      dreg inspect oci:fixtures/layouts/multi:1.4 --format html -o web.html
    """
    from dreg_client._sync.image_view import view

    def look(source: "StoreName") -> dict[str, Any]:
        with opened(source, ref_name) as (store, reference):
            return view(store, reference, platforms)

    first, *others = sources
    if others:
        if output == "html" or file is not None:
            raise click.UsageError("a page, or a file, shows one image")
        return show(sources, output, look, _put_with_space, lambda seen: seen)
    seen = look(first)
    if file is None or file == "-":
        _put(seen, output)
        return None
    from dreg_client.files.atomic import write_whole

    with redirect_stdout(StringIO()):  # what goes to a file is not styled for the terminal
        content = _content(seen, output).encode(errors="backslashreplace")
    write_whole(file, [content])
    return None


def _put_with_space(_: "StoreName", seen: dict[str, Any]) -> None:
    _put(seen, "text")
    put("")


def _put(seen: dict[str, Any], output: str) -> None:
    content = _content(seen, output)
    if output == "html":  # the page says that it is UTF-8, whatever the locale
        put_octets(content.encode(errors="backslashreplace"))
    else:
        put(content.removesuffix("\n"))


def _content(seen: dict[str, Any], output: str) -> str:
    if output == "html":
        from dreg_client.images.html import picture

        return picture(seen)
    if output == "json":
        import json

        return f"{json.dumps(seen, indent=2)}\n"
    from dreg_client.cli.image_text import lines

    return "".join(f"{line}\n" for line in lines(seen))
