"""Paths in documents, the values at these paths, and short descriptions of values."""

import json
import re
from collections.abc import Iterator, Mapping, Sized
from typing import TypeAlias, cast

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_quoted = json.JSONEncoder().encode
_SHOWN = 60
_LONGEST_NAME = 255

Place: TypeAlias = "tuple[Place, str | int] | None"
"""A position: the enclosing position, and a name or index in it. None is the document itself.

Most documents have no problem, so paths are built only for the places of problems.
"""


def path_at(place: Place, *names: str) -> str:
    """Return the path of a place, or of a member below it."""
    steps: list[str | int] = [*reversed(names)]
    while place is not None:
        place, step = place
        steps.append(step)
    path = "$"
    for step in reversed(steps):
        path = member(path, step) if isinstance(step, str) else item(path, step)
    return path


def member(path: str, name: str) -> str:
    """Return the path of a member: `$.config`, or `$["os.version"]` if the name is not a plain word."""
    # Nearly all names are ASCII letters, which `isidentifier` recognises in a third of the time.
    if len(name) <= _LONGEST_NAME and ((name.isidentifier() and name.isascii()) or _PLAIN.fullmatch(name)):
        return f"{path}.{name}"
    return f"{path}[{json.dumps(name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + '…')}]"


def item(path: str, position: int) -> str:
    """Return the path of an entry of a list: `$.layers[2]`."""
    return f"{path}[{position}]"


def entries(members: Mapping[str, object], name: str, place: Place) -> Iterator[tuple[object, Place]]:
    """Yield the entries of a member with their places; nothing if the member is not a list."""
    value = members.get(name)
    if isinstance(value, list):
        outer = (place, name)
        for position, entry in enumerate(cast("list[object]", value)):
            yield entry, (outer, position)


def objects(members: Mapping[str, object], name: str, place: Place) -> Iterator[tuple[Mapping[str, object], Place]]:
    """Yield the entries of a member that are objects, with their places."""
    value = members.get(name)
    if isinstance(value, list):
        outer = (place, name)
        for position, entry in enumerate(cast("list[Mapping[str, object]]", value)):
            if isinstance(entry, dict):  # it may also be any other JSON value
                yield entry, (outer, position)


def object_at(members: Mapping[str, object], name: str) -> Mapping[str, object]:
    """Return a member if it is an object, otherwise an empty object."""
    value = members.get(name)
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def show(value: object) -> str:
    """Describe a value of a document in one short line of ASCII text, without control characters."""
    match value:
        case str():
            return _quoted(value if len(value) <= _SHOWN else value[:_SHOWN] + "...")
        case dict():
            return "an object" if value else "an empty object"
        case list() | tuple():
            return f"a list of {len(cast('Sized', value))}"
        case bool() | None:
            return json.dumps(value)
        case int() if value.bit_length() > _SHOWN * 3:
            return "an integer with very many digits"
        case _:
            return repr(value)[:_SHOWN]
