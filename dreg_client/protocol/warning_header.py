"""Response headers with warnings, and with the number of pulls that are left."""

import re
from collections.abc import Iterator
from typing import Final

from dreg_client.protocol.messages import Response
from dreg_client.protocol.redact import redacted_text

_LONGEST: Final = 4096
_MOST: Final = 10
_WARNING: Final = re.compile(r'299 - "((?:[^"\\]|\\.)*)"')
_QUOTA: Final = re.compile(r"([0-9]{1,9})(?:;w=([0-9]{1,9}))?", re.ASCII)
_ESCAPED: Final = re.compile(r"\\(.)")


def quota_of(response: Response) -> tuple[int, int, int | None] | None:
    """Return the pull limit, the number of pulls left, and the window in seconds (None if not stated); None without."""
    limit = _QUOTA.fullmatch(response.headers.get("ratelimit-limit") or "")
    remaining = _QUOTA.fullmatch(response.headers.get("ratelimit-remaining") or "")
    if limit is None or remaining is None:
        return None
    return int(limit[1]), int(remaining[1]), int(limit[2]) if limit[2] else None


def warnings_of(response: Response) -> Iterator[str]:
    """Yield the printable texts of warnings with code 299 (distribution-spec "Warnings"), unless they are too long."""
    for value in response.headers.all("warning")[:_MOST]:
        match = _WARNING.fullmatch(value.strip()) if len(value) <= _LONGEST else None
        text = _ESCAPED.sub(r"\1", match[1]) if match else ""
        if text and text.isprintable():
            yield redacted_text(text, response)
