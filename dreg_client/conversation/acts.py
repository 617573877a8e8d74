"""What a conversation asks of whoever carries it out: a closed union, answered alike by a thread and by a task."""

from collections.abc import Generator, Hashable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from dreg_client.protocol.events import Event
from dreg_client.protocol.messages import Hop

T = TypeVar("T")


class Lock(Protocol):
    """A lock that is held."""

    def release(self) -> None:
        """Let it go."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send one HTTP request. Answered by a `Response`; raises what `TransportError` stands for."""

    hop: Hop


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait. Answered by None."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hold:
    """Hold the lock of a key, which all conversations with one registry share. Answered by a `Lock`."""

    key: Hashable


@dataclass(frozen=True, slots=True)
class LookUp:
    """Look a credential up. Answered by a `FoundCredential`."""

    registry: str
    repository: str


@dataclass(frozen=True, slots=True)
class AskService:
    """Ask the caller's own service for a token. Answered by `str`."""

    scope: str


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell whoever listens. Answered by None."""

    event: Event


Act = Send | Pause | Hold | LookUp | AskService | Tell
Talk = Generator[Act, Any, T]
"""A plan of acts."""
