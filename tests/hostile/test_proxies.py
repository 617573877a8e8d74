"""Proxies: which hosts they stand before, and what they are told (TRN-23, 4.10)."""

import pytest

from dreg_client import errors
from dreg_client.protocol.proxies import proxy_text
from dreg_client.values.origin import Origin
from tests.faultserver import Network, answer, challenge, redirect
from tests.hostile.registry import BLOB, LAYER, LAYER_DIGEST, TAGS, listed, registry_at
from tests.hostile.secrets import PASSWORD, USER
from tests.hostile.ways import Way, refused

PROXY = f"http://{USER}:{PASSWORD}@proxy.test:3128"


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_trn_23_a_proxy_sees_its_own_credential_and_nothing_else(way: Way, net: Network, variable: str) -> None:
    registry = registry_at(net).on(TAGS, challenge("Basic"), listed("1.4"))
    proxy = net.proxy()
    way.environment[variable] = PROXY
    way.credentials = ("grace", "another-password")

    assert way.tags().error is None
    assert {heard.method for heard in proxy.requests} == {"CONNECT"}
    assert {heard.target for heard in proxy.requests} == {"registry.test:443"}
    assert all(heard.header("proxy-authorization") and not heard.header("authorization") for heard in proxy.requests)
    assert not any(name.startswith("proxy-") for heard in registry.requests for name, _ in heard.headers)


def test_trn_23_a_proxy_s_credential_goes_to_no_redirect_s_target(library_way: Way, net: Network) -> None:
    registry_at(net).on(BLOB, redirect("https://cdn.test/layer"))
    cdn = net.host("cdn.test").on("/layer", answer(LAYER))
    proxy = net.proxy()
    library_way.options["proxy"] = PROXY

    def blob(registry: object) -> object:
        return registry.repository("acme/web").get_blob(LAYER_DIGEST)  # type: ignore[attr-defined]

    assert library_way.all_of(blob).value == [LAYER]
    assert [heard.target for heard in proxy.requests] == ["registry.test:443", "cdn.test:443"]
    assert cdn.secrets == []


@pytest.mark.parametrize("said", [407, 403, 502, 503])
def test_trn_23_a_proxy_that_does_not_let_us_through_is_asked_once(way: Way, net: Network, said: int) -> None:
    registry = registry_at(net)
    proxy = net.proxy().on("*", answer(b"<html>no</html>", f"{said} No", 'Proxy-Authenticate: Basic realm="x"'))
    way.environment["HTTPS_PROXY"] = PROXY

    failed = refused(way.tags(), errors.ConnectError)
    assert "proxy" in failed.text
    assert registry.connections == 0
    assert len(proxy.requests) == 1


def test_trn_23_407_is_not_tried_again(library_way: Way, net: Network) -> None:
    proxy = net.proxy().on("*", answer(b"", "407 Proxy Authentication Required"))
    library_way.options |= {"proxy": PROXY, "retries": 3}

    refused(library_way.tags(), errors.ConnectError)
    assert len(proxy.requests) == 1


def test_trn_23_a_proxy_that_is_not_there_is_named_without_its_password(library_way: Way, net: Network) -> None:
    registry = registry_at(net)
    library_way.options["proxy"] = PROXY

    failed = refused(library_way.tags(), errors.ConnectError)
    assert PASSWORD not in failed.text
    assert registry.connections == 0


@pytest.mark.parametrize("text", ["socks4://u:canary-password-7f3a@proxy.test", "ftp://proxy.test", "file:///x"])
def test_trn_23_a_proxy_of_another_kind_is_a_mistake(library_way: Way, net: Network, text: str) -> None:
    registry = registry_at(net)
    library_way.options["proxy"] = text

    failed = refused(library_way.tags(), errors.ConfigError)
    assert PASSWORD not in failed.text
    assert registry.connections == 0


@pytest.mark.parametrize(
    ("said", "proxied"),
    [("", True), ("*", False), ("registry.test", False), (".test", False), ("45.0.0.0/8", True), ("other.test", True)],
)
def test_trn_23_no_proxy_is_honoured(library_way: Way, net: Network, said: str, proxied: bool) -> None:
    """A network is compared with addresses that are written as such, not with what a name resolves to."""
    registry_at(net)
    proxy = net.proxy()
    library_way.environment |= {"HTTPS_PROXY": "http://proxy.test:3128", "NO_PROXY": said}

    assert library_way.tags().value == ("1.4", "all")
    assert bool(proxy.requests) is proxied


def test_trn_23_no_proxy_by_the_command_line(way: Way, net: Network) -> None:
    registry_at(net)
    proxy = net.proxy()
    way.environment |= {"HTTPS_PROXY": PROXY, "NO_PROXY": "10.0.0.0/8,.test,[::1]"}

    assert way.tags().error is None
    assert proxy.connections == 0


ALL = {"ALL_PROXY": "http://p.test:1"}
ROWS = [
    ("https://10.1.2.3", "10.0.0.0/8", False),
    ("https://11.1.2.3", "10.0.0.0/8", True),
    ("https://10.1.2.3", "10.0.0.1/8", False),
    ("https://[fd00::1]", "fd00::/8", False),
    ("https://[fe00::1]", "fd00::/16", True),
    ("https://registry.svc", ".svc", False),
    ("https://svc", ".svc", False),
    ("https://a.b.svc", "svc", False),
    ("https://asvc", ".svc", True),
    ("https://asvc", "svc", True),
    ("https://registry.svc.test", ".svc", True),
    ("https://registry.svc", "*.svc", False),
    ("https://[::1]", "[::1]", False),
    ("https://[::1]:5000", "[::1]", False),
    ("https://[::1]:5000", "[::1]:5000", False),
    ("https://[::1]:5000", "[::1]:5001", True),
    ("https://[::1]", "::1", False),
    ("https://registry.test", "*", False),
    ("https://registry.test", "a.test, *", False),
    ("https://REGISTRY.test", "Registry.TEST", False),
    ("https://registry.test:5000", "registry.test:5000", False),
    ("https://registry.test:5001", "registry.test:5000", True),
    ("https://registry.test", "registry.test:443", False),
    ("https://registry.test", "a.test b.test registry.test", False),
    ("https://registry.test", ",, ,", True),
    ("https://registry.test", ".", True),
    ("https://registry.test", "/", True),
    ("https://127.0.0.1", "localhost", True),
]


@pytest.mark.parametrize(("url", "said", "proxied"), ROWS)
def test_trn_23_the_rows_of_no_proxy(url: str, said: str, proxied: bool) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        assert (proxy_text(Origin.of(url), {**ALL, name: said}) != "") is proxied


def test_lower_case_names_win() -> None:
    environment = {"https_proxy": "http://lower.test", "HTTPS_PROXY": "http://upper.test", "no_proxy": "a.test"}
    environment["NO_PROXY"] = "registry.test"

    assert proxy_text(Origin.of("https://registry.test"), environment) == "http://lower.test"
    assert proxy_text(Origin.of("https://a.test"), environment) == ""


def test_http_proxy_is_passed_over_where_a_web_server_runs_us() -> None:
    """CVE-2016-5385: there a client sets `HTTP_PROXY`, by a header."""
    environment = {"HTTP_PROXY": "http://evil.test", "REQUEST_METHOD": "GET"}

    assert proxy_text(Origin.of("http://registry.test"), environment) == ""
    assert proxy_text(Origin.of("http://registry.test"), {"HTTP_PROXY": "http://p.test"}) == "http://p.test"
    assert proxy_text(Origin.of("https://registry.test"), {"HTTP_PROXY": "http://p.test"}) == ""


def test_an_environment_that_is_not_trusted_is_not_heeded(library_way: Way, net: Network) -> None:
    registry_at(net)
    proxy = net.proxy()
    library_way.environment["HTTPS_PROXY"] = PROXY
    library_way.options["trust_env"] = False

    assert library_way.tags().value == ("1.4", "all")
    assert proxy.connections == 0


def test_behind_a_proxy_a_place_is_judged_by_its_name(library_way: Way, net: Network) -> None:
    registry_at(net).on(TAGS, redirect("https://169.254.169.254/latest/meta-data"))
    proxy = net.proxy()
    library_way.options["proxy"] = "http://proxy.test:3128"

    refused(library_way.tags(), errors.BlockedAddressError)
    assert [heard.target for heard in proxy.requests] == ["registry.test:443"]


def test_plain_http_through_a_proxy_shows_the_proxy_s_credential_to_it_alone(library_way: Way, net: Network) -> None:
    """Here the proxy itself answers: what it hears is the whole request, with its own credential in it."""
    proxy = net.proxy().on(TAGS, listed("1.4"))
    library_way.registry, library_way.options["proxy"] = "http://registry.test", PROXY

    assert library_way.tags().value == ("1.4",)
    [heard] = proxy.requests
    assert heard.target == f"http://registry.test{TAGS}"
    assert heard.header("proxy-authorization") is not None
    assert heard.header("authorization") is None
