"""The commands that read one thing of a store and print it."""

from typing import TYPE_CHECKING, Any

import click

from dreg_client.cli.fan_out import show
from dreg_client.cli.sources import (
    client_of,
    format_option,
    opened,
    platform_option,
    ref_name_option,
    source_argument,
    sources_argument,
)
from dreg_client.cli.text import put, put_json, put_octets, visible

if TYPE_CHECKING:
    from dreg_client._sync.store import Store
    from dreg_client.images.image import PlatformImage
    from dreg_client.models.descriptor import Descriptor
    from dreg_client.values.digest import Digest
    from dreg_client.values.platform import Platform
    from dreg_client.values.store_name import StoreName


def platform_image(store: "Store", reference: str, platform: "Platform | None") -> "PlatformImage":
    """One platform's image: the chosen one, else the only one."""
    from dreg_client.errors import ConflictError

    image = store.get_image(reference)
    if platform:
        return image.get_platform_image(platform)
    if image.index and len(image.platforms) > 1:
        listed = ", ".join(map(str, image.platforms))
        raise ConflictError(f"this image has {len(image.platforms)} platforms; choose one by --platform: {listed}")
    images = image.get_platform_images()
    if len(images) != 1:
        listed = ", ".join(found.digest for found in images) or "none"
        raise ConflictError(f"this index has {len(images)} images; ask for one by its digest: {listed}")
    return images[0]


@click.command("resolve")
@sources_argument
@ref_name_option
@platform_option
@format_option
def resolve_command(
    sources: "tuple[StoreName, ...]", ref_name: str | None, platform: "Platform | None", output: str
) -> int | None:
    """Print the digest that a tag names; with --platform that of the platform's manifest.

    Of several, each before the name that was given.

    \b
    Examples:
      dreg resolve oci:fixtures/layouts/multi:1.4
      dreg resolve oci:fixtures/layouts/multi:1.4 --platform linux/arm64
    """

    def look(source: "StoreName") -> "Descriptor":
        with opened(source, ref_name) as (store, reference):
            if platform:
                return platform_image(store, reference, platform).manifest.descriptor
            return store.resolve(reference)

    def digest(source: "StoreName") -> "Digest":
        return look(source).digest if platform or ref_name is not None else _digest_at(source) or look(source).digest

    def descriptor(source: "StoreName") -> dict[str, Any]:
        return _plain(look(source))

    first, *others = sources
    if others:
        if output == "json":
            return show(sources, output, descriptor, lambda _, found: put_json(found), dict)
        return show(sources, output, digest, lambda source, found: put(f"{found}  {visible(str(source))}"), _alone)
    if output == "json":
        put_json(descriptor(first))
    else:
        put(digest(first))
    return None


def _digest_at(source: "StoreName") -> "Digest | None":
    """Return the digest of a name in a registry, read without models; None for other stores."""
    if (reference := source.reference) is None or source.kind != "registry":
        return None
    from dreg_client._sync.manifests import resolve_manifest
    from dreg_client.protocol.manifests import name_of
    from dreg_client.values.reference import DEFAULT_TAG

    name = name_of(reference.digest or reference.tag or DEFAULT_TAG)
    with client_of(source, reference) as client:
        return resolve_manifest(client, reference.repository, name).digest


def _alone(digest: "Digest") -> dict[str, Any]:
    return {"digest": digest}


def _plain(descriptor: "Descriptor") -> dict[str, Any]:
    return {"mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size}


@click.command("manifest")
@source_argument
@ref_name_option
@platform_option
@click.option("--raw", is_flag=True, help="Do not validate: print a broken document, too. Its digest is checked.")
def manifest_command(source: "StoreName", ref_name: str | None, platform: "Platform | None", raw: bool) -> None:
    """Print a manifest or index, byte for byte.

    On a terminal control characters are spelled out.

    \b
    Examples:
      dreg manifest oci:fixtures/layouts/multi:1.4
      dreg manifest oci:fixtures/layouts/multi:1.4 --platform linux/arm64
    """
    with opened(source, ref_name) as (store, reference):
        if platform:
            octets = platform_image(store, reference, platform).manifest.raw
        elif raw:
            octets = store.get_raw_manifest(reference).raw
        else:
            octets = store.get_manifest(reference, legacy=True).raw
    put_octets(octets)


@click.command("config")
@source_argument
@ref_name_option
@platform_option
def config_command(source: "StoreName", ref_name: str | None, platform: "Platform | None") -> None:
    """Print an image's config, byte for byte.

    On a terminal control characters are spelled out.

    \b
    Examples:
      dreg config oci:fixtures/layouts/multi:single
      dreg config oci:fixtures/layouts/multi:1.4 --platform linux/amd64
    """
    with opened(source, ref_name) as (store, reference):
        octets = platform_image(store, reference, platform).config.raw
    put_octets(octets)


@click.command("platforms")
@sources_argument
@ref_name_option
@format_option
def platforms_command(sources: "tuple[StoreName, ...]", ref_name: str | None, output: str) -> int | None:
    """List the platforms of an image; of several, each behind the name of its image.

    \b
    Example:
      dreg platforms oci:fixtures/layouts/multi:1.4
    """

    def look(source: "StoreName") -> list[str]:
        with opened(source, ref_name) as (store, reference):
            return [str(platform) for platform in store.get_image(reference).platforms]

    first, *others = sources
    if others:
        return show(sources, output, look, _put_platforms, lambda platforms: {"platforms": platforms})
    platforms = look(first)
    if output == "json":
        put_json(platforms)
    else:
        for platform in platforms:
            put(visible(platform))
    return None


def _put_platforms(source: "StoreName", platforms: list[str]) -> None:
    for platform in platforms:
        put(visible(f"{source}  {platform}"))


@click.command("referrers")
@source_argument
@click.option("--artifact-type", metavar="TYPE", help="Only those of this type.")
@click.option("--verify", is_flag=True, help="Read each, and leave out what does not refer to it.")
@format_option
def referrers_command(source: "StoreName", artifact_type: str | None, verify: bool, output: str) -> None:
    """List what refers to a manifest: signatures, attestations and the like, by digest and type.

    A registry's list is its claim; --verify looks whether what is listed says the same.

    \b
    Example:
      dreg referrers oci:fixtures/layouts/multi:1.4
    """
    with opened(source) as (store, reference):
        found = store.referrers(store.resolve(reference), artifact_type, verify=verify)
    if output == "json":
        put_json([{**_plain(entry), "artifactType": entry.artifact_type} for entry in found])
    else:
        for entry in found:
            put(visible(f"{entry.digest}  {entry.artifact_type or entry.media_type}"))


@click.command("history")
@source_argument
@ref_name_option
@platform_option
@format_option
def history_command(source: "StoreName", ref_name: str | None, platform: "Platform | None", output: str) -> None:
    """Show the steps that made an image, first one first, each with the size of its layer.

    \b
    Example:
      dreg history oci:fixtures/layouts/multi:1.4 --platform linux/amd64
    """
    from dreg_client.cli.image_text import step_line
    from dreg_client.images.view import view_step

    with opened(source, ref_name) as (store, reference):
        steps = platform_image(store, reference, platform).steps
    seen = [view_step(step) for step in steps]
    if output == "json":
        put_json(seen)
    else:
        for step in seen:
            put(step_line(step))
