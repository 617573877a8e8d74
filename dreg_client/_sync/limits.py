# Generated from dreg_client/_async/limits.py by tools/generate_sync.py. Do not edit.
"""Apply `deadline=` to calls that may send many requests."""

from collections.abc import Callable, Iterable
from functools import partial, wraps
from typing import Any

from dreg_client._sync._compat import in_call
from dreg_client.protocol.deadlines import CallDeadline, current_call


def limit_calls(target: object, names: Iterable[str], seconds: float | None) -> None:
    """Limit each call of the methods `names` of an object. Without a limit, the methods stay as they are."""
    if seconds is not None:
        for name in names:
            setattr(target, name, limited(getattr(target, name), seconds))


def limited(function: Callable[..., Any], seconds: float) -> Callable[..., Any]:
    """Return a function each call of which must be complete within `seconds`, unless a limited call calls it."""

    @wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 (of any function)
        if current_call.get() is not None:
            return function(*arguments, **options)
        return in_call(CallDeadline(seconds), partial(function, *arguments, **options))

    return call
