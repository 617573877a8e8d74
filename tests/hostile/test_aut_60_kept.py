"""What a client keeps of challenges and tokens is little, however much a registry sends (AUT-60)."""

import json
import tracemalloc

import httpx

from dreg_client.protocol.auth import KnownChallenge, challenge_of, only_challenges
from dreg_client.protocol.messages import Headers, Request, Response
from dreg_client.protocol.tokens import TokenCache
from tests.faultserver import Heard, Network, Piece, answer, sentence
from tests.hostile.downloads import MIB
from tests.hostile.measured import run_measured
from tests.hostile.registry import registry_at
from tests.hostile.ways import Way

REALM = "https://registry.test/token"
CHALLENGE = f'Bearer realm="{REALM}",service="registry.test"'
FAT = tuple(f"X-{number}: " + "h" * 7900 for number in range(12))
TOKEN = json.dumps({"token": "t" * 60_000, "expires_in": 3600}).encode()
JSON = "Content-Type: application/json"
MANY = 300


def fat_registry(net: Network) -> None:
    """A registry whose 401s have 95 KB of headers and 64 KB of body, and whose tokens have 60 KB."""
    host = registry_at(net)

    def said(heard: Heard) -> Piece:
        if heard.header("authorization"):
            return answer(sentence({"name": "x", "tags": []}), "200 OK", JSON)
        return answer(b"z" * 65_000, "401 Unauthorized", f"WWW-Authenticate: {CHALLENGE}", *FAT)

    host.on("/token", answer(TOKEN, "200 OK", JSON))
    host.on("/v2/*", said)
    names = [f"r{number}" for number in range(MANY)]
    host.on("/v2/_catalog", answer(sentence({"repositories": names}), "200 OK", JSON))


class Transport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """The same registry as a caller's transport, which remembers nothing."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            return httpx.Response(200, content=TOKEN)
        if "Authorization" in request.headers:
            return httpx.Response(200, content=b'{"name":"x","tags":[]}')
        fat = [(name, value) for name, _, value in (line.partition(": ") for line in FAT)]
        return httpx.Response(401, headers=[("WWW-Authenticate", CHALLENGE), *fat], content=b"z" * 65_000)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


def test_aut_60_challenges_and_tokens_of_many_repositories_take_little_memory(library_way: Way) -> None:
    library_way.options["transport"] = Transport()
    tags = [lambda registry, name=f"r{number}": registry.repository(name).tags() for number in range(MANY)]
    kept: list[int] = []

    def measure(registry: object) -> None:
        kept.append(tracemalloc.get_traced_memory()[0])

    tracemalloc.start()
    try:
        outcome = library_way.all_of(tags[0], measure, *tags[1:], measure)
    finally:
        tracemalloc.stop()

    assert outcome.error is None
    assert kept[1] - kept[0] < 16 * MIB


def test_aut_60_nor_do_they_in_the_command_line(net: Network) -> None:
    fat_registry(net)

    done = run_measured(net, "validate", "registry.test/", limit=120.0)

    assert done.peak < 80 * MIB, done.peak


def test_aut_60_only_what_answers_a_challenge_is_kept() -> None:
    headers = Headers([("WWW-Authenticate", f'{CHALLENGE},x="{"y" * 5000}"'), ("X-Fat", "h" * 90_000)])
    response = Response(401, headers, b"z" * 65_000, "https://registry.test/v2/a/tags/list", peer="10.0.0.1")

    found = challenge_of(Request("GET", "/v2/a/tags/list", "repository:a:pull"), response)
    assert isinstance(found, KnownChallenge)
    assert found.challenge.parameters == {"realm": REALM, "service": "registry.test"}
    assert (found.response.url, found.response.peer, found.response.body) == (response.url, "10.0.0.1", b"")
    assert not list(found.response.headers)
    assert found.size < 200

    ping = only_challenges(response)
    assert [name for name, _ in ping.headers] == ["www-authenticate"]
    assert (ping.status, ping.body) == (401, b"")


def test_aut_60_the_oldest_tokens_make_room_for_large_ones() -> None:
    cache = TokenCache(lambda: 0.0)
    for number in range(1000):
        cache.put(("https://registry.test", "r" * 30_000, number), "t" * 30_000, requested=0.0, expires_in=60.0)

    held = [number for number in range(1000) if cache.get(("https://registry.test", "r" * 30_000, number))]
    assert held == list(range(1000 - len(held), 1000))
    assert 100 < len(held) <= 8 * MIB // 60_000
