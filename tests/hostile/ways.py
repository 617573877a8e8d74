"""The ways to ask a registry: threads, tasks, and the command line in a process of its own. A case holds for each."""

import asyncio
import os
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from inspect import isawaitable
from pathlib import Path
from typing import Any

from dreg_client import AsyncRegistry, Credential, Registry, aopen_image, errors, open_image
from tests.commands import run_dreg
from tests.faultserver import Network

WAYS = ("threads", "tasks", "command line")
_RAISED = re.compile(r"^dreg_client\.errors(?:\.\w+)*\.(\w+)", re.MULTILINE)
_USAGE = re.compile(r"^click\.exceptions\.(\w+)", re.MULTILINE)


@dataclass
class Outcome:
    """What came of it.

    Attributes:
        value: What was given back: a value of the library, the bytes of standard output.
        error: The error, None where there was none; of the command line, its class alone.
        kind: The error's class.
        text: All that was said of it: the message, or standard error.
        exit_code: Of the command line.
    """

    value: Any = None
    error: BaseException | None = None
    kind: type[BaseException] | None = None
    text: str = ""
    exit_code: int = 0


@dataclass
class Way:
    """One of the ways.

    Attributes:
        name: Which.
        net: The network that it is in.
        registry: Who is asked: `HOST[:PORT]`, or a URL.
        repository: The repository that is asked for.
        credentials: Who we are.
        options: More keyword arguments of `Registry`; those that the command line has are said to it, too.
        environment: Variables.
        said: All that the command line printed.
        failures: The errors that there were.
    """

    name: str
    net: Network
    registry: str = "registry.test"
    repository: str = "acme/web"
    credentials: tuple[str, str] | None = None
    options: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    said: str = ""
    failures: list[BaseException] = field(default_factory=list)

    # --- what is asked

    def ping(self) -> Outcome:
        return self._do(lambda registry: registry.ping(), ["repos", self._address()])

    def tags(self) -> Outcome:
        return self._do(lambda registry: self._of(registry).tags(), ["tags", self._store()])

    def repositories(self) -> Outcome:
        return self._do(lambda registry: registry.catalog(), ["repos", self._address()])

    def resolve(self, reference: str) -> Outcome:
        return self._do(lambda registry: self._of(registry).resolve(reference), ["resolve", self._store(reference)])

    def manifest(self, reference: str) -> Outcome:
        return self._do(
            lambda registry: self._of(registry).get_manifest(reference), ["manifest", self._store(reference)]
        )

    def config(self, reference: str) -> Outcome:
        return self._do(lambda registry: self._of(registry).get_config(reference), ["config", self._store(reference)])

    def referrers(self, digest: object, artifact_type: str | None = None) -> Outcome:
        words = ["referrers", self._store(str(digest)), *(["--artifact-type", artifact_type] if artifact_type else [])]
        return self._do(lambda registry: self._of(registry).referrers(str(digest), artifact_type), words)

    def named(self, text: str) -> Outcome:
        """The manifest of an image, by its whole name."""
        if self.name == "command line":
            return self.command("manifest", "--", text)
        return self.caught(lambda: self._named(text))

    def ask(self, action: Callable[[Any], Any]) -> Outcome:
        """Anything of the repository that the command line has no words for."""
        assert self.name != "command line"
        return self._do(lambda registry: action(self._of(registry)), [])

    def blob(self, digest: object, path: Path, **more: Any) -> Outcome:
        """To a file."""
        words = ["blob", self._store(), str(digest), "-o", str(path), *(["--resume"] if more.get("resume") else [])]
        return self._do(lambda registry: self._of(registry).download_blob(str(digest), path, **more), words)

    def push(self, content: bytes | Path, *, in_pieces: bool = False, **more: Any) -> Outcome:
        """A blob: at once, or from a source that can be read only once."""
        if self.name == "command line":
            return self._put(content, in_pieces=in_pieces, **more)
        source = partial(_pieces, self.name, content) if in_pieces and isinstance(content, bytes) else lambda: content
        return self._do(lambda registry: self._of(registry).push_blob(source(), **more), [])

    def _put(self, content: bytes | Path, *, in_pieces: bool, **more: Any) -> Outcome:
        words = [word for host in self.options.get("upload_hosts", ()) for word in ("--upload-host", host)]
        for name in ("digest", "mount_from"):
            words += [f"--{name.replace('_', '-')}", str(more[name])] if name in more else []
        words += ["--resume"] if more.get("resume") else []
        if in_pieces:
            assert isinstance(content, bytes)
            return self._put_from_pipe(content, words)
        path = content if isinstance(content, Path) else self.net.ca_file.parent / "content"
        if isinstance(content, bytes):
            path.write_bytes(content)
        return self.command("blob put", self._store(), str(path), *words)

    def _put_from_pipe(self, content: bytes, words: list[str]) -> Outcome:
        path = self.net.ca_file.parent / "pipe"
        os.mkfifo(path)

        def write() -> None:
            with suppress(BrokenPipeError), path.open("wb") as pipe:
                pipe.write(content)

        writing = threading.Thread(target=write, daemon=True)
        writing.start()
        try:
            return self.command("blob put", self._store(), str(path), *words)
        finally:
            with suppress(OSError):  # a writer that still waits for a reader goes on, and ends
                os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
            writing.join(30)

    def put(self, raw: bytes, tag: str) -> Outcome:
        """A manifest."""
        if self.name == "command line":
            return self.command("manifest put", self._store(tag), "-", stdin=raw)
        return self._do(lambda registry: self._of(registry).put_manifest(raw, tag), [])

    def tag(self, reference: str, new: str) -> Outcome:
        return self._do(lambda registry: self._of(registry).tag(reference, new), ["tag", self._store(reference), new])

    def delete(self, reference: object) -> Outcome:
        return self._do(
            lambda registry: self._of(registry).delete_manifest(str(reference)),
            ["delete", self._store(str(reference))],
        )

    def do(self, action: Callable[[Any], Any]) -> Outcome:
        """Whatever else may be asked of a registry, for the ways of the library."""
        return self._do(action, [])

    def all_of(self, *actions: Callable[[Any], Any]) -> Outcome:
        """Several, one after another, of one client of the library; the values are given back in their order."""
        return self._do(actions, [])

    # --- how

    def _of(self, registry: Any) -> Any:
        return registry.repository(self.repository)

    def _address(self) -> str:
        return self.registry.rpartition("//")[2]

    def _store(self, reference: str = "") -> str:
        mark = "@" if ":" in reference else ":"
        return f"{self._address()}/{self.repository}" + (f"{mark}{reference}" if reference else "")

    def _do(self, action: Callable[[Any], Any] | tuple[Callable[[Any], Any], ...], words: list[str]) -> Outcome:
        if self.name == "command line":
            assert words, "the command line has no words for it"
            return self.command(*words)
        return self.caught(lambda: self._by_tasks(action) if self.name == "tasks" else self._by_threads(action))

    def caught(self, run: Callable[[], Any]) -> Outcome:
        """What comes of it in the environment of this way."""
        before = dict(os.environ)
        os.environ.update(self.environment)
        try:
            return Outcome(run())
        except errors.DregError as failure:
            self.failures.append(failure)
            return Outcome(error=failure, kind=type(failure), text=str(failure))
        finally:
            os.environ.clear()
            os.environ.update(before)

    def _arguments(self) -> dict[str, Any]:
        who = {"credentials": Credential(*self.credentials)} if self.credentials else {}
        return {"retries": 0, "ca_file": str(self.net.ca_file), **who, **self.options}

    def _by_threads(self, action: Any) -> Any:
        with Registry(self._url(), **self._arguments()) as registry:
            done = [_listed(each(registry)) for each in (action if isinstance(action, tuple) else (action,))]
            return done if isinstance(action, tuple) else done[0]

    def _by_tasks(self, action: Any) -> Any:
        async def run() -> Any:
            async with AsyncRegistry(self._url(), **self._arguments()) as registry:
                values = [
                    await _awaited(each(registry)) for each in (action if isinstance(action, tuple) else (action,))
                ]
                return values if isinstance(action, tuple) else values[0]

        return asyncio.run(run())

    def _named(self, text: str) -> Any:
        async def run() -> Any:
            async with aopen_image(text, **self._arguments()) as image:
                return image.index or image.manifest

        if self.name == "tasks":
            return asyncio.run(run())
        with open_image(text, **self._arguments()) as image:
            return image.index or image.manifest

    def _url(self) -> str:
        return self.registry if "://" in self.registry else f"https://{self.registry}"

    def command(self, *words: str, stdin: str | bytes = "") -> Outcome:
        """A command in a process of its own; it shows where its error comes from."""
        password = self.credentials[1] if self.credentials else ""
        done = run_dreg(
            ["--debug", *words[0].split(), *self._flags(), *words[1:]],
            stdin=stdin if isinstance(stdin, bytes) else (password or stdin).encode(),
            environment=self.net.environment(**self.environment),
        )
        text = done.stderr.decode()
        self.said += done.stdout.decode("latin-1") + text
        return Outcome(done.stdout, None, raised(text) if done.returncode else None, text, done.returncode)

    def _flags(self) -> list[str]:
        ca_file = self.options.get("ca_file", self.net.ca_file)
        flags = ["--ca-file", str(ca_file)] if ca_file else []
        flags += ["--retries", str(self.options.get("retries", 0))]
        flags += ["--plain-http"] if self.registry.startswith("http://") or self.options.get("plain_http") else []
        flags += ["--insecure"] if self.options.get("insecure") else []
        flags += ["--timeout", str(self.options["timeout"])] if "timeout" in self.options else []
        flags += ["--deadline", str(self.options["deadline"])] if "deadline" in self.options else []
        for option, name in (("--mirror", "mirrors"), ("--trust-token-host", "trusted_token_hosts")):
            for value in self.options.get(name, ()):
                flags += [option, value]
        return [*flags, *(["--username", self.credentials[0], "--password-stdin"] if self.credentials else [])]


def _pieces(name: str, content: bytes) -> Any:
    """The bytes as an iterator; for tasks, an async one."""
    pieces = [content[start : start + 700_000] for start in range(0, len(content), 700_000)]

    async def one_by_one() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return one_by_one() if name == "tasks" else iter(pieces)


def _listed(value: Any) -> Any:
    """What comes one by one is taken whole."""
    return tuple(value) if isinstance(value, Iterator) else value


async def _awaited(value: Any) -> Any:
    if isinstance(value, AsyncIterator):
        return tuple([each async for each in value])
    return await value if isawaitable(value) else value


def raised(text: str) -> type[BaseException]:
    """The class of the error that a traceback ends with."""
    found = [name for name in _RAISED.findall(text) if hasattr(errors, name)]
    if found:
        kind = getattr(errors, found[-1])
        assert isinstance(kind, type)
        return kind
    assert _USAGE.search(text), f"neither an error of ours nor a usage: {text}"
    return ValueError


def refused(outcome: Outcome, *kinds: type[BaseException]) -> Outcome:
    """It failed, and by one of these errors."""
    assert outcome.kind is not None, f"it did not fail, but gave {outcome.value!r}"
    assert issubclass(outcome.kind, kinds), f"{outcome.kind.__name__}: {outcome.text}"
    return outcome
