"""Answers without an end, or with far too much in them, made while they are sent."""

import gzip
import json
import re
import socket
from collections.abc import Iterator
from functools import cache

from tests.raw_server import answer

BLOCK = bytes(1 << 20)
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
LARGE = 256 << 20
WAYS = {"length": f"Content-Length: {1 << 50}", "chunked": "Transfer-Encoding: chunked", "close": "Connection: close"}


def endless(connection: socket.socket, block: bytes, status: str, *headers: str, way: str = "length") -> None:
    """A body that ends when the other end has had enough of it; the longest that is sent is 1 GiB."""
    lines = [f"HTTP/1.1 {status}", *headers, WAYS[way]]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    framed = b"%x\r\n%b\r\n" % (len(block), block) if way == "chunked" else block
    for _ in range((1 << 30) // len(block)):
        connection.sendall(framed)


def sized(connection: socket.socket, size: int) -> None:
    """A blob of zeros."""
    connection.sendall(answer(length=size))
    for _ in range(size // len(BLOCK)):
        connection.sendall(BLOCK)


def packed(connection: socket.socket, *headers: str) -> None:
    """A gzip bomb that nobody asked for: 128 MiB in 128 KiB."""
    connection.sendall(answer(squeezed(), "200 OK", "Content-Encoding: gzip", *headers))


@cache
def squeezed() -> bytes:
    return gzip.compress(bytes(1 << 20), 9) * 128


def tags() -> bytes:
    """A page of a million tags: more than a page may have bytes."""
    return json.dumps({"name": "a/b", "tags": [f"t{number}" for number in range(1_000_000)]}).encode()


def huge_size() -> bytes:
    """A manifest whose layer and config are of 9 EiB, so they say."""
    digest = "sha256:" + "0" * 64
    described = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": (1 << 63) - 1}
    return json.dumps(
        {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": described, "layers": [described]}
    ).encode()


def deep() -> bytes:
    return b'{"schemaVersion":2,"config":' + b"[" * 3_000_000


def wide() -> bytes:
    """Ten times as many layers as there may be, and all that a layer must have is missing in each."""
    return b'{"schemaVersion":2,"layers":[' + b"{}," * 100_000 + b"{}]}"


def script(head: bytes, connection: socket.socket) -> bool:
    """Say what the name of the repository, `bomb/NAME`, asks for."""
    found = re.match(rb"(?:GET|HEAD) /(?:v2/bomb/([a-z0-9-]+)/([a-z]+)|token)", head)
    kind = found[1].decode() if found and found[1] else "token"
    is_proven = b"authorization:" in head.lower()
    if kind == "token-server" and not is_proven:
        host = re.search(rb"(?i)\r\nhost: (\S+)", head)
        realm = f"http://{host[1].decode() if host else ''}/token"
        connection.sendall(answer(b"", "401 Unauthorized", f'WWW-Authenticate: Bearer realm="{realm}",service="s"'))
        return True
    return say(kind, connection)


def say(kind: str, connection: socket.socket) -> bool:
    """Whether the connection may go on."""
    text = f"Content-Type: {MANIFEST_TYPE}"
    match kind.partition("-"):
        case "endless", _, way:
            endless(connection, b" " * (1 << 20), "200 OK", text, way=way)
        case "refused", _, way:
            endless(connection, b" " * (1 << 20), "403 Forbidden", "Content-Type: application/json", way=way)
        case "token", _, _:
            endless(connection, b" " * (1 << 20), "200 OK", "Content-Type: application/json")
        case "sized", _, _:
            sized(connection, LARGE)
        case "packed", _, _:
            packed(connection, text)
            return True
        case _:
            connection.sendall(
                answer(DOCUMENTS[kind](), "200 OK", text) if kind in DOCUMENTS else answer(b"", "404 No")
            )
            return True
    return False


DOCUMENTS = {"tags": tags, "huge": huge_size, "deep": deep, "wide": wide}


def zeros(size: int) -> Iterator[bytes]:
    for _ in range(size // len(BLOCK)):
        yield BLOCK
