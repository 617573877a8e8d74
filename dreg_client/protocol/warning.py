"""The `Warning` header, by which a registry speaks to people (distribution-spec "Warnings")."""

import re
from collections.abc import Iterator
from typing import Final

from dreg_client.protocol.wire import Response

_LONGEST: Final = 4096
_MOST: Final = 10
_WARNING: Final = re.compile(r'299 - "((?:[^"\\]|\\.)*)"')
_ESCAPED: Final = re.compile(r"\\(.)")


def warnings_of(response: Response) -> Iterator[str]:
    """The texts of warnings of code 299; others, too long ones, and those with control characters are passed over."""
    for value in response.headers.all("warning")[:_MOST]:
        match = _WARNING.fullmatch(value.strip()) if len(value) <= _LONGEST else None
        text = _ESCAPED.sub(r"\1", match[1]) if match else ""
        if text and text.isprintable():
            yield text
