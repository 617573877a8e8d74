"""The ways to ask a layout or an archive: threads, tasks, and the command line in a process of its own."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dreg_client import errors, open_store
from dreg_client._async.opening import aopen_store
from tests.commands import run_dreg
from tests.hostile.ways import Outcome, raised


@dataclass
class Store:
    """One of the ways to ask what a line of text names.

    Attributes:
        way: Which.
        name: What is asked, such as `oci:PATH`.
        said: All that the command line printed.
    """

    way: str
    name: str = ""
    said: str = ""

    def manifest(self, reference: str) -> Outcome:
        return self._do(lambda store: store.get_manifest(reference), ["manifest", self._of(reference)])

    def blob(self, digest: object, path: Path) -> Outcome:
        """To a file."""
        words = ["blob", self.name, str(digest), "-o", str(path)]
        return self._do(lambda store: store.download_blob(str(digest), path), words)

    def _of(self, reference: str) -> str:
        return f"{self.name}{'@' if ':' in reference else ':'}{reference}"

    def _do(self, action: Callable[[Any], Any], words: list[str]) -> Outcome:
        if self.way == "command line":
            return self.command(*words)
        try:
            return Outcome(self._by_task(action) if self.way == "tasks" else self._by_thread(action))
        except errors.DregError as failure:
            return Outcome(error=failure, kind=type(failure), text=str(failure))

    def _by_thread(self, action: Callable[[Any], Any]) -> Any:
        with open_store(self.name) as store:
            return action(store)

    def _by_task(self, action: Callable[[Any], Any]) -> Any:
        async def run() -> Any:
            async with aopen_store(self.name) as store:
                return await action(store)

        return asyncio.run(run())

    def command(self, *words: str, umask: int | None = None) -> Outcome:
        """A command in a process of its own."""
        done = run_dreg(["--debug", *words], environment={"PATH": os.environ["PATH"]}, umask=umask)
        text = done.stderr.decode()
        self.said += done.stdout.decode("latin-1") + text
        return Outcome(done.stdout, None, raised(text) if done.returncode else None, text, done.returncode)


def swap_before_opening(monkeypatch: pytest.MonkeyPatch, place: Path, moved: Path) -> None:
    """Whoever opens a file or folder finds a link there, which was put in its place just before."""
    opens = os.open

    def swapping(path: Any, *rest: Any, **more: Any) -> int:
        if Path(os.fsdecode(path)).name == place.name and not place.is_symlink():
            place.rename(moved)
            place.symlink_to(moved)
        return opens(path, *rest, **more)

    monkeypatch.setattr(os, "open", swapping)
