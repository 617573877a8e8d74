"""The table of `dreg tags --digests`: digests, sizes and dates of tags, requested side by side."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from dreg_client.cli.fan_out import Shown, map_in_threads
from dreg_client.cli.output import visible
from dreg_client.cli.shown_problems import warnings_of
from dreg_client.cli.stores import opened
from dreg_client.errors import DregError, IntegrityError, InvalidDocumentError, NotAnImageError, PlatformNotFoundError

if TYPE_CHECKING:
    from dreg_client._sync.store import Store
    from dreg_client.models.index import AnyManifest
    from dreg_client.models.legacy import LegacyManifest
    from dreg_client.models.manifest import ImageManifest
    from dreg_client.values.platform import Platform
    from dreg_client.values.store_name import StoreName

_AT_ONCE: Final = 4
_ROWS: Final = 100
"""The rows that are aligned and printed at a time; columns never become narrower."""
_SHOWN: Final = 40
_CREATED: Final = "org.opencontainers.image.created"


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns besides digest and size.

    Attributes:
        created: Whether to read each config, for the date of the image.
        platform: The platform whose image is measured if a tag names an index.
    """

    created: bool
    platform: "Platform"


@dataclass(slots=True)
class _Row:
    """What is known of a tag, and why the rest is not."""

    tag: str
    digest: str | None = None
    platform: str | None = None
    size: int | None = None
    created: str | None = None
    failure: Exception | None = None
    warnings: list[str] = field(default_factory=list[str])

    def plain(self, columns: Columns) -> dict[str, str | int | None]:
        """Return the row for JSON output, with the members of its columns."""
        members = {"tag": self.tag, "digest": self.digest, "platform": self.platform, "size": self.size}
        if columns.created:
            members["created"] = self.created
        return members


def tag_table(
    source: "StoreName", name: str, prefix: str, pages: Iterable[Sequence[str]], columns: Columns
) -> Iterator[Shown]:
    """Read what the columns need of each tag, some rows at a time; a tag that cannot be read keeps an incomplete row.

    `name` is the name of the store, for errors; `prefix` goes before each tag in text output.
    """
    widths: list[int] = []
    with opened(source) as (store, _):
        for tags in pages:
            for start in range(0, len(tags), _ROWS):
                rows = [*_read(tags[start : start + _ROWS], lambda row: _fill(row, store, columns))]
                yield _part(rows, name, _lines(rows, prefix, columns, widths), columns)


def _part(rows: list[_Row], name: str, lines: Iterable[str], columns: Columns) -> Shown:
    from dreg_client.cli.error_messages import exit_code, exit_code_of_several

    names = {row.tag: f"{name}:{row.tag}" for row in rows}
    return Shown(
        [row.plain(columns) for row in rows],
        lines,
        failed={names[row.tag]: row.failure for row in rows if row.failure},
        warnings=[(names[row.tag], text) for row in rows for text in row.warnings],
        code=exit_code_of_several({exit_code(row.failure) if row.failure else 0 for row in rows}),
    )


def _read(tags: Sequence[str], fill: Callable[[_Row], None]) -> Iterator[_Row]:
    def read(tag: str) -> _Row:
        row = _Row(tag)
        try:
            fill(row)
        except Exception as failure:  # noqa: BLE001 (reported with its tag)
            row.failure = failure
        return row

    return map_in_threads(read, tags, at_once=_AT_ONCE)


def _fill(row: _Row, store: "Store", columns: Columns) -> None:
    try:
        document = store.get_manifest(row.tag, legacy=True)
    except IntegrityError:  # the digest that the store states is wrong
        raise
    except DregError as failure:
        with suppress(DregError):  # the digest of a manifest that is not valid is known all the same
            is_readable = isinstance(failure, InvalidDocumentError)
            row.digest = (store.get_raw_manifest if is_readable else store.resolve)(row.tag).digest
        raise
    row.warnings += warnings_of(document)
    row.digest = document.digest
    image = _image(row, store, document, columns.platform)
    if image is None:
        return
    row.size = image.size + image.config.size + image.image_size
    if columns.created:
        row.created = _created(row, store, image)


def _image(
    row: _Row, store: "Store", document: "AnyManifest | LegacyManifest", platform: "Platform"
) -> "ImageManifest | None":
    """Return the manifest to measure: the document itself, or that of the platform; None if there is none."""
    from dreg_client._sync.documents import read_image_manifest
    from dreg_client._sync.index_walk import entries_of
    from dreg_client.models.index import Index
    from dreg_client.models.manifest import ImageManifest

    if isinstance(document, ImageManifest):
        return document
    if not isinstance(document, Index):
        return None
    try:
        entry = entries_of(store.source, document).find(platform)
    except (PlatformNotFoundError, NotAnImageError):
        return None
    row.platform = str(entry.platform) if entry.platform else None
    image = read_image_manifest(store.source, entry.descriptor)
    row.warnings += warnings_of(image)
    return image


def _created(row: _Row, store: "Store", image: "ImageManifest") -> str | None:
    """Return when an image was made, by its config; of an artifact, by its annotation."""
    from dreg_client._sync.documents import read_config
    from dreg_client.values.media_type import Family
    from dreg_client.values.timestamp import is_timestamp

    if image.config.family is Family.CONFIG:
        config = read_config(store.source, image, strict=False)
        row.warnings += warnings_of(config)
        return config.created
    created = (image.annotations or {}).get(_CREATED)
    if created is None or is_timestamp(created):
        return created
    row.warnings.append(f"the annotation {_CREATED} is not a valid date and time: {created[:_SHOWN]!r}")
    return None


def _lines(rows: Sequence[_Row], prefix: str, columns: Columns, widths: list[int]) -> Iterator[str]:
    """Yield the rows as aligned columns; `-` stands for what is not known. `widths` are those of earlier rows."""
    from dreg_client.images.view import time_of
    from dreg_client.values.sizes import byte_size

    table = [[visible(f"{prefix}:{row.tag}" if prefix else row.tag), row.digest or "-"] for row in rows]
    for cells, row in zip(table, rows, strict=True):
        cells.append("-" if row.size is None else byte_size(row.size))
        if columns.created:
            cells.append("-" if row.created is None else visible(time_of(row.created)))
    found = [max(map(len, column)) for column in zip(*table, strict=True)]
    widths[:] = map(max, found, widths or found)
    for cells in table:
        yield "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
