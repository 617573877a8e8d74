"""Secrets that a server repeats: with escaped characters (AUT-51), and in what succeeds (AUT-54)."""

import html
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from dreg_client import errors
from dreg_client.protocol.messages import Headers, Hop, Response
from dreg_client.protocol.redact import redact_error
from tests.faultserver import Heard, Network, Piece, answer, challenge, sentence
from tests.hostile.proof import bearer, given, token_server_at
from tests.hostile.registry import MANIFESTS, TAGS, registry_at
from tests.hostile.secrets import ENCODED, PASSWORD, USER
from tests.hostile.ways import Way, refused

JSON = "Content-Type: application/json"
ODD = f"{PASSWORD}&<b>+/\"'\\=\u00e9 \U0001f511%41"


def by_go(text: str) -> str:
    return by(text, "&<>")


def by_net(text: str) -> str:
    return by(text, "&<>+'\u00e9`")


def by_php(text: str) -> str:
    return json.dumps(text)[1:-1].replace("/", "\\/")


def by(text: str, signs: str) -> str:
    """JSON in which these characters are escaped by their numbers, too."""
    written = json.dumps(text, ensure_ascii=False)[1:-1]
    return "".join(f"\\u{ord(sign):04X}" if sign in signs else sign for sign in written)


def every(text: str) -> str:
    return "".join(f"\\u{int.from_bytes(pair):04x}" for pair in _units(text))


def _units(text: str) -> list[bytes]:
    octets = text.encode("utf-16-be")
    return [octets[at : at + 2] for at in range(0, len(octets), 2)]


def by_number(text: str) -> str:
    return json.dumps("".join(f"&#{ord(sign)};" if at % 2 else f"&#x{ord(sign):X};" for at, sign in enumerate(text)))[
        1:-1
    ]


ESCAPES: dict[str, Callable[[str], str]] = {
    "Go": by_go,
    ".NET": by_net,
    "PHP": by_php,
    "every character": every,
    "URL": lambda text: quote(text, safe=""),
    "URL, in part": lambda text: json.dumps(quote(text, safe="/+&=<>\"' "))[1:-1],
    "HTML": lambda text: json.dumps(html.escape(text))[1:-1],
    "HTML by numbers": by_number,
    "JSON in JSON": lambda text: json.dumps(by_go(text))[1:-1],
}


@pytest.mark.parametrize("escape", ESCAPES.values(), ids=ESCAPES)
def test_aut_51_a_password_is_found_however_it_is_escaped(way: Way, net: Network, escape: Callable[[str], str]) -> None:
    def said(heard: Heard) -> Piece:
        if not heard.header("authorization"):
            return challenge("Basic realm=x")
        body = f'{{"errors": [{{"code": "DENIED", "message": "before {escape(ODD)} after"}}]}}'
        return answer(body.encode(), "400 Bad Request", JSON)

    registry_at(net).on(TAGS, said)
    way.credentials = (USER, ODD)

    text = refused(way.tags(), errors.RegistryError).text
    assert "before *** after" in text
    assert PASSWORD not in text


@pytest.mark.parametrize("escape", ESCAPES.values(), ids=ESCAPES)
def test_aut_51_so_is_a_token(library_way: Way, net: Network, escape: Callable[[str], str]) -> None:
    token = "canary-token-c41d+/a==.b~c"

    def said(heard: Heard) -> Piece:
        if not heard.header("authorization"):
            return challenge(bearer())
        return answer(f'{{"errors": [{{"code": "X", "message": "{escape(token)}!"}}]}}'.encode(), "403 x", JSON)

    registry_at(net).on(TAGS, said)
    token_server_at(net, "auth.registry.test", given(token))

    assert "***!" in refused(library_way.tags(), errors.DeniedError).text


LOOKS = [b"\\u00", b"\\", b"%", b"%4", b"&#;", b"&#99999999;", b"&#x110000;", b"\\ud800", b"%ff%fe", b"\xff"]


@pytest.mark.parametrize("body", LOOKS)
def test_aut_51_what_only_looks_like_an_escape_stays(body: bytes) -> None:
    hop = Hop("GET", "https://registry.test/", (("Authorization", "Bearer canary-token-c41d"),))

    for text in (body, body * 3, b"canary" + body, body + b"canary-token-c41d"):
        kept = redact_error(Response(400, Headers(), text), hop, redirected=False).body
        assert kept == text.replace(b"canary-token-c41d", b"***")


def test_aut_51_a_long_body_of_escapes_is_read_in_no_time() -> None:
    hop = Hop("GET", "https://registry.test/", (("Authorization", "Bearer canary-token-c41d"),))

    for text in (b"\\u005c" * 10_000, b"%25" * 20_000, b"&amp;" * 13_000, b"canary-token-c41d" * 4_000, b"\\" * 65_536):
        assert b"canary" not in redact_error(Response(400, Headers(), text), hop, redirected=False).body


def _repeating(net: Network, path: str, *headers: str, body: bytes) -> None:
    def said(heard: Heard) -> Piece:
        if not heard.header("authorization"):
            return challenge("Basic realm=x")
        return answer(body, "200 OK", *headers)

    registry_at(net).on(path, said)


def test_aut_54_a_success_that_is_an_error_repeats_no_secret(way: Way, net: Network) -> None:
    body = f"not allowed: {PASSWORD}, Basic {ENCODED}".encode()
    _repeating(net, f"{MANIFESTS}/1.4", "Content-Type: text/plain", body=body)
    way.credentials = (USER, PASSWORD)

    assert "not allowed: ***, Basic ***" in refused(way.resolve("1.4"), errors.ProtocolError).text


def test_aut_54_nor_does_a_warning_or_a_name_that_is_left_out(way: Way, net: Network) -> None:
    body = sentence({"tags": ["1.4", f"no {PASSWORD}"]})
    _repeating(net, TAGS, JSON, f'Warning: 299 - "deprecated: {PASSWORD}"', body=body)
    way.credentials = (USER, PASSWORD)

    assert way.tags().error is None  # the watch over secrets reads what was logged


def test_aut_54_tags_that_equal_a_password_stay(library_way: Way, net: Network) -> None:
    _repeating(net, TAGS, JSON, body=sentence({"tags": ["latest", "beta"]}))
    library_way.credentials = (USER, "latest")

    assert library_way.tags().value == ("latest", "beta")
