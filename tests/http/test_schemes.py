"""A registry that speaks TLS and is asked without, or the other way round: the error says what to write."""

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from dreg_client import Registry, errors
from tests.raw_server import speaking

GO = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
WORDS = {
    "Go": GO,
    "nginx": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 60\r\nConnection: close\r\n\r\n"
    + b"<html>The plain HTTP request was sent to HTTPS port</html>".ljust(60),
    "Apache": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 70\r\nConnection: close\r\n\r\n"
    + b"You're speaking plain HTTP to an SSL-enabled server port.".ljust(70),
    "an alert of TLS": b"\x15\x03\x01\x00\x02\x02\x46",
}
ASKS: dict[str, Callable[[Any], Any]] = {
    "GET": lambda repository: repository.tags(),
    "HEAD": lambda repository: repository.resolve("1.4"),
}


def said_to(answer: bytes, name: str, ask: Callable[[Any], Any] = ASKS["GET"], **options: Any) -> str:
    """What the error says where this is answered to whatever comes; `PORT` stands for the port."""

    def script(head: bytes, connection: socket.socket) -> None:
        connection.sendall(answer)

    with speaking(script) as server:
        with (
            Registry(name.replace("PORT", str(server.port)), **options) as registry,
            pytest.raises(errors.TLSError) as failure,
        ):
            ask(registry.repository("acme/web"))
        assert server.connections == 1, "it is not asked again"
        return str(failure.value).replace(str(server.port), "PORT")


@pytest.mark.parametrize("answer", WORDS.values(), ids=WORDS)
def test_who_speaks_tls_is_recognised_by_its_words(answer: bytes) -> None:
    said = said_to(answer, "http://localhost:PORT")

    assert said.endswith("the server requires TLS, but the request used plain HTTP; write https://localhost:PORT")


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_who_is_asked_for_a_head_alone_is_recognised_too(ask: Callable[[Any], Any]) -> None:
    assert "the server requires TLS, but the request used plain HTTP; write https" in said_to(
        GO, "http://localhost:PORT", ask
    )


def test_a_name_needs_an_option_to_be_asked_over_tls() -> None:
    assert said_to(GO, "localhost:PORT").endswith(
        "; trust its CA with ca_file, or skip verification with insecure=True"
    )
    said = said_to(GO, "localhost:PORT", plain_http=True, insecure=True)
    assert said.endswith("used plain HTTP; omit plain_http")


def test_another_400_is_what_it_was() -> None:
    other = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    with (
        speaking(lambda _, connection: connection.sendall(other)) as server,
        Registry(server.url) as registry,
        pytest.raises(errors.RegistryError, match="400"),
    ):
        registry.repository("acme/web").tags()


@pytest.mark.parametrize(
    ("name", "options", "advice"),
    [
        ("https://localhost:PORT/prefix", {}, "write http://localhost:PORT/prefix"),
        ("https://localhost:PORT", {"plain_http": True}, "write http://localhost:PORT"),
        ("localhost:PORT", {"insecure": True}, "set plain_http=True"),
    ],
)
def test_who_speaks_no_tls_is_named_by_what_leads_there(name: str, options: dict[str, Any], advice: str) -> None:
    not_tls = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"

    def script(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(not_tls)

    said = said_by_hello(script, name, options)
    assert said.endswith(f"the server does not use TLS; if the registry uses plain HTTP, {advice}")


def said_by_hello(script: Callable[[socket.socket], None], name: str, options: dict[str, Any]) -> str:
    """What the error says where TLS is begun with somebody who has other words."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        thread = threading.Thread(target=script, args=(listener,), daemon=True)
        thread.start()
        with Registry(name.replace("PORT", port), **options) as registry, pytest.raises(errors.TLSError) as failure:
            registry.ping()
        thread.join(20)
    return str(failure.value).replace(port, "PORT")
