"""Where answers may lead, and what goes along: TRN-01 to TRN-13."""

from pathlib import Path
from typing import Any

import pytest

from dreg_client import Credential, errors
from tests.faultserver import Network, answer, challenge, redirect, sentence
from tests.hostile.registry import (
    BLOB,
    DIGEST,
    LAYER,
    LAYER_DIGEST,
    MANIFEST,
    MANIFESTS,
    TAGS,
    document,
    registry_at,
)
from tests.hostile.secrets import PASSWORD, REFRESH, SIGNED, TOKEN, USER
from tests.hostile.ways import Way, refused


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_trn_01_nothing_of_ours_goes_to_a_cdn(way: Way, net: Network, tmp_path: Path, status: int) -> None:
    registry = registry_at(net).on(
        BLOB, challenge("Basic"), redirect(f"https://cdn.test/layer?sig={SIGNED}", status, "Set-Cookie: a=b")
    )
    cdn = net.host("cdn.test").on("/layer", answer(LAYER))
    way.credentials = (USER, PASSWORD)

    assert way.blob(LAYER_DIGEST, tmp_path / "layer").error is None
    assert (tmp_path / "layer").read_bytes() == LAYER
    assert len(registry.secrets) == 1
    [heard] = cdn.requests
    assert heard.query == {"sig": [SIGNED]}
    assert {name for name, _ in heard.headers} <= {"host", "user-agent", "accept", "accept-encoding", "range"}


@pytest.mark.parametrize(
    ("registry", "elsewhere"),
    [
        ("https://registry.test", "https://registry.test:8443"),
        ("https://registry.test:8443", "https://registry.test"),
        ("http://registry.test", "https://registry.test"),
        ("http://registry.test", "http://registry.test:8080"),
    ],
)
def test_trn_02_another_port_or_scheme_is_another_origin(
    way: Way, net: Network, tmp_path: Path, registry: str, elsewhere: str
) -> None:
    first, second = (
        net.host(
            "registry.test",
            scheme=url.partition("://")[0],
            port=int(url.rpartition(":")[2]) if url.count(":") > 1 else None,
        )
        for url in (registry, elsewhere)
    )
    first.on(BLOB, challenge("Basic"), redirect(f"{elsewhere}/layer"))
    second.on("/layer", answer(LAYER))
    way.registry, way.credentials = registry, (USER, PASSWORD)
    way.options["plain_http"] = registry.startswith("http://")

    assert way.blob(LAYER_DIGEST, tmp_path / "layer").error is None
    assert len(first.secrets) == 1
    assert second.requests
    assert second.secrets == []


@pytest.mark.parametrize("location", ["http://registry.test/layer", "http://cdn.test/layer"])
def test_trn_03_https_never_becomes_http(way: Way, net: Network, tmp_path: Path, location: str) -> None:
    plain = [net.host(name, scheme="http").on("/layer", answer(LAYER)) for name in ("registry.test", "cdn.test")]
    registry = registry_at(net).on(BLOB, redirect("https://next.test/layer"))
    following = net.host("next.test").on("/layer", redirect(location))
    way.options["retries"] = 3

    refused(way.blob(LAYER_DIGEST, tmp_path / "layer"), errors.InsecureDowngradeError)
    assert [host.connections for host in plain] == [0, 0]
    assert (len(registry.requests), len(following.requests)) == (1, 1)
    assert not (tmp_path / "layer").exists()


NEAR = ["127.0.0.1", "169.254.169.254", "[::1]", "localhost", "0.0.0.0", "[::ffff:10.0.0.1]", "2130706433", "0x7f.1"]  # noqa: S104 (no binding)
TRANSLATED = [
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
    "2002:a9fe:a9fe::",
    "::127.0.0.1",
    "::ffff:0:127.0.0.1",
    "fec0::1",
]
NEAR += [f"[{address}]" for address in TRANSLATED]


@pytest.mark.parametrize("place", NEAR)
def test_trn_04_a_public_registry_does_not_send_us_near(library_way: Way, net: Network, place: str) -> None:
    near = net.host("near.test", address="127.0.0.1")
    registry = registry_at(net).on(TAGS, redirect(f"https://{place}/tags"))
    library_way.options["retries"] = 3

    refused(library_way.tags(), errors.BlockedAddressError)
    assert near.connections == 0
    assert len(registry.requests) == 1


def test_trn_04_neither_by_the_command_line(way: Way, net: Network, tmp_path: Path) -> None:
    near = net.host("near.test", address="127.0.0.1")
    registry_at(net).on(BLOB, redirect("https://127.0.0.1/layer"))

    refused(way.blob(LAYER_DIGEST, tmp_path / "layer"), errors.BlockedAddressError)
    assert near.connections == 0


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.1.2.3"])
def test_trn_05_the_address_that_is_dialled_is_looked_at(way: Way, net: Network, tmp_path: Path, address: str) -> None:
    registry = registry_at(net).on(BLOB, redirect("https://near.test/layer"))
    near = net.host("near.test", address=address).on("/layer", answer(LAYER))

    refused(way.blob(LAYER_DIGEST, tmp_path / "layer"), errors.BlockedAddressError)
    assert not near.requests
    assert len(registry.requests) == 1
    assert not (tmp_path / "layer").exists()


def test_trn_05_a_connection_that_is_kept_is_looked_at_too(library_way: Way, net: Network) -> None:
    """A near host that was talked to as the registry's own is no reason to go there for a public one."""
    near = net.host("near.test", address="10.1.2.3").on("/tags", answer(b"{}"))
    registry = registry_at(net).on(TAGS, redirect("https://near.test/tags"))

    for _ in range(2):
        refused(library_way.tags(), errors.BlockedAddressError)
    assert near.requests == []
    assert len(registry.requests) == 2


@pytest.mark.parametrize(
    ("own", "other"), [("10.0.0.1", "10.0.0.2"), ("127.0.0.1", "127.0.0.2"), ("192.168.1.1", "10.9.9.2")]
)
def test_trn_07_a_near_registry_may_send_us_to_its_own_network(
    way: Way, net: Network, tmp_path: Path, own: str, other: str
) -> None:
    registry = registry_at(net, address=own).on(
        BLOB,
        challenge('Bearer realm="https://tokens.test/token",service="registry.test"'),
        redirect("/moved"),
    )
    registry.on("/moved", redirect("https://cdn.test/layer"))
    net.host("cdn.test", address=other).on("/layer", answer(LAYER))
    tokens = net.host("tokens.test", address=f"{other[:-1]}3").on("/token", answer(sentence({"token": TOKEN})))

    assert way.blob(LAYER_DIGEST, tmp_path / "layer").error is None
    assert (tmp_path / "layer").read_bytes() == LAYER
    assert len(tokens.requests) == 1


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "ftp://cdn.test/x",
        "data:,x",
        "unix:///run/x",
        "javascript:alert(1)",
        "https://u:p@cdn.test/x",
    ],
)
def test_trn_08_other_schemes_lead_nowhere(library_way: Way, net: Network, location: str) -> None:
    registry = registry_at(net).on(TAGS, redirect(location))
    cdn = net.host("cdn.test")
    library_way.options["retries"] = 3

    refused(library_way.tags(), errors.UnsafeURLError)
    assert cdn.connections == 0
    assert len(registry.requests) == 1


def test_trn_08_a_file_of_this_machine_is_no_blob(way: Way, net: Network, tmp_path: Path) -> None:
    registry_at(net).on(BLOB, redirect("file:///etc/passwd"))

    refused(way.blob(LAYER_DIGEST, tmp_path / "layer"), errors.UnsafeURLError)
    assert not (tmp_path / "layer").exists()


def test_trn_09_a_circle_of_two_hosts_ends(way: Way, net: Network, tmp_path: Path) -> None:
    registry = registry_at(net).on(BLOB, redirect("https://cdn.test/layer"))
    cdn = net.host("cdn.test").on("/layer", redirect(f"https://registry.test{BLOB}"))
    way.options["retries"] = 3

    refused(way.blob(LAYER_DIGEST, tmp_path / "layer"), errors.TooManyRedirectsError)
    assert len(registry.requests) + len(cdn.requests) == 11


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("action", ["tag", "delete"])
def test_trn_12_what_changes_something_goes_to_the_registry_alone(
    library_way: Way, net: Network, status: int, action: str
) -> None:
    registry = registry_at(net)
    registry.on(f"{MANIFESTS}/new", redirect("https://other.test/x", status), method="PUT")
    registry.on(f"{MANIFESTS}/{DIGEST}", redirect("https://other.test/x", status), method="DELETE")
    other = net.host("other.test").on("/x", answer(b"", 201))
    library_way.options["retries"] = 3

    done = library_way.tag("1.4", "new") if action == "tag" else library_way.delete(DIGEST)
    refused(done, errors.CrossOriginError if status in {307, 308} else errors.RegistryError)
    assert other.connections == 0
    assert [heard.method for heard in registry.requests if heard.method != "GET"] == [
        "PUT" if action == "tag" else "DELETE"
    ]


@pytest.mark.parametrize("status", [302, 307])
def test_trn_12_neither_by_the_command_line(way: Way, net: Network, status: int) -> None:
    registry = registry_at(net).on(f"{MANIFESTS}/{DIGEST}", redirect("https://other.test/x", status), method="DELETE")
    other = net.host("other.test")

    refused(way.delete(DIGEST), errors.CrossOriginError, errors.RegistryError)
    assert other.connections == 0
    assert [heard.method for heard in registry.requests if heard.path.endswith(str(DIGEST))][-1] == "DELETE"


@pytest.mark.parametrize("status", [307, 308])
def test_trn_12_within_the_registry_the_same_bytes_are_written(library_way: Way, net: Network, status: int) -> None:
    registry = registry_at(net).on(f"{MANIFESTS}/new", redirect("/elsewhere", status), method="PUT")
    registry.on("/elsewhere", answer(b"", 201))
    registry.on(f"{MANIFESTS}/new", document(MANIFEST), method="HEAD")

    assert library_way.tag("1.4", "new").error is None
    first, second = (heard for heard in registry.requests if heard.method == "PUT")
    assert first.body == second.body != b""
    assert second.header("content-type") == first.header("content-type")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_trn_12_a_token_server_leads_nobody_elsewhere(library_way: Way, net: Network, status: int) -> None:
    """The secret of a POST is in its body."""
    registry_at(net).on(TAGS, challenge('Bearer realm="https://registry.test/token"'))
    net.hosts["registry.test"].on("/token", redirect("https://other.test/token", status))
    other = net.host("other.test").on("/token", answer(sentence({"token": TOKEN})))
    library_way.options["credentials"] = Credential(identity_token=REFRESH)

    refused(library_way.tags(), errors.AuthError)
    assert other.connections == 0


def test_trn_13_no_cookie_is_kept(library_way: Way, net: Network) -> None:
    cookie = "Set-Cookie: session=1; Path=/; Domain=test"
    registry = registry_at(net).on(BLOB, redirect("https://cdn.test/layer", 307, cookie))
    registry.on(TAGS, answer(sentence({"name": "acme/web", "tags": ["1"]}), 200, cookie))
    cdn = net.host("cdn.test").on("/layer", answer(LAYER, 200, cookie))

    def blob(registry: Any) -> Any:
        return registry.repository("acme/web").get_blob(LAYER_DIGEST)

    def tags(registry: Any) -> Any:
        return registry.repository("acme/web").tags()

    assert library_way.all_of(tags, blob, tags, blob).value == [("1",), LAYER, ("1",), LAYER]
    assert registry.secrets + cdn.secrets == []
