"""Types of parameters that a function parses, and numbers."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import click

from dreg_client.cli.advice import for_command_line

if TYPE_CHECKING:
    _ParamType = click.ParamType[object]
else:
    _ParamType = click.ParamType  # not generic in click 8.1


class ParsedType(_ParamType):
    """The type of a parameter that a function parses; its ValueError is a usage error."""

    name: str

    def __init__(self, name: str, parse: Callable[[str], object]) -> None:
        self.name, self._parse = name, parse

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> object:
        """Parse the value."""
        try:
            return self._parse(value)
        except ValueError as failure:
            self.fail(for_command_line(str(failure)), param, ctx)


class NumberType(_ParamType):
    """A number in a range, whose error says which numbers are accepted."""

    name = "number"

    def __init__(self, read: type[int] | type[float], least: float, most: float, expected: str) -> None:
        self._read, self._least, self._most, self._expected = read, least, most, expected

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Parse the number."""
        try:
            number = self._read(str(value))
        except ValueError:
            number = None
        if number is None or not self._least <= number <= self._most:  # NaN is not in any range
            self.fail(f"{str(value)!r}: {self._expected}", param, ctx)
        return number


def whole_number(least: int, most: float = float("inf"), *, example: int) -> NumberType:
    """Return the type of a whole number in a range."""
    limits = f"of at least {least}" if most == float("inf") else f"from {least} to {most}"
    return NumberType(int, least, most, f"must be a whole number {limits}, such as {example}")


SECONDS: Final = NumberType(float, 0.1, sys.float_info.max, "must be a number of seconds, at least 0.1, such as 30")
