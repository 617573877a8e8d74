"""Parse the valid parts of an invalid document, to show them together with its problems."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar, cast

from pydantic import ValidationError

from dreg_client.models import rules
from dreg_client.models.faults import places_of
from dreg_client.models.lenient import LENIENT
from dreg_client.models.stored import ParsedModel, read_or_scan

M = TypeVar("M", bound=ParsedModel)
_Place = tuple[int | str, ...]
_Tree = dict[str, Any]
_MOST_ROUNDS: Final = 10
_AMBIGUOUS: Final = frozenset({"GEN-06", "GEN-08"})
_NEUTRAL: Final[Mapping[str, _Tree]] = {
    "image-config": {"architecture": "", "os": "", "rootfs": {"type": "layers", "diff_ids": []}}
}
"""Neutral values for required members that are missing or invalid."""


def valid_parts(model: type[M], raw: bytes) -> M | None:
    """Parse a document without the members and entries that break rules; `problems` still lists all problems.

    Returns:
        The document; None if the rest would not be valid either, or if parsers may read the document differently.
    """
    tree, problems = read_or_scan(raw, nul=model.nul_allowed)
    if tree is None or rules.has_error(problems):
        return None
    for _ in range(_MOST_ROUNDS):  # a descriptor that has lost its digest is left out in the next round
        tree = {**_NEUTRAL.get(model.kind, {}), **tree}
        try:
            return model.from_tree(raw, tree, LENIENT)
        except ValidationError as failure:
            wrong = list(places_of(failure, tree))
        if any(rule in _AMBIGUOUS or not place for place, rule in wrong):
            return None
        tree = cast("_Tree", _without(tree, [place for place, _ in wrong]))
    return None


def _without(value: object, places: list[_Place]) -> object:
    """Return a copy of a JSON value without the values at the given places."""
    below: dict[int | str, list[_Place]] = {}
    for place in places:
        below.setdefault(place[0], []).append(place[1:])
    match value:
        case dict():
            members = cast("_Tree", value)
            return {
                name: _kept(inner, below.get(name)) for name, inner in members.items() if () not in below.get(name, [])
            }
        case list():
            entries = enumerate(cast("list[object]", value))
            return [_kept(inner, below.get(at)) for at, inner in entries if () not in below.get(at, [])]
        case _:
            return value


def _kept(value: object, places: list[_Place] | None) -> object:
    return _without(value, places) if places else value
