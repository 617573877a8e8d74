"""A secret goes over plain HTTP to this machine alone, by the address that is dialled (AUT-30)."""

import httpx
import pytest

from dreg_client import Credential, errors
from tests.faultserver import Network
from tests.hostile.proof import BASIC, WHO, bearer, given, token_server_at, wanting
from tests.hostile.registry import TAGS, registry_at
from tests.hostile.secrets import REFRESH, TOKEN
from tests.hostile.ways import Way, refused
from tests.transport.socks_server import socks_server

SECRETS = [Credential(*WHO), Credential(identity_token=REFRESH), Credential(registry_token=TOKEN)]


@pytest.mark.parametrize("address", ["45.1.2.3", "10.1.2.3", "169.254.1.2"])
def test_aut_30_a_name_of_this_machine_may_lead_elsewhere(way: Way, net: Network, address: str) -> None:
    registry = wanting(registry_at(net, "a.localhost", scheme="http", address=address), "Basic realm=x", BASIC)
    way.registry, way.credentials = "http://a.localhost", WHO
    way.options = {} if way.name != "command line" else {"ca_file": None}

    refused(_tags(way), errors.InsecureDowngradeError)
    assert registry.secrets == []


@pytest.mark.parametrize(
    ("asks", "who"), [("Basic realm=x", SECRETS[0]), *((bearer("http://a.localhost/token"), who) for who in SECRETS)]
)
def test_aut_30_no_secret_of_any_kind_goes_there(library_way: Way, net: Network, asks: str, who: Credential) -> None:
    registry = wanting(registry_at(net, "a.localhost", scheme="http", address="45.1.2.3"), asks, BASIC)
    registry.on("/token", given())
    library_way.registry, library_way.options = "http://a.localhost", {"credentials": who, "retries": 2}

    failed = refused(library_way.tags(), errors.InsecureDowngradeError)
    assert "45.1.2.3" in failed.text
    assert registry.secrets == []
    assert registry.asked == [f"GET {TAGS}"]


class Service:
    """Gives tokens of the caller's own."""

    def request_token(self, scope: str) -> str:
        assert scope
        return TOKEN


@pytest.mark.parametrize(("address", "shown"), [("45.1.2.3", []), ("127.0.0.1", [f"Bearer {TOKEN}"])])
def test_aut_30_nor_a_token_of_the_caller_s_service(
    library_way: Way, net: Network, address: str, shown: list[str]
) -> None:
    asks = bearer("http://a.localhost/token")
    registry = wanting(registry_at(net, "a.localhost", scheme="http", address=address), asks, f"Bearer {TOKEN}")
    library_way.registry, library_way.options = "http://a.localhost", {"auth_service": Service()}

    outcome = library_way.tags()
    assert registry.secrets == shown
    assert outcome.kind is (None if shown else errors.InsecureDowngradeError)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.8.7"])
def test_aut_30_this_machine_gets_it_without_a_word(way: Way, net: Network, address: str) -> None:
    registry = wanting(registry_at(net, "a.localhost", scheme="http", address=address), "Basic realm=x", BASIC)
    way.registry, way.credentials = "http://a.localhost", WHO
    way.options = {} if way.name != "command line" else {"ca_file": None}

    assert _tags(way).error is None
    assert registry.secrets == [BASIC]


@pytest.mark.parametrize("address", ["169.254.1.2", "[fe80::1]", "0.0.0.0", "[2002:7f00:1::]", "[64:ff9b::7f00:1]"])  # noqa: S104 (no binding)
def test_aut_30_neighbours_are_not_this_machine(library_way: Way, net: Network, address: str) -> None:
    bare = address.strip("[]")
    registry = wanting(registry_at(net, bare, scheme="http", address=bare), "Basic realm=x", BASIC)
    library_way.registry, library_way.credentials = f"http://{address}", WHO

    refused(library_way.tags(), errors.InsecureDowngradeError, errors.ConnectError)
    assert registry.secrets == []


def test_aut_30_with_plain_http_it_goes_where_it_was_said(way: Way, net: Network) -> None:
    registry = wanting(registry_at(net, "a.localhost", scheme="http", address="45.1.2.3"), "Basic realm=x", BASIC)
    way.registry, way.credentials, way.options = "http://a.localhost", WHO, {"plain_http": True}

    assert way.tags().error is None
    assert registry.secrets == [BASIC]


@pytest.mark.parametrize("who", [Credential(*WHO), Credential(identity_token=REFRESH)])
def test_aut_30_nor_does_a_token_server_get_it_elsewhere(library_way: Way, net: Network, who: Credential) -> None:
    registry = wanting(
        registry_at(net, "localhost", scheme="http", address="127.0.0.1"), bearer("http://auth.test/token")
    )
    auth = token_server_at(net, "auth.test", scheme="http")
    library_way.registry = "http://localhost"
    library_way.options = {"credentials": who, "trusted_token_hosts": ("auth.test",)}

    refused(library_way.tags(), errors.InsecureDowngradeError)
    assert auth.connections == 0
    assert registry.secrets == []


def test_aut_30_nobody_s_token_needs_no_such_care(library_way: Way, net: Network) -> None:
    registry = wanting(
        registry_at(net, "a.localhost", scheme="http", address="45.1.2.3"),
        bearer("http://a.localhost/token"),
        f"Bearer {TOKEN}",
    ).on("/token", given())
    library_way.registry = "http://a.localhost"

    assert library_way.tags().error is None
    assert registry.secrets == [f"Bearer {TOKEN}"]


def test_aut_30_a_proxy_is_not_this_machine(way: Way, net: Network) -> None:
    proxy = wanting(net.proxy(), "Basic realm=x", BASIC)
    way.registry, way.credentials = "http://localhost", WHO
    way.environment["HTTP_PROXY"] = "http://proxy.test:3128"
    way.options = {} if way.name != "command line" else {"ca_file": None}

    failed = refused(_tags(way), errors.InsecureDowngradeError)
    assert "proxy" in failed.text
    assert proxy.secrets == []


def test_aut_30_nor_is_a_socks_proxy(library_way: Way, net: Network) -> None:
    registry = wanting(registry_at(net, "localhost", scheme="http", address="127.0.0.1"), "Basic realm=x", BASIC)
    with socks_server() as proxy:
        proxy.routes["localhost:80"] = registry.port
        net.places.real.append(proxy.port)
        library_way.registry, library_way.credentials = "http://localhost", WHO
        library_way.options["proxy"] = f"socks5://127.0.0.1:{proxy.port}"

        refused(library_way.tags(), errors.InsecureDowngradeError)
    assert registry.secrets == []


@pytest.mark.parametrize("said", [False, True])
def test_aut_30_nor_is_a_caller_s_transport(library_way: Way, net: Network, said: bool) -> None:
    registry = wanting(registry_at(net, "localhost", scheme="http", address="127.0.0.1"), "Basic realm=x", BASIC)
    kind = httpx.AsyncHTTPTransport if library_way.name == "tasks" else httpx.HTTPTransport
    library_way.registry, library_way.credentials = "http://localhost", WHO
    library_way.options = {"transport": kind(), "plain_http": said, "ca_file": None}

    outcome = library_way.tags()
    if not said:
        refused(outcome, errors.InsecureDowngradeError)
    assert registry.secrets == ([BASIC] if said else [])


def _tags(way: Way) -> object:
    """Ask for the tags; by the command line without `--plain-http`, since a name of this machine implies it."""
    if way.name != "command line":
        return way.tags()
    way.registry = way.registry.removeprefix("http://")
    return way.tags()
