"""Paths inside documents, and short texts of the values there."""

import json
import re
from collections.abc import Sized
from typing import cast

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_SHOWN = 60


def member(path: str, name: str) -> str:
    """Return the path of a member: `$.config`, or `$["os.version"]` if the name is not a plain word."""
    if _PLAIN.fullmatch(name):
        return f"{path}.{name}"
    return f"{path}[{json.dumps(name if len(name) <= _SHOWN else name[:_SHOWN] + '…')}]"


def item(path: str, position: int) -> str:
    """Return the path of an entry of a list: `$.layers[2]`."""
    return f"{path}[{position}]"


def show(value: object) -> str:
    """Return a value of a document as one short line of ASCII JSON, without control characters."""
    match value:
        case str():
            return json.dumps(value if len(value) <= _SHOWN else value[:_SHOWN] + "...")
        case dict():
            return "an object" if value else "an empty object"
        case list() | tuple():
            return f"a list of {len(cast('Sized', value))}"
        case bool() | None:
            return json.dumps(value)
        case int() if value.bit_length() > _SHOWN * 3:
            return "an integer of very many digits"
        case _:
            return repr(value)[:_SHOWN]
