"""Warnings and notes about annotations: invalid keys, and invalid values of predefined keys (annotations.md)."""

import re
from collections.abc import Callable, Iterator

from dreg_client.errors import DregError
from dreg_client.errors.problems import Problem
from dreg_client.models import rules
from dreg_client.models.base import Members
from dreg_client.models.grammars import is_uri
from dreg_client.models.paths import Place, object_at, path_at, show
from dreg_client.values.digest import is_digest
from dreg_client.values.docker_hub import DOCKER_HUB
from dreg_client.values.ref_name import EXPECTED, is_ref_name
from dreg_client.values.reference import Reference
from dreg_client.values.timestamp import is_timestamp

IMAGE = "org.opencontainers.image."
REF_NAME = IMAGE + "ref.name"
_BASE_NAME = IMAGE + "base.name"
_RESERVED = "org.opencontainers."
_FREE = frozenset(IMAGE + name for name in "authors version revision vendor title description".split()) | {REF_NAME}
# Possessive quantifiers (`*+`): otherwise each repetition takes memory, 100 bytes, until the match is complete.
_REVERSE_DOMAIN = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)++(?:/.+)?", re.ASCII | re.DOTALL)
_LICENSE_TOKEN = re.compile(r"\s*(\(|\)|(?:DocumentRef-[A-Za-z0-9.-]+:)?[A-Za-z0-9.-]+\+?)", re.ASCII)


def remarks(members: Members, place: Place, *, pedantic: bool) -> Iterator[Problem]:
    """Yield ANN-01 for empty keys, ANN-02 and, if `pedantic`, ANN-03 for the annotations of an object."""
    for key, value in object_at(members, "annotations").items():
        if not isinstance(value, str):
            continue
        if not key:
            yield rules.warning("ANN-01", path_at(place, "annotations", key), "an empty key", "a non-empty key")
        elif key in _FORMS:
            expected, is_valid = _FORMS[key]
            if not is_valid(value):
                verdict = rules.note if key == _BASE_NAME and _is_short_name(value) else rules.warning
                yield verdict("ANN-02", path_at(place, "annotations", key), show(value), expected)
        elif pedantic and key not in _FREE and (key.startswith(_RESERVED) or not _REVERSE_DOMAIN.fullmatch(key)):
            is_reserved = key.startswith(_RESERVED)
            expected = f"a predefined {_RESERVED} key" if is_reserved else "a key in reverse domain notation"
            yield rules.note("ANN-03", path_at(place, "annotations", key), show(key), expected)


def ref_name_remarks(members: Members, place: Place) -> Iterator[Problem]:
    """Yield LYT-06 if the name of an entry does not match its grammar."""
    name = object_at(members, "annotations").get(REF_NAME)
    if isinstance(name, str) and not is_ref_name(name):
        yield rules.warning("LYT-06", path_at(place, "annotations", REF_NAME), show(name), EXPECTED)


def _is_full_reference(text: str) -> bool:
    reference = _reference(text)
    if reference is None:
        return False
    return text.lower().startswith(f"{reference.registry}/") or text.split("/", 1)[0].lower().endswith(DOCKER_HUB)


def _is_short_name(text: str) -> bool:
    """Return whether a base name is empty or has no registry, such as `scratch` or `alpine`, as builders write it."""
    return not text or _reference(text) is not None


def _reference(text: str) -> Reference | None:
    try:
        return Reference.parse(text)
    except DregError:
        return None


def is_license_expression(text: str) -> bool:
    """Return whether a string matches the grammar of SPDX license expressions. License ids are not checked."""
    tokens = _LICENSE_TOKEN.findall(text)
    if not tokens or "".join(tokens) != re.sub(r"\s", "", text) or len(tokens) > 10_000:
        return False
    depth, operand_next = 0, True
    for token in tokens:
        operator = token.upper() in {"AND", "OR", "WITH"}
        if operand_next == (operator or token == ")"):
            return False
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth < 0:
            return False
        operand_next = operator or token == "("
    return depth == 0 and not operand_next


_URI = "a URI with a scheme"
_FORMS: dict[str, tuple[str, Callable[[str], bool]]] = {
    IMAGE + "created": ("an RFC 3339 date and time", is_timestamp),
    IMAGE + "url": (_URI, is_uri),
    IMAGE + "source": (_URI, is_uri),
    IMAGE + "documentation": (_URI, is_uri),
    IMAGE + "licenses": ("an SPDX license expression", is_license_expression),
    IMAGE + "base.digest": ("a digest", is_digest),
    _BASE_NAME: ("a reference that includes the registry", _is_full_reference),
}
