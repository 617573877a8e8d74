"""What a registry states besides the result: warnings, and how many pulls are left."""

import re
from collections.abc import Iterator
from typing import Final

from dreg_client.protocol.messages import Response

_LONGEST: Final = 4096
_MOST: Final = 10
_WARNING: Final = re.compile(r'299 - "((?:[^"\\]|\\.)*)"')
_QUOTA: Final = re.compile(r"([0-9]{1,9})(?:;w=([0-9]{1,9}))?", re.ASCII)
_ESCAPED: Final = re.compile(r"\\(.)")


def quota_of(response: Response) -> tuple[int, int, int | None] | None:
    """Return the limit of pulls, how many are left, and the window in seconds; None if not stated."""
    limit = _QUOTA.fullmatch(response.headers.get("ratelimit-limit") or "")
    remaining = _QUOTA.fullmatch(response.headers.get("ratelimit-remaining") or "")
    if limit is None or remaining is None:
        return None
    return int(limit[1]), int(remaining[1]), int(limit[2]) if limit[2] else None


def warnings_of(response: Response) -> Iterator[str]:
    """Yield the texts of warnings of code 299 (distribution-spec "Warnings") that are printable and not too long."""
    for value in response.headers.all("warning")[:_MOST]:
        match = _WARNING.fullmatch(value.strip()) if len(value) <= _LONGEST else None
        text = _ESCAPED.sub(r"\1", match[1]) if match else ""
        if text and text.isprintable():
            yield text
