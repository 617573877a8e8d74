"""Translate a module of `dreg_client/_async` into sync code, for `generate_sync.py`."""

import ast
import io
import keyword
import re
import symtable
import tokenize
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

NAMES: Final = {
    "_async": "_sync",
    "AbstractAsyncContextManager": "AbstractContextManager",
    "AsyncExitStack": "ExitStack",
    "AsyncByteStream": "SyncByteStream",
    "StopAsyncIteration": "StopIteration",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "aapply_plan": "apply_plan",
    "aapply_sync": "apply_sync",
    "aclose": "close",
    "aclosing": "closing",
    "acopy": "copy",
    "aiter": "iter",
    "anext": "next",
    "aopen_image": "open_image",
    "aopen_layout": "open_layout",
    "aopen_store": "open_store",
    "aplan": "plan",
    "aplan_policy": "plan_policy",
    "aplan_sync": "plan_sync",
    "aread": "read",
    "aresume_plan": "resume_plan",
    "async_sync": "sync",
    "asynccontextmanager": "contextmanager",
    "aundo": "undo",
    "enter_async_context": "enter_context",
    "handle_async_request": "handle_request",
}
ASYNC_CLASS: Final = re.compile(r"(_*)Async([A-Z]\w*)")
NAME: Final = re.compile(r"[A-Za-z_]\w*")
DROPPED: Final = frozenset({"async", "await"})
WRAPPERS: Final = {"Awaitable": 0, "Coroutine": 2, "Opening": 0}
"""Types that stand for one of their arguments: its number."""
TEXT: Final = frozenset({tokenize.STRING, tokenize.COMMENT, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)})

_KINDS: Final = "context manager|function|generator|iterable|iterator|method"
PROSE: Final = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"(?m)^ *(?:>>> )?import asyncio\n", ""),
        (r"\basyncio\.run\((.*)\)", r"\1"),
        (r"\basync (with|for|def)\b", r"\1"),
        # Code has a call or an index after "await"; prose, such as "cannot await it", has not.
        (r"\bawait (?=[A-Za-z_][\w.]*[(\[])", ""),
        (r"(?<=\{)await ", ""),
        (r"\b([Aa])n async (?=[b-df-hj-np-tv-z])", r"\1 "),
        (rf"\basync (?={_KINDS})", ""),
        (r"\b([Aa])n (`?_*Async)(?!HTTP)(?=[B-DF-HJ-NP-TV-Z])", r"\1 \2"),
        (r"\bAsync context manager", "Context manager"),
        # The name of a parameter, before a colon, stays.
        (r"\btask(s?)\b(?!: )", r"thread\1"),
        (r"\bTask(s?)\b(?!: )", r"Thread\1"),
    )
)
WIDTH: Final = 120

Sentences = dict[str, str]
Edit = tuple[int, int, str]
"""Where a replaced part of a text begins and ends, and what replaces it."""


class Token(NamedTuple):
    """A token, and where it is in the text of its module."""

    kind: int
    string: str
    begin: int
    end: int
    column: int


def new_name(name: str) -> str:
    """Return the name in sync code of a name in async code."""
    if name in NAMES:
        return NAMES[name]
    found = ASYNC_CLASS.fullmatch(name)
    return found[1] + found[2] if found else name


# --- prose


def pattern_of(sentence: str) -> re.Pattern[str]:
    """Return a pattern of a sentence that may be broken into lines, of a docstring or a comment, anywhere."""
    return re.compile(r"\s+(?:# )?".join(map(re.escape, sentence.split())))


def translate_text(text: str, sentences: Sentences) -> str:
    """Translate a string or comment."""
    for sentence, replacement in sentences.items():
        text = pattern_of(sentence).sub(replacement.replace("\\", r"\\"), text)
    if " " in text:
        for pattern, by in PROSE:
            text = pattern.sub(by, text)
    return NAME.sub(lambda found: new_name(found[0]), text)


def fit(text: str, column: int) -> str:
    r"""Break the lines of a docstring or comment that have become too long.

    >>> print(fit("x" * 60 + " " + "y" * 70 + "\n" + "z", 0).replace("x" * 60, "X").replace("y" * 70, "Y"))
    X
    Y z
    """
    before, lines = list[str](), text.split("\n")
    while lines:
        line = lines.pop(0)
        width = WIDTH - (0 if before else column)
        cut = line.rfind(" ", 0, width + 1)
        if len(line) > width and line[:cut].strip():
            line, rest = line[:cut], line[cut + 1 :]
            indent = indent_after(line, column if not before else None)
            goes_on = lines and lines[0].startswith(indent) and lines[0][len(indent) :][:1].strip(" -#*>`\"'")
            lines[:1] = (
                [indent + rest + " " + lines[0].removeprefix(indent)] if goes_on else [indent + rest, *lines[:1]]
            )
        before.append(line)
    return "\n".join(before)


def indent_after(line: str, column: int | None) -> str:
    """Return what the continuation of a line begins with: an entry such as `name: text` is indented once more."""
    if line.startswith("#"):
        return " " * (column or 0) + "# "
    if column is not None:
        return " " * column
    indent = line[: len(line) - len(line.lstrip())]
    return indent + " " * 4 if re.match(r"\s+[\w*]+: ", line) else indent


# --- code


def tokens_of(source: str) -> list[Token]:
    """Return the tokens of a module."""
    starts = [0]
    for line in io.StringIO(source):
        starts.append(starts[-1] + len(line))
    return [
        Token(token.type, token.string, starts[row - 1] + column, starts[end_row - 1] + end_column, column)
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        for (row, column), (end_row, end_column) in [(token.start, token.end)]
        if end_row <= len(starts)
    ]


def translate(source: str, sentences: Sentences) -> str:
    """Translate a module: what is replaced is cut out, everything else stays as it is."""
    tokens = tokens_of(source)
    edits = [*edit_words(source, tokens, sentences), *edit_wrappers(tokens), *edit_parentheses(source, tokens)]
    pieces, place = list[str](), 0
    for begin, end, by in sorted(edits, key=lambda edit: (edit[0], -edit[1])):
        if begin >= place:  # else it is within a part that is replaced already
            pieces += [source[place:begin], by]
            place = end
    return "".join([*pieces, source[place:]])


def edit_words(source: str, tokens: list[Token], sentences: Sentences) -> Iterator[Edit]:
    """Drop `async` and `await`; replace names and prose."""
    for token in tokens:
        text = source[token.begin : token.end]
        if token.kind == tokenize.NAME and text in DROPPED:
            after = token.end + len(source[token.end :]) - len(source[token.end :].lstrip(" "))
            yield token.begin, after, ""
        elif token.kind == tokenize.NAME:
            yield token.begin, token.end, new_name(text)
        elif token.kind == tokenize.COMMENT and text.startswith("# noqa: ASYNC"):
            yield token.begin, token.end, ""
        elif token.kind in TEXT:
            yield token.begin, token.end, fit(translate_text(text, sentences), token.column)


def edit_wrappers(tokens: list[Token]) -> Iterator[Edit]:
    """Replace `Awaitable[T]` and `Coroutine[X, Y, T]` by `T`."""
    for number, token in enumerate(tokens[:-1]):
        if token.string in WRAPPERS and tokens[number + 1].string == "[":
            commas = arguments_of(tokens, number + 1)
            end = closing(tokens, number + 1)
            first = ([number + 1, *commas])[WRAPPERS[token.string]] + 1
            yield token.begin, tokens[first].begin, ""
            yield tokens[end].begin, tokens[end].end, ""


def edit_parentheses(source: str, tokens: list[Token]) -> Iterator[Edit]:
    """Drop the parentheses of `(await x(y)).z`: ruff keeps them."""
    for number, token in enumerate(tokens[:-1]):
        is_call = tokens[number - 1].kind == tokenize.NAME and not keyword.iskeyword(tokens[number - 1].string)
        if token.string == "(" and tokens[number + 1].string == "await" and not is_call:
            end = closing(tokens, number)
            inner = source[tokens[number + 1].end : tokens[end].begin].strip()
            if tokens[number - 1].string not in {")", "]"} and is_primary(inner):
                yield token.begin, tokens[number + 2].begin, ""
                yield tokens[end].begin, tokens[end].end, ""


def is_primary(code: str) -> bool:
    """Return whether an expression needs no parentheses before a dot."""
    expression = ast.parse(f"({code})", mode="eval").body
    return isinstance(expression, ast.Name | ast.Attribute | ast.Call | ast.Subscript)


def closing(tokens: list[Token], opening: int) -> int:
    """Return the number of the token that closes a bracket."""
    depth = 0
    for number in range(opening, len(tokens)):
        depth += (tokens[number].string in {"(", "[", "{"}) - (tokens[number].string in {")", "]", "}"})
        if depth == 0:
            return number
    raise ValueError("a bracket is not closed")


def arguments_of(tokens: list[Token], opening: int) -> list[int]:
    """Return the numbers of the commas between the arguments in a bracket."""
    commas, depth = list[int](), 0
    for number in range(opening, closing(tokens, opening)):
        depth += (tokens[number].string in {"(", "[", "{"}) - (tokens[number].string in {")", "]", "}"})
        if depth == 1 and tokens[number].string == ",":
            commas.append(number)
    return commas


# --- names that become one


def collisions(source: str) -> list[str]:
    """Return where two names of one scope, such as `close` and `aclose` of a class, would become one."""
    top = symtable.symtable(source, "module", "exec")
    found = [clash for table in tables(top) for clash in collisions_in(table, imports(source))]
    for item in ast.walk(ast.parse(source)):
        if isinstance(item, ast.ClassDef):
            found += [f"{item.name}.{a}, {item.name}.{b}" for a, b in pairs(attributes(item))]
    return sorted(set(found))


def tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    """Yield a scope and those within it."""
    yield table
    for child in table.get_children():
        yield from tables(child)


def collisions_in(table: symtable.SymbolTable, imported: dict[str, str]) -> Iterator[str]:
    """Yield the pairs of names of one scope that become one, unless both are globals such as `next` and `anext`."""
    symbols = {symbol.get_name(): symbol for symbol in table.get_symbols()}
    for a, b in pairs(symbols):
        same_import = a in imported and b in imported and imported[a] == imported[b]
        if (symbols[a].is_local() or symbols[b].is_local()) and not same_import:
            yield f"{table.get_name()}: {a}, {b}"


def pairs(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the pairs of different names that become one."""
    first: dict[str, str] = {}
    for name in names:
        other = first.setdefault(new_name(name), name)
        if other != name:
            yield other, name


def imports(source: str) -> dict[str, str]:
    """Return what each imported name of a module is in sync code: `Iterator` and `AsyncIterator` are the same there."""
    return {
        alias.asname or alias.name: f"{'.'.join(map(new_name, (item.module or '').split('.')))}.{new_name(alias.name)}"
        for item in ast.walk(ast.parse(source))
        if isinstance(item, ast.ImportFrom)
        for alias in item.names
    }


def attributes(item: ast.ClassDef) -> list[str]:
    """Return the names of the methods of a class, and of the attributes that they set."""
    methods = [node.name for node in item.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    set_on_self = [
        node.attr
        for node in ast.walk(item)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name)
        if node.value.id == "self"
    ]
    return [*methods, *set_on_self]
