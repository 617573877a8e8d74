"""What `dreg validate` is given, one source after another: which documents are in it, and what is wrong with them."""

import errno
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import click

from dreg_client.cli.checking_registries import check_registry, names_registry
from dreg_client.cli.progress import Advance, progress
from dreg_client.cli.results import Checked, Counted, Finding, Unread
from dreg_client.cli.sources import STORE_KINDS
from dreg_client.errors import DregError, InvalidDocumentError, UnsupportedError
from dreg_client.models.limits import MAX_DOCUMENT
from dreg_client.validation.report import validate
from dreg_client.values.store_name import StoreName

if TYPE_CHECKING:
    from dreg_client.validation.dumps import LineRules

_DUMPS: Final = (".jsonl", ".ndjson")
_DOCUMENTS: Final = (".json", *_DUMPS)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the options say, but for the output."""

    kind: str | None
    media_type: str | None
    lines: bool
    field: str
    media_type_field: str
    complete: bool
    pedantic: bool
    quiet: bool
    jobs: int
    resume: str | None = None

    @property
    def names_dumps(self) -> bool:
        """Whether the options say that sources are dumps."""
        return self.lines or bool(self.field)


def check(source: str, settings: Settings) -> Generator[Finding, None, None]:
    """Validate one source; what cannot be read is among the findings, so that nothing else is lost for it (CLI-12)."""
    with progress(source, lambda: _weight(source), quiet=settings.quiet) as advance:
        yield from _attempted(source, _source(source, settings, advance))


def _source(source: str, settings: Settings, advance: Advance) -> Iterator[Finding]:
    if source == "-":
        yield from _stream(source, _standard_input(), settings)
    elif source.startswith(STORE_KINDS):
        yield from _store(source, settings, advance)
    elif names_registry(source):
        yield from check_registry(
            source, complete=settings.complete, pedantic=settings.pedantic, journal=settings.resume
        )
    elif Path(source).is_dir():
        yield from _folder(Path(source), settings, advance)
    else:
        yield from _file(Path(source), settings, advance)


def _attempted(source: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """The findings, and the error that ends them, if any."""
    try:
        yield from findings
    except InvalidDocumentError as failure:
        yield Checked(failure.source or source, 0, failure.kind or None, None, None, failure.problems)
    except (DregError, OSError, click.UsageError) as failure:
        yield Unread(source, failure)


# --- files


def _standard_input() -> BinaryIO:
    if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison] (so it is after `<&-`)
        raise OSError(errno.EBADF, "is closed", "standard input")
    return sys.stdin.buffer


def _file(path: Path, settings: Settings, advance: Advance) -> Iterator[Finding]:
    """A dump or a document; names say which, where options do not."""
    if settings.names_dumps or path.suffix in _DUMPS:
        yield from _dump(path, settings, advance)
        return
    with path.open("rb") as file:
        raw = file.read(MAX_DOCUMENT + 1)
    yield _document(str(path), raw, settings, "image-layout" if path.name == "oci-layout" else None)
    advance(len(raw))


def _document(source: str, raw: bytes, settings: Settings, kind: str | None = None) -> Checked:
    kind = settings.kind or kind
    return Checked.of(source, validate(raw, kind=kind, media_type=settings.media_type, pedantic=settings.pedantic))


def _dump(path: Path, settings: Settings, advance: Advance) -> Iterator[Finding]:
    """A dump, by several processes; what is no regular file, as a pipe, line by line."""
    if settings.media_type:
        raise click.UsageError(
            f"{path} is a dump: it says media types in a field, --media-type-field, not --media-type"
        )
    if not path.is_file():
        with path.open("rb") as file:
            yield from _lines(str(path), file, settings)
        return
    # Here, and not above, for what it brings in: a run on one document needs no processes.
    from dreg_client.validation.dumps import PART, validate_file

    jobs = min(settings.jobs, path.stat().st_size // PART + 1)
    for part in validate_file(path, _line_rules(settings), jobs=jobs):
        yield from (Checked.of(str(path), found.report, found.line) for found in part.reports)
        yield Counted(part.documents - len(part.reports))
        advance(part.stop - part.start)


def _line_rules(settings: Settings) -> "LineRules":
    from dreg_client.validation.dumps import LineRules

    return LineRules(
        settings.field, settings.media_type_field, settings.kind, settings.pedantic, settings.media_type or ""
    )


def _stream(source: str, file: BinaryIO, settings: Settings) -> Iterator[Finding]:
    if settings.names_dumps:
        yield from _lines(source, file, settings)
    else:
        yield _document(source, file.read(MAX_DOCUMENT + 1), settings)


def _lines(source: str, file: BinaryIO, settings: Settings) -> Iterator[Finding]:
    from dreg_client.validation.dumps import bounded_lines, validate_lines

    for found in validate_lines(bounded_lines(file), _line_rules(settings)):
        yield Checked.of(source, found.report, found.line) if found.report.problems else Counted(1)


# --- folders and layouts


def _folder(folder: Path, settings: Settings, advance: Advance) -> Iterator[Finding]:
    """A layout as a whole; else the documents in the folder and below, by name, and the layouts there."""
    findings = _inside(folder, settings, advance)
    first = next(findings, None)
    if first is None:
        endings = ", ".join(f"*{ending}" for ending in _DOCUMENTS)
        raise click.UsageError(f"{folder} has nothing to check: no file {endings}, no image layout")
    yield first
    yield from findings


def _inside(folder: Path, settings: Settings, advance: Advance) -> Iterator[Finding]:
    if _is_layout(folder):
        yield from _layout(StoreName("oci", path=str(folder)), settings, advance)
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _attempted(str(path), _inside(path, settings, advance))
        elif path.suffix in _DOCUMENTS and path.is_file():
            yield from _attempted(str(path), _file(path, settings, advance))


def _is_layout(folder: Path) -> bool:
    """Whether a folder is meant as a layout, though its marker or its index may be missing."""
    return (folder / "oci-layout").is_file() or ((folder / "index.json").is_file() and (folder / "blobs").is_dir())


def _store(source: str, settings: Settings, advance: Advance) -> Iterator[Finding]:
    name = StoreName.parse(source)
    if name.kind == "docker-archive":
        raise UnsupportedError(f"{source} has no manifests to validate; look at it with: dreg inspect {source}")
    yield from _layout(name, settings, advance)


def _layout(name: StoreName, settings: Settings, advance: Advance) -> Iterator[Finding]:
    from dreg_client._sync.opening import open_layout
    from dreg_client._sync.validation import validate_layout
    from dreg_client.values.store_name import reference_of

    with open_layout(name) as layout:
        reports = validate_layout(
            layout,
            reference=reference_of(name),
            complete=settings.complete,
            pedantic=settings.pedantic,
            jobs=settings.jobs,
        )
        for found in reports:
            yield Checked.of(f"{layout.name}/{found.name}", found.report)
            advance(found.report.size)


def _weight(source: str) -> int:
    """The bytes of a file, or of all files below a folder; 0 where that cannot be told."""
    path = Path(StoreName.parse(source).path if source.startswith(STORE_KINDS) else source)
    try:
        files = path.rglob("*") if path.is_dir() else [path]
        return sum(file.stat().st_size for file in files if file.is_file())
    except OSError:
        return 0
