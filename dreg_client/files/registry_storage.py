"""The storage of a registry: the tree `docker/registry/v2` as distribution writes it (registry/storage/paths.go)."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Literal

from dreg_client import errors
from dreg_client.files.at_once import ListedAhead
from dreg_client.files.held_directory import HeldDirectory
from dreg_client.files.rooted import DirectoryFiles, Entry, ListedFiles
from dreg_client.files.sparse import at_offset
from dreg_client.files.storage_link import settled_link
from dreg_client.values.digest import Digest, is_registered_digest
from dreg_client.values.reference import RepositoryName, is_repository_name, is_tag
from dreg_client.values.sizes import MAX_DOCUMENT
from dreg_client.values.source_url import is_source_url, local_path, shown_source

TREE: Final = "docker/registry/v2"
"""The path of the tree below the directory that a registry is configured with."""
_DATABASE: Final = "lockfiles/database-in-use"
"""The file beside the tree by which GitLab's registry states that its metadata is in a database (lockers.go)."""
Links = Literal["_manifests/revisions", "_layers"]
"""Where a repository has its links to manifests, and to all other blobs."""
REVISIONS: Final = "_manifests/revisions"
LAYERS: Final = "_layers"


@dataclass(frozen=True, slots=True)
class StorageTree:
    """The tree below `docker/registry/v2`. A server may be changing it.

    A repository has links: files that contain a digest. It has a manifest or a blob only if it has a link to it. The
    bytes are in `blobs`, which all repositories share. All paths are relative to the root of `files`.

    Attributes:
        files: The files of the tree.
        name: The path or URL of the storage as it was given, for messages; its password is not included.
    """

    files: ListedFiles
    name: str

    def repositories(self, below: str = "") -> Iterator[str]:
        """Yield the names of all repositories, or of a repository and all below it, in the order of the catalog.

        A directory whose name is not valid in the name of a repository is skipped: no server can read it.
        """
        for name, inner in self.places(below):
            if name and any(each.is_directory and each.name in {"_manifests", "_layers"} for each in inner):
                yield name

    def places(
        self, below: str = "", unread: Callable[[errors.LayoutError], None] | None = None
    ) -> Iterator[tuple[str, list[Entry]]]:
        """Yield each path below `repositories`, or below one of them, whose name is valid, and its entries.

        The error of a directory that cannot be listed is raised, or, if `unread` is given, passed to it.
        """
        ahead = [below]
        with ListedAhead(self._place, self.files.at_once) as listed:
            while ahead:
                try:
                    name, entries = listed.pop(ahead)
                except errors.LayoutError as failure:
                    if unread is None:
                        raise
                    unread(failure)
                    continue
                yield name, entries
                ahead += [inner_name(name, each.name) for each in reversed(entries) if is_place(name, each)]

    def _place(self, name: str) -> list[Entry]:
        return self.files.entries(f"repositories/{name}")

    def has_repository(self, repository: RepositoryName) -> bool:
        """Return whether a repository exists: it has links."""
        inner = {each.name for each in self._in(repository, "") if each.is_directory}
        return not inner.isdisjoint({"_manifests", "_layers"})

    def tags(self, repository: RepositoryName) -> list[str]:
        """Return all tags of a repository, sorted. They are not read: a tag may name no manifest.

        Raises:
            NotFoundError: There is no such repository.
        """
        found = [each.name for each in self._in(repository, "_manifests/tags") if each.is_directory]
        if not found:
            self.check_repository(repository)
        return [*filter(is_tag, found)]

    def has_tag(self, repository: RepositoryName, tag: str) -> bool:
        """Return whether a tag has a directory. It may name no manifest."""
        return self.files.has_directory(f"repositories/{repository}/_manifests/tags/{tag}")

    def check_repository(self, repository: RepositoryName) -> None:
        """Raise NotFoundError if there is no such repository."""
        if not self.has_repository(repository):
            advice = f"list the repositories with: dreg repos registry-storage:{self.name}"
            raise errors.NotFoundError(f"repository {repository}", self.name, advice)

    def tagged(self, repository: RepositoryName, tag: str) -> Digest:
        """Return the digest that a tag names now; FileNotFoundError if there is no such tag."""
        return self.link(f"repositories/{repository}/_manifests/tags/{tag}/current")

    def linked(self, repository: RepositoryName, links: Links) -> Iterator[Digest]:
        """Yield the digests in the links of a repository, sorted, without reading the links.

        A deleted link leaves its directory behind, so `target` may raise FileNotFoundError for some of them.
        """
        for algorithm in self._in(repository, links):
            for encoded in self._in(repository, f"{links}/{algorithm.name}"):
                if is_registered_digest(text := f"{algorithm.name}:{encoded.name}"):
                    yield Digest(text)

    def version(self, repository: RepositoryName, links: Links) -> object:
        """Return what changes if a link is added; None if that cannot be told. Removing a link does not change it."""
        place = f"repositories/{repository}/{links}"
        versions = [self.files.version(f"{place}/{each.name}") for each in self._in(repository, links)]
        return None if None in versions else tuple(versions)

    def target(self, repository: RepositoryName, links: Links, digest: Digest) -> Digest:
        """Return the digest of the blob that a link leads to; FileNotFoundError if there is no such link.

        It may have another algorithm than the link: distribution stores all blobs by their sha256 digest.
        """
        return self.link(f"repositories/{repository}/{links}/{digest.algorithm}/{digest.encoded}", digest)

    def link(self, place: str, text: str = "") -> Digest:
        """Read the link in a directory; `text` is the digest that it must contain, if its path names one.

        Raises:
            FileNotFoundError: It does not exist.
            LayoutCorruptError: It does not contain a digest, or another one (STO-06).
        """
        with HeldDirectory(self.files, place) as held:
            link = settled_link(held, ("link",), text)
        if link is None:
            raise FileNotFoundError(f"{place}/link")
        if link.target is None:
            reason = f"contains {link.found}; a link must contain {text or 'a digest'}, and nothing else (STO-06)"
            raise link.failure or errors.LayoutCorruptError(f"{self.files.name}/{place}/link", reason)
        return link.target

    def read(self, digest: Digest) -> bytes:
        """Read a document without verifying it.

        Raises:
            FileNotFoundError: The storage has no such blob.
            ResponseTooLargeError: It is larger than `MAX_DOCUMENT`.
        """
        return self.files.read(data_path(digest), limit=MAX_DOCUMENT)

    def open(self, digest: Digest, start: int = 0, size: int | None = None) -> BinaryIO:
        """Open a blob at an offset. `size` is the size that its descriptor states, if there is one.

        Raises:
            FileNotFoundError: The storage has no such blob.
            SizeMismatchError: It has another size. Nothing was read.
            LayoutError: It cannot be opened, or is a large sparse file.
        """
        return at_offset(self.files.open(data_path(digest)), start, size, f"{self.name}, blob {digest.short}")

    def _in(self, repository: RepositoryName, place: str) -> list[Entry]:
        return self.files.entries(f"repositories/{repository}/{place}")


def open_storage(path: str | os.PathLike[str]) -> StorageTree:
    """Open the storage at a path or URL.

    Raises:
        NotFoundError: There is no such directory, or it is not the storage of a registry.
        MissingLibraryError: It is a URL, and the library for it is not installed.
        LayoutError: It cannot be read, or the registry keeps its tags and links in a database.
    """
    name = os.fspath(path)
    shown = shown_source(name)
    if (root := _root(name)) is not None:
        _check_no_database(root)
        return StorageTree(_files_at(root), shown)
    is_there = not is_source_url(name) and Path(name).is_dir()
    what = f"has no {TREE}, which every storage has" if is_there else f"does not exist, or has no {TREE}"
    raise errors.NotFoundError("registry storage", shown, f"the path {what}")


def _check_no_database(root: str) -> None:
    """Raise LayoutError if GitLab's registry has noted that its metadata database is in use."""
    outer = root.removesuffix("/v2")
    if outer == root or outer.endswith(":/") or (files := _files_at(outer)).status(_DATABASE) is None:
        return
    found = "states that the registry keeps tags and links in a database, so they are not in this storage"
    advice = "read them through the registry; if it does not use the database any more, remove this file"
    raise errors.LayoutError(f"{files.name}/{_DATABASE}", f"{found}; {advice}")


def storage_tree(path: str) -> ListedFiles | None:
    """Return the files of the tree in the storage at a path or URL; None if there is no such tree.

    The path is that of the storage, or that of the tree itself, which is called `v2`.
    """
    root = _root(path)
    return None if root is None else _files_at(root)


def _root(path: str) -> str | None:
    """Return the path or URL of the tree."""
    path = local_path(path)
    path = path if path.endswith("://") else path.rstrip("/") or "/"
    if not is_source_url(path):
        return _tree_below(path, os.path.isdir)
    files = _files_at(path)
    return _tree_below(path, lambda url: files.directory(url.removeprefix(path)) is not None)


def _files_at(path: str) -> ListedFiles:
    if not is_source_url(path):
        return DirectoryFiles(path)
    from dreg_client.files.remote_files import RemoteFiles  # noqa: PLC0415 (few storages are remote)

    return RemoteFiles(path)


def _tree_below(path: str, is_directory: Callable[[str], bool]) -> str | None:
    start = path if path.endswith("/") else f"{path}/"
    if is_directory(f"{start}{TREE}"):
        return f"{start}{TREE}"
    is_tree = path.endswith("/v2") and any(is_directory(f"{start}{name}") for name in ("repositories", "blobs"))
    return path if is_tree else None


def inner_name(name: str, inner: str) -> str:
    """Return the name of a repository below another one, or below none."""
    return f"{name}/{inner}" if name else inner


def is_place(name: str, entry: Entry) -> bool:
    """Return whether an entry of a path below `repositories` may be a repository, or have some below it."""
    is_other = entry.is_directory and not entry.name.startswith("_")
    return is_other and is_repository_name(inner_name(name, entry.name))


def data_path(digest: Digest) -> str:
    """Return the path of the bytes of a blob below the tree."""
    return f"blobs/{digest.algorithm}/{digest.encoded[:2]}/{digest.encoded}/data"
