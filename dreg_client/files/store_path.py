"""Find the path in the name of a store, which depends on the files that exist."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, cast

from dreg_client.errors import InvalidReferenceError
from dreg_client.values.digest import is_digest
from dreg_client.values.reference import shown
from dreg_client.values.registry_name import DOCKER, STORAGE, STORE_KINDS, may_be_host
from dreg_client.values.source_url import is_source_url
from dreg_client.values.store_name import KINDS, Kind, StoreName, image_at, image_in_storage

_PREFIXES: Final = (*STORE_KINDS, DOCKER)
_OF_PATHS: Final = ("/", "./", "../")
"""How a path begins that cannot be a registry or a repository."""


def named_store(text: str | StoreName) -> StoreName:
    """Parse the name of a store.

    A path and the name of an image may both contain `:` and `@`. The longest path that exists is the path:
    `oci:DIR:platform/mysql:8.0` is an entry of the layout in `DIR` if that directory exists. In the same way, the
    storage in `registry-storage:PATH/acme/web:1.4` is at the longest path that is one. For a URL, this takes requests.

    Raises:
        InvalidReferenceError: The string is not a valid name.
        TypeError: The argument is not a string.
        MissingLibraryError: A storage has a URL, and the library for it is not installed.
        LayoutError: A storage has a URL that cannot be read.
    """
    if isinstance(text, str):
        _check_no_bare_path(text)
        return _at_existing_path(text) or StoreName.parse(text)
    if not isinstance(text, StoreName):  # pyright: ignore[reportUnnecessaryIsInstance]
        hint = f"; for a path: 'oci:{text}'" if isinstance(text, os.PathLike) else ""
        expected = "a str such as 'ubuntu:22.04', 'oci:PATH:TAG' or 'docker-archive:FILE'"
        raise TypeError(f"a store must be {expected}, not {type(text).__name__}{hint}")
    return text


def _at_existing_path(text: str) -> StoreName | None:
    """Return the name of the store at the longest existing path that the string starts with; None if there is none."""
    prefix, _, rest = text.partition(":")
    if prefix not in KINDS:
        return None
    kind = cast("Kind", prefix)
    if kind == "registry-storage":
        return _in_storage(rest)
    is_store = Path.is_dir if kind == "oci" else Path.is_file
    for end in _ends(rest):
        if _is_there(rest[:end], is_store):
            return image_at(kind, rest[:end], rest[end:])
    return None


def _in_storage(text: str) -> StoreName | None:
    """Return the name of the storage at the longest path that is one, and of the image after it."""
    if StoreName.parse(f"registry-storage:{text}").repository is not None and is_source_url(text):
        return None  # it contains `docker/registry/v2`, so no request is needed
    end = storage_in(text)
    return None if end is None else image_in_storage(text[:end], text[end:])


def storage_in(text: str) -> int | None:
    """Return where the path of a storage ends in a string, or None. It is the longest path that is one."""
    from dreg_client.files.registry_storage import storage_tree  # noqa: PLC0415 (few stores are storages)

    return next((end for end in _ends_of_storage(text) if storage_tree(text[:end]) is not None), None)


def storage_at(path: str) -> str:
    """Return the name of the storage at a bare path, or whose `docker` directory it is; empty if it is none."""
    from dreg_client.files.registry_storage import TREE, storage_tree  # noqa: PLC0415 (as above)

    if storage_tree(path) is not None:
        return f"{STORAGE}{path}"
    place = Path(path).absolute()
    for outer in place.parents[:2]:
        if TREE.startswith(f"{place.relative_to(outer).as_posix()}/") and storage_tree(str(outer)) is not None:
            return f"{STORAGE}{outer}"
    return ""


def named_storage(text: str) -> str:
    """Return the name of the storage, or of the image in one, that a bare path means; empty if there is none.

    Of a path that does not exist, the beginning may be a storage, unless it may also be a registry.
    """
    if _is_there(text):
        return storage_at(text)
    return f"{STORAGE}{text}" if _is_path(text) and storage_in(text) is not None else ""


def _is_path(text: str) -> bool:
    """Return whether a name begins like a path, or with a directory whose name cannot be that of a registry."""
    first = text.partition("/")[0]
    return text.startswith(_OF_PATHS) or (not may_be_host(first) and _is_there(first, Path.is_dir))


def _ends_of_storage(text: str) -> Iterator[int]:
    """Yield where the path of a storage may end, from the longest to the shortest."""
    start = text.index("://") + 3 if is_source_url(text) else 0
    yield len(text)
    at = text.find("@", start)
    for end in range(len(text) - 1, start, -1):
        if text[end] == "/" or (text[end] in ":@" and (at == -1 or end <= at)):
            yield end


def _ends(text: str) -> Iterator[int]:
    """Yield where a path may end, from the longest to the shortest: at the end, at a colon, or before `@DIGEST`."""
    yield len(text)
    for end in range(len(text) - 1, 0, -1):
        if text[end] == ":" or (text[end] == "@" and is_digest(text[end + 1 :])):
            yield end


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
    if text.startswith(_PREFIXES):
        return
    if storage := named_storage(text):
        expected = f"a store prefix before a path, such as {STORAGE}{shown(storage.removeprefix(STORAGE))}"
        raise InvalidReferenceError(shown(text), "reference", expected)
    if (path := path_in(text)) is None:
        return
    from dreg_client.files.path_kinds import is_layout, kinds_at  # noqa: PLC0415 (most names are not paths)
    from dreg_client.files.store_kinds import names_with_kinds  # noqa: PLC0415 (as above)

    if (not Path(path).is_dir() or is_layout(path)) and (kinds := kinds_at(path)):
        expected = f"a store prefix before a path, such as {names_with_kinds(kinds, shown(text))}"
        raise InvalidReferenceError(shown(text), "reference", expected)
