"""The base class of all models: strict, frozen, with a rule for each member. Unknown members are kept."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, cast, get_args

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from dreg_client.errors.problems import Problem
from dreg_client.models.fields import Rule, rule_of
from dreg_client.models.frozen import FrozenDict, frozen_value
from dreg_client.models.grammars import broken
from dreg_client.models.json_schema import complete
from dreg_client.models.paths import Place
from dreg_client.models.signatures import PlainSignature

Members = Mapping[str, object]
NO_RULE: Final = Rule("GEN-01", "another type")
"""The rule of fields that callers add in subclasses of the models."""


class StrictModel(
    BaseModel, strict=True, frozen=True, extra="allow", serialize_by_alias=True, hide_input_in_errors=True
):
    """A JSON object as its specification defines it: exact types, no coercion, unknown members kept, immutable.

    JSON members have the names of the specification (`mediaType`); attributes are in snake_case (`media_type`).
    """

    rivals: ClassVar[frozenset[str]] = frozenset()
    """Members of another kind of document, which would make the document ambiguous (GEN-06)."""
    folded_names_refused: ClassVar[bool] = True
    """Whether a member name in different letter case is an error (GEN-08); otherwise it is a warning."""
    nul_allowed: ClassVar[bool] = False
    """Whether strings may contain NUL, with a warning (GEN-01)."""
    tolerated: ClassVar[frozenset[str]] = frozenset()
    """Unspecified members that other tools are known to write. They are not reported (GEN-09)."""

    @classmethod
    def __pydantic_on_complete__(cls) -> None:
        # An assignment would declare the attribute anew, with a type that type checkers cannot know.
        type.__setattr__(cls, "__signature__", PlainSignature(cls))

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
        """Return JSON Schema keywords for rules that involve several members."""
        return {}

    @classmethod
    def _unknown_name(cls, name: str) -> str:
        if name in cls.rivals:
            raise broken("GEN-06", "no such member, as it belongs to another kind of document")
        if cls.folded_names_refused and (own := spelled(cls, name)):
            other = f"a different name, as Go's parsers read it as {own!r} of another kind of document"
            raise broken("GEN-08", other if own in cls.rivals else f"{own!r}, in this letter case")
        return name

    @property
    def unknown_members(self) -> Mapping[str, Any]:
        """The members that the specification does not define, unchanged."""
        return FrozenDict(self.__pydantic_extra__ or {})

    @property
    def model_extra(self) -> dict[str, Any] | None:
        """The unknown members, by pydantic's name for them. The dict is immutable."""
        return FrozenDict(self.__pydantic_extra__ or {})

    @classmethod
    def remarks(cls, members: Members, place: Place, *, pedantic: bool) -> Iterator[Problem]:  # noqa: ARG003 (for subclasses)
        """Yield warnings about this object's own members, if `pedantic` also notes. The tree may be invalid."""
        yield from ()

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:  # noqa: ARG002 (pydantic's own signature)
        """Return this object itself, because it is immutable.

        Raises:
            TypeError: `update` was given. It would add unchecked values to a checked document.
        """
        if update:
            name = type(self).__name__
            create = f"{name}.build(...)" if hasattr(type(self), "build") else f"{name}(...)"
            raise TypeError(f"{name} is immutable; create a new one with {create}")
        return self

    if not TYPE_CHECKING:  # deprecated by pydantic, and so by type checkers

        def copy(self, *, include=None, exclude=None, update=None, deep=False) -> Self:  # noqa: ANN001
            """Return this object itself, as `model_copy` does; pydantic's own method would not check the values."""
            if include is not None or exclude is not None:
                message = f"{type(self).__name__} is immutable; use model_dump to choose some of its members"
                raise TypeError(message)
            return self.model_copy(update=update, deep=deep)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a model: its rule, the model of objects in it, and whether it is required."""

    rule: Rule
    model: type[StrictModel] | None
    required: bool


@cache
def members_of(model: type[StrictModel]) -> Mapping[str, Member]:
    """Return the members of a model by their JSON names."""
    return {
        field.alias or name: Member(rule_of(field) or NO_RULE, _model_within(field.annotation), field.is_required())
        for name, field in model.model_fields.items()
    }


def _model_within(annotation: object) -> type[StrictModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, StrictModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model_within(inner))), None)


def spelled(model: type[StrictModel], name: str) -> str | None:
    """Return the member or rival as which Go's parsers read `name`; None if there is none, or it is `name` itself."""
    own = _folded_names(model).get(_fold(name))
    return own if own != name else None


@cache
def _folded_names(model: type[StrictModel]) -> Mapping[str, str]:
    return {_fold(name): name for name in (*members_of(model), *model.rivals)}


def _fold(name: str) -> str:
    """Fold letter case as Go does: the long s (U+017F) equals s, and the Kelvin sign (U+212A) equals k."""
    return name.lower().replace("\u017f", "s")
