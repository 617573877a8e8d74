"""The members of a JSON object as they are written: what dreg does not change is written back to the letter.

Parsing and writing again would change what other programs have stored: `1e400` would become `Infinity`, `1.10` would
become `1.1`, and digits of long numbers would be lost.
"""

import json
import re
from collections.abc import Mapping
from typing import Final

_DECODER: Final = json.JSONDecoder(parse_int=float)  # Python limits the number of digits of an int
_SPACE: Final = re.compile(r"[ \t\n\r]*")


def member_texts(text: str) -> dict[str, str]:
    """Return the text of each member of a JSON object, which must be valid. Of members with the same name, the last."""
    found: dict[str, str] = {}
    at = _after_space(text, text.index("{") + 1)
    while text[at] != "}":
        name, end = _DECODER.raw_decode(text, at)
        start = _after_space(text, _after_space(text, end) + 1)
        _, end = _DECODER.raw_decode(text, start)
        found[name] = text[start:end]
        at = _after_space(text, end)
        if text[at] == ",":
            at = _after_space(text, at + 1)
    return found


def object_text(members: Mapping[str, str], depth: int) -> str:
    """Return the text of an object with these members, indented by tabs as docker does."""
    if not members:
        return "{}"
    end = "\n" + "\t" * depth
    inner = ",".join(f"{end}\t{json.dumps(name)}: {text}" for name, text in members.items())
    return f"{{{inner}{end}}}"


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
