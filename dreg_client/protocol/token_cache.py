"""Tokens, in memory only, each for its registry, realm, service, scope and credential."""

from collections.abc import Callable, Hashable
from typing import Final

_EARLY: Final = 10.0
"""Seconds before its end from which a token is not used any more."""
_MOST: Final = 1000


class TokenCache:
    """The tokens of one client.

    Args:
        clock: Returns monotonic seconds: what servers say about dates does not matter (AUT-13).
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._tokens = clock, dict[Hashable, tuple[str, float]]()

    def get(self, key: Hashable, *, refused: str = "") -> str:
        """Return a token that is still valid, empty for none.

        Args:
            key: The cache key.
            refused: A token that the registry has refused; it is never returned.
        """
        token, end = self._tokens.get(key, ("", 0.0))
        return token if token != refused and end > self._clock() else ""

    def put(self, key: Hashable, token: str, *, requested: float, expires_in: float) -> None:
        """Keep a token.

        Args:
            key: The cache key.
            token: The token.
            requested: When it was requested, by the clock: its life begins then at the earliest.
            expires_in: Its life in seconds.
        """
        if len(self._tokens) >= _MOST:
            self._tokens.clear()
        self._tokens[key] = token, requested + expires_in - _EARLY
