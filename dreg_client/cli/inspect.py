"""`dreg inspect`: an image as a person wants to see it."""

from typing import TYPE_CHECKING

import click

from dreg_client.cli.sources import format_option, opened, read_platform, ref_name_option, source_argument
from dreg_client.cli.text import put, put_json

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
@format_option
def inspect_command(source: "StoreName", ref_name: str | None, platforms: "tuple[Platform, ...]", output: str) -> None:
    """Show an image: digest, platforms, sizes, each layer and what made it, environment, labels, annotations.

    Sizes are those of what is stored: layers are compressed.

    \b
    Examples:
      dreg inspect oci:fixtures/layouts/multi:1.4
      dreg inspect oci:fixtures/layouts/multi:1.4 --platform linux/arm64
      dreg inspect oci:fixtures/layouts/multi:artifact --format json
      dreg inspect docker-archive:fixtures/archives/web.docker.tar
    """
    from dreg_client.cli.image_text import lines
    from dreg_client.cli.image_view import view

    with opened(source, ref_name) as (store, reference):
        seen = view(store, reference, platforms)
    if output == "json":
        put_json(seen)
        return
    for line in lines(seen):
        put(line)
