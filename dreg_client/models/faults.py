"""Problems of a parsed document, each with rule and path: errors from pydantic, warnings and notes from models."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from functools import cache
from typing import cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from dreg_client.errors.problems import Problem
from dreg_client.models import rules
from dreg_client.models.base import Member, Members, StrictModel, members_of, spelled
from dreg_client.models.fields import Rule
from dreg_client.models.lenient import LENIENT_ONLY
from dreg_client.models.paths import Place, item, member, objects, path_at, show

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


def remarks(model: type[StrictModel], tree: Members, *, pedantic: bool = True) -> Iterator[Problem]:
    """Yield all warnings and notes of a tree: first those of the model, then those of the objects in it.

    Without `pedantic`, notes may be left out, which saves the time of looking for them.
    """
    return _remarks_of(model, ((tree, None),), pedantic=pedantic)


def _remarks_of(
    model: type[StrictModel], found: Iterable[tuple[Members, Place]], *, pedantic: bool
) -> Iterator[Problem]:
    """Yield the warnings and notes of objects of one model, in order."""
    # Nearly all objects have none, so as little as possible is done for each.
    silent = silent_names(model)
    has_own = model.remarks.__func__ is not StrictModel.remarks.__func__  # type: ignore[attr-defined]
    for members, place in found:
        if has_own:
            yield from model.remarks(members, place, pedantic=pedantic)
        if not members.keys() <= silent:
            for name in members:
                if name not in silent:
                    yield from member_remarks(model, name, members, place, pedantic=pedantic)


def member_remarks(
    model: type[StrictModel], name: str, members: Members, place: Place, *, pedantic: bool
) -> Iterator[Problem]:
    """Yield GEN-08, GEN-09 or GEN-10 for a member of an object, or the warnings and notes of the objects in it."""
    known, value = members_of(model).get(name), members[name]
    if known is None:
        yield from _unknown(model, name, place, pedantic=pedantic)
    elif value is None and _is_required_list(known):
        expected = f"{known.rule.expected} (null is read as an empty list)"
        yield rules.warning("GEN-10", path_at(place, name), "null", expected)
    elif known.model is not None and isinstance(value, dict):
        yield from _remarks_of(known.model, ((cast("Members", value), (place, name)),), pedantic=pedantic)
    elif known.model is not None:
        yield from _remarks_of(known.model, objects(members, name, place), pedantic=pedantic)


def _unknown(model: type[StrictModel], name: str, place: Place, *, pedantic: bool) -> Iterator[Problem]:
    own = spelled(model, name)
    if own is not None and not model.folded_names_refused:
        yield rules.warning("GEN-08", path_at(place, name), show(name), f"{own!r}, as which Go's parsers read it")
    elif pedantic and own is None and name not in model.tolerated and name not in model.rivals:
        expected = "only specified members"
        yield rules.note("GEN-09", path_at(place, name), "an unspecified member (kept)", expected)


@cache
def silent_names(model: type[StrictModel]) -> frozenset[str]:
    """Return the names of members for which `member_remarks` yields nothing, whatever their values are."""
    own = {name for name, known in members_of(model).items() if known.model is None and not _is_required_list(known)}
    others = {name for name in model.tolerated | model.rivals if not any(_unknown(model, name, None, pedantic=True))}
    return frozenset(own | others)


def _is_required_list(member: Member) -> bool:
    return member.required and member.rule.expected.startswith("a list")
