"""A file system for fsspec with files that cannot be read, as on a failing disk or a throttled object storage."""

import errno
from pathlib import Path
from typing import Any, ClassVar

from fsspec import register_implementation
from fsspec.implementations.memory import MemoryFileSystem

from tests.storage.planted import Tree

URL = "flaky://storage"


class FlakyFileSystem(MemoryFileSystem):
    """Files in memory. Reading one whose path contains one of the texts in `broken` fails.

    If the path contains a text in `deletes`, the file that this is the key of is deleted before.
    """

    protocol = "flaky"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    broken: ClassVar[set[str]] = set()
    deletes: ClassVar[dict[str, str]] = {}

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        found: str = super()._strip_protocol(path.replace("flaky://", "memory://"))
        return found

    def cat_file(self, path: str, *arguments: Any, **options: Any) -> bytes:
        self._check(path)
        found: bytes = super().cat_file(path, *arguments, **options)
        return found

    def open(self, path: str, *arguments: Any, **options: Any) -> Any:
        self._check(path)
        return super().open(path, *arguments, **options)

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        self._check(f"{path}?info")
        found: dict[str, Any] = super().info(path, **options)
        return found

    def ls(self, path: str, *arguments: Any, **options: Any) -> Any:
        self._check(f"{path}?ls")
        return super().ls(path, *arguments, **options)

    def _check(self, path: str) -> None:
        for text in [text for text in self.deletes if text in path]:
            self.store.pop(self.deletes.pop(text))
        if any(text in path for text in self.broken):
            raise OSError(errno.EIO, "Input/output error", path)


register_implementation("flaky", FlakyFileSystem)


class FlakyTree(Tree):
    """A storage in such a file system, with the same files as one on disk."""

    def __init__(self, source: Tree, *broken: str) -> None:
        super().__init__(Path("/storage"))
        files = FlakyFileSystem()
        FlakyFileSystem.broken = set()
        FlakyFileSystem.deletes.clear()
        if files.exists("/storage"):
            files.rm("/storage", recursive=True)
        for path in sorted(source.path.rglob("*")):
            if path.is_file():
                files.pipe_file(f"/storage/{path.relative_to(source.path)}", path.read_bytes())
        FlakyFileSystem.broken = set(broken)

    @property
    def name(self) -> str:
        return f"registry-storage:{URL}"
