"""Problems of a parsed document, each with rule and path: errors from pydantic, warnings and notes from models."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from typing import cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from dreg_client.errors.problems import Problem
from dreg_client.models import rules
from dreg_client.models.base import Members, StrictModel, members_of, spelled
from dreg_client.models.fields import Rule
from dreg_client.models.lenient import LENIENT_ONLY
from dreg_client.models.paths import item, member, objects, show

_RULE_ID = re.compile(r"[A-Z][A-Z0-9]{2}-\d\d")
_WHOLE = Rule("GEN-01", "a JSON object")


def problems_of(model: type[StrictModel], failure: ValidationError, tree: Members) -> list[Problem]:
    """Convert the errors of a model to problems. For each value, only the most specific rules are reported."""
    found: dict[str, list[tuple[bool, Problem]]] = {}
    for details in _details(failure):
        path, rule = _place(model, _steps(details, tree))
        if path not in found and len(found) > rules.MOST_REPORTED:  # the others are not reported (`rules.first_ones`)
            break
        found.setdefault(path, []).append(_fault(details, path, rule))
    return [problem for faults in found.values() for problem in _most_specific(faults)]


def places_of(failure: ValidationError, tree: Members) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """Yield the places and pydantic types of errors. The place of a missing member is the enclosing object."""
    for details in _details(failure):
        place = tuple(_steps(details, tree))
        yield place[:-1] if details["type"] == "missing" else place, details["type"]


def _details(failure: ValidationError) -> Iterator[ErrorDetails]:
    for details in failure.errors(include_url=False, include_context=False):
        if details["type"] not in {"none_required", LENIENT_ONLY}:  # another branch of the union reports the problem
            yield details


def _fault(details: ErrorDetails, path: str, rule: Rule) -> tuple[bool, Problem]:
    """Convert an error to a problem; also return whether the error itself names the rule."""
    found = "nothing" if details["type"] == "missing" else show(details["input"])
    if _RULE_ID.fullmatch(details["type"]):
        return True, rules.error(details["type"], path, found, details["msg"])
    if details["type"] == "too_long":
        return True, rules.error("IDX-10", path, found, "at most 10,000 descriptors in one document")
    return False, rules.error(rule.id, path, found, rule.expected)


def _most_specific(faults: Sequence[tuple[bool, Problem]]) -> list[Problem]:
    chosen = [problem for specific, problem in faults if specific] or [problem for _, problem in faults]
    return list({problem.rule: problem for problem in chosen}.values())


def _steps(details: ErrorDetails, tree: Members) -> Iterator[int | str]:
    """Yield the steps of an error's location that exist in the tree, and the name of a missing member.

    Pydantic's locations also contain branches of unions and markers for keys of mappings.
    """
    *location, last = details["loc"] or ("",)
    here: object = tree
    for step in location:
        if _is_in(here, step):
            yield step
            here = cast("Mapping[int | str, object]", here)[step]
    if details["type"] == "missing" or _is_in(here, last):
        yield last


def _is_in(value: object, step: int | str) -> bool:
    match value:
        case dict():
            return step in value
        case list() | tuple():
            return isinstance(step, int) and step < len(cast("Sized", value))
        case _:
            return False


def _place(model: type[StrictModel], steps: Iterable[int | str]) -> tuple[str, Rule]:
    """Return the path of an error, and the rule of its member."""
    path, rule, inside = "$", _WHOLE, cast("type[StrictModel] | None", model)
    for step in steps:
        if isinstance(step, int):
            path = item(path, step)
            continue
        path = member(path, step)
        if inside is not None:
            known = members_of(inside).get(step)
            rule, inside = (known.rule, known.model) if known else (rule, None)
        elif rule.entries:
            rule = Rule(rule.entries, "a string")
    return path, rule


def remarks(model: type[StrictModel], members: Members, path: str = "$") -> Iterator[Problem]:
    """Yield all warnings and notes of a tree: first those of the model, then those of the objects in it."""
    yield from model.remarks(members, path)
    known = members_of(model)
    for name, value in members.items():
        here = known.get(name)
        if here is None:
            yield from _unknown(model, name, path)
        elif value is None and here.required and (expected := here.rule.expected).startswith("a list"):
            yield rules.warning("GEN-10", member(path, name), "null", f"{expected} (null is read as an empty list)")
        elif here.model is not None and isinstance(value, dict):
            yield from remarks(here.model, cast("Members", value), member(path, name))
        elif here.model is not None:
            for entry, its_path in objects(members, name, path):
                yield from remarks(here.model, entry, its_path)


def _unknown(model: type[StrictModel], name: str, path: str) -> Iterator[Problem]:
    own = spelled(model, name)
    if own is not None and not model.folded_names_refused:
        yield rules.warning("GEN-08", member(path, name), show(name), f"{own!r}, as which Go's parsers read it")
    elif own is None and name not in model.tolerated and name not in model.rivals:
        yield rules.note("GEN-09", member(path, name), "an unspecified member (kept)", "only specified members")
