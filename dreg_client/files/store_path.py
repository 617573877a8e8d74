"""Find the path in the name of a store, which depends on the files that exist."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, cast

from dreg_client.errors import InvalidReferenceError
from dreg_client.values.reference import shown
from dreg_client.values.store_name import Kind, StoreName, archived

_PREFIXES: Final = ("oci:", "oci-archive:", "docker-archive:", "docker://")


def named_store(text: str | StoreName) -> StoreName:
    """Parse the name of a store.

    A path and the name of an entry in a layout may both contain colons: `oci:DIR:platform/mysql:8.0` is an entry of the
    layout in `DIR` if that directory exists.

    Raises:
        InvalidReferenceError: The string is not a valid name.
        TypeError: The argument is not a string.
    """
    if isinstance(text, str):
        _check_no_bare_path(text)
        if (archive := _archive_at(text)) is not None:
            return archive
    name = StoreName.parse(text) if isinstance(text, str) else text
    if not isinstance(name, StoreName):  # pyright: ignore[reportUnnecessaryIsInstance]
        hint = f"; for a path: 'oci:{text}'" if isinstance(text, os.PathLike) else ""
        expected = "a str such as 'ubuntu:22.04', 'oci:PATH:TAG' or 'docker-archive:FILE'"
        raise TypeError(f"a store must be {expected}, not {type(text).__name__}{hint}")
    if name.kind != "oci" or _is_there(name.path):
        return name
    whole = str(name).removeprefix("oci:")
    path = _beginning(whole if name.digest is None else name.path, Path.is_dir)
    if path is None:
        return name
    return StoreName("oci", path, digest=name.digest, tag=None if name.digest else whole[len(path) + 1 :] or None)


def _archive_at(text: str) -> StoreName | None:
    """Return the archive that a string names, if an existing path contains a colon; otherwise None."""
    kind, _, rest = text.partition(":")
    if kind not in {"oci-archive", "docker-archive"} or _is_there(rest.partition(":")[0]):
        return None
    path = _beginning(rest, Path.is_file)
    return None if path is None else archived(cast("Kind", kind), path, rest[len(path) + 1 :])


def _beginning(text: str, is_store: Callable[[Path], bool]) -> str | None:
    """Return the longest existing path that the string starts with, up to its end or a colon; None if there is none."""
    path, colon = text, ":"
    while colon and not _is_there(path, is_store):
        path, colon, _ = path.rpartition(":")
    return path if colon else None


def _is_there(path: str, is_store: Callable[[Path], bool] = Path.exists) -> bool:
    with suppress(OSError, ValueError):  # the string is too long for a path, or contains NUL
        return bool(path) and is_store(Path(path))
    return False


def path_in(text: str) -> str | None:
    """Return the existing path that a string names, with or without a tag after it; None if there is none."""
    paths = (text, text.partition("@")[0], text.rpartition(":")[0], text.partition(":")[0])
    return next(filter(_is_there, paths), None)


def _check_no_bare_path(text: str) -> None:
    """Raise InvalidReferenceError for a bare path of a layout or archive, which would be parsed as a repository."""
    if text.startswith(_PREFIXES) or (path := path_in(text)) is None:
        return
    from dreg_client.files.path_kinds import is_layout, kinds_at  # noqa: PLC0415 (most names are not paths)
    from dreg_client.files.store_kinds import names_with_kinds  # noqa: PLC0415 (as above)

    if (not Path(path).is_dir() or is_layout(path)) and (kinds := kinds_at(path)):
        expected = f"a store prefix before a path, such as {names_with_kinds(kinds, shown(text))}"
        raise InvalidReferenceError(shown(text), "reference", expected)
