"""CVE-2018-18074, CVE-2023-32681, CVE-2018-20060, CVE-2018-25091, CVE-2023-43804, CVE-2024-37891, CVE-2026-44431,
CVE-2024-45336, CVE-2025-4673, CVE-2023-45289: requests, urllib3, Go net/http

After a redirect, clients removed headers such as `Authorization`, but forgot some cases: a redirect to HTTP or to a
subdomain, a header in another letter case, cookies, the password of a proxy, a second redirect.

No headers are removed. The headers of every request are built from scratch.

TRN-01, TRN-13, TRN-23
"""

from pathlib import Path

import pytest

from tests.advisories.scenes import OURS, listening, luring, shown
from tests.faultserver import Network, redirect
from tests.hostile.registry import LAYER, LAYER_DIGEST
from tests.hostile.secrets import PASSWORD
from tests.hostile.ways import Way


@pytest.mark.parametrize(
    "place", ["https://sub.registry.test/one", "https://other.test/one", "https://registry.test:8443/one"]
)
def test_no_hop_sees_what_is_the_registry_s(library_way: Way, net: Network, tmp_path: Path, place: str) -> None:
    luring(net, place)
    hosts = [
        listening(net, "sub.registry.test"),
        listening(net, "other.test"),
        listening(net, "registry.test", port=8443),
    ]
    for host in hosts:
        host.on("/one", redirect("/two", 302, "Set-Cookie: a=b; Domain=registry.test"))
        host.on("/two", redirect("https://last.test/layer", 307, "Set-Cookie: c=d"))
    last = listening(net, "last.test")
    shown(library_way)

    assert library_way.blob(LAYER_DIGEST, tmp_path / "layer").error is None
    assert (tmp_path / "layer").read_bytes() == LAYER
    [first, second] = [heard for host in hosts for heard in host.requests]
    for heard in (first, second, *last.requests):
        assert {name for name, _ in heard.headers} <= OURS


def test_a_way_back_to_the_registry_brings_no_cookie_along(library_way: Way, net: Network, tmp_path: Path) -> None:
    registry = luring(net, "https://other.test/one")
    listening(net, "other.test").on("/one", redirect("https://registry.test/back", 302, "Set-Cookie: a=b"))
    registry.on("/back", redirect("https://last.test/layer", 302, "Set-Cookie: c=d"))
    last = listening(net, "last.test")

    assert shown(library_way).blob(LAYER_DIGEST, tmp_path / "layer").error is None
    assert not any(heard.header("cookie") for heard in (*registry.requests, *last.requests))


def test_a_proxy_s_password_is_for_the_proxy(library_way: Way, net: Network, tmp_path: Path) -> None:
    registry = luring(net, "https://other.test/layer")
    other, proxy = listening(net, "other.test"), net.proxy()
    shown(library_way).options["proxy"] = f"http://grace:{PASSWORD}@proxy.test:3128"

    assert library_way.blob(LAYER_DIGEST, tmp_path / "layer").error is None
    assert all(heard.header("proxy-authorization") for heard in proxy.requests)
    assert not any(heard.header("authorization") for heard in proxy.requests)
    assert not any(heard.header("proxy-authorization") for heard in (*registry.requests, *other.requests))
