"""Files of certificates that cannot be used: named ones are errors, those of `certs.d` warnings."""

import ssl
from pathlib import Path

import pytest

from dreg_client import errors
from dreg_client.credentials.tls import tls_context
from dreg_client.protocol.options import Options
from dreg_client.values.origin import Origin
from tests.credentials.places import cannot_be_opened
from tests.registries import make_certificate

REGISTRY = Origin.of("https://registry.test:5000")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("certificate"), "registry.test")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("SSLKEYLOGFILE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def context_of(**options: object) -> ssl.SSLContext:
    given = Options(**options)  # type: ignore[arg-type]
    return tls_context(given, REGISTRY, given)


def number_of(context: ssl.SSLContext) -> int:
    return context.cert_store_stats()["x509"]


# --- the environment


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SSLKEYLOGFILE", "{}/none/keys.log"),
        ("SSLKEYLOGFILE", "{}"),
        ("SSL_CERT_FILE", "{}/none.pem"),
        ("SSL_CERT_FILE", "{}"),
        ("SSL_CERT_FILE", "{}/no-certificate.pem"),
        ("SSL_CERT_DIR", "{}/none"),
        ("SSL_CERT_DIR", "{0}/none:{0}/no-certificate.pem"),
    ],
)
def test_a_variable_that_names_what_cannot_be_used_is_named_without_its_content(
    tmp_path: Path, environment: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    (tmp_path / "no-certificate.pem").write_text("no certificate")
    environment.setenv(variable, value.format(tmp_path))

    with pytest.raises(errors.ConfigError, match=f"^{variable}") as raised:
        context_of()
    assert str(tmp_path) not in str(raised.value)


def test_what_a_variable_names_is_trusted_alone(
    tmp_path: Path, environment: pytest.MonkeyPatch, certificate: tuple[Path, Path]
) -> None:
    environment.setenv("SSL_CERT_FILE", str(certificate[0]))
    environment.setenv("SSL_CERT_DIR", f"{tmp_path / 'none'}:{tmp_path}")

    assert number_of(context_of()) == 1


def test_a_certificate_that_is_not_checked_needs_no_authorities(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SSL_CERT_FILE", "/none.pem")

    assert context_of(insecure=True).verify_mode is ssl.CERT_NONE


# --- certs.d


@pytest.mark.parametrize("closed", ["registry.test:5000", "registry.test:5000/ca.crt", "registry.test:5000/me.cert"])
def test_what_cannot_be_read_in_certs_d_is_one_warning_and_the_rest_is_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, certificate: tuple[Path, Path], closed: str
) -> None:
    cannot_be_opened(tmp_path / "closed" / closed)
    readable = tmp_path / "open" / "registry.test:5000"
    readable.mkdir(parents=True)
    (readable / "ca.crt").write_bytes(certificate[0].read_bytes())
    folders = (str(tmp_path / "closed"), str(tmp_path / "open"))

    for _ in range(2):
        assert number_of(context_of(certs_dirs=folders)) == number_of(context_of()) + 1
    [warning] = caplog.messages
    assert warning.startswith(str(tmp_path / "closed" / closed))


def test_a_client_certificate_in_certs_d_whose_key_is_not_there_is_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, certificate: tuple[Path, Path]
) -> None:
    folder = tmp_path / "registry.test:5000"
    folder.mkdir()
    (folder / "client.cert").write_bytes(certificate[0].read_bytes())

    context_of(certs_dirs=(str(tmp_path),))
    assert "client.cert: cannot read a certificate and its key" in caplog.text


@pytest.mark.parametrize("host", ["https://registry.test", f"https://{'.'.join(['a' * 62] * 4)}.b:65535"])
def test_a_registry_without_a_folder_in_certs_d_is_no_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, host: str
) -> None:
    given = Options(certs_dirs=(str(tmp_path), "/none"))
    tls_context(given, Origin.of(host), given)

    assert not caplog.messages


# --- options


@pytest.mark.parametrize("content", [None, b"no certificate"])
@pytest.mark.parametrize("option", ["ca_file", "client_cert"])
def test_a_file_that_an_option_names_must_be_usable(tmp_path: Path, option: str, content: bytes | None) -> None:
    path = tmp_path / "file.pem"
    if content is not None:
        path.write_bytes(content)
    given = str(path) if option == "ca_file" else (str(path), None)

    with pytest.raises(errors.ConfigError, match=r"file\.pem: "):
        context_of(**{option: given})
