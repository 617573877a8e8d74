"""Find out which kind of store a path is, for messages about how to open or validate it."""

import io
import os
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

from dreg_client import errors
from dreg_client.files.compressed import first_bytes
from dreg_client.files.regular import open_regular
from dreg_client.files.rooted import DirectoryFiles
from dreg_client.files.store_kinds import (
    ARCHIVES,
    DOCKER_ARCHIVE,
    OCI,
    OCI_ARCHIVE,
    REGISTRY_STORAGE,
    StoreKind,
    archive_kinds,
    names_with_kinds,
)
from dreg_client.files.tar import TarFiles
from dreg_client.files.tar_headers import is_tar


def layout_directory(path: str | os.PathLike[str]) -> DirectoryFiles:
    """Return the files of a directory. If the path is a file, the error tells how to open it."""
    name = os.fspath(path)
    if Path(name).is_file():
        raise errors.NotFoundError("image layout", name, f"the path is {_described_file(name)}")
    if name.startswith(("oci:", "oci-archive:")) and not Path(name).exists():
        raise errors.NotFoundError("image layout", name, f"Layout takes a path; use open_store({name!r})")
    if ":" in name and not Path(name).exists():
        advice = "the path does not exist; request a name that is not a tag with get_image(NAME)"
        raise errors.NotFoundError("image layout", name, advice)
    return DirectoryFiles(path)


def _described_file(path: str) -> str:
    found = names_with_kinds(kinds_at(path), path)
    return f"a tar archive; open it as {found}" if found else "a file, but not a tar archive"


def how_to_validate(path: str) -> str:
    """Return a sentence on how to validate an archive; an empty string if the file is not an archive."""
    kinds = kinds_at(path)
    if OCI_ARCHIVE in kinds:
        condition = "a tar archive; if it contains an image layout, " if DOCKER_ARCHIVE in kinds else "a tar archive; "
        return f"{path} is {condition}run: dreg validate {OCI_ARCHIVE.name}:{path}"
    if DOCKER_ARCHIVE in kinds:
        return f"{path} is {DOCKER_ARCHIVE.what}, without manifests; try: dreg inspect {DOCKER_ARCHIVE.name}:{path}"
    return ""


def is_layout(path: str) -> bool:
    """Return whether a directory is an image layout, or looks like one."""
    return any(Path(path, name).exists() for name in ("oci-layout", "index.json"))


def has_layout(names: Collection[str], directories: Collection[str]) -> bool:
    """Return whether a directory is an image layout that is read as a whole, by the files and directories in it.

    The marker or the index of a layout may be missing.
    """
    return "oci-layout" in names or ("index.json" in names and "blobs" in directories)


def is_storage(path: str) -> bool:
    """Return whether a directory is the storage of a registry."""
    return any(Path(path, *each).is_dir() for each in (("docker", "registry", "v2"), ("repositories", "..", "blobs")))


def kinds_at(path: str) -> tuple[StoreKind, ...]:
    """Return the kinds of store that a path can be opened as, the most likely one first; empty if it is not a store.

    A compressed archive is not decompressed, so both kinds of archive are returned for it.
    """
    if Path(path).is_dir():
        return (REGISTRY_STORAGE,) if is_storage(path) else (OCI,)
    try:
        start, is_compressed = _beginning(path)
        if not is_tar(start):
            return ()
        if not is_compressed:
            with closing(TarFiles(path)) as files:
                return archive_kinds(files) or ARCHIVES
    except (OSError, errors.DregError):
        return ()
    return ARCHIVES


def is_tar_archive(start: bytes) -> bool:
    """Return whether a file with these first bytes is a tar archive, compressed or not."""
    return is_tar(first_bytes(io.BytesIO(start))[0])


def _beginning(path: str) -> tuple[bytes, bool]:
    with open_regular(path) as file:
        return first_bytes(file)
