"""A token server as registries have one beside them (distribution "Token Authentication"), behind TLS."""

import base64
import json
import ssl
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.commands import run_limited
from tests.registries import PASSWORD, USER, RunningRegistry, make_certificate, running

SERVICE = "registry.tests"
IDENTITY = "an-identity-token"


@dataclass
class TokenServer:
    """A token server that is running.

    Attributes:
        url: Where tokens are given.
        asked: The scopes that were asked for, in order; with `basic`, `identity` or `nobody` before each.
        life: What it says of the life of tokens, in seconds; None says nothing.
    """

    url: str
    cert: Path
    key: Path
    asked: list[str] = field(default_factory=list)
    life: int | None = 300
    signed: dict[str, str] = field(default_factory=dict)

    def token(self, scopes: list[str], *, known: bool) -> str:
        """A token for what may be had: for nobody, reading what is public."""
        name = f"{known} {scopes}"
        if name not in self.signed:
            self.signed[name] = self._sign([_granted(scope, known=known) for scope in scopes])
        return self.signed[name]

    def _sign(self, access: list[dict[str, Any]]) -> str:
        now = int(time.time())
        der = ssl.PEM_cert_to_DER_cert(self.cert.read_text())
        header = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(der).decode()]}
        claims = {"iss": "tests", "sub": USER, "aud": SERVICE, "exp": now + 3600, "nbf": now - 60, "iat": now - 60}
        text = ".".join(
            _encoded(json.dumps(part).encode()) for part in (header, {**claims, "jti": "1", "access": access})
        )
        command = ["openssl", "dgst", "-sha256", "-sign", str(self.key)]
        signature = run_limited(command, input=text.encode(), capture_output=True, check=True).stdout
        return f"{text}.{_encoded(signature)}"


def _encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _granted(scope: str, *, known: bool) -> dict[str, Any]:
    kind, name, actions = scope.split(":", 2)
    wanted = actions.split(",")
    public = kind == "repository" and name.startswith("public/")
    return {"type": kind, "name": name, "actions": wanted if known else ["pull"] * ("pull" in wanted and public)}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    tokens: TokenServer

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        basic = self.headers.get("Authorization", "")
        right = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        self._give(asked, "basic" if basic else "nobody", refused=basic not in {"", right})

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self._give(form, "identity", refused=form.get("refresh_token") != [IDENTITY])

    def _give(self, asked: dict[str, list[str]], who: str, *, refused: bool) -> None:
        scopes = asked.get("scope", [])
        self.tokens.asked.append(f"{who} {' '.join(scopes)}".strip())
        if refused or asked.get("service") != [SERVICE]:
            self._answer(401, {"errors": [{"code": "UNAUTHORIZED", "message": "no such user"}]})
            return
        life = {} if self.tokens.life is None else {"expires_in": self.tokens.life}
        self._answer(200, {"token": self.tokens.token(scopes, known=who != "nobody"), **life})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def with_tokens(root: Path) -> Generator[tuple[RunningRegistry, TokenServer]]:
    """A registry behind TLS that wants tokens, and the server that gives them."""
    cert, key = make_certificate(root, "tests")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    handler = type("Handler", (_Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        handler.tokens = TokenServer(f"https://localhost:{server.server_address[1]}/token", cert, key)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        auth = {"realm": handler.tokens.url, "service": SERVICE, "issuer": "tests", "rootcertbundle": str(cert)}
        tls = {"certificate": str(cert), "key": str(key)}
        with running(root, auth={"token": auth}, tls=tls) as registry:
            registry.ca_file, registry.credentials = cert, (USER, PASSWORD)
            yield registry, handler.tokens
        server.shutdown()
