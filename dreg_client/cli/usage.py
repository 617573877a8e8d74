"""`dreg usage`: the sizes of tags, and what deleting them would free."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from dreg_client.cli.arguments import format_option
from dreg_client.cli.change_options import repository_argument
from dreg_client.cli.command import Command
from dreg_client.cli.fan_out import Shown, show
from dreg_client.cli.output import counted, styled, visible
from dreg_client.cli.registry_options import registry_options
from dreg_client.cli.stores import opened, repository_name

if TYPE_CHECKING:
    from datetime import datetime

    from dreg_client.tagging.usage import PlatformUsage, TagUsage, Usage
    from dreg_client.values.store_name import StoreName

_COLUMNS: Final = ("TAG", "DIGEST", "SIZE", "SHARED", "FREED", "IMAGE", "PLATFORMS", "CREATED", "OLDEST")
_RIGHT: Final = frozenset({"SIZE", "SHARED", "FREED", "IMAGE", "PLATFORMS"})


@click.command("usage", cls=Command)
@repository_argument("sources", "REPOSITORY...", several=True)
@click.option("--platforms", is_flag=True, help="Also show a row for each platform.")
@format_option
@registry_options
def usage_command(sources: "tuple[StoreName, ...]", platforms: bool, output: str) -> int:
    """Show the size of each tag, and what deleting it would free.

    REPOSITORY is REGISTRY/REPOSITORY, oci:PATH or an archive, without a tag. The tags of images that would free
    the most are first. Sizes are those of all platforms: manifests, configs and layers as stored (compressed), each
    counted once.

    SHARED is the part of SIZE that other images of the repository also have. FREED is what would be freed if the tag
    were deleted, and with it the image, its signatures and other referrers: 0 if another tag or an index needs the
    image. IMAGE is what would be freed if the image were deleted with all its tags. Several images can free more
    together. `dreg gc` frees the space in a layout; in a registry, its garbage collection does. CREATED is the date of
    the newest platform, and OLDEST that of the oldest; - if unknown.

    All manifests and configs are requested. The last line is the size of the whole repository.

    JSON output is a list of objects with source, repository, size, blobs, manifests, oldest, newest, digestTags and
    tags. Each tag has tag, digest, mediaType, size, sharedSize, freedSize, imageFreedSize, otherTags, created,
    oldest and platforms.

    \b
    Exit codes:
      1  Some tags could not be read.

    \b
    Examples:
      dreg usage localhost:5000/acme/web
      dreg usage oci:fixtures/layouts/releases --platforms
      dreg usage localhost:5000/acme/web localhost:5000/acme/old --format json
    """

    def read(source: "StoreName", name: str) -> Shown:
        with opened(source) as (store, _):
            found = store.usage()
        failed = {f"{repository_name(source)}:{tag}": failure for tag, failure in found.failures.items()}
        lines = _lines(found, repository_name(source) if name else "", with_platforms=platforms)
        return Shown(_plain(found), lines, failed=failed, code=int(bool(failed)))

    return show(sources, output, read, name=repository_name)


def _lines(found: "Usage", prefix: str, *, with_platforms: bool) -> Iterator[str]:
    """Yield the rows as aligned columns, with a header, and the totals."""
    from dreg_client.values.sizes import byte_size

    rows: list[tuple[str, ...]] = [_COLUMNS]
    for each in found.tags:
        rows.append(_row(each, prefix))
        if with_platforms:
            rows += [_platform_row(platform) for platform in each.platforms]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        cells = zip(row, widths, _COLUMNS, strict=True)
        line = "  ".join(text.rjust(width) if name in _RIGHT else text.ljust(width) for text, width, name in cells)
        yield styled(line.rstrip(), "bold") if number == 0 else line.rstrip()
    name = f"{visible(prefix)}: " if prefix else ""
    tags, manifests = counted(len(found.tags), "tag"), counted(found.manifests, "manifest")
    yield f"{name}{tags}, {byte_size(found.size)} in {counted(found.blobs, 'blob')} and {manifests}"


def _row(each: "TagUsage", prefix: str) -> tuple[str, ...]:
    name = visible(f"{prefix}:{each.tag}" if prefix else each.tag)
    sizes = map(_size, (each.size, each.shared_size, each.freed_size, each.image_freed_size))
    return name, each.digest.short, *sizes, str(len(each.platforms)), _day(each.created), _day(each.oldest)


def _platform_row(each: "PlatformUsage") -> tuple[str, ...]:
    name = f"  {visible(str(each.platform)) if each.platform else 'no platform'}"
    return name, each.digest.short, _size(each.size), "", "", "", "", _day(each.created), ""


def _size(octets: int | None) -> str:
    from dreg_client.values.sizes import byte_size

    return "-" if octets is None else byte_size(octets)


def _day(moment: "datetime | None") -> str:
    return "-" if moment is None else f"{moment:%Y-%m-%d}"


def _plain(found: "Usage") -> dict[str, Any]:
    return {
        "repository": found.repository,
        "size": found.size,
        "blobs": found.blobs,
        "manifests": found.manifests,
        "oldest": _moment(found.oldest),
        "newest": _moment(found.newest),
        "digestTags": [*found.digest_tags],
        "tags": [*map(_plain_tag, found.tags)],
    }


def _plain_tag(each: "TagUsage") -> dict[str, Any]:
    return {
        "tag": each.tag,
        "digest": each.digest,
        "mediaType": each.media_type,
        "size": each.size,
        "sharedSize": each.shared_size,
        "freedSize": each.freed_size,
        "imageFreedSize": each.image_freed_size,
        "otherTags": [*each.other_tags],
        "created": _moment(each.created),
        "oldest": _moment(each.oldest),
        "platforms": [_plain_platform(platform) for platform in each.platforms],
    }


def _plain_platform(each: "PlatformUsage") -> dict[str, Any]:
    platform = None if each.platform is None else str(each.platform)
    return {"platform": platform, "digest": each.digest, "size": each.size, "created": _moment(each.created)}


def _moment(moment: "datetime | None") -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
