"""Names of the entries of an image layout (annotations.md: org.opencontainers.image.ref.name)."""

import re
from typing import Final

from dreg_client.errors import InvalidReferenceError

EXPECTED: Final = "letters and digits, with single separators (- . _ : @ + / or --) between them"
_COMPONENT: Final = r"[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*+"
_REF_NAME: Final = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*+", re.ASCII)
_LONGEST: Final = 4096
_LONGEST_SHOWN: Final = 100


def is_ref_name(text: str) -> bool:
    """Return whether a text matches the grammar of names.

    Examples:
        >>> is_ref_name("acme/web:1.4"), is_ref_name("../web")
        (True, False)
    """
    return _REF_NAME.fullmatch(text) is not None


def check_ref_name(text: str) -> str:
    """Return a name to be written; raise InvalidReferenceError if it is not valid (LYT-06)."""
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"a tag must be a str such as '1.4', not {type(text).__name__}")
    if len(text) <= _LONGEST and is_ref_name(text):
        return text
    raise InvalidReferenceError(text[:_LONGEST_SHOWN], "tag", EXPECTED)
