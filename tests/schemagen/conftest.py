"""Two validators of JSON Schema, made by others."""

from collections.abc import Callable
from typing import Any

import jsonschema
import jsonschema_rs
import pytest

from dreg_client.schemagen import NAMES, schema


@pytest.fixture(scope="session")
def accepts() -> Callable[[str, Any], bool]:
    """Whether a schema accepts a document; both validators say the same."""
    quick = {name: jsonschema_rs.Draft202012Validator(schema(name)) for name in NAMES}
    pure = {name: jsonschema.Draft202012Validator(schema(name)) for name in NAMES}

    def both(name: str, document: Any) -> bool:
        verdict = quick[name].is_valid(document)
        assert pure[name].is_valid(document) is verdict
        return verdict

    return both
