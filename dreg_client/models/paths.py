"""Where something stands in a document, and what stands there, as people read it."""

import json
import re
from collections.abc import Sized
from typing import cast

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_SHOWN = 60


def member(path: str, name: str) -> str:
    """The path of a member: `$.config`, or `$["os.version"]` where the name is no plain word."""
    if _PLAIN.fullmatch(name):
        return f"{path}.{name}"
    return f"{path}[{json.dumps(name if len(name) <= _SHOWN else name[:_SHOWN] + '…')}]"


def item(path: str, position: int) -> str:
    """The path of an entry of a list: `$.layers[2]`."""
    return f"{path}[{position}]"


def show(value: object) -> str:
    """A value of a document in one short line of ASCII JSON: never a megabyte, never a control character."""
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
