"""Remove secrets from error responses: some servers repeat the request, and errors show the response (AUT-25)."""

import binascii
import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from typing import Final
from urllib.parse import unquote, unquote_plus, urlsplit

from dreg_client.protocol.messages import Headers, Hop, Response

_BLANK: Final = "***"
_SHORTEST_PASSWORD: Final = 4
_SHORTEST_VALUE: Final = 8


def redact_error(response: Response, hop: Hop, *, redirected: bool) -> Response:
    """Return the response; if it is an error, without the secrets of `hop`, such as a signature in a redirect's URL."""
    if response.ok:
        return response
    secrets = {*_credentials(hop), *(_query_values(hop.url) if redirected else ())}
    forms = sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True)
    body, headers = response.body, [*response.headers]
    for form in forms:
        body = body.replace(form.encode(), _BLANK.encode())
        headers = [(name, value.replace(form, _BLANK)) for name, value in headers]
    return replace(response, body=body, headers=Headers(headers))


def _forms(secret: str) -> Iterator[str]:
    """Yield the forms in which a response may repeat a secret: unchanged, line by line, escaped for JSON."""
    lines = (line.strip() for line in secret.splitlines())
    for text in {secret, *(line for line in lines if len(line) >= _SHORTEST_VALUE)}:
        yield from (text, text.replace("/", "\\/"), json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])


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
