"""What a refusal repeats of the secrets that it was sent: blanked, since errors show what a server says (AUT-25)."""

import binascii
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from typing import Final
from urllib.parse import unquote, unquote_plus, urlsplit

from dreg_client.protocol.messages import Headers, Hop, Response

_BLANK: Final = "***"
_SHORTEST: Final = 4
_SHORTEST_VALUE: Final = 8


def without_secrets(response: Response, hop: Hop, *, redirected: bool) -> Response:
    """An answer; where it refuses, without the secrets of the request, which storage servers repeat as they explain.

    Args:
        response: The answer.
        hop: The request.
        redirected: Whether a server named its URL: what is behind its `?` may be a signature.
    """
    if response.ok:
        return response
    secrets = {*_shown(hop), *(_signed(hop.url) if redirected else ())}
    forms = sorted({form for secret in secrets for form in (secret, secret.replace("/", "\\/"))}, key=len, reverse=True)
    body, headers = response.body, [*response.headers]
    for form in forms:
        body = body.replace(form.encode(), _BLANK.encode())
        headers = [(name, value.replace(form, _BLANK)) for name, value in headers]
    return replace(response, body=body, headers=Headers(headers))


def _shown(hop: Hop) -> Iterator[str]:
    """What stands in `Authorization`, and the password in it."""
    for name, value in hop.headers:
        if name == "Authorization":
            scheme, _, secret = value.partition(" ")
            yield secret
            if scheme == "Basic" and len(password := _password(secret)) >= _SHORTEST:
                yield password


def _password(encoded: str) -> str:
    try:
        return b64decode(encoded).decode().partition(":")[2]
    except (binascii.Error, UnicodeError):
        return ""


def _signed(url: str) -> Iterator[str]:
    """The values in a query, as they are written and as they are meant."""
    for pair in urlsplit(url).query.split("&"):
        value = pair.partition("=")[2]
        if len(value) >= _SHORTEST_VALUE:
            yield from (value, unquote(value), unquote_plus(value))
