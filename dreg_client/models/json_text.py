"""Parse JSON objects that all conforming parsers read in the same way (GEN-01 to GEN-04, GEN-13).

No available parser rejects everything that must be rejected. orjson rejects invalid JSON, but keeps only the last of
several members with the same name. The fast path therefore parses with orjson and serializes the result: if the output
equals the input, apart from white space, no member was dropped. Otherwise the slow path parses again with the standard
library, which passes on every member, and reports each problem with its path.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import cast

import orjson

from dreg_client.errors.problems import Problem
from dreg_client.models import rules
from dreg_client.models.paths import Place, path_at, show
from dreg_client.values.json_values import MAX_MEMORY, VALUE, has_too_many_values, most_values
from dreg_client.values.sizes import MEBIBYTE

MAX_DEPTH = 64
MAX_STRING = MEBIBYTE
_FEW_VALUES = MAX_MEMORY // VALUE
_LONGEST_PATH = 200
_LONGEST_CHARACTER = 4
"""The most bytes of a character in UTF-8."""
_WHITE = b" \t\r\n"
_INDENT = orjson.OPT_INDENT_2
_BACKSLASH = ord("\\")
"""Searching bytes for an int is three times as fast as for a single byte."""
_LARGEST_DOUBLE_DIGITS = 309

_BESIDE_BRACKETS = bytes(set(range(256)) - set(b"[]{},"))
_DEEP = re.compile(rb"[\[{]{%d}" % (MAX_DEPTH + 1))

_SURROGATE = re.compile(r"[\ud800-\udfff]")


class AmbiguousTextError(ValueError):
    """The bytes are not JSON that all parsers read in the same way. `tree` and `problems` are the result of `scan`."""

    tree: dict[str, object] | None
    problems: list[Problem]

    def __init__(self, tree: dict[str, object] | None, problems: list[Problem]) -> None:
        super().__init__("parsers may read this text differently")
        self.tree, self.problems = tree, problems


class _Constant:
    """A number that is not valid in JSON: NaN, Infinity, or one outside the range of a double."""

    def __init__(self, text: str) -> None:
        self.text = text if len(text) < 40 else text[:40] + "..."

    def __repr__(self) -> str:
        return self.text


class _Repeating(dict[str, object]):
    """An object with duplicate member names."""

    twice: tuple[str, ...] = ()


def read_object(raw: bytes, value: int = VALUE) -> dict[str, object]:
    """Parse a JSON object strictly. `value` is the memory in bytes that a value is assumed to need.

    Raises:
        AmbiguousTextError: The text breaks a rule; `problems` lists all of them.
    """
    tree = read_members(raw, value)
    return _read_slowly(raw, value) if _is_deep(raw, tree) else tree


def read_members(raw: bytes, value: int = VALUE) -> dict[str, object]:
    """Parse a JSON object without checking its nesting (GEN-04), which models check where it can be deep."""
    if len(raw) > _FEW_VALUES and (len(raw) > MAX_STRING or has_too_many_values(raw, value)):  # a long string, or many
        return _read_slowly(raw, value)
    try:
        tree: dict[str, object] = orjson.loads(raw)
        # Serialize in the style of the input, since then both are nearly always equal.
        echo = orjson.dumps(tree, None, _INDENT) if raw.startswith(b'{\n  "') else orjson.dumps(tree)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return _read_slowly(raw, value)
    if echo != raw:
        plain = raw.translate(None, _WHITE)
        if echo != plain and echo.translate(None, _WHITE) != plain:
            del tree, echo, plain  # they would take memory besides the tree that is read next
            return _read_slowly(raw, value)
    if type(tree) is not dict or (_BACKSLASH in raw and b"\\u0000" in raw):
        return _read_slowly(raw, value)
    return tree


def serialized(value: object) -> bytes:
    """Serialize a JSON value that `read_object` has parsed."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:  # an integer of more than 64 bits, which orjson does not write
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _is_deep(raw: bytes, tree: object) -> bool:
    if raw.count(b"{") + raw.count(b"[") <= MAX_DEPTH:
        return False
    level: list[object] = [tree]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in _children(node) if isinstance(child, dict | list)]
    return bool(level)


def _children(node: object) -> Iterable[object]:
    return cast("dict[str, object]", node).values() if isinstance(node, dict) else cast("list[object]", node)


def _read_slowly(raw: bytes, value: int = VALUE) -> dict[str, object]:
    tree, problems = scan(raw, value=value)
    if tree is None or rules.has_error(problems):
        raise AmbiguousTextError(tree, problems)
    return tree


def scan(raw: bytes, *, nul: bool = False, value: int = VALUE) -> tuple[dict[str, object] | None, list[Problem]]:
    """Return the tree of a JSON object, or None if a model cannot use it, and all problems of its text."""
    if has_too_many_values(raw, value):
        if _DEEP.search(raw.translate(None, _BESIDE_BRACKETS)):
            return None, [rules.error("GEN-04", "$", "deeper nesting", f"at most {MAX_DEPTH} levels")]
        expected = f"at most {most_values(raw, value):,} values in a text of {len(raw):,} bytes"
        return None, [rules.error("GEN-05", "$", "more values", expected)]
    try:
        text = raw.decode()
    except UnicodeDecodeError as failure:
        found = f"byte 0x{raw[failure.start]:02x} at offset {failure.start}"
        return None, [rules.error("GEN-01", "$", found, "UTF-8")]
    if text.startswith("\ufeff"):
        return None, [rules.error("GEN-01", "$", "a byte order mark", "JSON without a byte order mark")]
    try:
        tree: object = _DECODER.decode(text)
    except json.JSONDecodeError as failure:
        found = f"{_invalid_json(failure.msg)} at line {failure.lineno}, column {failure.colno}"
        return None, [rules.error("GEN-01", "$", found, "a single JSON object")]
    except RecursionError:
        return None, [rules.error("GEN-04", "$", "deeper nesting", f"at most {MAX_DEPTH} levels")]
    if not isinstance(tree, dict):
        return None, [rules.error("GEN-01", "$", show(tree), "a JSON object")]
    members = cast("dict[str, object]", tree)
    problems = rules.first_ones(_faults(members, nul=nul))
    return (None if _is_deep(raw, members) else members), problems


def _invalid_json(reason: str) -> str:
    """Return what the JSON decoder found, to be followed by its place: `no property name enclosed in double quotes`."""
    if reason == "Expecting value":
        return "no JSON value"
    found = reason.replace("Expecting ", "no ").removesuffix(" starting at").removesuffix(" at").rstrip(": ")
    return found[:1].lower() + found[1:]


def _faults(tree: dict[str, object], *, nul: bool) -> Iterator[Problem]:
    """Walk the tree in document order, without recursion. Paths are built only for problems."""
    waiting: list[tuple[object, Place, int]] = [(tree, None, 1)]
    # A name and its value may have the same path, which is reported once. The path of each warning takes time.
    warnings = iter(range(2 * (rules.MOST_REPORTED + 1))) if nul else None
    while waiting:
        node, place, depth = waiting.pop()
        if depth > MAX_DEPTH and isinstance(node, dict | list):
            yield rules.error("GEN-04", _outer_path(place), "deeper nesting", f"at most {MAX_DEPTH} levels")
            return
        children: Iterable[tuple[str | int, object]] = ()
        match node:
            case dict():
                members = cast("dict[str, object]", node)
                yield from _name_faults(members, place, warnings)
                children = members.items()
            case list():
                children = enumerate(cast("list[object]", node))
            case str():
                yield from _string_faults(node, place, warnings)
            case _:
                yield rules.error("GEN-03", path_at(place), repr(node), "a number in the range of a double")
        within = [(value, (place, step), depth + 1) for step, value in children if _may_be_wrong(value)]
        waiting.extend(reversed(within))


def _may_be_wrong(value: object) -> bool:
    if isinstance(value, str):
        return not value.isascii() or "\0" in value or len(value) > MAX_STRING
    return isinstance(value, dict | list | _Constant)


def _outer_path(place: Place) -> str:
    """Return the path of a place, or, if it is too long to read, of the innermost enclosing value with a short path."""
    while place is not None and len(path_at(place)) > _LONGEST_PATH:
        place = place[0]
    return path_at(place)


def _name_faults(members: dict[str, object], place: Place, warnings: Iterator[int] | None) -> Iterator[Problem]:
    for name in members.twice if isinstance(members, _Repeating) else ():
        yield rules.error("GEN-02", path_at(place, name), "a duplicate member", "unique member names in an object")
    for name in members:
        if _may_be_wrong(name):
            yield from _string_faults(name, (place, name), warnings)


def _string_faults(text: str, place: Place, warnings: Iterator[int] | None) -> Iterator[Problem]:
    """Yield the faults of a string. NUL is an error; a warning if there are `warnings`, the numbers that are left."""
    if _SURROGATE.search(text):
        yield rules.error("GEN-01", path_at(place), "a lone surrogate", "valid Unicode")
    elif "\0" in text and (warnings is None or next(warnings, None) is not None):
        verdict = rules.error if warnings is None else rules.warning
        yield verdict("GEN-01", path_at(place), "NUL in a string", "a string without NUL")
    size = len(text.encode("utf-8", "surrogatepass")) if len(text) > MAX_STRING // _LONGEST_CHARACTER else 0
    if size > MAX_STRING:
        yield rules.error("GEN-13", path_at(place), f"a string of {size} bytes", f"at most {MAX_STRING} bytes in UTF-8")


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    repeating = _Repeating(members)
    counts = Counter(name for name, _ in pairs)
    repeating.twice = tuple(name for name, count in counts.items() if count > 1)
    return repeating


def _float(text: str) -> object:
    number = float(text)
    return _Constant(text) if number in {float("inf"), float("-inf")} else number


def _integer(text: str) -> object:
    digits = len(text)  # including the sign, if any
    fits = digits < _LARGEST_DOUBLE_DIGITS or (digits <= _LARGEST_DOUBLE_DIGITS + 1 and type(_float(text)) is float)
    return int(text) if fits else _Constant(text)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members, parse_float=_float, parse_int=_integer, parse_constant=_Constant, strict=True
)
