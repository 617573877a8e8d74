"""To whom credentials go: AUT-01 to AUT-05, AUT-10, AUT-26."""

from pathlib import Path

import pytest

from dreg_client import Credential, Credentials, errors
from tests.faultserver import Network, challenge, redirect
from tests.hostile.proof import (
    AUTH,
    BASIC,
    WHO,
    bearer,
    entry,
    home_of,
    kept,
    program,
    runs,
    token_registry_at,
    token_server_at,
    wanting,
)
from tests.hostile.registry import BLOB, LAYER_DIGEST, registry_at
from tests.hostile.secrets import REFRESH, TOKEN
from tests.hostile.ways import Way, refused

IDENTITY = Credential(identity_token=REFRESH)


def who_we_are(way: Way, name: str) -> None:
    """Be somebody in a way that both the library and the command line have."""
    if name == "password":
        way.credentials = WHO
    elif name == "identity token":
        way.options = {**way.options, "credentials": IDENTITY}


def test_aut_01_a_token_server_of_an_https_registry_is_never_asked_over_http(way: Way, net: Network) -> None:
    registry = token_registry_at(net, "http://auth.registry.test/token")
    auth = token_server_at(net, scheme="http")
    way.credentials = WHO

    refused(way.tags(), errors.InsecureDowngradeError)
    assert auth.connections == 0
    assert registry.secrets == []
    assert len(registry.requests) == 1


@pytest.mark.parametrize("realm", ["http://registry.test/token", "HTTP://registry.test:443/token"])
@pytest.mark.parametrize("who", ["nobody", "password", "identity token"])
def test_aut_01_nor_is_the_registry_itself(library_way: Way, net: Network, realm: str, who: str) -> None:
    registry = token_registry_at(net, realm)
    plain = token_server_at(net, "registry.test", scheme="http")
    who_we_are(library_way, who)

    refused(library_way.tags(), errors.InsecureDowngradeError)
    assert plain.connections == 0
    assert registry.secrets == []


def test_aut_02_no_credential_goes_to_a_stranger_s_token_server(way: Way, net: Network) -> None:
    registry = token_registry_at(net, "https://stranger.example/token")
    stranger = token_server_at(net, "stranger.example")
    way.credentials = WHO

    outcome = refused(way.tags(), errors.CrossOriginError)
    assert "trusted_token_hosts" in outcome.text
    assert stranger.connections == 0
    assert registry.secrets == []
    assert len(registry.requests) == 1


@pytest.mark.parametrize("trusted", ["tokens.example", "Tokens.Example", "tokens.example:443"])
def test_aut_02_what_the_error_advises_can_be_done_in_every_way(way: Way, net: Network, trusted: str) -> None:
    token_registry_at(net, "https://tokens.example/token")
    tokens = token_server_at(net, "tokens.example")
    way.credentials = WHO

    told = refused(way.tags(), errors.CrossOriginError).text
    assert "trusted_token_hosts=('tokens.example',) or --trust-token-host tokens.example" in told
    way.options = {"trusted_token_hosts": (trusted,)}
    assert way.tags().kind is None
    assert tokens.secrets == [BASIC]


@pytest.mark.parametrize("trusted", ["tokens.example:8443", "example", "evil.example", "okens.example"])
def test_aut_02_a_host_that_is_trusted_is_no_other_host(way: Way, net: Network, trusted: str) -> None:
    token_registry_at(net, "https://tokens.example/token")
    tokens = token_server_at(net, "tokens.example")
    way.credentials, way.options = WHO, {"trusted_token_hosts": (trusted,)}

    refused(way.tags(), errors.CrossOriginError)
    assert tokens.connections == 0


@pytest.mark.parametrize("who", ["password", "identity token"])
@pytest.mark.parametrize(
    ("name", "stranger"),
    [
        ("registry.test", "registry.test.evil.example"),
        ("registry.test", "evilregistry.test"),
        ("registry.test", "auth.test"),  # they share what anybody may have a name in
        ("acme.github.io", "evil.github.io"),
        ("a.acme.example", "b.a.other.example"),
        ("registry.acme.co.uk", "registry.evil.co.uk"),
    ],
)
def test_aut_02_who_is_a_stranger(library_way: Way, net: Network, name: str, stranger: str, who: str) -> None:
    registry = token_registry_at(net, f"https://{stranger}/token", name)
    other = token_server_at(net, stranger)
    library_way.registry = name
    who_we_are(library_way, who)

    refused(library_way.tags(), errors.CrossOriginError)
    assert other.connections == 0
    assert registry.secrets == []


@pytest.mark.parametrize("who", ["password", "identity token"])
@pytest.mark.parametrize(
    ("name", "server", "trusted"),
    [
        ("registry.test", "auth.registry.test", ()),
        ("registry.acme.example", "auth.acme.example", ()),
        ("registry.acme.example", "acme.example", ()),
        ("docker.io", "auth.docker.io", ()),
        ("registry.test", "tokens.example", ("tokens.example",)),
    ],
)
def test_aut_02_who_is_no_stranger(
    library_way: Way, net: Network, name: str, server: str, trusted: tuple[str, ...], who: str
) -> None:
    token_registry_at(net, f"https://{server}/token", {"docker.io": "registry-1.docker.io"}.get(name, name))
    tokens = token_server_at(net, server)
    library_way.registry = name
    library_way.options = {"trusted_token_hosts": trusted}
    who_we_are(library_way, who)

    assert library_way.tags().value == ("1.4",)
    [asked] = tokens.requests
    assert asked.header("authorization") == (BASIC if who == "password" else None)
    assert (REFRESH.encode() in asked.body) == (who == "identity token")
    assert REFRESH not in asked.target


def test_aut_02_the_registry_may_be_its_own_token_server(way: Way, net: Network) -> None:
    registry = token_registry_at(net, "https://registry.test/token")
    token_server = registry.on("/token", *token_server_at(net, "unused.test").routes[0][2])
    way.credentials = WHO

    assert way.tags().error is None
    assert [path.partition("?")[0] for path in token_server.asked] == [
        "GET /v2/acme/web/tags/list",
        "GET /token",
        "GET /v2/acme/web/tags/list",
    ]
    assert registry.secrets == [BASIC, f"Bearer {TOKEN}"]


def test_aut_02_nobody_may_ask_a_stranger_for_what_anybody_may_have(library_way: Way, net: Network) -> None:
    token_registry_at(net, "https://stranger.example/token")
    stranger = token_server_at(net, "stranger.example")

    assert library_way.tags().value == ("1.4",)
    assert len(stranger.requests) == 1
    assert stranger.secrets == []


NEAR = ["localhost", "127.0.0.1", "0x7f.1", "2130706433", "[::1]", "169.254.169.254", "10.1.2.3", "192.168.0.1"]


@pytest.mark.parametrize("who", ["nobody", "password"])
@pytest.mark.parametrize("host", NEAR)
def test_aut_03_a_public_registry_sends_us_to_no_near_token_server(
    library_way: Way, net: Network, host: str, who: str
) -> None:
    registry = token_registry_at(net, f"https://{host}/token")
    near = token_server_at(net, "near.test", address="127.0.0.1" if "7" in host else "10.1.2.3")
    library_way.options = {"trusted_token_hosts": (host,)}
    who_we_are(library_way, who)

    refused(library_way.tags(), errors.BlockedAddressError)
    assert near.connections == 0
    assert registry.secrets == []
    assert len(registry.requests) == 1


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.1.2.3"])
def test_aut_03_nor_to_one_whose_name_leads_near(way: Way, net: Network, address: str) -> None:
    registry = token_registry_at(net)
    near = token_server_at(net, address=address)
    way.credentials = WHO

    refused(way.tags(), errors.BlockedAddressError)
    assert near.requests == []
    assert not near.octets
    assert registry.secrets == []


def test_aut_03_a_private_registry_may_have_a_private_token_server(way: Way, net: Network) -> None:
    token_registry_at(net, address="10.0.0.1")
    auth = token_server_at(net, address="10.0.0.2")
    way.credentials = WHO

    assert way.tags().error is None
    assert auth.secrets == [BASIC]


PLACES = {
    "another host": "https://stranger.example/token",
    "http": "http://auth.registry.test/token",
    "this machine": "https://127.0.0.1/token",
    "a private place": "https://10.1.2.3/token",
    "the registry": "https://registry.test/token",
    "itself": "https://auth.registry.test/elsewhere",
}


def redirecting(net: Network, place: str, status: int = 302) -> list[str]:
    """A token server that sends us on; the names of the hosts that stand where it may send us."""
    registry = token_registry_at(net)
    token_server_at(net, "auth.registry.test", redirect(PLACES[place], status)).on("/elsewhere", b"")
    token_server_at(net, "stranger.example")
    token_server_at(net, "plain.test", scheme="http", address="45.9.9.9")
    net.places.ports[f"{net.places.addresses['auth.registry.test']}:80"] = net.hosts["http://plain.test"[7:]].port
    token_server_at(net, "loopback.test", address="127.0.0.1")
    token_server_at(net, "private.test", address="10.1.2.3")
    registry.on("/token", b"")
    return [name for name in net.hosts if name not in {"registry.test", "auth.registry.test"}]


@pytest.mark.parametrize("place", ["another host", "this machine"])
def test_aut_05_no_credential_goes_where_a_token_server_points(way: Way, net: Network, place: str) -> None:
    others = redirecting(net, place)
    way.credentials = WHO

    refused(way.tags(), errors.AuthError, errors.UnsafeURLError)
    assert [net.hosts[name].connections for name in others] == [0] * len(others)
    assert len(net.hosts["auth.registry.test"].requests) == 1
    assert len(net.hosts["registry.test"].requests) == 1


@pytest.mark.parametrize("status", [302, 307])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("who", ["password", "identity token"])
def test_aut_05_wherever_it_points_and_whoever_we_are(
    library_way: Way, net: Network, place: str, status: int, who: str
) -> None:
    others = redirecting(net, place, status)
    who_we_are(library_way, who)

    refused(library_way.tags(), errors.AuthError, errors.UnsafeURLError)
    assert [net.hosts[name].connections for name in others] == [0] * len(others)
    assert len(net.hosts["auth.registry.test"].requests) == 1
    assert net.hosts["registry.test"].asked == ["GET /v2/acme/web/tags/list"]


@pytest.mark.parametrize("place", ["http", "this machine", "a private place"])
def test_aut_05_nobody_is_sent_to_unsafe_places_either(library_way: Way, net: Network, place: str) -> None:
    others = redirecting(net, place)

    refused(library_way.tags(), errors.AuthError, errors.UnsafeURLError)
    assert [net.hosts[name].connections for name in others] == [0] * len(others)


@pytest.mark.parametrize("realm", ["https://cdn.test/token", "https://registry.test/token", AUTH])
@pytest.mark.parametrize("asks", ["Bearer", "Basic"])
def test_aut_10_a_cdn_that_wants_to_know_who_we_are_is_not_told(
    library_way: Way, net: Network, tmp_path: Path, realm: str, asks: str
) -> None:
    registry = registry_at(net).on(BLOB, redirect("https://cdn.test/layer"))
    cdn = net.host("cdn.test").on("/layer", challenge(bearer(realm) if asks == "Bearer" else "Basic realm=x"))
    auth = token_server_at(net)
    library_way.credentials = WHO

    refused(library_way.blob(LAYER_DIGEST, tmp_path / "layer"), errors.UnauthorizedError)
    assert (cdn.secrets, auth.connections, registry.secrets) == ([], 0, [])
    assert cdn.asked == ["GET /layer"]
    assert registry.asked == [f"GET {BLOB}"]
    assert not (tmp_path / "layer").exists()


def test_aut_10_nor_by_the_command_line(way: Way, net: Network, tmp_path: Path) -> None:
    registry = wanting(registry_at(net), bearer(), f"Bearer {TOKEN}", path=BLOB)
    registry.on(BLOB, challenge(bearer()), redirect("https://cdn.test/layer"))
    cdn = net.host("cdn.test").on("/layer", challenge(bearer("https://cdn.test/token")))
    auth = token_server_at(net)
    way.credentials = WHO

    refused(way.blob(LAYER_DIGEST, tmp_path / "layer"), errors.UnauthorizedError)
    assert cdn.asked == ["GET /layer"]
    assert cdn.secrets == []
    assert len(auth.requests) == 1


LIKE_IT = ["r.example.evil.test", "evilr.example", "sub.r.example"]


@pytest.mark.parametrize("name", LIKE_IT)
@pytest.mark.parametrize("members", [{"auths": {"r.example": entry()}}, {"credHelpers": {"r.example": "own"}}])
def test_aut_26_a_credential_is_shown_to_its_own_host_alone(
    library_way: Way, net: Network, name: str, members: object
) -> None:
    kept(net, members)
    program(net, "own", 'echo \'{"Username": "ada", "Secret": "canary-password-7f3a"}\'')
    registry = wanting(registry_at(net, name), "Basic realm=x", BASIC)
    library_way.registry, library_way.environment = name, home_of(net)
    library_way.options = {"credentials": Credentials.default()}

    refused(library_way.tags(), errors.UnauthorizedError)
    assert registry.secrets == []
    assert len(registry.requests) == 1
    assert runs(net) == []


def test_aut_26_and_it_is_shown_there(way: Way, net: Network) -> None:
    kept(net, {"auths": {"r.example": entry()}})
    own = wanting(registry_at(net, "r.example"), "Basic realm=x", BASIC)
    other = wanting(registry_at(net, "sub.r.example"), "Basic realm=x", BASIC)
    way.environment = home_of(net)
    way.options = {"credentials": Credentials.default()}
    way.registry = "r.example"
    assert way.tags().error is None
    way.registry = "sub.r.example"

    refused(way.tags(), errors.UnauthorizedError)
    assert own.secrets == [BASIC]
    assert other.secrets == []
