"""Remove secrets from what servers say: some repeat the request, and errors and warnings show it (AUT-25)."""

import binascii
import re
from base64 import b64decode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple
from urllib.parse import unquote, unquote_plus, urlsplit

from dreg_client.protocol.messages import Headers, Hop, Response

_BLANK: Final = "***"
_SHORTEST_PASSWORD: Final = 4
_SHORTEST_VALUE: Final = 8
_JSON: Final = re.compile(r"(?P<json>(?:\\u[0-9A-Fa-f]{4})+)|\\(?P<sign>[\"'\\/bfnrt])")
_URL: Final = re.compile(r"(?P<url>(?:%[0-9A-Fa-f]{2})+)")
_HTML: Final = re.compile(r"&(?:#(?P<number>[xX][0-9A-Fa-f]{1,6}|[0-9]{1,7})|(?P<name>amp|lt|gt|quot|apos));")
_ESCAPES: Final = (_JSON, _URL, _HTML)
"""The escapes of strings in JSON, URLs and HTML; which characters they replace depends on the server's language."""
_SIGNS: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_NAMES: Final = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_LARGEST_CODE: Final = 0x10FFFF
_MOST_SHOWN: Final = 64 * 1024
_MOST_TIMES: Final = 2
"""JSON may contain escaped HTML, for example, or the JSON of another server."""


class _Level(NamedTuple):
    """A text, and the place of each of its characters, and of its end, in the original text."""

    text: str
    places: Sequence[int]


def redact_error(response: Response, hop: Hop, *, redirected: bool) -> Response:
    """Return the response; if it is an error, without the secrets of `hop`, such as a signature in a redirect's URL."""
    return response if response.ok else _without_secrets(response, hop, redirected=redirected)


def redacted(response: Response) -> Response:
    """Return a response as it may be shown: without the secrets of the request that it answers (`Response.sent`)."""
    if response.sent is None:
        return response
    return _without_secrets(replace(response, body=response.body[:_MOST_SHOWN]), response.sent, redirected=True)


def redacted_text(text: str, response: Response) -> str:
    """Return a text of a response as it may be shown (see `redacted`)."""
    return text if response.sent is None else _blanked(text, _secrets(response.sent, redirected=True))


def _without_secrets(response: Response, hop: Hop, *, redirected: bool) -> Response:
    secrets = _secrets(hop, redirected=redirected)
    if not secrets:
        return response
    text = response.body.decode("utf-8", "surrogateescape")
    body = _blanked(text, secrets).encode("utf-8", "surrogateescape")
    headers = Headers([(name, _blanked(value, secrets)) for name, value in response.headers])
    return replace(response, body=body, headers=headers, sent=None)


def _secrets(hop: Hop, *, redirected: bool) -> tuple[str, ...]:
    secrets = {*_credentials(hop), *(_query_values(hop.url) if redirected else ())}
    return tuple(sorted(filter(None, secrets | {line for secret in secrets for line in _lines(secret)})))


def _lines(secret: str) -> Iterator[str]:
    """Yield the lines of a secret, such as a private key: a response may repeat some of them."""
    yield from (line for text in secret.splitlines() if len(line := text.strip()) >= _SHORTEST_VALUE)


def _blanked(text: str, secrets: Iterable[str]) -> str:
    """Return a text without the secrets, however their characters are escaped."""
    levels = _levels(text)
    spans = {span for secret in secrets for level in levels for span in _found(secret, level)}
    end, kept = 0, list[str]()
    for start, stop in sorted(spans):
        if start >= end:
            kept += [text[end:start], _BLANK]
        end = max(end, stop)
    return "".join([*kept, text[end:]])


def _levels(text: str) -> list[_Level]:
    """Return a text as it is, and with its escapes replaced, up to twice."""
    found = latest = [_Level(text, range(len(text) + 1))]
    for _ in range(_MOST_TIMES):
        latest = [_unescaped(level, escape) for level in latest for escape in _ESCAPES if escape.search(level.text)]
        found = [*found, *latest]
    return found


def _found(secret: str, level: _Level) -> Iterator[tuple[int, int]]:
    """Yield the places in the original text where a secret begins and ends."""
    at = level.text.find(secret)
    while at >= 0:
        yield level.places[at], level.places[at + len(secret)]
        at = level.text.find(secret, at + 1)


def _unescaped(level: _Level, escape: re.Pattern[str]) -> _Level:
    """Return a text with its escapes of one kind replaced."""
    text, places = level
    pieces: list[str] = []
    there: list[int] = []
    end = 0
    for match in escape.finditer(text):
        start, signs = match.start(), _meaning(match)
        pieces += [text[end:start], signs]
        there += places[end:start]
        end = match.end()
        for sign in signs:  # a run of escapes stands for several characters
            there.append(places[min(start, end)])
            start += 3 * len(sign.encode()) if escape is _URL else 6 * (1 + (sign > "\uffff"))
    pieces.append(text[end:])
    return _Level("".join(pieces), [*there, *places[end:]])


def _meaning(match: re.Match[str]) -> str:
    """Return the characters that an escape, or a run of them, stands for."""
    found = {name: text for name, text in match.groupdict().items() if text}
    match next(iter(found.items())):
        case "json", codes:
            return bytes.fromhex(codes.replace("\\u", "")).decode("utf-16-be", "replace")
        case "url", codes:
            return bytes.fromhex(codes.replace("%", "")).decode("utf-8", "replace")
        case "number", digits:
            code = int(digits[1:], 16) if digits[0] in "xX" else int(digits)
            return chr(code) if code <= _LARGEST_CODE else "?"
        case "name", name:
            return _NAMES[name]
        case _, sign:
            return _SIGNS.get(sign, sign)


def _credentials(hop: Hop) -> Iterator[str]:
    """Yield the credentials in the `Authorization` header, and the password in them."""
    for name, value in hop.headers:
        if name == "Authorization":
            scheme, _, secret = value.partition(" ")
            yield secret
            if scheme == "Basic" and len(password := _password(secret)) >= _SHORTEST_PASSWORD:
                yield password


def _password(encoded: str) -> str:
    try:
        return b64decode(encoded).decode().partition(":")[2]
    except (binascii.Error, UnicodeError):
        return ""


def _query_values(url: str) -> Iterator[str]:
    """Yield the values in a query, both raw and decoded."""
    for pair in urlsplit(url).query.split("&"):
        value = pair.partition("=")[2]
        if len(value) >= _SHORTEST_VALUE:
            yield from (value, unquote(value), unquote_plus(value))
