"""Validate one source of `dreg validate`: a document, a dump, a directory, a layout or an archive."""

import os
from collections.abc import Callable, Generator, Iterator
from errno import ENOENT
from functools import partial
from pathlib import Path, PurePath
from typing import Final

import click

from dreg_client.cli.progress import Advance, progress
from dreg_client.cli.standard_input import standard_input
from dreg_client.cli.validate_output import Checked, Counted, FailedSource, Finding, Settings
from dreg_client.cli.validate_registries import findings_in_registry, is_short_host, names_registry
from dreg_client.cli.validate_rows import (
    as_usage,
    check_plain,
    expanded,
    findings_in_file,
    findings_in_files,
    findings_in_path_or_url,
    findings_in_stream,
    is_compressed,
    is_read_as_partition,
    partition_rules,
    shows_rows,
)
from dreg_client.errors import DregError, InvalidDocumentError, UnsupportedError
from dreg_client.files.path_kinds import how_to_validate, is_tar_archive, kinds_at
from dreg_client.files.places import NO_MATCH, FoundLayout, StoredFile, UnreadEntry, is_pattern
from dreg_client.files.regular import open_regular
from dreg_client.files.store_kinds import OCI_ARCHIVE
from dreg_client.files.store_path import named_store, storage_at
from dreg_client.files.unchanged import unchanged_file
from dreg_client.partitions.input.discover import only_reports, storage_reason, storage_root
from dreg_client.partitions.input.formats import ENDINGS, format_of
from dreg_client.partitions.input.sources import documents_below
from dreg_client.validation.dumps import PART, validate_file
from dreg_client.validation.report import validate
from dreg_client.values.registry_name import STORAGE, STORE_KINDS
from dreg_client.values.sizes import MAX_DOCUMENT
from dreg_client.values.source_url import is_source_url, shown_source
from dreg_client.values.store_name import StoreName, reference_of

_DUMP: Final = ("json-lines", "")
FindingsIn = Callable[[str, Settings, Advance], Iterator[Finding]]
"""A function that validates a source."""


def is_of_registry(source: str) -> bool:
    """Return whether a source is in a registry."""
    return source != "-" and not source.startswith(STORE_KINDS) and not is_source_url(source) and names_registry(source)


def findings_in_source(source: str, settings: Settings) -> Generator[Finding, None, None]:
    """Validate one source; yield what cannot be read as a finding, so that the other findings are kept (CLI-12)."""
    found = expanded(source)
    if found is None:
        yield from _with_progress(source, _findings, settings)
        return
    for each in found:
        if isinstance(each, UnreadEntry):
            yield FailedSource(each.source, each.failure)
        elif not each.is_directory or os.path.lexists(each.source):
            # The name is a path, even if it looks like a store or a URL. Directories may be gone by now.
            yield from _with_progress(each.source, _at_path, settings)


def _with_progress(name: str, findings: FindingsIn, settings: Settings) -> Iterator[Finding]:
    shown = shown_source(name)
    with progress(shown, partial(_size, name), quiet=settings.quiet) as advance:
        yield from _with_failure(shown, findings(name, settings, advance))


def _size(source: str) -> int:
    """Return the size of a file, or of all files in a directory; 0 if it is unknown."""
    if is_source_url(source) or source.startswith(STORAGE):  # to find out its size may take as long as to validate it
        return 0
    path = Path(named_store(source).path if source.startswith(STORE_KINDS) else source)
    try:
        return sum(_sizes(path)) if path.is_dir() else path.stat().st_size
    except OSError:
        return 0


def _sizes(directory: Path) -> Iterator[int]:
    """Yield the sizes of all files below a directory. Unlike `rglob`, this works at any depth."""
    waiting = [os.fspath(directory)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif entry.is_file():
                    yield entry.stat().st_size


def _with_failure(source: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """Yield the findings, then the error that ended them, if any."""
    try:
        yield from findings
    except InvalidDocumentError as failure:
        yield Checked(failure.source or source, failure.kind or None, None, None, failure.problems)
    except (DregError, OSError, click.UsageError) as failure:
        yield FailedSource(source, as_usage(failure))


def _findings(source: str, settings: Settings, advance: Advance) -> Iterator[Finding]:
    if source == "-":
        yield from _standard_input(settings)
    elif source.startswith(STORE_KINDS):
        yield from _store(named_store(source), settings, advance)
    elif is_source_url(source):
        yield from findings_in_path_or_url(source, settings, advance)
    elif is_of_registry(source):
        yield from findings_in_registry(source, settings)
    elif is_pattern(source) and not os.path.lexists(source):
        raise FileNotFoundError(ENOENT, NO_MATCH, source)
    elif is_short_host(source):
        raise FileNotFoundError(ENOENT, f"no such folder; if it is a registry, write https://{source}", source)
    else:
        yield from _at_path(source, settings, advance)


def _at_path(source: str, settings: Settings, advance: Advance) -> Iterator[Finding]:
    if Path(source).is_dir():
        findings = _directory(source, settings, advance)
        if (first := next(findings, None)) is None:
            endings = f"has no {', '.join(ENDINGS)} files, compressed or not, and no image layout"
            raise click.UsageError(f"nothing to check: {source} {only_reports(source) or endings}")
        yield first
        yield from findings
    else:
        yield from _file(Path(source), settings, advance)


def _standard_input(settings: Settings) -> Iterator[Finding]:
    given = standard_input()
    if settings.lines or settings.field:
        yield from findings_in_stream("-", given, settings)
    else:
        raw = given.read(MAX_DOCUMENT + 1)
        if not _may_be_json(raw) and is_tar_archive(raw):
            raise click.UsageError("standard input is a tar archive; save it, then run: dreg validate oci-archive:FILE")
        check_plain(raw)
        yield _document("-", raw, settings)


def _file(path: Path, settings: Settings, advance: Advance, *, is_listed: bool = False) -> Iterator[Finding]:
    """Validate a dump or a document; options take precedence over the suffix of the name.

    A file that was listed must be a regular one. Only a path that the user passes may be a pipe, which is waited for.
    """
    if settings.lines or settings.field or format_of(path.name) == _DUMP or is_read_as_partition(path.name):
        yield from _dump(path, settings, advance, is_listed=is_listed)
        return
    with unchanged_file(path, str(path)), open_regular(path) if is_listed else path.open("rb") as file:
        raw = file.read(MAX_DOCUMENT + 1)
    if not _may_be_json(raw):
        if advice := how_to_validate(str(path)):
            raise click.UsageError(advice)
        if path.is_file() and shows_rows(raw):
            yield from findings_in_path_or_url(str(path), settings, advance)
            return
    yield _document(str(path), raw, settings, "image-layout" if path.name == "oci-layout" else None)
    advance(len(raw))


def _may_be_json(raw: bytes) -> bool:
    return raw.lstrip(b" \t\r\n")[:1] in {b"{", b"["}


def _document(source: str, raw: bytes, settings: Settings, kind: str | None = None) -> Checked:
    kind = settings.kind or kind
    return Checked.of(source, validate(raw, kind=kind, media_type=settings.media_type, pedantic=settings.pedantic))


def _dump(path: Path, settings: Settings, advance: Advance, *, is_listed: bool) -> Iterator[Finding]:
    """Validate a regular file in several processes; anything else that was not listed, such as a pipe, line by line."""
    if not is_listed and not path.is_file():
        with path.open("rb") as file:
            yield from findings_in_stream(str(path), file, settings)
        return
    size = path.stat().st_size
    if is_read_as_partition(path.name) or is_compressed(str(path)):
        yield from findings_in_file(str(path), size, settings, advance)
        return
    for part in validate_file(path, partition_rules(settings).lines, jobs=min(settings.jobs, size // PART + 1)):
        yield from (Checked.of(str(path), found.report, found.line) for found in part.reports)
        yield Counted.of_others(part.size, part.kinds, part.reports)
        advance(part.stop - part.start)


def _directory(path: str, settings: Settings, advance: Advance) -> Iterator[Finding]:
    """Validate a layout as a whole; in any other directory, all documents and layouts in it and below.

    Compressed files, Parquet files and tar archives come last, so that processes validate them side by side.
    """
    later: list[StoredFile] = []
    storages: list[str] = []
    for found in documents_below(str(Path(path)), partial(_enters, storages)):
        match found:
            case UnreadEntry():
                yield FailedSource(found.source, found.failure)
            case FoundLayout():
                layout = _layout(StoreName("oci", path=found.source), settings, advance)
                yield from _with_failure(found.source, layout)
            case StoredFile() if is_read_as_partition(found.source):
                later.append(found)
            case StoredFile():
                file = _file(Path(found.source), settings, advance, is_listed=True)
                yield from _with_failure(found.source, file)
    yield from (FailedSource(root, click.UsageError(storage_reason(root))) for root in map(storage_root, storages))
    yield from findings_in_files(later, path, settings, advance)


def _enters(storages: list[str], directory: str) -> bool:
    """Return whether to search a directory; note those that are the storage of a registry."""
    if PurePath(directory).name != "v2" or not storage_at(directory):
        return True
    storages.append(directory)
    return False


def _store(name: StoreName, settings: Settings, advance: Advance) -> Iterator[Finding]:
    if name.kind == "registry-storage":
        from dreg_client.cli.validate_storage import findings_in_storage

        yield from findings_in_storage(name, settings, advance)
        return
    if name.kind == "docker-archive":
        if OCI_ARCHIVE in kinds_at(name.path):
            raise UnsupportedError(how_to_validate(name.path))
        raise UnsupportedError(f"{name} has no manifests to validate; show it with: dreg inspect {name}")
    yield from _layout(name, settings, advance)


def _layout(name: StoreName, settings: Settings, advance: Advance) -> Iterator[Finding]:
    from dreg_client._sync.opening import open_layout
    from dreg_client._sync.validation import validate_layout

    with open_layout(name, strict=False) as layout:
        options = {"complete": settings.complete, "pedantic": settings.pedantic}
        for found in validate_layout(layout, reference=reference_of(name), **options, jobs=settings.jobs):
            yield Checked.of(f"{layout.name}/{found.name}", found.report, is_null=found.is_null)
            advance(found.report.size)
