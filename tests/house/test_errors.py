"""The tree of errors: one file, drawn in its docstring, and each survives the way to another process."""

import importlib
import inspect
import pickle
import pkgutil
import re
from collections.abc import Iterator
from typing import Any, get_type_hints

import pytest

import dreg_client
from dreg_client import errors
from dreg_client.cli.error_messages import error_message
from dreg_client.errors import DregError
from dreg_client.errors.problems import Problem, Severity

PROBLEM = Problem("DSC-02", Severity.ERROR, "$.config.digest", "'sha256:'", "a digest", "descriptor.md, Digests")
FACTS: dict[Any, object] = {
    str: "a fact",
    int: 7,
    bool: True,
    float: 1.5,
    float | None: 1.5,
    DregError: DregError("a fact"),
    tuple[Problem, ...]: (PROBLEM,),
    tuple[str, ...]: ("linux/amd64", "linux/arm64"),
}


def load_all_rooms() -> None:
    for room in pkgutil.walk_packages(dreg_client.__path__, "dreg_client."):
        if not room.name.endswith("__main__"):
            importlib.import_module(room.name)


def tree(root: type[DregError]) -> Iterator[type[DregError]]:
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


load_all_rooms()
ERRORS = sorted(set(tree(DregError)), key=lambda error: error.__name__)


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_comes_out_of_a_pickle_as_it_went_in(error: type[DregError]) -> None:
    before = error(*facts(error))
    after = pickle.loads(pickle.dumps(before))

    assert type(after) is error
    assert (repr(after.args), str(after), repr(vars(after))) == (repr(before.args), str(before), repr(vars(before)))


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_has_the_same_args_by_position_and_by_keyword(error: type[DregError]) -> None:
    if error.__init__ is Exception.__init__:
        return
    names = list(inspect.signature(error).parameters)
    by_name = error(**dict(zip(names, facts(error), strict=True)))

    assert repr(by_name.args) == repr(error(*facts(error)).args)
    assert str(pickle.loads(pickle.dumps(by_name))) == str(by_name)


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_says_one_sentence(error: type[DregError]) -> None:
    sentence = str(error(*facts(error)))

    assert sentence
    assert "\n" not in sentence
    assert not sentence.endswith(".")


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_lives_in_the_one_tree_and_is_drawn_there(error: type[DregError]) -> None:
    drawn = re.findall(r"\w+", errors.__doc__ or "")

    assert error.__module__.startswith("dreg_client.errors.")
    assert error.__name__.endswith("Error")
    assert error.__name__ in drawn or error.__name__.startswith("_")


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_of_any_class_says_what_was_done_before_it(error: type[DregError]) -> None:
    failure = error(*facts(error))
    sentence, advice = str(failure), error_message(failure)
    failure.add_outcome("half is done")
    failure.add_outcome("do the rest")

    assert str(failure) == str(pickle.loads(pickle.dumps(failure))) == f"{sentence}; half is done; do the rest"
    assert error_message(failure) == f"{advice}; half is done; do the rest"


def facts(error: type[DregError]) -> list[object]:
    """A fact for each parameter of an error, by its type; one text for those that take what they are given."""
    if error.__init__ is Exception.__init__:
        return ["a fact"]
    hints = get_type_hints(error.__init__)
    return [FACTS[hints[name]] for name in list(inspect.signature(error).parameters)]
