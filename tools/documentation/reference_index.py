"""The index of the reference: each public name with its module, a link and one line."""

import ast
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Final

import dreg_client
from documentation.pages import MARK

_DIRECTIVE: Final = re.compile(r"^::: (\S+)$", re.MULTILINE)
_TITLE: Final = re.compile(r"^# (.+)$", re.MULTILINE)
_PAGES: Final = (
    "registries",
    "tags",
    "images",
    "stores",
    "copies",
    "documents",
    "validation",
    "names",
    "schemagen",
    "errors",
)
_TOP: Final = """# Python API reference

This page lists every public name. Import a name from `dreg_client`. If a module is shown before the name, import it
from that module: for `errors.TLSError`, write `from dreg_client.errors import TLSError`. `import dreg_client` is fast,
because modules are imported on first use.
"""


def reference_index(docs: Path) -> str:
    """Return the page, in Markdown: a table for each page of the reference."""
    tables = [_table(name, (docs / f"reference/{name}.md").read_text("utf-8")) for name in _PAGES]
    return MARK + "\n\n".join([_TOP.rstrip(), *tables]) + "\n"


def _table(page: str, text: str) -> str:
    title = _TITLE.search(text)
    assert title is not None  # noqa: S101 (each page has one)
    rows = [_row(page, path) for directive in _DIRECTIVE.findall(text) for path in _members(directive)]
    return "\n".join([f"## [{title[1]}]({page}.md)", "", "| name | description |", "| --- | --- |", *rows])


def _members(path: str) -> Iterator[str]:
    """Yield a documented name, or the public classes and type aliases of a documented module."""
    home, _, name = path.rpartition(".")
    if name in vars(import_module(home)) and not inspect.ismodule(vars(import_module(home))[name]):
        yield path
        return
    for member, below in pairwise([*_body(path), ast.Pass()]):
        match member, below:
            case (ast.ClassDef(name=name), _) | (ast.Assign(targets=[ast.Name(id=name)]), ast.Expr()):
                if not name.startswith("_"):
                    yield f"{path}.{name}"
            case _:
                continue


def _body(path: str) -> list[ast.stmt]:
    return ast.parse(inspect.getsource(import_module(path))).body


def _row(page: str, path: str) -> str:
    home, _, name = path.rpartition(".")
    description = _first_sentence(vars(import_module(home))[name], home, name).replace("|", r"\|")
    module = _public_module(home, name)
    if module is None:
        description += " It is only returned, never imported."
    return f"| [`{module or ''}{name}`]({page}.md#{path}) | {description} |"


def _public_module(home: str, name: str) -> str | None:
    """Return the module to import a name from, below `dreg_client` and with a dot, or None if there is none."""
    if name in dreg_client.__all__:
        return ""
    for module in ("schemagen", "errors"):
        if name in vars(import_module(f"dreg_client.{module}")):
            return f"{module}."
    inner = home.removeprefix("dreg_client.")
    return f"{inner}." if inner == "arrow" or inner.startswith(("models.", "values.")) else None


def _first_sentence(value: object, home: str, name: str) -> str:
    text = _docstring_below(home, name) or inspect.getdoc(value)
    assert text, f"{home}.{name} needs a docstring"  # noqa: S101
    return re.split(r"(?<=\.) (?=[A-Z`])", " ".join(text.partition("\n\n")[0].split()))[0]


def _docstring_below(home: str, name: str) -> str:
    """Return the string below the assignment of a constant or a type alias."""
    for assignment, below in pairwise(_body(home)):
        match assignment, below:
            case (
                (ast.Assign(targets=[ast.Name(id=found)]) | ast.AnnAssign(target=ast.Name(id=found))),
                ast.Expr(value=ast.Constant(value=str(text))),
            ) if found == name:
                return text
            case _:
                continue
    return ""
