"""What `dreg validate` is given, one source after another: which documents are in it, and what is wrong with them."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dreg_client.cli.progress import Bar, progress
from dreg_client.errors import LayoutError, NotFoundError, UnsupportedError
from dreg_client.layout_validation import validate_layout
from dreg_client.models.dumps import LineReport, LineRules, validate_file, validate_lines
from dreg_client.models.stored import MAX_DOCUMENT
from dreg_client.models.validation import Report, validate
from dreg_client.opening import open_layout, reference_of
from dreg_client.values.store_name import StoreName

_DUMPS: Final = (".jsonl", ".ndjson")
_STORES: Final = ("oci:", "oci-archive:", "docker-archive:")


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
    jobs: int

    @property
    def line_rules(self) -> LineRules:
        """How the lines of a dump are read."""
        return LineRules(self.field, self.media_type_field, self.kind, self.pedantic)


@dataclass(frozen=True, slots=True)
class Checked:
    """One document, or a stretch of documents of which only those with problems are told one by one.

    Attributes:
        source: The file, or what stands for it.
        line: The line in a dump; 0 elsewhere.
        report: What is wrong; None for documents without problems that are only counted.
        documents: How many documents this stands for.
    """

    source: str
    line: int
    report: Report | None
    documents: int = 1


def check(source: str, settings: Settings) -> Iterator[Checked]:
    """Validate one source.

    Raises:
        NotFoundError: There is no such file.
        LayoutError: It cannot be read.
    """
    if source == "-":
        yield from _standard_input(settings)
    elif source.startswith(_STORES):
        yield from _store(source, settings)
    elif not os.path.lexists(source):
        advice = "name a file, a folder, - or oci:PATH"
        raise NotFoundError("such file", source, advice)
    else:
        yield from _path(Path(source), settings)


def _path(path: Path, settings: Settings) -> Iterator[Checked]:
    if path.is_dir():
        yield from _folder(path, settings)
    elif settings.lines or settings.field or path.suffix in _DUMPS:
        yield from _dump(path, settings)
    else:
        yield _file(path, settings)


def _folder(folder: Path, settings: Settings) -> Iterator[Checked]:
    """A layout as a whole; else the documents of the folder and of those below it, by name."""
    if (folder / "oci-layout").is_file() and (folder / "index.json").is_file():
        yield from _store(f"oci:{folder}", settings, str(folder))
        return
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            yield from _folder(path, settings)
        elif path.suffix in {".json", *_DUMPS} and path.is_file():
            yield from _path(path, settings)


def _file(path: Path, settings: Settings) -> Checked:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_DOCUMENT + 1)
    except OSError as failure:
        raise LayoutError(str(path), f"cannot be read: {failure.strerror}") from failure
    kind = settings.kind or ("image-layout" if path.name == "oci-layout" else None)
    return Checked(str(path), 0, _validated(raw, settings, kind))


def _validated(raw: bytes, settings: Settings, kind: str | None) -> Report:
    return validate(raw, kind=kind, media_type=settings.media_type, pedantic=settings.pedantic)


def _standard_input(settings: Settings) -> Iterator[Checked]:
    if settings.lines or settings.field:
        for found in validate_lines(sys.stdin.buffer, settings.line_rules):
            yield _line("-", found)
    else:
        yield Checked("-", 0, _validated(sys.stdin.buffer.read(MAX_DOCUMENT + 1), settings, settings.kind))


def _line(source: str, found: LineReport) -> Checked:
    return Checked(source, found.line, found.report)


def _dump(path: Path, settings: Settings) -> Iterator[Checked]:
    try:
        with progress(str(path), path.stat().st_size) as bar:
            yield from _parts(path, settings, bar)
    except OSError as failure:
        raise LayoutError(str(path), f"cannot be read: {failure.strerror}") from failure


def _parts(path: Path, settings: Settings, bar: Bar) -> Iterator[Checked]:
    for part in validate_file(path, settings.line_rules, jobs=settings.jobs):
        for found in part.reports:
            yield _line(str(path), found)
        yield Checked(str(path), 0, None, part.documents - len(part.reports))
        bar.reached(part.stop)


def _store(source: str, settings: Settings, folder: str = "") -> Iterator[Checked]:
    name = StoreName("oci", path=folder) if folder else StoreName.parse(source)
    if name.kind == "docker-archive":
        message = f"{source}: a docker-archive has no manifests to validate; look at it with: dreg inspect {source}"
        raise UnsupportedError(message)
    with open_layout(name) as layout:
        reports = validate_layout(
            layout,
            reference=reference_of(name),
            complete=settings.complete,
            pedantic=settings.pedantic,
            jobs=settings.jobs,
        )
        for found in reports:
            yield Checked(f"{layout.name}/{found.name}", 0, found.report)
