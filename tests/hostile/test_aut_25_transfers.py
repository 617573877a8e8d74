"""AUT-25: whatever a transfer prints where it fails, no secret is in it."""

import traceback
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from dreg_client import AsyncRegistry, Credential, Registry, Timeouts, errors
from dreg_client.protocol.options import Options
from tests.faultserver import END, RESET, STALL, Drip, Heard, Host, Network, Piece, answer, challenge, head, redirect
from tests.faultserver import sentence as said
from tests.faultserver.network import shown
from tests.hostile.registry import BLOB, LAYER, LAYER_DIGEST, TAGS, registry_at
from tests.hostile.secrets import PASSWORD, REFRESH, SIGNED, TOKEN, USER, Watch
from tests.hostile.ways import Way

QUERY = f"X-Amz-Signature={SIGNED}&sig={SIGNED}&token={SIGNED}"
LIBRARIES = ["httpx", "httpx2"]


def repeating(heard: Heard) -> bytes:
    """A refusal of a token server that repeats what it was told, as some do for whoever looks for a fault."""
    return answer(heard.raw, 500, "Content-Type: text/plain", f"X-Request-Id: {heard.header('authorization')}")


# What a signed URL is answered by.
FAILING: dict[str, tuple[Piece, ...]] = {
    "refused": (answer(b"no", 403),),
    "asked who we are": (challenge('Bearer realm="https://cdn.test/token"'),),
    "reset": (RESET,),
    "ended": (END,),
    "ended in the body": (head(200, f"Content-Length: {len(LAYER)}") + LAYER[:9], END),
    "reset in the body": (head(200, f"Content-Length: {len(LAYER)}") + LAYER[:9], RESET),
    "other bytes": (answer(LAYER[::-1]),),
    "more bytes": (answer(LAYER + b"more"),),
    "another part": (answer(LAYER, 206, "Content-Range: bytes 7-9/10"),),
    "packed": (answer(LAYER[:9], 200, "Content-Encoding: br"),),
    "no HTTP": (b"SSH-2.0-x\r\n\r\n", END),
    "two lengths": (head(200, "Content-Length: 1", "Content-Length: 2") + b"xx",),
    "a head without an end": (b"HTTP/1.1 200 OK\r\n", Drip(b"X: y\r\n" * 1000)),
    "silence": (STALL,),
    "in a circle": (redirect(f"/layer?{QUERY}"),),
    "downgraded": (redirect(f"http://cdn.test/layer?{QUERY}"),),
    "to this machine": (redirect(f"https://127.0.0.1/layer?{QUERY}"),),
    "to nowhere": (redirect(f"https://nowhere.test/layer?{QUERY}"),),
    "to no URL": (redirect(f"https://[::1/layer?{QUERY}"),),
    "to a user": (redirect(f"https://ada:{PASSWORD}@cdn.test/layer?{QUERY}"),),
    "to another scheme": (redirect(f"ftp://cdn.test/layer?{QUERY}"),),
    "to too long a URL": (redirect(f"https://cdn.test/{'x' * 8192}?{QUERY}"),),
    "throttled": (answer(b"", 429, "Retry-After: 99999"),),
    "failed": (answer(b"", 503, "Retry-After: 99999"),),
}


def failing(net: Network, pieces: tuple[Piece, ...]) -> Host:
    """A registry that asks for a token, and then redirects to a signed URL that fails."""
    asked = challenge('Bearer realm="https://registry.test/token",service="registry.test"')
    registry = registry_at(net).on(BLOB, asked, redirect(f"https://cdn.test/layer?{QUERY}", 307, f"X-Url: {QUERY}"))
    registry.on("/token", answer(said({"token": TOKEN, "refresh_token": REFRESH})))
    net.host("cdn.test").on("/layer", pieces)
    return registry


def chain(failure: BaseException | None) -> Iterator[BaseException]:
    """An error, and all that stand behind it, also those that a traceback leaves out."""
    seen: list[BaseException] = []
    while failure is not None and failure not in seen:
        seen.append(failure)
        yield failure
        failure = failure.__cause__ or failure.__context__


def look_at(watch: Watch, failure: BaseException) -> None:
    """All that may be printed of an error: itself, its chain, and its frames' own lines."""
    watch.see(failure)
    for each in chain(failure):
        watch.heard += [str(each), repr(each), repr(each.args), *traceback.format_exception(each)]


@pytest.mark.parametrize("http", LIBRARIES)
@pytest.mark.parametrize("pieces", FAILING.values(), ids=FAILING)
def test_aut_25_a_transfer_that_fails_shows_no_secret(
    library_way: Way, net: Network, watch: Watch, tmp_path: Path, pieces: tuple[Piece, ...], http: str
) -> None:
    registry = failing(net, pieces)
    events: list[Any] = []
    library_way.credentials = (USER, PASSWORD)
    library_way.options |= {"http": http, "on_event": events.append, "retries": 0}
    library_way.options["timeout"] = Timeouts(read=0.1 if pieces == (STALL,) else 30)

    failed = library_way.blob(LAYER_DIGEST, tmp_path / "layer")
    assert failed.error is not None
    look_at(watch, failed.error)
    for event in events:
        watch.see(event)
    if pieces != (STALL,):
        assert any(TOKEN in secret for secret in registry.secrets), "the secrets were there to be shown"
    assert not (tmp_path / "layer").exists()


@pytest.mark.parametrize("name", ["refused", "ended in the body", "to nowhere", "in a circle", "two lengths"])
def test_aut_25_nor_does_the_command_line(way: Way, net: Network, tmp_path: Path, name: str) -> None:
    if way.name == "command line":  # with --debug, as the way always has it
        failing(net, FAILING[name])
        way.credentials = (USER, PASSWORD)
        assert way.blob(LAYER_DIGEST, tmp_path / "layer").kind is not None


@pytest.mark.parametrize("http", LIBRARIES)
@pytest.mark.parametrize("retries", [0, 1])
def test_aut_25_nor_after_several_attempts(
    library_way: Way, net: Network, watch: Watch, tmp_path: Path, http: str, retries: int
) -> None:
    failing(net, (RESET,))
    library_way.credentials = (USER, PASSWORD)
    library_way.options |= {"http": http, "retries": retries}

    failed = library_way.blob(LAYER_DIGEST, tmp_path / "layer")
    assert isinstance(failed.error, errors.TransportError)
    look_at(watch, failed.error)


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 500, 503])
def test_aut_25_what_a_token_server_repeats_is_not_shown(
    library_way: Way, net: Network, watch: Watch, status: int
) -> None:
    registry = registry_at(net).on(TAGS, challenge('Bearer realm="https://registry.test/token"'))
    registry.on("/token", lambda heard: repeating(heard).replace(b"500", str(status).encode(), 1))
    for who in (Credential(USER, PASSWORD), Credential(identity_token=REFRESH)):
        library_way.options["credentials"] = who
        failed = library_way.tags()
        assert failed.error is not None
        look_at(watch, failed.error)


@pytest.mark.parametrize("wrong", ["expired", "another"])
def test_aut_25_a_certificate_that_is_wrong_shows_no_secret(
    library_way: Way, net: Network, watch: Watch, tmp_path: Path, wrong: str
) -> None:
    failing(net, ())
    net.host("cdn.test", certificate=shown("cdn.test" if wrong == "expired" else "x.test", expired=wrong == "expired"))
    library_way.credentials = (USER, PASSWORD)

    failed = library_way.blob(LAYER_DIGEST, tmp_path / "layer")
    assert isinstance(failed.error, errors.TLSError)
    look_at(watch, failed.error)


def test_aut_25_no_repr_shows_a_secret(net: Network, watch: Watch) -> None:
    """Of what a debugger, or a tool that gathers errors, prints of each frame."""
    who = Credential(USER, PASSWORD)
    proxy = f"http://{USER}:{PASSWORD}@proxy.test:3128"
    options = Options(credentials=who, proxy=proxy)
    registries = [kind("registry.test", credentials=who, proxy=proxy) for kind in (Registry, AsyncRegistry)]
    for it in [options, who, *registries, *(each.repository("acme/web") for each in registries)]:
        watch.see(it)
    for token in (Credential(identity_token=REFRESH), Credential(registry_token=TOKEN)):
        watch.see(token)
    for each in fields(options):
        if each.name != "proxy":
            watch.see(getattr(options, each.name))
    registries[0].close()
