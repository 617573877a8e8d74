"""Where a redirect leads, and what is sent there: no network is needed to say so."""

import pytest

from dreg_client import errors
from dreg_client.protocol.messages import Headers, Hop, Request, Response
from dreg_client.protocol.redirects import nearest_of, next_hop, redirect_target
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.values.origin import Reach

REGISTRY = RegistryURL.parse("https://registry.example")
URL = "https://registry.example/v2/a/blobs/x"
HEADERS = (("User-Agent", "u"), ("Accept", "a"), ("Range", "r"), ("X-Own", "x"), ("Authorization", "Bearer canary"))


def redirect(location: str | None, status: int = 307, url: str = URL, peer: str = "") -> Response:
    headers = Headers([] if location is None else [("Location", location)])
    return Response(status, headers, url=url, peer=peer)


def hop_after(location: str, url: str = URL, peer: str = "") -> Hop:
    response = redirect(location, url=url, peer=peer)
    target = redirect_target(REGISTRY, Request("GET", "/v2/a/blobs/x"), response)
    assert target is not None
    return next_hop(REGISTRY, Hop("GET", url, HEADERS), response, target, Hop("GET", URL, HEADERS))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_reading_follows_all_redirects(status: int) -> None:
    target = redirect_target(REGISTRY, Request("GET", "/v2/a"), redirect("/x?y#z", status))

    assert target == "https://registry.example/x?y"


@pytest.mark.parametrize("response", [redirect(None), redirect("/x", 300), redirect("/x", 304), redirect("/x", 200)])
def test_other_responses_are_final(response: Response) -> None:
    assert redirect_target(REGISTRY, Request("GET", "/v2/a"), response) is None


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_trn_12_a_change_keeps_its_method_and_its_origin(method: str) -> None:
    request = Request(method, "/v2/a/blobs/x")

    assert [redirect_target(REGISTRY, request, redirect("/x", status)) for status in (301, 302, 303)] == [None] * 3
    assert redirect_target(REGISTRY, request, redirect("/x", 307)) == "https://registry.example/x"
    with pytest.raises(errors.CrossOriginError):
        redirect_target(REGISTRY, request, redirect("https://other.example/x", 308))


def test_trn_01_another_host_gets_no_authorization() -> None:
    hop = hop_after("https://cdn.example/x")

    assert [name for name, _ in hop.headers] == ["User-Agent", "Accept", "Range"]
    assert hop.nearest is Reach.PUBLIC


@pytest.mark.parametrize("place", ["https://registry.example:8443/x", "https://registry.example.evil.test/x"])
def test_trn_02_another_port_is_another_origin(place: str) -> None:
    assert "canary" not in str(hop_after(place).headers)


def test_the_registry_itself_gets_all_headers_again() -> None:
    back = hop_after("https://registry.example/y", url="https://cdn.example/x")

    assert (back.headers, back.nearest) == (HEADERS, Reach.LOCAL)


def test_trn_03_https_never_becomes_http() -> None:
    with pytest.raises(errors.InsecureDowngradeError):
        hop_after("http://registry.example/x")


NEAR = ["127.0.0.1", "169.254.169.254", "[::1]", "localhost", "0.0.0.0", "2130706433", "10.1"]  # noqa: S104 (a host)


@pytest.mark.parametrize("host", NEAR)
def test_trn_04_a_public_registry_does_not_lead_to_private_networks(host: str) -> None:
    with pytest.raises(errors.BlockedAddressError):
        hop_after(f"https://{host}/x")


def test_trn_07_a_private_registry_leads_as_near_as_itself() -> None:
    assert hop_after("https://10.1.2.3/x", peer="10.9.9.9").nearest is Reach.PRIVATE
    with pytest.raises(errors.BlockedAddressError):
        hop_after("https://127.0.0.1/x", peer="10.9.9.9")
    with pytest.raises(errors.BlockedAddressError):
        hop_after("https://10.1.2.3/x", url="https://cdn.example/x", peer="10.9.9.9")


def test_the_registry_s_own_name_counts_too() -> None:
    local = RegistryURL.parse("https://localhost:5000")

    assert nearest_of(local, redirect("/x")) is Reach.LOCAL
    assert nearest_of(REGISTRY, redirect("/x", peer="127.0.0.1")) is Reach.LOCAL
    assert nearest_of(REGISTRY, redirect("/x", peer="8.8.8.8")) is Reach.PUBLIC


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://x/", "data:,x", "javascript:x", "https://u:p@x/", "https://x:0/"]
)
def test_trn_08_a_target_that_is_no_valid_url_is_an_error(location: str) -> None:
    with pytest.raises(errors.UnsafeURLError) as failure:
        hop_after(location)
    assert "u:p" not in str(failure.value)
