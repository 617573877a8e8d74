"""The base of plans, which can be saved as JSON, and what went wrong when one is read."""

from collections.abc import Iterable
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.alias_generators import to_camel
from pydantic.fields import ComputedFieldInfo, FieldInfo

from dreg_client.errors import ConfigError

MAX_PLAN: Final = 256 * 1024 * 1024
"""The most bytes of a plan that is read: one of about a million tags."""
_PROBLEMS: Final = {
    "bool_type": "expected true or false",
    "extra_forbidden": "there is no member of this name",
    "missing": "is missing",
    "string_too_short": "must not be empty",
    "string_type": "expected a string",
    "too_short": "expected at least one entry",
    "tuple_type": "expected a list",
    "union_tag_not_found": "`action` is missing",
}
"""Problems that pydantic describes in the words of Python, by their types."""


def _title(name: str, _field: FieldInfo | ComputedFieldInfo) -> str:
    return name.replace("_", " ").capitalize()


class PlanModel(
    BaseModel,
    frozen=True,
    extra="forbid",
    alias_generator=to_camel,
    validate_by_name=True,
    serialize_by_alias=True,
    hide_input_in_errors=True,
    use_attribute_docstrings=True,
    field_title_generator=_title,
):
    """A part of a plan. JSON members are in camelCase."""


class PlannedFailure(PlanModel, frozen=True):
    """What could not be compared. It is also a failure of the result if the plan is applied."""

    tag: str | None = None
    """The tag, or the digest of a referrer; null if it is the whole repository."""
    reason: str
    """What went wrong, and what to do about it."""


P = TypeVar("P", bound=PlanModel)


def plan_json(plan: PlanModel, names: Iterable[str]) -> str:
    """Return a plan as JSON, with a final line feed; `names` are those of its directories and files.

    Raises:
        ConfigError: The name of a directory or file is not UTF-8, so no JSON can have it.
    """
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError:
            shown = name.encode(errors="surrogateescape").decode(errors="backslashreplace")
            raise ConfigError(f"{shown} cannot be in a plan, because its name is not UTF-8; rename it") from None
    return plan.model_dump_json(indent=2, exclude_defaults=False) + "\n"


def parse_plan(model: type[P], text: str | bytes, where: str, schema: str) -> P:
    """Read a plan from JSON.

    Args:
        model: The model of the plan.
        text: The JSON.
        where: The name of the plan, for messages.
        schema: The name of its JSON Schema, for messages.

    Raises:
        ConfigError: It is not a valid plan.
    """
    try:
        found = model.model_validate_json(text, strict=True)
    except ValidationError as failure:
        advice = f"see: dreg schema show {schema}"
        raise ConfigError(f"{where} is not a valid plan: {first_problem(failure)}; {advice}") from None
    except ConfigError as failure:
        raise ConfigError(f"{where} is not a valid plan: {failure}; make a new plan") from None
    if "version" not in found.model_fields_set:
        raise ConfigError(f"{where} is not a valid plan: it does not state its version")
    return found


def first_problem(failure: ValidationError) -> str:
    """Return where the first problem of a document is, and what it is."""
    problems = failure.errors(include_url=False, include_context=False, include_input=False)
    # A list that contains an invalid entry is also reported as too short.
    found, *others = [each for each in problems if each["type"] != "too_short"] or problems
    where = ".".join(map(str, found["loc"]))
    what = _PROBLEMS.get(found["type"], found["msg"])
    if found["type"] == "union_tag_invalid":  # the message quotes the document; what is expected is at its end
        what = f"unknown action; expected one of: {found['msg'].rpartition('expected tags: ')[2]}"
    more = f" (and {len(others)} more)" if others else ""
    return f"{where}: {what}{more}" if where else f"{what}{more}"
