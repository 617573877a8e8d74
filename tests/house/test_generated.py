"""The generated sync code: it is up to date, and the generator rejects what it cannot translate."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.tools import TOOLS, tool

ROOT = TOOLS.parent
COMMAND = ".venv/bin/python tools/generate_sync.py"
MAIN = tool("generate_sync").main
TRANSLATE = tool("sync_translation").translate
COLLISIONS = tool("sync_translation").collisions
GENERATED = [
    path for path in (ROOT / "dreg_client" / "_sync").rglob("*.py") if "# Generated from" in path.read_text("utf-8")
]
UNTRANSLATED = re.compile(r"\b(await|asyncio|event loop|trio)\b")
WRONG_ARTICLE = re.compile(r"\b[Aa]n `?[B-DF-GJ-NP-TV-Zb-df-gj-np-tv-z][a-z]")  # not "an HTTP request"
DOUBLED_NOUN = re.compile(r"\b(?!again\b)(\w+) (?:and|or) \1\b", re.IGNORECASE)
THING = '''\
"""A thing."""


class AsyncThing:
    """A thing."""

    async def aclose(self) -> None:
        """Close it."""
'''


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("pyproject.toml", "tools/sync_prose.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    write(tmp_path / "tools" / "sync_prose.toml", "")
    write(tmp_path / "dreg_client" / "_async" / "thing.py", THING)
    return tmp_path


@pytest.fixture
def run(project: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    def run(*arguments: str) -> tuple[int, str]:
        code = MAIN(list(arguments), project)
        return code, "".join(capsys.readouterr())

    return run


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def test_the_generated_code_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert MAIN(["--check"], ROOT) == 0, capsys.readouterr().err


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: path.stem)
def test_generated_prose_reads_as_if_it_was_written_for_sync_code(path: Path) -> None:
    text = " ".join(path.read_text("utf-8").split())
    wrong = [text[max(0, found.start() - 40) : found.end() + 40] for found in found_in(text)]

    assert wrong == [], "rewrite the docstring in _async, or add a sentence to tools/sync_prose.toml"


@pytest.mark.parametrize(
    "text", ["cannot await it", "an `Transport`", "Threads and threads", "by trio", "An transport"]
)
def test_prose_that_was_not_translated_is_found(text: str) -> None:
    assert len(found_in(text)) == 1


@pytest.mark.parametrize("text", ["an HTTP request", "an `Image`", "again and again", "maybe_await", "an SSL context"])
def test_prose_that_is_right_is_not_reported(text: str) -> None:
    assert found_in(text) == []


def found_in(text: str) -> list[re.Match[str]]:
    return [found for pattern in (UNTRANSLATED, WRONG_ARTICLE, DOUBLED_NOUN) for found in pattern.finditer(text)]


def test_check_names_the_files_and_the_command_and_writes_nothing(project: Path, run: Any) -> None:
    code, said = run("--check")

    assert code == 1
    assert "dreg_client/_sync/thing.py" in said
    assert said.endswith(f"run: {COMMAND}\n")
    assert not (project / "dreg_client" / "_sync").exists()


def test_what_was_generated_is_up_to_date_until_it_is_edited(project: Path, run: Any) -> None:
    target = project / "dreg_client" / "_sync" / "thing.py"

    assert run() == (0, "written: dreg_client/_sync/thing.py\n")
    assert target.read_text("utf-8") == (
        "# Generated from dreg_client/_async/thing.py by tools/generate_sync.py. Do not edit.\n"
        + THING.replace("async ", "").replace("Async", "").replace("aclose", "close")
    )
    assert run("--check") == (0, "up to date\n")
    write(target, target.read_text("utf-8") + "# edited\n")
    assert run("--check")[0] == 1
    assert run()[0] == 0
    assert run("--check")[0] == 0


def test_packages_within_are_generated_and_what_has_no_source_any_more_is_deleted(project: Path, run: Any) -> None:
    source, target = project / "dreg_client" / "_async", project / "dreg_client" / "_sync"
    write(source / "inner" / "__init__.py", '"""Inner things."""\n')
    write(source / "_compat.py", '"""Not translated."""\n')
    write(target / "_compat.py", '"""By hand."""\n')

    assert run()[0] == 0
    assert sorted(path.relative_to(target).as_posix() for path in target.rglob("*.py")) == [
        "_compat.py",
        "inner/__init__.py",
        "thing.py",
    ]
    (source / "thing.py").unlink()
    assert run("--check")[0] == 1
    assert run() == (0, "written: dreg_client/_sync/thing.py\n")
    assert not (target / "thing.py").exists()
    assert (target / "_compat.py").read_text("utf-8") == '"""By hand."""\n'


def test_a_file_that_was_written_by_hand_is_not_replaced(project: Path, run: Any) -> None:
    write(project / "dreg_client" / "_sync" / "thing.py", "# mine\n")

    code, said = run()

    assert (code, "thing.py" in said) == (2, True)
    assert (project / "dreg_client" / "_sync" / "thing.py").read_text("utf-8") == "# mine\n"


COLLIDING = {
    "methods": "class C:\n    def close(self): ...\n    async def aclose(self): ...\n",
    "a method and an attribute": "class C:\n    def __init__(self): self.close = 1\n    async def aclose(self): ...\n",
    "classes": "class AsyncC: ...\nclass C: ...\n",
    "an import and a class": "from a import C\nclass AsyncC: ...\n",
    "imports": "from a import C\nfrom b import AsyncC\n",
    "parameters": "def f(read, aread): ...\n",
    "a variable and a function that is called": "def f(x):\n    next = 1\n    return anext(x), next\n",
}
HARMLESS = {
    "imports of one thing": "from collections.abc import AsyncIterator, Iterator\n",
    "functions of Python": "def f(x):\n    return anext(x), next(x)\n",
    "classes of their own": "class A:\n    def close(self): ...\nclass B:\n    async def aclose(self): ...\n",
}


@pytest.mark.parametrize("source", COLLIDING.values(), ids=COLLIDING)
def test_two_names_that_would_become_one_are_reported(source: str, project: Path, run: Any) -> None:
    write(project / "dreg_client" / "_async" / "thing.py", source)

    code, said = run("--check")

    assert code == 2
    assert "dreg_client/_async/thing.py" in said
    assert not (project / "dreg_client" / "_sync").exists()


@pytest.mark.parametrize("source", HARMLESS.values(), ids=HARMLESS)
def test_names_that_may_become_one_are_not_reported(source: str) -> None:
    assert COLLISIONS(source) == []


TRANSLATED = [
    ("async with aclosing(x) as y:\n    await y", "with closing(x) as y:\n    y"),
    ("[x async for x in await y]", "[x for x in y]"),
    ("(await f(x)).y", "f(x).y"),
    ("return (await f())[0]", "return f()[0]"),
    ("not (await f)", "not f"),
    ("g(await f)", "g(f)"),
    ("(await f or g).y", "(f or g).y"),
    ("raise StopAsyncIteration", "raise StopIteration"),
    ("AbstractAsyncContextManager[AsyncIterator[bytes]]", "AbstractContextManager[Iterator[bytes]]"),
    ("Callable[[int], Awaitable[dict[str, int]]]", "Callable[[int], dict[str, int]]"),
    ("Coroutine[Any, tuple[int, str], list[T]]", "list[T]"),
    ("_AsyncThing, AsyncExitStack, Asynchronous", "_Thing, ExitStack, Asynchronous"),
    ("httpx.AsyncBaseTransport.handle_async_request", "httpx.BaseTransport.handle_request"),
    ("AsyncByteStream", "SyncByteStream"),
    ("from dreg_client._async.pool import AsyncPool", "from dreg_client._sync.pool import Pool"),
    ("x  # noqa: ASYNC109 (not an error)", "x  "),
    ("x  # the task waits for other tasks", "x  # the thread waits for other threads"),
    ('f"{await x} {self.aclose} {{}}"', 'f"{x} {self.close} {{}}"'),
    ('"See `AsyncRegistry` and `aopen_store()`"', '"See `Registry` and `open_store()`"'),
    ('"An async context manager, an async client"', '"A context manager, a client"'),
    ('"It is an async iterator; nothing can await it"', '"It is an iterator; nothing can await it"'),
    ('">>> tags = await registry.tags()"', '">>> tags = registry.tags()"'),
    ('"an `AsyncTransport`, an AsyncSource, an `AsyncIterator`"', '"a `Transport`, a Source, an `Iterator`"'),
    ('">>> asyncio.run(main())"', '">>> main()"'),
    ('"""\n    >>> import asyncio\n    >>> x\n"""', '"""\n    >>> x\n"""'),
    ('"""\n    tasks: How many tasks.\n"""', '"""\n    tasks: How many threads.\n"""'),
]


@pytest.mark.parametrize(("source", "translated"), TRANSLATED)
def test_code_and_prose_are_translated(source: str, translated: str) -> None:
    assert TRANSLATE(f"{source}\n", {}) == f"{translated}\n"


def test_lines_of_prose_that_become_too_long_are_broken() -> None:
    line = "    tasks: " + "word " * 17 + "and tasks and tasks and"
    assert len(line) < 120 < len(line.replace("tasks and", "threads and"))

    assert TRANSLATE(f'"""D.\n\nArgs:\n{line}\n        more.\n    other: Text.\n"""\n', {}) == (
        f'"""D.\n\nArgs:\n{line[:-19]}threads and threads\n        and more.\n    other: Text.\n"""\n'
    )


def test_a_sentence_may_have_a_translation_of_its_own(project: Path, run: Any) -> None:
    sentence = '[[sentence]]\nasync = "For one event loop at a time."\nsync = "Threads may share it."\n'
    write(project / "tools" / "sync_prose.toml", sentence)
    code, said = run("--check")
    assert (code, "For one event loop at a time." in said) == (2, True), "no module has it"

    write(project / "dreg_client" / "_async" / "thing.py", '"""A thing.\n\nFor one event\nloop at a time.\n"""\n')
    assert run()[0] == 0
    assert (
        (project / "dreg_client" / "_sync" / "thing.py").read_text("utf-8").endswith('\n\nThreads may share it.\n"""\n')
    )
