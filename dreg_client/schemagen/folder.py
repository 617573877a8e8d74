"""Write all schemas to a directory, or check whether they are up to date."""

from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from dreg_client.errors import FileError
from dreg_client.files.atomic import write_whole
from dreg_client.files.regular import open_regular
from dreg_client.schemagen.schemas import FILE_NAMES, NAMES, differs_when_written, schema, text
from dreg_client.values.sizes import MAX_DOCUMENT

_LARGEST = MAX_DOCUMENT


@dataclass(frozen=True, slots=True)
class Stale:
    """A file that differs from its generated content.

    Attributes:
        path: The file.
        reason: What is wrong, in a few words.
        difference: The differences as a unified diff; empty if the file is missing or is not a generated file.
    """

    path: Path
    reason: str
    difference: str


def write(folder: str | Path) -> tuple[Path, ...]:
    """Write all schemas to a directory.

    The files are `NAME.json`, and `serialization/NAME.json` if the schema of written documents differs.

    Returns:
        The files that were written. Files that are up to date are not changed.

    Raises:
        FileError: A file cannot be written or read.
    """
    return write_files(Path(folder), _files())


def check(folder: str | Path) -> tuple[Stale, ...]:
    """Return the files that `write` would change, and JSON files that are not generated schemas.

    Raises:
        FileError: A file cannot be read.
    """
    wanted = _files()
    others = (found for found in sorted(Path(folder).rglob("*.json")) if str(found.relative_to(folder)) not in wanted)
    unknown = (Stale(path, "is not a generated schema; delete it", "") for path in others)
    return (*check_files(Path(folder), wanted), *unknown)


def write_files(folder: Path, wanted: dict[str, str]) -> tuple[Path, ...]:
    """Write the files of a directory that are not up to date, and return their paths."""
    written: list[Path] = []
    for stale in check_files(folder, wanted):
        parent = stale.path.parent
        try:
            parent.mkdir(parents=True, exist_ok=True)
        except OSError as failure:
            raise FileError(str(parent), f"cannot be created: {failure.strerror}") from failure
        write_whole(str(stale.path), [wanted[str(stale.path.relative_to(folder))].encode()])
        written.append(stale.path)
    return tuple(written)


def check_files(folder: Path, wanted: dict[str, str]) -> tuple[Stale, ...]:
    """Return the files of a directory that are not up to date."""
    return tuple(stale for name, expected in wanted.items() if (stale := _stale(folder / name, expected)))


def _files() -> dict[str, str]:
    accepted = {f"{name}.json": schema(name) for name in (*NAMES, *FILE_NAMES)}
    differing = filter(differs_when_written, NAMES)
    written = {f"serialization/{name}.json": schema(name, mode="serialization") for name in differing}
    return {name: text(content) for name, content in (accepted | written).items()}


def _stale(path: Path, expected: str) -> Stale | None:
    try:
        with open_regular(path, "cannot be read: it is not a regular file") as file:
            raw = file.read(_LARGEST + 1)
    except FileNotFoundError:
        return Stale(path, "is missing", "")
    except OSError as failure:
        raise FileError(str(path), f"cannot be read: {failure.strerror}") from failure
    if len(raw) > _LARGEST:
        return Stale(path, "is too large for a schema", "")
    found = raw.decode("utf-8", "replace").replace("\r\n", "\n")
    if found == expected:
        return None
    lines = unified_diff(found.splitlines(), expected.splitlines(), str(path), "generated from the models", lineterm="")
    return Stale(path, "is out of date", "\n".join(lines))
