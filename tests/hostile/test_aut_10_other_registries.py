"""Redirects to another registry that wants a token: it gets an anonymous one (AUT-01, AUT-03, AUT-10, AUT-15)."""

from pathlib import Path

import pytest

from dreg_client import Credentials, errors
from tests.faultserver import Heard, Host, Network, Piece, answer, challenge, redirect
from tests.hostile.proof import BASIC, WHO, entry, given, home_of, kept, token_server_at
from tests.hostile.registry import BASE, DIGEST, LAYER, LAYER_DIGEST, MANIFEST, document, registry_at
from tests.hostile.ways import Way, refused

NAME = "k8s/web"
ANONYMOUS = "anonymous-token"
REALM = "https://auth.other.test/token"
SCOPE = "repository:k8s/web:pull"


def asking(realm: str, scope: str = SCOPE) -> str:
    return f'Bearer realm="{realm}",service="other.test",scope="{scope}"'


def other_at(net: Network, realm: str = REALM, asks: str = "", **how: object) -> Host:
    """Another registry with the same image, for those who have a token of its own."""
    host = net.host("other.test", **how)  # type: ignore[arg-type]

    def for_token(gives: Piece) -> object:
        def said(heard: Heard) -> Piece:
            fits = heard.header("authorization") == f"Bearer {ANONYMOUS}"
            return gives if fits else challenge(asks or asking(realm))

        return said

    for name in ("1.4", DIGEST):
        host.on(f"/v2/{NAME}/manifests/{name}", for_token(document(MANIFEST)))  # type: ignore[arg-type]
    host.on(f"/v2/{NAME}/blobs/{LAYER_DIGEST}", for_token(answer(LAYER)))  # type: ignore[arg-type]
    host.on(f"/v2/{NAME}/tags/list", for_token(answer(b'{"tags": ["1.4"]}')))  # type: ignore[arg-type]
    return host


def redirecting_at(net: Network, **how: object) -> Host:
    """A registry that wants a password, and redirects everything."""
    host = registry_at(net, **how)

    def said(heard: Heard) -> Piece:
        if heard.header("authorization") != BASIC:
            return challenge("Basic realm=x")
        return redirect(f"https://other.test{heard.target.replace('acme/web', NAME)}")

    return host.on(f"{BASE}/*", said)


def tokens_at(net: Network, name: str = "auth.other.test", **how: object) -> Host:
    return token_server_at(net, name, given(ANONYMOUS), **how)


def test_aut_10_another_registry_gets_an_anonymous_token_of_its_own(way: Way, net: Network, tmp_path: Path) -> None:
    registry, other, tokens = redirecting_at(net), other_at(net), tokens_at(net)
    way.credentials = WHO

    assert way.resolve("1.4").error is None
    assert way.manifest("1.4").error is None
    assert way.tags().error is None
    assert way.blob(LAYER_DIGEST, tmp_path / "layer").error is None
    assert (tmp_path / "layer").read_bytes() == LAYER
    assert {*registry.secrets} == {BASIC}
    assert {*other.secrets} == {f"Bearer {ANONYMOUS}"}
    assert tokens.secrets == []
    assert {*tokens.requests[0].query["scope"]} == {SCOPE}


def test_aut_10_a_token_is_kept_for_the_next_requests(library_way: Way, net: Network) -> None:
    redirecting_at(net)
    other, tokens = other_at(net), tokens_at(net)
    library_way.credentials = WHO

    done = library_way.do(lambda it: it.repository("acme/web").get_manifest("1.4"))
    assert done.error is None
    twice = library_way.all_of(*[lambda it: it.repository("acme/web").resolve("1.4")] * 2)
    assert twice.error is None
    assert len(tokens.requests) == 2, "one for each client"
    assert [heard.header("authorization") for heard in other.requests[2:]] == [None, *[f"Bearer {ANONYMOUS}"] * 2]


def test_aut_10_its_token_goes_no_further(way: Way, net: Network, tmp_path: Path) -> None:
    redirecting_at(net)
    tokens_at(net)
    cdn = net.host("cdn.test").on("/layer", answer(LAYER))
    other = other_at(net)
    path = f"/v2/{NAME}/blobs/{LAYER_DIGEST}"
    other.on(path, challenge(asking(REALM)), redirect("https://cdn.test/layer"))
    way.credentials = WHO

    assert way.blob(LAYER_DIGEST, tmp_path / "layer").error is None
    assert (cdn.asked, cdn.secrets) == (["GET /layer"], [])


def test_aut_10_the_bytes_are_verified_all_the_same(library_way: Way, net: Network) -> None:
    redirecting_at(net)
    tokens_at(net)
    other_at(net).on(f"/v2/{NAME}/manifests/{DIGEST}", challenge(asking(REALM)), document(MANIFEST + b" "))
    library_way.credentials = WHO

    refused(library_way.manifest(str(DIGEST)), errors.DigestMismatchError)


def test_aut_10_a_password_is_not_for_another_registry(way: Way, net: Network) -> None:
    registry, other = redirecting_at(net), other_at(net, asks="Basic realm=x")
    way.credentials = WHO

    outcome = refused(way.manifest("1.4"), errors.UnauthorizedError)
    assert "credentials are not sent there" in outcome.text
    assert other.secrets == []
    assert {*registry.secrets} == {BASIC}


def test_aut_10_nor_is_what_is_kept_for_that_registry(way: Way, net: Network) -> None:
    """Whoever asks one registry has not asked another one, also where there is a credential for both."""
    kept(net, {"auths": {"registry.test": entry(), "other.test": entry(), "auth.other.test": entry()}})
    registry, other, tokens = redirecting_at(net), other_at(net), tokens_at(net)
    way.environment, way.options = home_of(net), {"credentials": Credentials.default()}

    assert way.manifest("1.4").error is None
    assert {*registry.secrets} == {BASIC}
    assert {*other.secrets} == {f"Bearer {ANONYMOUS}"}
    assert tokens.secrets == []


def test_aut_10_a_token_server_that_denies_anonymous_requests_gets_nothing_else(way: Way, net: Network) -> None:
    redirecting_at(net)
    other = other_at(net)
    tokens = token_server_at(net, "auth.other.test", answer(b"", "401 Unauthorized"))
    way.credentials = WHO

    outcome = refused(way.manifest("1.4"), errors.UnauthorizedError)
    assert "redirected to another registry; credentials are not sent there" in outcome.text
    assert (other.secrets, tokens.secrets) == ([], [])


def test_aut_15_a_token_for_another_registry_is_for_the_repository_that_was_asked_for(
    library_way: Way, net: Network
) -> None:
    redirecting_at(net)
    other_at(net, asks=asking(REALM, "repository:secret/other:pull,push"))
    tokens = tokens_at(net)
    library_way.credentials = WHO

    assert library_way.manifest("1.4").error is None
    assert [heard.query["scope"] for heard in tokens.requests] == [[SCOPE]]


def test_aut_01_another_registry_s_token_server_is_not_asked_over_http(library_way: Way, net: Network) -> None:
    redirecting_at(net)
    other_at(net, "http://auth.other.test/token")
    tokens = tokens_at(net, scheme="http")
    library_way.credentials = WHO

    refused(library_way.manifest("1.4"), errors.InsecureDowngradeError)
    assert tokens.connections == 0


@pytest.mark.parametrize("realm", ["https://127.0.0.1/token", "https://10.1.2.3/token"])
def test_aut_03_another_registry_does_not_send_us_near(library_way: Way, net: Network, realm: str) -> None:
    redirecting_at(net)
    other_at(net, realm)
    near = tokens_at(net, "near.test", address=realm.split("/")[2])
    library_way.credentials = WHO

    refused(library_way.manifest("1.4"), errors.BlockedAddressError)
    assert near.connections == 0


def test_aut_03_nor_by_a_name_of_its_own_that_leads_near_when_it_is_looked_up_again(
    library_way: Way, net: Network
) -> None:
    """A registry's own origin may be near; that of another registry may not be nearer than the first one."""
    redirecting_at(net)
    other = net.host("other.test")
    near = net.host("near.test", address="127.0.0.1").on("/token", given(ANONYMOUS))

    def moving(_: Heard) -> bytes:
        net.places.addresses["other.test"] = "127.0.0.1"
        # The connection ends, so that the next request looks the name up.
        return challenge(asking("https://other.test/token"), "Connection: close")

    other.on(f"/v2/{NAME}/manifests/1.4", moving)
    library_way.credentials = WHO

    refused(library_way.manifest("1.4"), errors.BlockedAddressError)
    assert near.requests == []
