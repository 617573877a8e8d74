"""The shape of the code: small rooms, short functions, plain names, nothing of the machine it was written on."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "dreg_client"
SOURCES = sorted(path for folder in ("dreg_client", "tests", "tools") for path in (ROOT / folder).rglob("*.py"))
WRITTEN = ("*.*", ".ci/*", "dreg_client/**/*", "docs/**/*", "schemas/**/*", "tests/**/*", "tools/**/*")

LONGEST_ROOM = 400
LONGEST_FUNCTION = 30
UNLIMITED = {"tests/commands.py", "tests/registries.py", "tests/registry/test_referrers_tag.py"}
"""Where tests start servers, and processes side by side, which they wait for with a limit."""
SAYS_NOTHING = frozenset({"data", "helper", "helpers", "info", "manager", "managers", "util", "utils"})
HOMES = re.compile("/" + r"(?:home|root|Users)/[A-Za-z]")
SCRATCH = re.compile("/" + r"(?:var/)?tmp/")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Node = TypeVar("Node", bound=ast.AST)


def test_no_room_is_over_400_lines() -> None:
    long = {name(path): count for path in SOURCES if (count := len(lines(path))) > LONGEST_ROOM}

    assert not long, f"make two rooms of each, by what they are about: {long}"


def test_no_function_is_over_30_lines() -> None:
    long = {f"{name(path)}:{it.lineno} {it.name}": count for path, it, count in functions() if count > LONGEST_FUNCTION}

    assert not long, f"cut where you would say 'and then': {long}"


def test_no_name_says_nothing() -> None:
    named = {name(path): path.stem for path in SOURCES}
    named |= {f"{name(path)}:{it.lineno}": it.name for path in SOURCES for it in nodes(path, ast.ClassDef)}
    empty = {where: what for where, what in named.items() if words(what) & SAYS_NOTHING}

    assert not empty, f"name the thing, in the standard's word: {empty}"


def test_only_the_command_line_prints() -> None:
    library = [path for path in PACKAGE.rglob("*.py") if PACKAGE / "cli" not in path.parents]
    printing = [f"{name(path)}:{call.lineno}" for path in library for call in nodes(path, ast.Call) if prints(call)]

    assert not printing, f"a library's words are its results and its errors: {printing}"


def test_nothing_names_a_folder_of_the_machine_that_it_was_written_on() -> None:
    found = {name(path): match[0] for path in written() if (match := HOMES.search(text(path)))}
    found |= {name(path): match[0] for path in PACKAGE.rglob("*.py") if (match := SCRATCH.search(text(path)))}

    assert not found, f"use relative paths, or pytest's tmp_path: {found}"


def test_no_process_of_a_test_can_hang_forever() -> None:
    tests = [path for path in SOURCES if path.is_relative_to(ROOT / "tests") and "bench" not in path.parts]
    starting = {name(path) for path in tests for call in nodes(path, ast.Call) if starts_a_process(call)}

    assert starting == UNLIMITED, "use run_limited or start_limited of tests/commands.py"


def functions() -> Iterator[tuple[Path, Function, int]]:
    for path in SOURCES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node, body_length(node)


def body_length(function: Function) -> int:
    """The lines from the first statement to the last, without the docstring."""
    first = function.body[1 if ast.get_docstring(function) is not None else 0 :]
    return (function.end_lineno or 0) - first[0].lineno + 1 if first else 0


def nodes(path: Path, kind: type[Node]) -> Iterator[Node]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, kind))


def prints(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id in {"print", "pprint"}


def starts_a_process(call: ast.Call) -> bool:
    return ast.unparse(call.func) in {"subprocess.run", "subprocess.Popen", "subprocess.check_output"}


def words(name: str) -> set[str]:
    """The words of a name in snake_case or CamelCase.

    >>> sorted(words("test_HTTPHelper"))
    ['helper', 'http', 'test']
    """
    named = name.replace("CredentialHelper", "Credential")  # what Docker calls such a program
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", named)}


def written() -> Iterator[Path]:
    """The files that people write and read, without what pictures or caches there are."""
    for pattern in WRITTEN:
        yield from (path for path in ROOT.glob(pattern) if path.is_file() and path.suffix not in {".pyc", ".png"})


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def lines(path: Path) -> list[str]:
    return text(path).splitlines()


@cache
def text(path: Path) -> str:
    return path.read_text("utf-8")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(text(path))
