"""`dreg copy`, `dreg pull` and `dreg push`: copy images between stores."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dreg_client.cli.arguments import STORE_TYPE, format_option
from dreg_client.cli.command import Command
from dreg_client.cli.content_options import platform_option, referrers_option
from dreg_client.cli.registry_options import connection_options, side_options

if TYPE_CHECKING:
    from dreg_client.values.store_name import StoreName

F = TypeVar("F", bound=Callable[..., Any])


def _copy_options(command: F) -> F:
    options = (
        platform_option,
        referrers_option,
        click.option("--all-tags", is_flag=True, help="Copy all tags of the source, under the same names."),
        click.option(
            "--no-clobber",
            is_flag=True,
            help="Do not replace a tag of another image: exit with 7, or, with --all-tags, skip the tag.",
        ),
        click.option("--dry-run", is_flag=True, help="Only print what would be copied."),
        format_option,
    )
    command = side_options(connection_options(command))
    for option in reversed(options):
        command = option(command)
    return command


@click.command("copy", cls=Command)
@click.argument("source", metavar="SOURCE", type=STORE_TYPE)
@click.argument("destination", metavar="DESTINATION", type=STORE_TYPE)
@_copy_options
def copy_command(source: "StoreName", destination: "StoreName", **options: Any) -> None:  # noqa: ANN401 (of any type)
    """Copy an image between registries, image layouts and archives.

    Images and other artifacts are copied byte for byte, so that digests stay the same. An index is copied with the
    images of all platforms. What the destination already has is not transferred again; between repositories of one
    registry, blobs are mounted. Tags are written last, so a tag never names an incomplete image. With --all-tags, a tag
    that cannot be copied does not stop the others, except in an archive. If the command fails or is interrupted, it
    prints which tags it had written; run it again to copy the rest.

    Without a tag, DESTINATION gets the tag of SOURCE. A layout or an archive that does not exist is created. A
    docker-archive holds one platform of each image, and keeps the digest of its config, but not of its manifest. Prints
    the copied image with its digest.

    With one --platform, the manifest of that platform is copied. With several, a new index is written, which has
    another digest.

    Credentials are looked up for each registry, where `dreg login`, docker and podman store them.

    \b
    Examples:
      dreg copy localhost:5000/acme/web:1.4 localhost:5000/acme/mirror
      dreg copy oci:fixtures/layouts/multi:1.4 localhost:5000/acme/copy:1.4 --referrers
      dreg copy localhost:5000/acme/web oci:web --all-tags
      dreg copy localhost:5000/acme/web:1.4 docker-archive:web.tar --platform linux/amd64
    """
    _copy(source, destination, options)


@click.command("pull", cls=Command)
@click.argument("image", metavar="IMAGE", type=STORE_TYPE)
@click.argument("destination", metavar="[DESTINATION]", type=STORE_TYPE, required=False)
@_copy_options
def pull_command(image: "StoreName", destination: "StoreName | None", **options: Any) -> None:  # noqa: ANN401 (as above)
    """Copy an image from a registry to an image layout.

    The default DESTINATION is a layout in the current directory, named after the image: `dreg pull acme/web:1.4` writes
    `oci:web:1.4`. All platforms are copied, unless --platform is given. DESTINATION may also be an archive. Otherwise,
    this command is the same as `dreg copy`.

    \b
    Examples:
      dreg pull localhost:5000/acme/web:1.4
      dreg pull localhost:5000/acme/web:1.4 oci:images --platform linux/amd64
      dreg pull localhost:5000/acme/web --all-tags
    """
    if image.reference is None or image.kind != "registry":
        raise click.UsageError(f"{image} is not in a registry; to copy it, use dreg copy")
    if destination is not None and destination.kind == "registry":
        raise click.UsageError(f"{destination} is in a registry; write oci:PATH for a layout, or use dreg copy")
    _copy(image, destination or _layout_named_after(image, with_tag=not options["all_tags"]), options)


@click.command("push", cls=Command)
@click.argument("source", metavar="SOURCE", type=STORE_TYPE)
@click.argument("image", metavar="IMAGE", type=STORE_TYPE)
@_copy_options
def push_command(source: "StoreName", image: "StoreName", **options: Any) -> None:  # noqa: ANN401 (as above)
    """Copy an image from an image layout or an archive to a registry.

    IMAGE must be in a registry. Without a tag, it gets the tag of SOURCE. Otherwise, this command is the same as
    `dreg copy`.

    \b
    Examples:
      dreg push oci:fixtures/layouts/multi:1.4 localhost:5000/acme/pushed
      dreg push oci:fixtures/layouts/multi localhost:5000/acme/pushed --all-tags
    """
    if image.kind != "registry":
        raise click.UsageError(f"{image} is not in a registry; to copy to another store, use dreg copy")
    _copy(source, image, options)


def _layout_named_after(image: "StoreName", *, with_tag: bool) -> "StoreName":
    from dreg_client.values.store_name import StoreName

    assert image.reference is not None  # noqa: S101 (an image in a registry has one)
    tag = image.reference.tag if with_tag and not image.reference.digest else None
    return StoreName("oci", image.reference.repository.rpartition("/")[2], tag=tag)


def _copy(source: "StoreName", destination: "StoreName", options: dict[str, Any]) -> None:
    from dreg_client.cli.copy_result import copy_stores

    if options["all_tags"]:
        for name in (source, destination):
            if name.is_named and (name.tag or name.digest or name.kind == "registry" or name.reference):
                raise click.UsageError(f"--all-tags cannot be used with a tag or digest: {name}")
    copy_stores(source, destination, **options)
