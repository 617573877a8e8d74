"""What every model is: strict, frozen, open for members it does not know, and told by rules."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Final, NoReturn, Self, cast, get_args

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from dreg_client.errors.problems import Problem
from dreg_client.models.fields import Rule, broken, frozen_value, rule_of
from dreg_client.models.frozen import FrozenDict
from dreg_client.models.json_schema import complete

Members = Mapping[str, object]
NO_RULE: Final = Rule("GEN-01", "another type")
"""What a member breaks of which no specification says more: those of models that others derive from ours."""


class StrictModel(
    BaseModel, strict=True, frozen=True, extra="allow", serialize_by_alias=True, hide_input_in_errors=True
):
    """A JSON object by its specification: exact types, no coercion, unknown members kept, nothing to change.

    Members are given by the specification's names (`mediaType`), attributes are read in snake_case (`media_type`).
    """

    rivals: ClassVar[frozenset[str]] = frozenset()
    """Members that would make this another document, too (GEN-06)."""
    folded_names_refused: ClassVar[bool] = True
    """Whether a member's name in other letter case is refused (GEN-08), or only warned of."""
    nul_allowed: ClassVar[bool] = False
    """Whether strings may hold NUL, with a warning (GEN-01)."""
    tolerated: ClassVar[frozenset[str]] = frozenset()
    """Members that others are known to write, of which nobody needs to hear (GEN-09)."""

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
        complete(
            cls,
            own,
            rivals=cls.rivals,
            folded_names_refused=cls.folded_names_refused,
            nul_allowed=cls.nul_allowed,
        )
        own |= cls.schema_conditions()
        return json_schema

    @classmethod
    def schema_conditions(cls) -> JsonSchemaValue:
        """What JSON Schema can say of several members together."""
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
        """The members that the specification does not name, as they were read."""
        return FrozenDict(self.__pydantic_extra__ or {})

    @property
    def model_extra(self) -> dict[str, Any] | None:
        """The unknown members, as pydantic calls them; they cannot be changed."""
        return FrozenDict(self.__pydantic_extra__ or {})

    @classmethod
    def remarks(cls, members: Members, path: str) -> Iterator[Problem]:  # noqa: ARG003 (others override it)
        """What this object's own members break beyond their types: warnings and notes, on a tree that may be broken."""
        yield from ()

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:  # noqa: ARG002 (pydantic's own signature)
        """This same object: nothing of it can change, so a copy has no use.

        Raises:
            TypeError: `update` was given. It would put unchecked values into a checked document.
        """
        if update:
            self._refuse_update()
        return self

    def _refuse_update(self) -> NoReturn:
        name = type(self).__name__
        message = f"a {name} is what was read; make a new one with {name}.model_validate(...) or {name}.build(...)"
        raise TypeError(message)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self


@dataclass(frozen=True, slots=True)
class Member:
    """What is known of one member of a model: its rule, the model of the objects in it, whether it may be absent."""

    attribute: str
    rule: Rule
    model: type[StrictModel] | None
    required: bool


@cache
def members_of(model: type[StrictModel]) -> Mapping[str, Member]:
    """The members of a model by the names that JSON has for them."""
    found: dict[str, Member] = {}
    for name, field in model.model_fields.items():
        rule = rule_of(field) or NO_RULE
        found[field.alias or name] = Member(name, rule, _model_within(field.annotation), field.is_required())
    return found


def _model_within(annotation: object) -> type[StrictModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, StrictModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model_within(inner))), None)


def spelled(model: type[StrictModel], name: str) -> str | None:
    """The member, or rival, that Go's parsers take `name` for; None where there is none or it is that one itself."""
    own = _folded_names(model).get(fold(name))
    return own if own != name else None


@cache
def _folded_names(model: type[StrictModel]) -> Mapping[str, str]:
    return {fold(name): name for name in (*members_of(model), *model.rivals)}


def fold(name: str) -> str:
    """A name without letter case, as Go folds it: the long s (U+017F) is an s, the Kelvin sign (U+212A) a k."""
    return name.lower().replace("\u017f", "s")
