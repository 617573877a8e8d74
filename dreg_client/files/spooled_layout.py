"""A layout that is read from an old archive, and written to a directory, until a new archive replaces the old one."""

import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from dreg_client.files.layout import blob_name, index_octets
from dreg_client.files.layout_reach import reachable_in
from dreg_client.files.layout_writer import create_layout
from dreg_client.files.rooted import DirectoryFiles, Files
from dreg_client.files.tar_writer import Member
from dreg_client.models.index import LayoutIndex
from dreg_client.models.index_text import EMPTY, MARKER, IndexText, sort_key

_NEW: Final = {"oci-layout": MARKER, "index.json": EMPTY}


class NoFiles(Files):
    """The files of an empty layout, for an archive that does not exist yet."""

    version: None = None

    def __init__(self, name: str) -> None:
        self.name: str = name

    def open(self, *parts: str) -> BinaryIO:
        """Open the marker or the index; see `Files.open`."""
        self.check_open()
        octets = _NEW.get("/".join(parts))
        if octets is None:
            raise FileNotFoundError("/".join((self.name, *parts)))
        return io.BytesIO(octets)

    def directory(self, name: str) -> str | None:  # noqa: ARG002 (as of `Files`)
        """Return None, since there are no directories."""
        return None

    def below(self, place: str) -> Iterator[tuple[str, bool]]:  # noqa: ARG002 (as of `Files`)
        """Yield nothing."""
        yield from ()


class SpooledFiles(DirectoryFiles):
    """The files of a layout in a directory; those that it does not have are read from an old archive."""

    is_durable = False

    def __init__(self, folder: str, old: Files) -> None:
        create_layout(folder)
        super().__init__(folder)
        self._old = old
        Path(folder, "index.json").write_bytes(index_octets(old))

    def open(self, *parts: str) -> BinaryIO:
        """Open a regular file; see `Files.open`."""
        try:
            return super().open(*parts)
        except FileNotFoundError:
            return self._old.open(*parts)

    def members(self, index: LayoutIndex) -> list[Member]:
        """Return the members of the new archive: everything that the index leads to."""
        raw = index.raw
        if (text := IndexText.parse(raw)) is not None:
            text.entries.sort(key=sort_key)
            raw = text.text()
        found = [_in_memory("oci-layout", MARKER), _in_memory("index.json", raw)]
        for digest in reachable_in(self, index).digests:
            name = blob_name(digest)
            path = Path(self.name, name)
            if path.is_file():
                found.append(Member.moved(name, path))
            elif self._old.has(name):
                verified = digest if digest.computable else None
                found.append(Member(name, partial(self._old.open, *name.split("/")), verified))
        return found


def _in_memory(name: str, octets: bytes) -> Member:
    return Member(name, partial(io.BytesIO, octets))
