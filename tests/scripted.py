"""A client without a network: a transport that answers from a function, and a clock that only waits move."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import Any

import pytest

from dreg_client._sync import anonymous, authenticator, client, sender
from dreg_client._sync.client import Client
from dreg_client.protocol.messages import Hop, Response
from dreg_client.protocol.options import Options, Timeouts
from dreg_client.protocol.registry_url import RegistryURL

Answering = Callable[[Hop], Response | Exception]


class Opened:
    """A response whose body is in memory.

    Attributes:
        closed: How often it was closed.
    """

    def __init__(self, response: Response) -> None:
        self.status, self.peer, self._body, self.closed = response.status, response.peer, response.body, 0
        self.headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]

    def chunk(self, until: float = inf) -> bytes | None:
        chunk, self._body = self._body, b""
        return chunk or None

    def close(self) -> None:
        self.closed += 1


@dataclass
class Scripted:
    """A transport, and a clock.

    Attributes:
        answering: Answers a request, or returns what is raised.
        now: The time in seconds.
        hops: What was sent.
        opened: What was answered.
        waited: Each wait, in seconds.
    """

    answering: Answering
    now: float = 0.0
    hops: list[Hop] = field(default_factory=list)
    opened: list[Opened] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)

    def send(self, hop: Hop, timeouts: Timeouts, until: float = inf) -> Opened:
        self.hops.append(hop)
        answer = self.answering(hop)
        if isinstance(answer, Exception):
            raise answer
        self.opened.append(Opened(answer))
        return self.opened[-1]

    def close(self) -> None:
        """There is nothing to close."""

    def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds

    def client(self, patch: pytest.MonkeyPatch, url: str = "https://registry.example", **options: Any) -> Client:
        """A client by this transport and this clock."""
        for module in (anonymous, authenticator, client, sender):
            patch.setattr(module, "monotonic", lambda: self.now)
        for module in (client, sender):
            patch.setattr(module, "sleep", self.sleep)
        return Client(RegistryURL.parse(url), Options(**options), self)
