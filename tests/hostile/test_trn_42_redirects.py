"""Redirects that two parsers read differently (TRN-42), to no host (TRN-43), and back to the registry (AUT-32)."""

from pathlib import Path

import pytest

from dreg_client import errors
from tests.faultserver import Heard, Host, Network, Piece, answer, challenge, redirect
from tests.hostile.proof import BASIC, WHO, bearer, given, token_server_at, wanting
from tests.hostile.registry import BLOB, LAYER, LAYER_DIGEST, TAGS, listed, registry_at
from tests.hostile.secrets import TOKEN
from tests.hostile.ways import Way, refused

SIGNS = "\t \x0c\x1f\x7f\x85\xa0\xe9"  # NEL and NBSP are white space in Python, and tabs disappear from parsed URLs
JSON = "Content-Type: application/json"
PLACES = [
    "https://cdn{}.test/layer",
    "https://cdn.test/{}layer",
    "{}https://cdn.test/layer",
    "https://cdn.test/layer{}",
]
WRITTEN = [place.format(sign) for place in PLACES for sign in SIGNS]


@pytest.mark.parametrize("location", [written for written in WRITTEN if written == written.strip(" \t")], ids=ascii)
def test_trn_42_a_location_with_other_characters_is_not_followed(library_way: Way, net: Network, location: str) -> None:
    registry_at(net).on(TAGS, redirect(location))
    cdn = net.host("cdn.test").on("/layer", listed("evil"))

    refused(library_way.tags(), errors.UnsafeURLError, errors.ProtocolError)
    assert cdn.connections == 0


@pytest.mark.parametrize("sign", ["\t", "\xa0", "\x85"])
def test_trn_42_by_the_command_line(way: Way, net: Network, tmp_path: Path, sign: str) -> None:
    registry_at(net).on(BLOB, redirect(f"https://cdn.test/la{sign}yer"))
    cdn = net.host("cdn.test").on("/layer", answer(LAYER))

    refused(way.blob(LAYER_DIGEST, tmp_path / "layer"), errors.UnsafeURLError)
    assert cdn.connections == 0
    assert not (tmp_path / "layer").exists()


@pytest.mark.parametrize("second", ["https://evil.test/layer", "https://cdn.test/Layer", ""])
def test_trn_42_of_two_different_locations_none_is_followed(
    way: Way, net: Network, tmp_path: Path, second: str
) -> None:
    registry_at(net).on(BLOB, redirect("https://cdn.test/layer", 307, f"Location: {second}"))
    hosts = [net.host(name).on("/layer", answer(LAYER)) for name in ("cdn.test", "evil.test")]

    refused(way.blob(LAYER_DIGEST, tmp_path / "layer"), errors.ProtocolError)
    assert [host.connections for host in hosts] == [0, 0]


def test_trn_42_the_same_location_twice_is_followed(way: Way, net: Network, tmp_path: Path) -> None:
    registry_at(net).on(BLOB, redirect("https://cdn.test/layer", 307, "location: https://cdn.test/layer"))
    net.host("cdn.test").on("/layer", answer(LAYER))

    assert way.blob(LAYER_DIGEST, tmp_path / "layer").error is None


@pytest.mark.parametrize("sign", SIGNS, ids=ascii)
def test_trn_42_nor_is_such_a_link_to_the_next_page(library_way: Way, net: Network, sign: str) -> None:
    page = answer(b'{"tags": ["1"]}', 200, JSON, f'Link: <{TAGS}?la{sign}st=1>; rel="next"')
    registry = registry_at(net).on(TAGS, page)

    refused(library_way.tags(), errors.ProtocolError)
    assert len(registry.requests) == 1


NO_HOST = ["224.0.0.1", "239.255.255.250", "255.255.255.255", "240.0.0.1", "0.1.2.3", "[ff02::1]", "[ff0e::1]"]
NO_HOST += ["[64:ff9b::e000:1]", "[::ffff:224.0.0.1]", "[100::1]", "[4000::1]"]


@pytest.mark.parametrize("near", [False, True], ids=["public", "on this machine"])
@pytest.mark.parametrize("place", NO_HOST)
def test_trn_43_no_redirect_leads_to_an_address_that_no_host_has(
    library_way: Way, net: Network, place: str, near: bool
) -> None:
    registry_at(net, "localhost" if near else "registry.test", address="127.0.0.1" if near else "").on(
        TAGS, redirect(f"https://{place}/tags")
    )
    library_way.registry = "localhost" if near else "registry.test"
    there = net.host("there.test", address=place.strip("[]"))

    refused(library_way.tags(), errors.BlockedAddressError)
    assert there.connections == 0


@pytest.mark.parametrize("place", NO_HOST)
def test_trn_43_nor_is_it_a_token_server(library_way: Way, net: Network, place: str) -> None:
    wanting(registry_at(net), bearer(f"https://{place}/token"))
    there = token_server_at(net, "there.test", address=place.strip("[]"))

    refused(library_way.tags(), errors.BlockedAddressError)
    assert there.connections == 0


@pytest.mark.parametrize("address", ["224.0.0.1", "240.0.0.1", "ff02::1"])
def test_trn_43_nor_by_a_name(way: Way, net: Network, tmp_path: Path, address: str) -> None:
    registry_at(net).on(BLOB, redirect("https://there.test/layer"))
    there = net.host("there.test", address=address).on("/layer", answer(LAYER))

    refused(way.blob(LAYER_DIGEST, tmp_path / "layer"), errors.BlockedAddressError, errors.ConnectError)
    assert there.requests == []


def _wants_password(registry: Host, path: str, said: Piece) -> None:
    """A path that shows itself only to whom it knows."""

    def answered(heard: Heard) -> Piece:
        return said if heard.header("authorization") == BASIC else challenge("Basic realm=x")

    registry.on(path, answered)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "path", ["/v2/acme/secret/blobs/x", "/v2/", "/admin/delete?all=1", f"{BLOB}/x", "/V2/acme/web"]
)
def test_aut_32_a_cdn_does_not_choose_where_a_credential_goes(
    way: Way, net: Network, tmp_path: Path, path: str, status: int
) -> None:
    registry = registry_at(net)
    _wants_password(registry, BLOB, redirect("https://cdn.test/layer"))
    registry.on(path.partition("?")[0], answer(LAYER))
    net.host("cdn.test").on("/layer", redirect(f"https://registry.test{path}", status))
    way.credentials = WHO

    assert way.blob(LAYER_DIGEST, tmp_path / "layer").error is None
    shown = [heard.path for heard in registry.requests if heard.header("authorization")]
    assert set(shown) <= {BLOB}


def test_aut_32_nor_does_what_it_leads_to(library_way: Way, net: Network) -> None:
    """Whatever follows was chosen by the CDN, too, although the registry itself says it."""
    registry = registry_at(net)
    _wants_password(registry, TAGS, redirect("https://cdn.test/1"))
    registry.on("/redirector", redirect("/v2/other/tags/list")).on("/v2/other/tags/list", listed("evil"))
    net.host("cdn.test").on("/1", redirect("https://registry.test/redirector"))
    library_way.credentials = WHO

    library_way.tags()
    assert {heard.path for heard in registry.requests if heard.header("authorization")} == {TAGS}


def test_aut_32_back_to_what_was_asked_for_it_goes_along(library_way: Way, net: Network) -> None:
    registry = registry_at(net)
    asked: list[str] = []

    def answered(heard: Heard) -> Piece:
        if heard.header("authorization") != BASIC:
            return challenge("Basic realm=x")
        asked.append(heard.target)
        return listed("1.4") if len(asked) > 1 else redirect("https://cdn.test/page")

    registry.on(TAGS, answered)
    net.host("cdn.test").on("/page", redirect(f"https://registry.test{TAGS}"))
    library_way.credentials = WHO

    assert library_way.tags().value == ("1.4",)
    assert asked == [TAGS, TAGS]


def test_aut_32_the_registry_itself_may_lead_on(library_way: Way, net: Network) -> None:
    registry = registry_at(net)
    _wants_password(registry, TAGS, redirect("/v2/moved/tags/list"))
    _wants_password(registry, "/v2/moved/tags/list", listed("1.4"))
    library_way.credentials = WHO

    assert library_way.tags().value == ("1.4",)


@pytest.mark.parametrize("fragment", ["#", "#x", "?a=b#c"])
def test_aut_34_a_token_server_s_url_has_no_fragment(way: Way, net: Network, fragment: str) -> None:
    registry = wanting(registry_at(net), bearer(f"https://auth.registry.test/token{fragment}"), f"Bearer {TOKEN}")
    auth = net.host("auth.registry.test").on("/token", given())
    way.credentials = WHO

    refused(way.tags(), errors.ChallengeError)
    assert auth.connections == 0
    assert registry.secrets == []
