"""The same over TLS: connections are kept, large bodies come whole, and nothing goes to whom we do not trust."""

import socket
import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from dreg_client import Digest, errors
from tests.raw_server import RawServer, answer
from tests.registries import make_certificate

LARGE = bytes(range(256)) * 16_384
DIGEST = Digest.of(LARGE)
Client = Callable[..., Any]


class Secure(RawServer):
    """A server behind TLS."""

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("certificate"), "localhost")


@contextmanager
def serving(certificate: tuple[Path, Path], said: bytes) -> Generator[Secure]:
    """A server behind TLS that says one thing to whoever asks."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Secure(listener.getsockname()[1])

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    server.connections += 1
                    with suppress(OSError), context.wrap_socket(connection, server_side=True) as wire:
                        while wire.recv(65_536):
                            wire.sendall(said)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(20)


def test_large_bodies_keep_a_connection_over_tls(
    client: Client, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    with (
        serving(certificate, answer(LARGE)) as server,
        client(server, ca_file=str(certificate[0])) as (_, do),
    ):
        for _ in range(3):
            do(lambda repository: repository.download_blob(DIGEST, tmp_path / "blob"))
            assert (tmp_path / "blob").read_bytes() == LARGE
        assert server.connections == 1


def test_who_is_not_trusted_is_sent_nothing(client: Client, certificate: tuple[Path, Path]) -> None:
    with serving(certificate, answer(LARGE)) as server, client(server, retries=3) as (_, do):
        with pytest.raises(errors.TLSError, match="ca_file"):
            do(lambda repository: repository.get_blob(DIGEST))
        assert server.connections == 1


def test_what_comes_behind_an_answer_over_tls_closes_the_connection(
    client: Client, certificate: tuple[Path, Path]
) -> None:
    said = answer(b"{}") + answer(b'{"evil": 1}')
    with serving(certificate, said) as server, client(server, ca_file=str(certificate[0])) as (_, do):
        for _ in range(2):
            assert do(lambda repository: repository.get_raw_manifest("1.4")).raw == b"{}"
        assert server.connections == 2
