"""TOML files that users write: how they are read, and where a problem is, in words."""

import re
import tomllib
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar, cast

from pydantic import BaseModel, ValidationError

from dreg_client.copying.plan_model import first_problem
from dreg_client.errors import ConfigError

M = TypeVar("M", bound=BaseModel)
_MOST_PARTS: Final = 200
"""More parts of a dotted key take minutes in a file of a megabyte."""
_LONG_KEY: Final = re.compile(
    rf"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){{{_MOST_PARTS}}}""", re.ASCII
)


def parse_toml(
    model: type[M], text: str, where: str, schema: str, in_words: Callable[[str, dict[str, Any]], str]
) -> tuple[M, dict[str, Any]]:
    """Read a file.

    Args:
        model: The model of the file.
        text: The TOML.
        where: The name of the file, for messages.
        schema: The name of its JSON Schema, such as `sync-file`.
        in_words: Replaces the place at the start of a problem, such as `sync.1.prune`, by words.

    Returns:
        The model, and the tree that it was read from.

    Raises:
        ConfigError: It is not valid.
    """
    if _LONG_KEY.search(text):
        raise ConfigError(f"{where} is not valid: a key has more than {_MOST_PARTS} parts")
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as failure:
        raise ConfigError(f"{where} is not valid TOML: {failure}") from None
    except RecursionError:
        raise ConfigError(f"{where} is not valid TOML: values are nested too deep") from None
    except ValueError:  # an integer of more digits than Python reads
        raise ConfigError(f"{where} is not valid TOML: a number has too many digits") from None
    try:
        return model.model_validate(tree), tree
    except ValidationError as failure:
        problem = in_words(first_problem(failure), tree)
    raise ConfigError(f"{where} is not a valid {schema.replace('-', ' ')}: {problem}; see: dreg schema show {schema}")


def naming_entry(problem: str, tree: dict[str, Any], table: str, member: str) -> str:
    """Name an entry by its number, counted from 1, and a member, in place of its index, as in `sync.1.prune`."""
    found = re.match(rf"{table}\.(\d+)(?:\.|: )", problem)
    if found is None:
        return problem
    number = int(found[1])
    entry = cast("Sequence[object]", tree[table])[number]
    name = cast("dict[str, object]", entry).get(member) if isinstance(entry, dict) else None
    if isinstance(name, list):
        name = cast("list[object]", name)[0] if name else None
    named = f" ({name[:100]})" if isinstance(name, str) else ""
    return f"entry {number + 1} of [[{table}]]{named}: {problem[found.end() :]}"
