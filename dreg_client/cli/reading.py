"""The commands that read one thing of a store and print it."""

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from dreg_client.cli.sources import (
    DIGEST,
    format_option,
    opened,
    platform_option,
    ref_name_option,
    source_argument,
)
from dreg_client.cli.text import size, visible

if TYPE_CHECKING:
    from dreg_client.image import ImageStore, PlatformImage
    from dreg_client.values.digest import Digest
    from dreg_client.values.platform import Platform
    from dreg_client.values.store_name import StoreName


def chosen_platform(text: str) -> "Platform":
    """The platform that an option names; `local` is this machine's."""
    from dreg_client.values.platform import Platform  # noqa: PLC0415

    return Platform.local() if text == "local" else Platform.from_name(text)


def platform_image(store: "ImageStore", reference: str, platform: str | None) -> "PlatformImage":
    """One platform's image: the chosen one, else the only one."""
    from dreg_client.errors import PlatformNotFoundError  # noqa: PLC0415

    image = store.get_image(reference)
    if platform:
        return image.get_platform_image(chosen_platform(platform))
    images = image.get_platform_images()
    if len(images) != 1:
        raise PlatformNotFoundError("(name one with --platform)", tuple(map(str, image.platforms)))
    return images[0]


def print_json(value: Any) -> None:  # noqa: ANN401
    """One JSON document for programs."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=True))


@click.command("tags")
@source_argument
@format_option
def tags_command(source: "StoreName", output: str) -> None:
    """List the tags of a store.

    \b
    Example:
      dreg tags oci:fixtures/layouts/multi
    """
    with opened(source) as (store, _):
        tags = store.tags()
    if output == "json":
        print_json(list(tags))
        return
    for tag in tags:
        click.echo(visible(tag))


@click.command("resolve")
@source_argument
@ref_name_option
@platform_option
@format_option
def resolve_command(source: "StoreName", ref_name: str | None, platform: str | None, output: str) -> None:
    """Print the digest that a tag names; with --platform that of the platform's manifest.

    \b
    Example:
      dreg resolve oci:fixtures/layouts/multi:1.4
    """
    with opened(source, ref_name) as (store, reference):
        if platform:
            descriptor = platform_image(store, reference, platform).manifest.descriptor
        else:
            descriptor = store.resolve(reference)
    if output == "json":
        print_json({"mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size})
    else:
        click.echo(descriptor.digest)


@click.command("manifest")
@source_argument
@ref_name_option
@platform_option
@click.option("--raw", is_flag=True, help="Do not validate: print broken documents, too. The digest is checked.")
def manifest_command(source: "StoreName", ref_name: str | None, platform: str | None, raw: bool) -> None:  # noqa: FBT001
    """Print a manifest or index, byte for byte.

    \b
    Example:
      dreg manifest oci:fixtures/layouts/multi:1.4 --platform linux/arm64
    """
    with opened(source, ref_name) as (store, reference):
        if platform:
            octets = platform_image(store, reference, platform).manifest.raw
        elif raw:
            octets = store.get_raw_manifest(reference).raw
        else:
            octets = store.get_manifest(reference).raw
    _write(octets)


@click.command("config")
@source_argument
@ref_name_option
@platform_option
def config_command(source: "StoreName", ref_name: str | None, platform: str | None) -> None:
    """Print an image's config, byte for byte.

    \b
    Example:
      dreg config oci:fixtures/layouts/multi:1.4 --platform linux/amd64
    """
    with opened(source, ref_name) as (store, reference):
        octets = platform_image(store, reference, platform).config.raw
    _write(octets)


@click.command("platforms")
@source_argument
@ref_name_option
@format_option
def platforms_command(source: "StoreName", ref_name: str | None, output: str) -> None:
    """List the platforms of an image.

    \b
    Example:
      dreg platforms oci:fixtures/layouts/multi:1.4
    """
    with opened(source, ref_name) as (store, reference):
        platforms = [str(platform) for platform in store.get_image(reference).platforms]
    if output == "json":
        print_json(platforms)
        return
    for platform in platforms:
        click.echo(visible(platform))


@click.command("history")
@source_argument
@ref_name_option
@platform_option
@format_option
def history_command(source: "StoreName", ref_name: str | None, platform: str | None, output: str) -> None:
    """Show the steps that made an image, first one first, each with the size of its layer.

    \b
    Example:
      dreg history oci:fixtures/layouts/multi:1.4 --platform linux/amd64
    """
    with opened(source, ref_name) as (store, reference):
        image = platform_image(store, reference, platform)
    steps = [
        {
            "created": step.entry.created if step.entry else None,
            "created_by": step.entry.clean_created_by if step.entry else None,
            "digest": step.layer.digest if step.layer else None,
            "size": step.layer.size if step.layer else 0,
        }
        for step in image.steps
    ]
    if output == "json":
        print_json(steps)
        return
    for step, row in zip(image.steps, steps, strict=True):
        shown = size(step.layer.size) if step.layer else "-"
        click.echo(f"{shown:>10}  {visible(row['created_by'] or '(no history)')}")


@click.command("blob")
@source_argument
@click.argument("digest", type=DIGEST, required=False)
@click.option("-o", "--output", "path", metavar="FILE", default="-", help="Write to a file, whole or not at all.")
def blob_command(source: "StoreName", digest: "Digest | None", path: str) -> None:
    """Print a blob, checked against its digest: SOURCE@DIGEST, or SOURCE DIGEST.

    On standard output bytes flow before the check is done: exit code 5 says that they are not to be used.

    \b
    Example:
      dreg blob oci:fixtures/layouts/multi DIGEST -o layer.tar.gz
    """
    wanted = digest or source.digest
    if wanted is None:
        message = "which blob? give its digest: SOURCE@sha256:... or SOURCE sha256:..."
        raise click.UsageError(message)
    with opened(source) as (store, _), store.stream_blob(wanted) as chunks:
        if path == "-":
            for chunk in chunks:
                sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
            return
        from dreg_client.cli.output import write_whole  # noqa: PLC0415

        write_whole(path, chunks)


def _write(octets: bytes) -> None:
    sys.stdout.buffer.write(octets)
    sys.stdout.buffer.flush()
