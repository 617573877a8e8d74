"""The stores that can be written, each by threads, by asyncio and by the command line."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import isawaitable
from pathlib import Path
from typing import Any

import pytest

from dreg_client import acopy, aopen_store, copy, errors, open_store
from tests.commands import run_dreg
from tests.hostile.ways import raised

WAYS = ("threads", "asyncio", "command line")
KINDS = ("registry", "played registry", "oci", "oci-archive", "docker-archive")
CHANGED = ("registry", "played registry", "oci")
"""Those that are also changed piece by piece; an archive is written as a whole."""


@dataclass
class Destination:
    """A store that does not exist yet.

    Attributes:
        kind: Its kind.
        way: How it is written.
        name: Its name, without a tag.
        options: The options to open it.
        environment: The variables of commands.
    """

    kind: str
    way: str
    name: str
    options: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def is_docker_archive(self) -> bool:
        return self.kind == "docker-archive"

    def at(self, tag: str) -> str:
        """The name of an image in it."""
        return f"{self.name}:acme/web:{tag}" if self.is_docker_archive else f"{self.name}:{tag}"

    def tag(self, name: str) -> str:
        """A tag as the store lists it."""
        return f"docker.io/acme/web:{name}" if self.is_docker_archive else name

    def copy(self, source: str, tag: str, **options: bool) -> None:
        """Copy an image to it, under a tag."""
        if self.way == "command line":
            flags = [f"--{name.replace('_', '-')}" for name, is_set in options.items() if is_set]
            self.command("copy", source, self.at(tag), *flags)
        elif self.way == "threads":
            copy(source, self.at(tag), **self.options, **options)  # type: ignore[arg-type]
        else:

            async def by_task() -> None:
                await acopy(source, self.at(tag), **self.options, **options)  # type: ignore[arg-type]

            asyncio.run(by_task())

    def do(self, action: Callable[[Any], Any], *words: str) -> Any:
        """Do something with the store; words are those of the command line, whose output is returned."""
        if self.way == "command line":
            return self.command(*words)
        return self.read(action) if self.way == "threads" else asyncio.run(self._by_task(action))

    def read(self, action: Callable[[Any], Any]) -> Any:
        """Read from the store, to see what was written."""
        with open_store(self.name, **self.options) as store:
            return action(store)

    async def _by_task(self, action: Callable[[Any], Any]) -> Any:
        async with aopen_store(self.name, **self.options) as store:
            result = action(store)
            return await result if isawaitable(result) else result

    def command(self, *words: str, stdin: bytes = b"") -> str:
        """The output of a command; if it fails, the class of its error is raised."""
        flags = ["--ca-file", self.options["ca_file"]] if "ca_file" in self.options else []
        done = run_dreg(["--debug", *words, *flags], environment=self.environment, stdin=stdin)
        text = done.stderr.decode()
        if done.returncode:
            kind = raised(text)
            assert kind is not None, text
            raise FailedCommandError(kind, text)
        return done.stdout.decode().strip()

    def fails(self, kind: type[errors.DregError], action: Callable[[], object]) -> None:
        """An action raises an error, or a command shows it."""
        with pytest.raises((FailedCommandError, kind)) as caught:
            action()
        if isinstance(caught.value, FailedCommandError):
            assert issubclass(caught.value.kind, kind), caught.value

    def tags(self) -> set[str]:
        """Its tags; none if it does not exist."""
        if ":" in self.name and self.kind not in {"registry", "played registry"} and not self.path.exists():
            return set()
        try:
            return set(self.read(lambda it: it.tags()))
        except errors.NotFoundError:
            return set()

    @property
    def path(self) -> Path:
        return Path(self.name.partition(":")[2])


class FailedCommandError(Exception):
    """A command failed.

    Attributes:
        kind: The class of the error.
    """

    def __init__(self, kind: type[BaseException], text: str) -> None:
        super().__init__(text)
        self.kind = kind


def plain_environment(home: Path) -> dict[str, str]:
    """The environment of a command that finds nothing of this machine's user."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
