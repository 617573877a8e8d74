"""Docker Hub's credential goes to Docker Hub (AUT-31), and what a registry may name does not add up (AUT-33)."""

from typing import Any

import pytest

from dreg_client import Credentials, errors
from dreg_client._async.anonymous import MOST
from dreg_client.protocol.registry_url import RegistryURL
from tests.answering import GET, registry
from tests.answering import Heard as Answered
from tests.faultserver import Network, sentence
from tests.flavours import Flavour
from tests.hostile.proof import BASIC, WHO, bearer, entry, home_of, kept, program, runs, token_server_at, wanting
from tests.hostile.secrets import TOKEN
from tests.hostile.ways import Way, refused
from tests.raw_server import answer

HUB = ["docker.io", "index.docker.io", "registry-1.docker.io"]
KEYS = ["https://index.docker.io/v1/", *HUB]


def _keeping(way: Way, net: Network, *keys: str) -> None:
    """Have a login for Docker Hub, as its own tools keep it."""
    way.environment |= home_of(net)
    kept(net, {"auths": {key: entry() for key in keys}})
    way.repository = "acme/web"


def _own(way: Way) -> None:
    if way.name != "command line":
        way.options["credentials"] = Credentials.default()


@pytest.mark.parametrize("name", HUB)
@pytest.mark.parametrize("key", KEYS)
def test_aut_31_another_port_is_not_docker_hub(library_way: Way, net: Network, name: str, key: str) -> None:
    hosts = [wanting(net.host(each, port=5000), "Basic realm=x", BASIC) for each in HUB]
    _keeping(library_way, net, key)
    _own(library_way)
    library_way.registry = f"https://{name}:5000"

    refused(library_way.tags(), errors.UnauthorizedError)
    assert [host.secrets for host in hosts] == [[], [], []]
    assert [len(host.requests) > 0 for host in hosts] == [each == name for each in HUB]


@pytest.mark.parametrize("name", HUB)
def test_aut_31_by_the_command_line(way: Way, net: Network, name: str) -> None:
    hosts = [wanting(net.host(each, port=5000), "Basic realm=x", BASIC) for each in HUB]
    _keeping(way, net, *KEYS)
    _own(way)
    way.registry = f"{name}:5000"

    refused(way.tags(), errors.UnauthorizedError)
    assert [host.secrets for host in hosts] == [[], [], []]


@pytest.mark.parametrize("name", HUB)
def test_aut_31_nor_is_plain_http(library_way: Way, net: Network, name: str) -> None:
    hosts = [wanting(net.host(each, scheme="http"), "Basic realm=x", BASIC) for each in HUB]
    _keeping(library_way, net, *KEYS)
    _own(library_way)
    library_way.registry, library_way.options["plain_http"] = f"http://{name}", True

    refused(library_way.tags(), errors.UnauthorizedError)
    assert [host.secrets for host in hosts] == [[], [], []]


def test_aut_31_no_helper_is_asked_for_it(library_way: Way, net: Network) -> None:
    wanting(net.host("docker.io", port=5000), "Basic realm=x", BASIC)
    library_way.environment |= home_of(net)
    kept(net, {"credHelpers": {"https://index.docker.io/v1/": "own", "docker.io": "own"}})
    program(net, "own", 'echo \'{"Username": "ada", "Secret": "s"}\'')
    _own(library_way)
    library_way.registry = "https://docker.io:5000"

    refused(library_way.tags(), errors.UnauthorizedError)
    assert runs(net) == []


@pytest.mark.parametrize(
    "name", ["docker.io", "index.docker.io", "https://registry-1.docker.io:443", "https://docker.io/v2/"]
)
def test_aut_31_docker_hub_itself_gets_it(library_way: Way, net: Network, name: str) -> None:
    hub = wanting(net.host("registry-1.docker.io"), bearer("https://auth.docker.io/token"), f"Bearer {TOKEN}")
    auth = token_server_at(net, "auth.docker.io")
    _keeping(library_way, net, KEYS[0])
    _own(library_way)
    library_way.registry = name

    assert library_way.tags().error is None
    assert auth.secrets == [BASIC]
    assert hub.secrets == [f"Bearer {TOKEN}"]


@pytest.mark.parametrize("realm", ["https://auth.docker.io:8443/token", "https://evil.docker.io/token"])
def test_aut_31_its_token_server_has_one_port_and_one_name(library_way: Way, net: Network, realm: str) -> None:
    wanting(net.host("registry-1.docker.io"), bearer(realm), f"Bearer {TOKEN}")
    host, _, port = realm.removeprefix("https://").partition("/")[0].partition(":")
    auth = token_server_at(net, host, port=int(port or 443))
    library_way.registry, library_way.credentials = "docker.io", WHO

    refused(library_way.tags(), errors.CrossOriginError)
    assert auth.secrets == []


def test_aut_31_a_name_with_another_port_is_written_so() -> None:
    assert RegistryURL.parse("docker.io:5000").authority == "docker.io:5000"
    assert RegistryURL.parse("https://docker.io:5000").url == "https://docker.io:5000"
    assert RegistryURL.parse("http://docker.io").authority == "docker.io:80"
    assert RegistryURL.parse("docker.io:443").authority == "docker.io"


@pytest.mark.parametrize("name", ["asyncio", "threads"])
def test_aut_33_what_a_registry_names_anew_each_time_does_not_add_up(name: str) -> None:
    """Each challenge names another service, so each token has a key, and a lock, of its own."""
    flavour, requests = Flavour(name), MOST + 100

    def said(heard: Answered) -> bytes:
        if heard.target.startswith("/token"):
            return answer(sentence({"token": "canary", "expires_in": 60}))
        service = f"{len(at.heard)}"
        asks = f'Bearer realm="{at.url}/token",service="{service}"'
        return answer(b"", "401 Unauthorized", f"WWW-Authenticate: {asks}")

    async def job() -> list[int]:
        async with flavour.client(at.url) as client:
            for _ in range(requests):
                assert (await client.send(GET)).status == 401
            parts = vars(client._authenticator).values()
            return [len(part) for part in parts if isinstance(part, dict)] + [len(_tokens(client))]

    with registry(said) as at:
        sizes = flavour.run(job)
    assert sum(heard.target.startswith("/token") for heard in at.heard) >= requests
    assert max(sizes) == MOST


def _tokens(client: Any) -> Any:
    return client._authenticator._tokens._tokens
