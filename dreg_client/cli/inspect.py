"""`dreg inspect`: an image as a person wants to see it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from dreg_client.cli.sources import opened, read_platform, ref_name_option, source_argument
from dreg_client.cli.text import put

if TYPE_CHECKING:
    from dreg_client.values.platform import Platform
    from dreg_client.values.store_name import StoreName


def _read_platforms(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> "tuple[Platform, ...]":
    """The platforms that are chosen; none where one of them is `all`."""
    platforms = [read_platform(ctx, param, value) for value in values if value != "all"]
    return () if "all" in values else tuple(filter(None, platforms))


@click.command("inspect")
@source_argument
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
    source: "StoreName",
    ref_name: str | None,
    platforms: "tuple[Platform, ...]",
    output: str,
    file: str | None,
) -> None:
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
    from dreg_client.image_view import view

    with opened(source, ref_name) as (store, reference):
        seen = view(store, reference, platforms)
    if file not in {None, "-"}:
        from dreg_client.whole_file import write_whole

        write_whole(str(file), (f"{line}\n".encode(errors="backslashreplace") for line in _lines(seen, output)))
        return
    for line in _lines(seen, output):
        put(line)


def _lines(seen: dict[str, Any], output: str) -> Iterator[str]:
    if output == "html":
        from dreg_client.picture import picture

        yield picture(seen).removesuffix("\n")
    elif output == "json":
        import json

        yield json.dumps(seen, indent=2)
    else:
        from dreg_client.cli.image_text import lines

        yield from lines(seen)
