"""Registries that want to know who we are, the servers that give tokens for it, and places that keep credentials."""

import json
from base64 import b64encode
from pathlib import Path

from tests.faultserver import Heard, Host, Network, Piece, answer, challenge, sentence
from tests.hostile.registry import BASE, TAGS, listed, registry_at
from tests.hostile.secrets import ENCODED, PASSWORD, REFRESH, TOKEN, USER

AUTH = "https://auth.registry.test/token"
PULL = "repository:acme/web:pull"
BASIC = f"Basic {ENCODED}"
WHO = (USER, PASSWORD)
LISTED = listed("1.4")
PLAIN = ("Content-Type: application/json",)


def bearer(realm: str = AUTH, scope: str = PULL) -> str:
    """The challenge of a registry that wants tokens."""
    return f'Bearer realm="{realm}",service="registry.test",scope="{scope}"'


def given(token: str = TOKEN, **more: object) -> bytes:
    """What a token server gives."""
    return answer(sentence({"token": token, **more}), "200 OK", *PLAIN)


def wanting(host: Host, asks: str, *takes: str, path: str = TAGS, gives: Piece = LISTED) -> Host:
    """A registry that lists tags for those alone who show one of these in `Authorization`."""

    def said(heard: Heard) -> Piece:
        return gives if heard.header("authorization") in takes else challenge(asks)

    return host.on(path, said)


def token_registry_at(net: Network, realm: str = AUTH, name: str = "registry.test", **how: object) -> Host:
    """A registry that wants tokens."""
    return wanting(registry_at(net, name, **how), bearer(realm), f"Bearer {TOKEN}")


def password_registry_at(net: Network, name: str = "registry.test", **how: object) -> Host:
    """A registry that wants a password, also for its `/v2/`."""
    host = wanting(registry_at(net, name, **how), "Basic realm=x", BASIC)

    def pinged(heard: Heard) -> Piece:
        fits = heard.header("authorization") == BASIC
        return answer(b"{}", "200 OK", *PLAIN) if fits else challenge("Basic realm=x")

    return host.on("/v2/", pinged)


def token_server_at(
    net: Network, name: str = "auth.registry.test", *answers: Piece | tuple[Piece, ...], **how: object
) -> Host:
    """A token server."""
    return net.host(name, **how).on("/token", *(answers or (given(),)))  # type: ignore[arg-type]


def entry(user: str = USER, password: str = PASSWORD) -> dict[str, str]:
    """An entry of a file of credentials."""
    return {"auth": b64encode(f"{user}:{password}".encode()).decode()}


def identity(token: str = REFRESH) -> dict[str, str]:
    """An entry with an identity token."""
    return {"identitytoken": token}


def home_of(net: Network) -> dict[str, str]:
    """The environment of a user whose home is the network's folder; programs are looked for in its `bin` first."""
    named = net.environment()
    programs = net.folder / "bin"
    programs.mkdir(exist_ok=True)
    return {
        "HOME": str(net.folder),
        "XDG_RUNTIME_DIR": str(net.folder / "run"),
        "XDG_CONFIG_HOME": str(net.folder / "config"),
        "DOCKER_CONFIG": str(net.folder / "docker"),
        "PATH": f"{programs}:{named['PATH']}",
    }


def kept(net: Network, members: object, mode: int = 0o600) -> Path:
    """Docker's file of credentials, with these members or this text."""
    path = net.folder / "docker" / "config.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(members if isinstance(members, str) else json.dumps(members))
    path.chmod(mode)
    return path


def program(net: Network, name: str, script: str) -> Path:
    """Install a credential helper, in the words of a shell, that notes each run, and what it is asked for."""
    path = net.folder / "bin" / f"docker-credential-{name}"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\necho $1 >> {net.folder}/runs\ncat >> {net.folder}/runs\n{script}\n")
    path.chmod(0o755)
    return path


def runs(net: Network) -> list[str]:
    """What helpers were run for: a word, and what each was asked."""
    path = net.folder / "runs"
    return path.read_text().split() if path.exists() else []


__all__ = [
    "AUTH",
    "BASE",
    "BASIC",
    "PULL",
    "WHO",
    "bearer",
    "entry",
    "given",
    "home_of",
    "identity",
    "kept",
    "password_registry_at",
    "program",
    "runs",
    "token_registry_at",
    "token_server_at",
    "wanting",
]
