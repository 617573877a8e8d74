"""Readable signatures of models, for `help` and editors."""

from inspect import Signature
from typing import Any, get_type_hints

from pydantic import BaseModel


class PlainSignature:
    """The signature of a model with plain types. Pydantic's own signature shows the metadata of all fields.

    It is computed on first use. Like pydantic's, it is an attribute of the class, but not of its instances.
    """

    def __init__(self, model: type[BaseModel]) -> None:
        self._own = vars(model)["__signature__"]
        self._plain: Signature | None = None

    def __get__(self, instance: object, owner: type[BaseModel]) -> Signature:
        if instance is not None:
            raise AttributeError("__signature__")
        if self._plain is None:
            self._plain = _plain(owner, self._own.__get__(None, owner))
        return self._plain


def _plain(model: type[BaseModel], signature: Signature) -> Signature:
    hints = get_type_hints(model)
    # A parameter has the name of the attribute if the alias is not an identifier, such as `os.version`.
    types: dict[str, Any] = hints | {field.alias or name: hints[name] for name, field in model.model_fields.items()}
    parameters = signature.parameters.values()
    return signature.replace(
        parameters=[each.replace(annotation=types.get(each.name, each.annotation)) for each in parameters]
    )
