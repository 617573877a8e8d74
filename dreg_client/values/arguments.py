"""Checks of arguments that Python does not check: types, flags, numbers and choices."""

from collections.abc import Iterable


def check_flag(name: str, given: object) -> None:
    """Raise TypeError unless an argument is a bool. `"no"` is truthy and None is ambiguous, so neither is accepted."""
    if not isinstance(given, bool):
        raise not_a_flag(name, given)


def not_a_flag(name: str, given: object) -> TypeError:
    """Return the error for an argument that is not a bool."""
    return TypeError(f"{name}= takes True or False, not {given!r:.100}")


def check_choice(name: str, given: object, choices: Iterable[bool | str]) -> None:
    """Raise ValueError unless an argument is one of several values of the same type, so 1 is not accepted for True."""
    known = tuple(choices)
    if not any(type(given) is type(choice) and given == choice for choice in known):
        raise ValueError(f"{name}= takes {', '.join(map(repr, known[:-1]))} or {known[-1]!r}, not {given!r:.100}")


def check_instance(name: str, given: object, kind: type) -> None:
    """Raise TypeError unless an argument is of a type. The error does not show it, as it may have a password."""
    if not isinstance(given, kind):
        raise TypeError(f"{name}= takes a {kind.__name__}, not {type(given).__name__}")


def check_iterable(name: str, given: object) -> None:
    """Raise TypeError unless an argument is a list or another iterable. A string is one of characters."""
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise TypeError(f"{name}= takes a list or another iterable, not {type(given).__name__}")


def check_count(name: str, given: object) -> None:
    """Raise TypeError unless an argument is an int, and ValueError unless it is at least 1."""
    if isinstance(given, bool) or not isinstance(given, int):
        raise TypeError(f"{name}= takes an int, not {type(given).__name__}")
    if given < 1:
        raise ValueError(f"{name}= must be at least 1, not {given}")
