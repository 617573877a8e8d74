"""Commands that print parts of stores: digests, documents, tags, platforms, build steps, referrers."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from dreg_client.cli.arguments import (
    format_option,
    parse_platform,
    platform_option,
    ref_name_option,
    source_argument,
    sources_argument,
)
from dreg_client.cli.chosen import chosen_descriptor, chosen_entry, chosen_manifest
from dreg_client.cli.command import Command, CommandWithCommands
from dreg_client.cli.fan_out import Shown, show
from dreg_client.cli.listing import show_parts
from dreg_client.cli.output import put_error, put_octets, put_result, visible
from dreg_client.cli.parsed_type import ParsedType
from dreg_client.cli.shown_problems import put_warnings
from dreg_client.cli.stores import opened, opened_client
from dreg_client.cli.tag_options import tag_filter, tag_options

if TYPE_CHECKING:
    from dreg_client.models.descriptor import Descriptor
    from dreg_client.values.digest import Digest
    from dreg_client.values.platform import Platform
    from dreg_client.values.store_name import StoreName


@click.command("resolve", cls=Command)
@sources_argument
@ref_name_option
@platform_option
@format_option
def resolve_command(
    sources: "tuple[StoreName, ...]", ref_name: str | None, platform: "Platform | None", output: str
) -> int:
    """Print the digest of a tag.

    The digest of a multi-platform image is that of its index; with --platform, it is that of the platform's manifest.
    With several sources, each digest is followed by its source.

    JSON output is a list of objects with source, mediaType, digest and size.

    \b
    Examples:
      dreg resolve localhost:5000/acme/web:1.4
      dreg resolve oci:fixtures/layouts/multi:1.4
      dreg resolve oci:fixtures/layouts/multi:1.4 --platform linux/arm64
    """

    def read(source: "StoreName", name: str) -> Shown:
        if output == "text" and platform is None and ref_name is None and (digest := _resolved_in_registry(source)):
            return Shown(digest, line(digest, name))
        with opened(source, ref_name) as (store, reference):
            found = chosen_descriptor(store, reference, platform) if platform else store.resolve(reference)
        return Shown(_plain(found), line(found.digest, name))

    def line(digest: "Digest", name: str) -> list[str]:
        return [f"{digest}  {visible(name)}" if name else str(digest)]

    return show(sources, output, read)


def _resolved_in_registry(source: "StoreName") -> "Digest | None":
    """Return the digest of a name in a registry, without importing models; None for other stores."""
    if (reference := source.reference) is None or source.kind != "registry":
        return None
    from dreg_client._sync.manifests import resolve_manifest
    from dreg_client.protocol.manifests import name_of
    from dreg_client.values.reference import DEFAULT_TAG

    name = name_of(reference.digest or reference.tag or DEFAULT_TAG)
    with opened_client(source, reference) as client:
        return resolve_manifest(client, reference.repository, name).digest


def _plain(descriptor: "Descriptor") -> dict[str, Any]:
    return {"mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size}


@click.command(
    "manifest",
    cls=CommandWithCommands,
    module="dreg_client.cli.put_commands",
    summaries={"put": "Push a manifest or index to a registry, byte for byte."},
)
@source_argument
@ref_name_option
@platform_option
@click.option(
    "--raw",
    is_flag=True,
    help="Print the document even if it is invalid. Its digest is still verified.",
)
def manifest_command(source: "StoreName", ref_name: str | None, platform: "Platform | None", raw: bool) -> None:
    """Print a manifest or index, byte for byte.

    The digest is verified, and the document is validated. On a terminal, control characters are escaped. For a
    multi-platform image, the index is printed; with --platform, the manifest of that platform.

    \b
    Examples:
      dreg manifest localhost:5000/acme/web:1.4
      dreg manifest oci:fixtures/layouts/multi:1.4 --platform linux/arm64
    """
    with opened(source, ref_name) as (store, reference):
        which = chosen_descriptor(store, reference, platform) if platform else reference
        if raw:
            octets = store.get_raw_manifest(which).raw
        else:
            document = store.get_manifest(which, legacy=True)
            put_warnings(document)
            octets = document.raw
    put_octets(octets)


@click.command("config", cls=Command)
@source_argument
@ref_name_option
@platform_option
def config_command(source: "StoreName", ref_name: str | None, platform: "Platform | None") -> None:
    """Print the config of an image, byte for byte.

    The config contains the environment, entrypoint, command, user and labels of the image. Its digest is verified. On a
    terminal, control characters are escaped. A multi-platform image requires --platform.

    \b
    Exit codes:
      7  The image has several platforms, and --platform is missing.

    \b
    Examples:
      dreg config oci:fixtures/layouts/multi:single
      dreg config oci:fixtures/layouts/multi:1.4 --platform linux/amd64
    """
    from dreg_client._sync.documents import read_verified
    from dreg_client.errors import InvalidDocumentError
    from dreg_client.models.parse import parse_document
    from dreg_client.values.media_type import Family

    with opened(source, ref_name) as (store, reference):
        config = chosen_manifest(store, reference, platform).config
        octets = read_verified(store.source, config, is_blob=True).raw
    put_octets(octets)
    if config.family is not Family.CONFIG:
        return
    try:
        put_warnings(parse_document(octets, kind="image-config", strict=False))
    except InvalidDocumentError as failure:
        raise failure.at(config.digest) from None


@click.command("platforms", cls=Command)
@sources_argument
@ref_name_option
@format_option
def platforms_command(sources: "tuple[StoreName, ...]", ref_name: str | None, output: str) -> int:
    """List the platforms of an image.

    With several sources, each platform follows its source.

    JSON output is a list of objects with source and platforms.

    \b
    Examples:
      dreg platforms localhost:5000/acme/web:1.4
      dreg platforms oci:fixtures/layouts/multi:1.4 --format json
    """
    from dreg_client._sync.showing import read_platforms

    def read(source: "StoreName", name: str) -> Shown:
        with opened(source, ref_name) as (store, reference):
            found = read_platforms(store.source, reference)
        platforms = [*map(str, found.shown)]
        lines = (visible(f"{name}  {platform}" if name else platform) for platform in platforms)
        return Shown(platforms, lines, found.documents, found.failures)

    return show(sources, output, read, key="platforms")


@click.command("referrers", cls=Command)
@source_argument
@click.option("--artifact-type", metavar="TYPE", help="List only referrers with this artifact type.")
@click.option("--verify", is_flag=True, help="Read each referrer, and omit those that do not refer to the image.")
@format_option
def referrers_command(source: "StoreName", artifact_type: str | None, verify: bool, output: str) -> None:
    """List the signatures, attestations and other referrers of an image.

    Each line has the digest and the artifact type of a manifest whose `subject` is the image. The list comes
    from the registry; --verify checks it against the manifests.

    The attestations of Docker BuildKit are not referrers. They are entries of the image's index, which `dreg inspect`
    shows.

    JSON output is a list of objects with mediaType, digest, size, artifactType and annotations.

    \b
    Examples:
      dreg referrers localhost:5000/acme/web:1.4
      dreg referrers oci:fixtures/layouts/multi:1.4 --format json
    """
    from dreg_client.images.view import view_descriptor

    with opened(source) as (store, reference):
        subject = store.resolve(reference)
        found = store.referrers(subject, artifact_type, verify=verify)
    if not found and output == "text":
        kind = f" with artifact type {artifact_type}" if artifact_type else ""
        note = f"no referrers{kind}; attestations inside an index are shown by: dreg inspect {source}"
        put_error(f"dreg: {visible(note)}")
    put_result(
        output,
        [view_descriptor(entry) for entry in found],
        (visible(f"{entry.digest}  {entry.artifact_type or entry.media_type}") for entry in found),
    )


@click.command("history", cls=Command)
@source_argument
@ref_name_option
@platform_option
@format_option
def history_command(source: "StoreName", ref_name: str | None, platform: "Platform | None", output: str) -> int:
    """Show the build steps of an image, with the size of each layer.

    Steps are shown in build order. A multi-platform image requires --platform.

    JSON output is a list of steps. Each has emptyLayer, instruction, created, createdBy and comment; layer (the
    position of its layer in the manifest, or null); and the digest, mediaType and size of that layer.

    \b
    Exit codes:
      1  A part of the manifest or config is invalid; the rest is shown.
      7  The image has several platforms, and --platform is missing.

    \b
    Examples:
      dreg history oci:fixtures/layouts/multi:single
      dreg history oci:fixtures/layouts/multi:1.4 --platform linux/amd64
    """
    from dreg_client._sync.showing import read_chosen
    from dreg_client.cli.image_text import step_line
    from dreg_client.images.view import view_history

    with opened(source, ref_name) as (store, reference):
        found = read_chosen(store.source, reference, platform, chosen_entry)
    seen = view_history(found.shown.steps)
    return Shown(seen, map(step_line, seen), found.documents, found.failures).put(output)


@click.command("tags", cls=Command)
@sources_argument
@tag_options("List")
@click.option("--digests", is_flag=True, help="Also show the digest and size of each tag.")
@click.option("--created", is_flag=True, help="Also show the digest, size and creation date of each tag.")
@click.option(
    "--platform",
    metavar="P",
    type=ParsedType("platform", parse_platform),
    help="With --digests or --created: the platform of a multi-platform image to measure (default: local).",
)
@format_option
def tags_command(
    sources: "tuple[StoreName, ...]",
    *,
    digests: bool,
    created: bool,
    platform: "Platform | None",
    output: str,
    **wanted: Any,  # noqa: ANN401 (as click passes them)
) -> int:
    """List the tags of a repository, layout or archive.

    SOURCE is a name without a tag or digest. With several sources, each tag is printed as
    SOURCE:TAG.

    Tags are printed in the order of the registry, layout or archive, and while they are read. If the list of a registry
    fails later on, the tags that were printed stay.

    GLOB is a case-sensitive pattern with *, ? and [...]. For RANGE, the tag v1.4 counts as 1.4, and 1.4 as 1.4.0. A tag
    with a suffix, such as 1.4-alpine, counts as a prerelease, which most ranges exclude.

    With --digests, tags of the same image have the same digest. The size is that of the manifest, the config and the
    layers as stored (compressed). The size and date of a multi-platform image are those of one platform, which
    --platform selects. If the image does not have that platform, - is printed.

    With --digests, each manifest is requested; with --created, each config is requested as well. To print only digests
    without counting as a pull, use `dreg resolve`. Tags that cannot be read are reported on standard error.

    \b
    Exit codes:
      1  Some tags could not be read.

    JSON output is a list of objects with source and tags. With --digests or --created, each tag is an object with tag,
    digest, platform, size and, with --created, created. An object whose list ended with an error also has
    "complete": false.

    \b
    Examples:
      dreg tags localhost:5000/acme/web
      dreg tags localhost:5000/acme/web --include '1.*' --exclude '*-rc*'
      dreg tags oci:fixtures/layouts/multi --digests
      dreg tags oci:fixtures/layouts/multi --created
      dreg tags docker-archive:fixtures/archives/web.docker.tar --format json
      dreg tags oci:fixtures/layouts/multi --semver '^1.3' --no-digest-tags
    """
    wanted_tags = tag_filter(wanted)
    if platform and not (digests or created):
        raise click.UsageError("--platform requires --digests or --created")

    def read(source: "StoreName", name: str) -> Iterator[Shown]:
        from dreg_client.values.store_name import reference_of

        if source.is_named and (reference := reference_of(source)):
            raise click.UsageError(f"dreg tags lists all tags; remove {reference!r} from the name")
        pages = (tuple(filter(wanted_tags.has, tags)) for tags in _pages(source))
        if digests or created:
            from dreg_client.cli.tag_table import Columns, tag_table

            columns = Columns(created, platform or parse_platform("local"))
            yield from tag_table(source, _name(source), name if output == "text" else "", pages, columns)
            return
        for tags in pages:
            yield Shown(tags, (visible(f"{name}:{tag}" if name else tag) for tag in tags))

    return show_parts(sources, output, read, key="tags", name=_name)


def _pages(source: "StoreName") -> Iterator[tuple[str, ...]]:
    """Yield the tags of a store, page by page, each once in a page."""
    if (reference := source.reference) is None or source.kind != "registry":
        with opened(source) as (store, _):
            yield store.tags()
        return
    from dreg_client._sync.lists import iter_pages
    from dreg_client.protocol.tags_and_catalog import MAX_STREAMED_PAGES, tag_pages

    with opened_client(source, reference) as client:
        for tags in iter_pages(client, tag_pages(reference.repository, most=MAX_STREAMED_PAGES)):
            yield tuple(dict.fromkeys(tags))


def _name(source: "StoreName") -> str:
    """Return the name of the store without the default tag."""
    if source.reference is None or source.kind != "registry" or source.is_named:
        return str(source)
    return f"{source.reference.registry}/{source.reference.repository}"
