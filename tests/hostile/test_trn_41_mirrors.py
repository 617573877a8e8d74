"""The registry's settings for TLS are its own; a mirror has others (TRN-41)."""

import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from dreg_client import Mirror, Registry, errors
from tests.faultserver import Host, Network, answer
from tests.faultserver.network import asking, shown
from tests.hostile.registry import BLOB, LAYER, LAYER_DIGEST, registry_at
from tests.hostile.ways import Way


def mirror_at(net: Network, certificate: ssl.SSLContext | None = None) -> Host:
    return net.host("mirror.test", certificate=certificate).on(BLOB, answer(LAYER))


def named(way: Way, words: str, **settings: Any) -> None:
    """Name the mirror with settings of its own."""
    url = "https://mirror.test"
    way.options["mirrors"] = (f"{url}{words}" if way.name == "command line" else Mirror(url, **settings),)


BAD = {"expired": {"expired": True}, "of a stranger": {"ca": trustme.CA()}}


@pytest.mark.parametrize("bad", BAD)
def test_trn_41_insecure_is_for_the_registry_alone(way: Way, net: Network, tmp_path: Path, bad: str) -> None:
    registry = registry_at(net, certificate=shown("registry.test", expired=True))
    mirror = mirror_at(net, shown("mirror.test", **BAD[bad]))  # type: ignore[arg-type]
    way.options |= {"insecure": True, "mirrors": ("https://mirror.test",)}

    assert way.blob(LAYER_DIGEST, tmp_path / "layer").error is None
    assert mirror.requests == []
    assert [heard.path for heard in registry.requests] == [BLOB]


@pytest.mark.parametrize("bad", BAD)
def test_trn_41_a_mirror_may_be_insecure_itself(way: Way, net: Network, tmp_path: Path, bad: str) -> None:
    registry = registry_at(net, certificate=shown("registry.test", expired=True))
    mirror = mirror_at(net, shown("mirror.test", **BAD[bad]))  # type: ignore[arg-type]
    named(way, ",insecure", insecure=True)

    assert way.blob(LAYER_DIGEST, tmp_path / "layer").error is None
    assert [heard.path for heard in mirror.requests] == [BLOB]
    assert registry.connections == 0


def test_trn_41_that_is_not_for_the_registry(way: Way, net: Network, tmp_path: Path) -> None:
    registry = registry_at(net, certificate=shown("registry.test", expired=True))
    net.host("mirror.test")
    named(way, ",insecure", insecure=True)

    assert way.blob(LAYER_DIGEST, tmp_path / "layer").kind is errors.TLSError
    assert registry.requests == []


def test_trn_41_our_certificate_is_not_shown_to_a_mirror(
    library_way: Way, net: Network, own_certificate: tuple[str, str], tmp_path: Path
) -> None:
    registry_at(net, certificate=asking("registry.test"))
    mirror = mirror_at(net, asking("mirror.test"))
    library_way.options |= {"client_cert": own_certificate, "mirrors": ("https://mirror.test",)}

    assert library_way.blob(LAYER_DIGEST, tmp_path / "layer").error is None
    assert (mirror.introduced, len(mirror.requests)) == (0, 1)


def test_trn_41_a_mirror_may_have_a_certificate_of_its_own(
    way: Way, net: Network, own_certificate: tuple[str, str], tmp_path: Path
) -> None:
    registry = registry_at(net, certificate=asking("registry.test"))
    mirror = mirror_at(net, asking("mirror.test"))
    cert, key = own_certificate
    named(way, f",cert={cert},key={key}", client_cert=own_certificate)

    assert way.blob(LAYER_DIGEST, tmp_path / "layer").error is None
    assert mirror.introduced == 1
    mirror.on(BLOB, answer(b"", "404 Not Found"))
    assert way.blob(LAYER_DIGEST, tmp_path / "again").error is None
    assert (registry.introduced, len(registry.requests)) == (0, 1)


def test_trn_41_a_mirror_may_have_an_authority_of_its_own(way: Way, net: Network, tmp_path: Path) -> None:
    theirs = trustme.CA()
    theirs.cert_pem.write_to_path(str(tmp_path / "theirs.pem"))
    registry = registry_at(net)
    mirror = mirror_at(net, shown("mirror.test", ca=theirs))
    named(way, f",ca-file={tmp_path / 'theirs.pem'}", ca_file=str(tmp_path / "theirs.pem"))

    assert way.blob(LAYER_DIGEST, tmp_path / "layer").error is None
    assert (len(mirror.requests), registry.connections) == (1, 0)


def test_trn_41_that_authority_is_not_trusted_for_the_registry(way: Way, net: Network, tmp_path: Path) -> None:
    theirs = trustme.CA()
    theirs.cert_pem.write_to_path(str(tmp_path / "theirs.pem"))
    registry = registry_at(net, certificate=shown("registry.test", ca=theirs))
    net.host("mirror.test")
    named(way, f",ca-file={tmp_path / 'theirs.pem'}", ca_file=str(tmp_path / "theirs.pem"))

    assert way.blob(LAYER_DIGEST, tmp_path / "layer").kind is errors.TLSError
    assert registry.requests == []


@pytest.mark.parametrize(
    "words", [",", ",insecur", ",insecure=yes", ",ca-file=", ",ca-file", ",key=k", ",insecure,insecure"]
)
def test_trn_41_a_setting_that_there_is_not_is_a_mistake(net: Network, words: str) -> None:
    registry, way = registry_at(net), Way("command line", net)
    way.options["mirrors"] = (f"https://mirror.test{words}",)

    outcome = way.tags()
    assert outcome.exit_code == 2
    assert "--mirror" in outcome.text
    assert registry.connections == 0


def test_trn_41_so_it_is_in_the_library() -> None:
    with pytest.raises(TypeError, match="Mirror: insecure= takes True or False, not str"):
        Mirror("https://mirror.test", insecure="yes")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="Mirror: url= takes the URL of a mirror"):
        Mirror(7)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="mirrors= takes a tuple of URLs or Mirrors"):
        Registry("https://registry.test", mirrors=({"url": "https://mirror.test"},))  # type: ignore[arg-type]
