"""How long a token is used, by a clock that stands still unless it is moved (AUT-13; 4.4 "Tokens and clocks")."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from dreg_client.conversation.acts import Hold, Send, Tell
from dreg_client.conversation.conversation import Conversation

from dreg_client import Credential
from dreg_client.protocol.messages import Headers, Hop, Request, Response
from dreg_client.protocol.options import Options
from dreg_client.protocol.registry_url import RegistryURL

REQUEST = Request("GET", "/v2/a/tags/list", "repository:a:pull")
BEARER = 'Bearer realm="https://registry.example/token",service="s"'


@dataclass
class World:
    """A registry that wants tokens, and a clock.

    Attributes:
        life: What its token server says of the life of tokens, None for nothing.
        more: What else it says.
        slow: The seconds that it takes.
    """

    life: Any = 300
    challenge: str = BEARER
    now: float = 0.0
    more: dict[str, Any] = field(default_factory=dict)
    slow: float = 0.0
    tokens: int = 0
    sent: list[Hop] = field(default_factory=list)

    def __post_init__(self) -> None:
        base = RegistryURL.parse("https://registry.example")
        options = Options(credentials=Credential("ada", "secret"))
        self.conversation = Conversation(options, base, clock=lambda: self.now)

    def ask(self) -> int:
        """Ask once, and say with which status it ended."""
        talk = self.conversation.ask(REQUEST)
        given: Any = None
        try:
            while True:
                given = self._answered(talk.send(given))
        except StopIteration as done:
            return int(done.value.status)

    def _answered(self, act: Any) -> Any:
        match act:
            case Send(hop):
                self.sent.append(hop)
                return self._response(hop)
            case Hold():
                return self
            case Tell():
                return None
        raise AssertionError(act)

    def release(self) -> None:
        """The lock of a key is let go."""

    def _response(self, hop: Hop) -> Response:
        if "/token" in hop.url:
            self.tokens += 1
            self.now += self.slow
            body = {"token": f"t{self.tokens}", **self.more, **({} if self.life is None else {"expires_in": self.life})}
            return Response(200, body=json.dumps(body).encode())
        if f"Bearer t{self.tokens}" == dict(hop.headers).get("Authorization"):
            return Response(200)
        return Response(401, Headers([("WWW-Authenticate", self.challenge)]))


@pytest.mark.parametrize(
    ("life", "seconds"),
    [
        *((300, 290), (None, 50), (0, 50), (1, 50), (59, 50), (61, 51), (-1, 50), ("300", 50), (True, 50), (300.5, 50)),
        *((3600, 3590), (3601, 3590), (10**300, 3590), (1e308, 50), (float("1e15"), 50)),
    ],
)
def test_aut_13_a_token_is_asked_for_anew_ten_seconds_before_its_end(life: Any, seconds: int) -> None:
    world = World(life)
    assert world.ask() == 200
    world.now = seconds - 0.1
    assert world.ask() == 200
    assert world.tokens == 1
    world.now = seconds + 0.1
    assert world.ask() == 200
    assert world.tokens == 2
    assert len(world.sent) == 1 + 1 + 1 + 1 + 1 + 1, "once it is known what is wanted, no challenge is waited for"


@pytest.mark.parametrize("issued_at", ["1970-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "yesterday", 7, None, {}])
def test_aut_13_when_a_token_says_it_was_made_is_no_matter(issued_at: Any) -> None:
    world = World(300, more={"issued_at": issued_at})
    assert world.ask() == 200
    world.now = 289.9
    assert world.ask() == 200
    assert world.tokens == 1
    world.now = 290.1
    assert world.ask() == 200
    assert world.tokens == 2


def test_aut_13_a_life_begins_when_the_token_is_asked_for() -> None:
    world = World(300, slow=200)
    assert world.ask() == 200
    world.now = 290.1
    assert world.ask() == 200
    assert world.tokens == 2


def test_a_password_that_is_refused_is_not_shown_twice() -> None:
    world = World(challenge="Basic realm=x")

    assert world.ask() == 401
    assert [dict(hop.headers).get("Authorization", "")[:5] for hop in world.sent] == ["", "Basic"]
    assert world.ask() == 401
    assert len(world.sent) == 3
