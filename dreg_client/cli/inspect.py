"""`dreg inspect`: show an image as text, JSON or an HTML page."""

from contextlib import redirect_stdout
from io import StringIO
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from dreg_client.cli.arguments import (
    PlatformType,
    file_option,
    formats_option,
    parse_platform,
    ref_name_option,
    sources_argument,
)
from dreg_client.cli.command import SOURCE, Command
from dreg_client.cli.fan_out import Shown, show
from dreg_client.cli.output import decodable, put_octets
from dreg_client.cli.stores import opened

if TYPE_CHECKING:
    from dreg_client.values.platform import Platform
    from dreg_client.values.store_name import StoreName


@click.command("inspect", cls=Command)
@sources_argument
@ref_name_option
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    metavar="PLATFORM",
    type=PlatformType("platform", lambda text: text if text == "all" else parse_platform(text)),
    help="Show only this platform: OS/ARCH[/VARIANT], local for the platform of this machine, or all (the default). "
    "Can be repeated.",
)
@formats_option(
    "json", "html", help="Output format (default: text). Use json in scripts; html is a self-contained page."
)
@file_option
def inspect_command(
    sources: "tuple[StoreName, ...]",
    ref_name: str | None,
    platforms: "tuple[Platform, ...]",
    output: str,
    file: str | None,
) -> int:
    """Show an image: platforms, layers, build steps, environment, labels.

    Layers are not downloaded; their sizes are compressed sizes. The total is that of the layers, without manifest and
    config. If a part of the image cannot be read, the rest is shown, and the error is listed as a problem.

    \b
    Exit codes:
      1  A document of the image is invalid or cannot be read.
      4  The image, or a platform given by --platform, does not exist.

    JSON output is a list with one object for each SOURCE. Its member images has one object for each platform, with
    the members layers and history (the build steps).

    \b
    Examples:
      dreg inspect localhost:5000/acme/web:1.4
      dreg inspect oci:fixtures/layouts/multi:1.4 --platform linux/arm64
      dreg inspect oci:fixtures/layouts/multi:artifact --format json
      dreg inspect docker-archive:fixtures/archives/web.docker.tar
      dreg inspect oci:fixtures/layouts/multi:1.4 --format html -o web.html
    """
    from dreg_client._sync.image_view import view
    from dreg_client.cli.image_text import lines

    first, *others = sources
    chosen = () if "all" in platforms else platforms

    def seen_of(source: "StoreName") -> dict[str, Any]:
        with opened(source, ref_name) as (store, reference):
            return view(store, reference, chosen)

    def read(source: "StoreName", name: str) -> Shown:
        seen = seen_of(source)
        return Shown(
            seen, chain(lines(seen, source.kind), [""] if name else []), code=_code(seen, is_chosen=bool(chosen))
        )

    if others and (output == "html" or file is not None):
        raise click.UsageError("--format html and --output accept only one image")
    if output != "html" and file in {None, "-"}:
        return show(sources, output, read)
    click.get_current_context().meta[SOURCE] = str(first)
    seen = seen_of(first)
    with redirect_stdout(StringIO()):  # a file gets no colours
        content = _content(first, seen, output).encode(errors="backslashreplace")
    _write(content, file)
    return _code(seen, is_chosen=bool(chosen))


def _write(content: bytes, file: str | None) -> None:
    """Write a file, or to standard output."""
    if file is None or file == "-":
        put_octets(content)  # pages are UTF-8 in any locale
    else:
        from dreg_client.files.atomic import write_whole

        write_whole(file, [content])


def _code(seen: dict[str, Any], *, is_chosen: bool) -> int:
    """Return 4 if a requested platform is missing, 1 if an error hides a part of the image, otherwise 0."""
    from dreg_client.cli.error_messages import INVALID, NOT_FOUND

    if is_chosen and seen["missing"]:
        return NOT_FOUND
    return INVALID if any(found["severity"] == "error" for found in seen["problems"]) else 0


def _content(source: "StoreName", seen: dict[str, Any], output: str) -> str:
    if output == "html":
        from dreg_client.images.html import picture

        return picture(seen)
    if output == "json":
        import json

        return f"{json.dumps([{'source': decodable(str(source)), **seen}], indent=2)}\n"
    from dreg_client.cli.image_text import lines

    return "".join(f"{line}\n" for line in lines(seen, source.kind))
