"""A layout that counts how often each of its blobs is read."""

from collections import Counter
from pathlib import Path
from typing import BinaryIO

from dreg_client import Layout
from dreg_client.files.rooted import DirectoryFiles


class CountingFiles(DirectoryFiles):
    """The files of a layout; counts how often each blob is opened."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.opened: Counter[str] = Counter()

    def open(self, *parts: str) -> BinaryIO:
        if parts[0] == "blobs":
            self.opened["/".join(parts)] += 1
        return super().open(*parts)


class CountingLayout(Layout):
    """A layout that counts how often each of its blobs is read."""

    def __init__(self, path: Path) -> None:
        counting = CountingFiles(path)
        super().__init__(counting)
        self.read = counting.opened
