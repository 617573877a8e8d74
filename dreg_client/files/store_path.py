"""From the name of a store to its path, which the file system has a say in."""

import os
from pathlib import Path

from dreg_client.values.store_name import StoreName


def named_store(text: str | StoreName) -> StoreName:
    """Return the store that a text names.

    The name of an entry of a layout may have colons in it, and so may a path: `oci:DIR:platform/mysql:8.0` is an entry
    of the layout in `DIR` if there is such a directory.

    Raises:
        InvalidReferenceError: The text is not a valid name.
        TypeError: It is not a text.
    """
    name = StoreName.parse(text) if isinstance(text, str) else text
    if not isinstance(name, StoreName):  # pyright: ignore[reportUnnecessaryIsInstance]
        hint = f"; for a path: 'oci:{text}'" if isinstance(text, os.PathLike) else ""
        expected = "a str such as 'ubuntu:22.04', 'oci:PATH:TAG' or 'docker-archive:FILE'"
        raise TypeError(f"a store is named by {expected}, not by {type(text).__name__}{hint}")
    if name.kind != "oci" or ":" not in name.path or Path(name.path).exists():
        return name
    path, colon, _ = (whole := str(name).removeprefix("oci:")).rpartition(":")
    while colon and not Path(path).is_dir():
        path, colon, _ = path.rpartition(":")
    return StoreName("oci", path, tag=whole[len(path) + 1 :]) if colon else name
