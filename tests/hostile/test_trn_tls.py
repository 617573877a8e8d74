"""Who is there: TRN-17 and TRN-18, and the rules for certificates of each host (hostile cases, 4.10)."""

import logging
import ssl
from pathlib import Path

import pytest
import trustme

from dreg_client import errors
from tests.faultserver import Network, answer, challenge, redirect, sentence
from tests.faultserver.network import asking, shown
from tests.hostile.registry import BLOB, LAYER, LAYER_DIGEST, TAGS, listed, registry_at
from tests.hostile.secrets import PASSWORD, TOKEN, USER, Watch
from tests.hostile.ways import Way, refused

WRONG = {
    "expired": lambda name: shown(name, expired=True),
    "of another host": lambda _: shown("other.test"),
    "by another": lambda name: shown(name, ca=trustme.CA()),
    "TLS 1.0": lambda name: shown(name, oldest=True),
}


@pytest.mark.parametrize("certificate", WRONG.values(), ids=WRONG)
def test_trn_17_who_does_not_prove_itself_is_told_nothing(way: Way, net: Network, certificate: object) -> None:
    assert callable(certificate)
    registry = net.host("registry.test", certificate=certificate("registry.test"))
    plain = net.host("registry.test", scheme="http").on(TAGS, listed("1.4"))
    way.credentials, way.options["retries"] = (USER, PASSWORD), 3

    refused(way.tags(), errors.TLSError)
    assert (registry.connections, registry.requests) == (1, []), "once, and nothing was sent"
    assert plain.connections == 0, "plain http is not tried"


def test_trn_17_plain_http_on_443_is_no_registry(way: Way, net: Network) -> None:
    registry = net.host("registry.test", scheme="http", port=443).on(TAGS, listed("1.4"))
    plain = net.host("registry.test", scheme="http").on(TAGS, listed("1.4"))
    registry.to_tls = answer(b"no TLS here", "400 Bad Request")
    way.options["retries"] = 3

    refused(way.tags(), errors.TLSError)
    assert registry.connections == 1
    assert registry.requests == []
    assert plain.connections == 0


@pytest.mark.parametrize("wrong", ["expired", "of another host", "by another"])
def test_trn_18_insecure_is_of_the_registry_alone(way: Way, net: Network, tmp_path: Path, wrong: str) -> None:
    registry_at(net, certificate=WRONG[wrong]("registry.test")).on(BLOB, redirect("https://cdn.test/layer"))
    cdn = net.host("cdn.test", certificate=WRONG[wrong]("cdn.test")).on("/layer", answer(LAYER))
    way.options["insecure"] = True

    assert way.tags().error is None
    refused(way.blob(LAYER_DIGEST, tmp_path / "layer"), errors.TLSError)
    assert cdn.requests == []


def test_trn_18_a_token_server_is_checked_too(way: Way, net: Network) -> None:
    registry_at(net, certificate=shown("registry.test", expired=True)).on(
        TAGS, challenge('Bearer realm="https://auth.registry.test/token"')
    )
    tokens = net.host("auth.registry.test", certificate=shown("auth.registry.test", expired=True))
    way.options["insecure"], way.credentials = True, (USER, PASSWORD)

    refused(way.tags(), errors.TLSError)
    assert tokens.requests == []


@pytest.mark.parametrize("port", [8443, 5000])
def test_trn_18_insecure_is_of_one_port(library_way: Way, net: Network, port: int) -> None:
    registry_at(net).on(TAGS, redirect(f"https://registry.test:{port}/tags"))
    other = net.host("registry.test", port=port, certificate=shown("registry.test", expired=True))
    library_way.options["insecure"] = True

    refused(library_way.tags(), errors.TLSError)
    assert other.requests == []


@pytest.mark.parametrize("broken", ["missing", "a folder", "empty", "no certificate"])
def test_trn_18_without_the_authorities_that_were_named_nothing_is_done(
    way: Way, net: Network, tmp_path: Path, broken: str
) -> None:
    registry = registry_at(net)
    file = tmp_path / "ca.pem"
    match broken:
        case "a folder":
            file.mkdir()
        case "empty":
            file.write_bytes(b"")
        case "no certificate":
            file.write_bytes(b"-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n")
    way.options["ca_file"] = str(file)

    refused(way.tags(), errors.ConfigError)
    assert registry.connections == 0


def test_insecure_is_told_once(library_way: Way, net: Network, watch: Watch) -> None:
    name = f"{library_way.name}.insecure.test"
    registry_at(net, name)
    library_way.registry, library_way.options["insecure"] = name, True

    for _ in range(2):
        assert library_way.tags().value == ("1.4", "all")
    assert sum("is not verified" in text and name in text for text in watch.heard) == 1


def test_trn_27_openssl_s_own_variables_are_heeded(way: Way, net: Network) -> None:
    registry_at(net)
    way.options["ca_file"] = None

    refused(way.tags(), errors.TLSError)
    way.environment["SSL_CERT_FILE"] = str(net.ca_file)
    assert way.tags().error is None


def test_our_certificate_is_shown_to_the_registry_alone(
    library_way: Way, net: Network, own_certificate: tuple[str, str]
) -> None:
    registry = registry_at(net, certificate=asking("registry.test"))
    cdn = net.host("cdn.test", certificate=asking("cdn.test")).on("/tags", listed("1"))
    tokens = net.host("auth.registry.test", certificate=asking("auth.registry.test"))
    tokens.on("/token", answer(sentence({"token": TOKEN})))
    registry.on(TAGS, challenge('Bearer realm="https://auth.registry.test/token"'), redirect("https://cdn.test/tags"))
    library_way.options["client_cert"] = own_certificate

    assert library_way.tags().value == ("1",)
    assert (registry.introduced, cdn.introduced, tokens.introduced) == (1, 0, 0)
    assert len(tokens.requests) == 1


def test_a_folder_of_certificates_is_of_its_registry(
    library_way: Way, net: Network, tmp_path: Path, own_certificate: tuple[str, str]
) -> None:
    """`certs.d/HOST[:PORT]`, as docker and podman have it: another port is another registry."""
    folder = tmp_path / "certs.d" / "registry.test:8443"
    folder.mkdir(parents=True)
    (folder / "ca.crt").write_bytes(net.ca_file.read_bytes())
    (folder / "client.cert").write_bytes(Path(own_certificate[0]).read_bytes())
    (folder / "client.key").write_bytes(Path(own_certificate[1]).read_bytes())
    theirs = registry_at(net, port=8443, certificate=asking("registry.test"))
    other = registry_at(net, certificate=asking("registry.test"))
    library_way.options |= {"ca_file": None, "certs_dirs": (str(tmp_path / "certs.d"),)}

    library_way.registry = "registry.test:8443"
    assert library_way.tags().value == ("1.4", "all")
    assert theirs.introduced == 1
    library_way.registry = "registry.test"
    refused(library_way.tags(), errors.TLSError)
    assert other.requests == []


def test_a_folder_that_cannot_be_read_ends_it(library_way: Way, net: Network, tmp_path: Path) -> None:
    folder = tmp_path / "certs.d" / "registry.test"
    folder.mkdir(parents=True)
    (folder / "client.cert").write_bytes(b"no certificate")
    registry = registry_at(net)
    library_way.options["certs_dirs"] = (str(tmp_path / "certs.d"),)

    refused(library_way.tags(), errors.ConfigError)
    assert registry.connections == 0


def test_a_context_of_the_caller_s_own_is_used_as_it_is(library_way: Way, net: Network) -> None:
    registry_at(net)
    library_way.options |= {"ca_file": None, "ssl_context": ssl.create_default_context()}

    refused(library_way.tags(), errors.TLSError)
    library_way.options["ssl_context"] = ssl.create_default_context(cafile=str(net.ca_file))
    assert library_way.tags().value == ("1.4", "all")


def test_a_host_whose_name_ends_in_a_dot_is_no_other_registry(library_way: Way, net: Network) -> None:
    """`registry.test.` is another origin, and sees no credential of `registry.test`."""
    registry_at(net).on(TAGS, challenge("Basic"), redirect("https://registry.test./tags"))
    dotted = net.host("registry.test.", certificate=shown("registry.test")).on("/tags", listed("1"))
    library_way.credentials = (USER, PASSWORD)

    library_way.tags()
    assert dotted.secrets == []
    assert logging.getLogger("dreg_client").level == logging.NOTSET
