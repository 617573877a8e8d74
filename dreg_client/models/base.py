"""The base of all models: strict, frozen, open for unknown members, with a rule for each member."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Final, Self, cast, get_args

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from dreg_client.errors.problems import Problem
from dreg_client.models.fields import Rule, rule_of
from dreg_client.models.frozen import FrozenDict, frozen_value
from dreg_client.models.grammars import broken
from dreg_client.models.json_schema import complete

Members = Mapping[str, object]
NO_RULE: Final = Rule("GEN-01", "another type")
"""The rule of members without one: those that callers add in their own models."""


class StrictModel(
    BaseModel, strict=True, frozen=True, extra="allow", serialize_by_alias=True, hide_input_in_errors=True
):
    """A JSON object as its specification defines it: exact types, no coercion, unknown members kept, immutable.

    Members have the specification's names (`mediaType`), attributes are in snake_case (`media_type`).
    """

    rivals: ClassVar[frozenset[str]] = frozenset()
    """Members that would make the document ambiguous: they belong to another kind (GEN-06)."""
    folded_names_refused: ClassVar[bool] = True
    """Whether a member's name in another letter case is an error (GEN-08) or a warning."""
    nul_allowed: ClassVar[bool] = False
    """Whether strings may contain NUL, with a warning (GEN-01)."""
    tolerated: ClassVar[frozenset[str]] = frozenset()
    """Unknown members that other tools are known to write, and that are not reported (GEN-09)."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[BaseModel], handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        inner = cast("dict[str, Any]", schema)
        while inner["type"] != "model-fields":
            inner = inner["schema"]
        inner["extras_keys_schema"] = core_schema.no_info_after_validator_function(
            cls._unknown_name, core_schema.str_schema(strict=True)
        )
        inner["extras_schema"] = frozen_value()
        return schema

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        json_schema = handler(schema)
        own = handler.resolve_ref_schema(json_schema)
        complete(cls, own, cls.rivals, folded_names_refused=cls.folded_names_refused, nul_allowed=cls.nul_allowed)
        own |= cls.schema_conditions()
        return json_schema

    @classmethod
    def schema_conditions(cls) -> JsonSchemaValue:
        """Return the keywords of JSON Schema for rules about several members."""
        return {}

    @classmethod
    def _unknown_name(cls, name: str) -> str:
        if name in cls.rivals:
            raise broken("GEN-06", "a document of one kind, without this member")
        if cls.folded_names_refused and (own := spelled(cls, name)):
            other = f"another name: Go's parsers take it for {own!r}, which makes this two documents"
            raise broken("GEN-08", other if own in cls.rivals else f"{own!r}, spelled like that")
        return name

    @property
    def unknown_members(self) -> Mapping[str, Any]:
        """The members that the specification does not define, as they were read."""
        return FrozenDict(self.__pydantic_extra__ or {})

    @property
    def model_extra(self) -> dict[str, Any] | None:
        """The unknown members, under pydantic's name; they cannot be changed."""
        return FrozenDict(self.__pydantic_extra__ or {})

    @classmethod
    def remarks(cls, members: Members, path: str) -> Iterator[Problem]:  # noqa: ARG003 (others override it)
        """Yield warnings and notes about this object's own members; the tree may be invalid."""
        yield from ()

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:  # noqa: ARG002 (pydantic's own signature)
        """Return this same object: it is immutable, so a copy has no use.

        Raises:
            TypeError: `update` was given, which would add unchecked values to a checked document.
        """
        if update:
            name = type(self).__name__
            message = f"a {name} is what was read; make a new one with {name}.model_validate(...) or {name}.build(...)"
            raise TypeError(message)
        return self

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a model: its rule, the model of the objects in it, and whether it is required."""

    rule: Rule
    model: type[StrictModel] | None
    required: bool


@cache
def members_of(model: type[StrictModel]) -> Mapping[str, Member]:
    """Return the members of a model by their names in JSON."""
    return {
        field.alias or name: Member(rule_of(field) or NO_RULE, _model_within(field.annotation), field.is_required())
        for name, field in model.model_fields.items()
    }


def _model_within(annotation: object) -> type[StrictModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, StrictModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model_within(inner))), None)


def spelled(model: type[StrictModel], name: str) -> str | None:
    """Return the member or rival that Go's parsers read `name` as; None if there is none, or the names are equal."""
    own = _folded_names(model).get(_fold(name))
    return own if own != name else None


@cache
def _folded_names(model: type[StrictModel]) -> Mapping[str, str]:
    return {_fold(name): name for name in (*members_of(model), *model.rivals)}


def _fold(name: str) -> str:
    """Return a name without letter case, as Go folds it: the long s (U+017F) is an s, the Kelvin sign (U+212A) a k."""
    return name.lower().replace("\u017f", "s")
