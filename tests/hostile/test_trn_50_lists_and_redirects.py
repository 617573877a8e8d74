"""Links to other lists (TRN-50), redirects without a host (TRN-51), impossible hosts (TRN-52), two types (TRN-53)."""

import json
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from dreg_client import errors
from dreg_client.protocol.messages import Hop
from dreg_client.protocol.proxies import Proxy
from dreg_client.protocol.redirects import other_registry
from dreg_client.protocol.registry_url import RegistryURL
from tests.faultserver import Heard, Network, Piece, answer, challenge, redirect, sentence
from tests.hostile.proof import BASIC, WHO, bearer, given, wanting
from tests.hostile.registry import (
    BASE,
    BLOB,
    DIGEST,
    LAYER,
    LAYER_DIGEST,
    MANIFEST,
    MANIFESTS,
    OCI_INDEX,
    OCI_MANIFEST,
    TAGS,
    listed,
    registry_at,
)
from tests.hostile.secrets import TOKEN
from tests.hostile.ways import Way, refused
from tests.transport.socks_server import socks_server

JSON = "Content-Type: application/json"
OTHER = "/v2/acme/secret/tags/list"
ELSEWHERE = [
    OTHER,
    f"https://registry.test{OTHER}",
    "/v2/_catalog",
    "/admin/delete?all=1",
    f"{BASE}/manifests/1.4",
    "/",
]
ELSEWHERE += [f"{TAGS}/x", f"{TAGS}/../../../secret/tags/list", f"{BASE}/tags%2F..%2F..%2Fsecret", "https:evil.test"]


def page(link: str, *tags: str) -> Piece:
    """A page of tags that links to the next one."""
    return answer(sentence({"tags": list(tags or ("1",))}), "200 OK", JSON, f'Link: <{link}>; rel="next"')


@pytest.mark.parametrize("link", ELSEWHERE)
def test_trn_50_the_next_page_is_of_the_same_list(way: Way, net: Network, link: str) -> None:
    registry = registry_at(net).on(TAGS, page(link)).on(OTHER, listed("evil")).on("/*", listed("evil"))
    registry.on(TAGS, page(link))

    refused(way.tags(), errors.ProtocolError)
    assert registry.asked == [f"GET {TAGS}"]


@pytest.mark.parametrize("link", [OTHER, "https://registry.test/admin/delete?all=1", "/admin/delete?all=1", "delete"])
def test_trn_50_a_host_that_answers_for_the_registry_does_not_choose_where_a_credential_goes(
    way: Way, net: Network, link: str
) -> None:
    def said(heard: Heard) -> Piece:
        shown = heard.header("authorization") == BASIC
        return redirect("https://cdn.test/list") if shown else challenge("Basic realm=x")

    registry = registry_at(net).on("/*", listed("evil")).on(TAGS, said)
    net.host("cdn.test").on("/list", page(link))
    way.credentials = WHO

    refused(way.tags(), errors.ProtocolError)
    assert {heard.path for heard in registry.requests if heard.header("authorization")} == {TAGS}


def test_trn_50_nor_does_the_catalog_or_a_list_of_referrers_lead_elsewhere(library_way: Way, net: Network) -> None:
    referrers = f"{BASE}/referrers/{DIGEST}"
    index = sentence({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []})
    registry = registry_at(net).on(OTHER, listed("evil"))
    registry.on("/v2/_catalog", answer(sentence({"repositories": ["a"]}), "200 OK", JSON, f"Link: <{OTHER}>; rel=next"))
    registry.on(referrers, answer(index, "200 OK", f"Content-Type: {OCI_INDEX}", f"Link: <{OTHER}>; rel=next"))

    refused(library_way.repositories(), errors.ProtocolError)
    refused(library_way.referrers(DIGEST), errors.ProtocolError)
    assert f"GET {OTHER}" not in registry.asked


@pytest.mark.parametrize(
    "link",
    [
        f"{TAGS}?page=2",
        "?page=2",
        "list?page=2",
        "/v2/acme%2Fweb/tags/list?page=2",
        f"https://registry.test/a/b{TAGS}?page=2",
        "https://registry.test/v2/local/acme/web/tags/list?page=2",
    ],
)
@pytest.mark.parametrize("prefix", ["", "/a/b"])
def test_trn_50_however_it_is_written_the_path_of_the_list_itself_is_asked(
    library_way: Way, net: Network, link: str, prefix: str
) -> None:
    """A proxy may add a prefix, or a repository's own name, that the registry behind it does not know."""

    def said(heard: Heard) -> Piece:
        return listed("2") if heard.query.get("page") else page(link)

    registry = registry_at(net).on(f"{prefix}{TAGS}", said)
    library_way.registry = f"https://registry.test{prefix}"

    assert library_way.tags().value == ("1", "2")
    assert registry.asked == [f"GET {prefix}{TAGS}", f"GET {prefix}{TAGS}?page=2"]


@pytest.mark.parametrize(
    "location",
    [
        "https:evil.test",
        "https:/evil.test/x",
        "https:///evil.test/x",
        "///evil.test/x",
        "https:",
        "HTTPS:x",
        "//",
        "//?x",
    ],
)
def test_trn_51_a_location_with_a_scheme_has_a_host(way: Way, net: Network, tmp_path: Path, location: str) -> None:
    registry = registry_at(net).on(BLOB, redirect(location))
    evil = net.host("evil.test").on("/x", answer(LAYER))

    refused(way.blob(LAYER_DIGEST, tmp_path / "layer"), errors.UnsafeURLError)
    assert registry.asked == [f"GET {BLOB}"]
    assert evil.connections == 0


@pytest.mark.parametrize("location", ["/moved:x/layer", "./layer:x", "?a=https:b", "//cdn.test/layer", "/a//b"])
def test_trn_51_a_colon_or_slashes_within_are_fine(
    library_way: Way, net: Network, tmp_path: Path, location: str
) -> None:
    registry = registry_at(net).on(f"{BASE}/blobs/*", answer(LAYER)).on("/moved*", answer(LAYER))
    registry.on("/a//b", answer(LAYER)).on(BLOB, redirect(location), answer(LAYER))
    net.host("cdn.test").on("/layer", answer(LAYER))

    assert library_way.blob(LAYER_DIGEST, tmp_path / "layer").error is None


IMPOSSIBLE = ["a" * 64 + ".test", "a..test", "x." + "a" * 300, ".".join(["a" * 60] * 5), "-a.test", "a-", "a.test."]


@pytest.mark.parametrize("host", IMPOSSIBLE, ids=lambda host: f"{host[:12]} {len(host)}")
@pytest.mark.parametrize("proxy", ["none", "http", "socks5"])
def test_trn_52_a_redirect_to_an_impossible_host_is_an_error_of_ours(
    library_way: Way, net: Network, proxy: str, host: str
) -> None:
    registry = registry_at(net).on(TAGS, redirect(f"https://{host}/list"))
    net.places.addresses[host] = net.places.addresses["registry.test"]
    with ExitStack() as stack:
        if proxy == "socks5":
            server = stack.enter_context(socks_server())
            server.routes.update({"registry.test:443": registry.port, f"{host}:443": registry.port})
            net.places.real.append(server.port)
            library_way.options["proxy"] = f"socks5://127.0.0.1:{server.port}"
        elif proxy == "http":
            net.proxy()
            library_way.options["proxy"] = "http://proxy.test:3128"
        refused(library_way.tags(), errors.UnsafeURLError)
    assert registry.asked == [f"GET {TAGS}"]


@pytest.mark.parametrize("host", IMPOSSIBLE, ids=lambda host: f"{host[:12]} {len(host)}")
def test_trn_52_nor_is_it_a_token_server_a_registry_or_a_proxy(way: Way, net: Network, host: str) -> None:
    wanting(registry_at(net), bearer(f"https://{host}/token"))
    refused(way.tags(), errors.ChallengeError)

    with pytest.raises(errors.ConfigError):
        Proxy.parse(f"https://{host}:3128")
    way.registry = host
    refused(way.tags(), errors.InvalidReferenceError, ValueError)  # the command line takes `-a.test` for an option


TYPES = [f"Content-Type: {kind}" for kind in (OCI_MANIFEST, OCI_INDEX)]
UNTYPED = json.dumps({name: value for name, value in json.loads(MANIFEST).items() if name != "mediaType"}).encode()


@pytest.mark.parametrize("raw", [MANIFEST, UNTYPED], ids=["with its type", "without"])
@pytest.mark.parametrize("first", [0, 1])
def test_trn_53_of_two_media_types_none_is_believed(way: Way, net: Network, raw: bytes, first: int) -> None:
    said = answer(raw, "200 OK", TYPES[first], TYPES[1 - first], f"Docker-Content-Digest: {DIGEST}")
    registry_at(net).on(f"{MANIFESTS}/1.4", said)

    refused(way.manifest("1.4"), errors.ProtocolError)
    refused(way.resolve("1.4"), errors.ProtocolError)


def test_trn_53_the_same_type_twice_is_fine(way: Way, net: Network) -> None:
    said = answer(MANIFEST, "200 OK", TYPES[0], f"{TYPES[0]}; charset=utf-8", f"Docker-Content-Digest: {DIGEST}")
    registry_at(net).on(f"{MANIFESTS}/1.4", said)

    assert way.manifest("1.4").error is None
    assert way.resolve("1.4").error is None


@pytest.mark.parametrize("path", ["/v2/" * 2000, "/v2/a/manifests/" * 500, "/v2/a/blobs//" * 600, "/v2" + "/a" * 4000])
def test_trn_54_the_path_of_a_redirect_is_parsed_in_no_time(path: str) -> None:
    began = time.perf_counter()
    other_registry(RegistryURL.parse("registry.test"), Hop("GET", f"https://cdn.test{path}"))

    assert time.perf_counter() - began < 0.1


def test_trn_54_a_token_server_for_it_is_found_as_before(way: Way, net: Network, tmp_path: Path) -> None:
    registry_at(net).on(BLOB, redirect(f"https://other.test{BLOB}"))
    other = net.host("other.test")
    wanting(other, bearer("https://other.test/token"), f"Bearer {TOKEN}", path=BLOB, gives=answer(LAYER))
    other.on("/token", given())

    assert way.blob(LAYER_DIGEST, tmp_path / "layer").error is None
