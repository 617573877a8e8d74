"""CVE-2021-29510: pydantic

Parsing an infinite date never ended.

Dates are parsed by the grammar of RFC 3339 only, and the lifetime of a token is limited to one hour.

AUT-13
"""

import json

import pytest

from dreg_client import errors, parse_document
from tests.advisories.scenes import fails
from tests.faultserver import Network, answer, challenge
from tests.hostile.registry import CONFIG, TAGS, listed, registry_at
from tests.hostile.ways import Way

FOREVER = ['"infinity"', '"Infinity"', '"inf"', '"-inf"', '"1e400"', "1e308", "9" * 300, '"99999-01-01T00:00:00Z"']


@pytest.mark.parametrize("text", FOREVER)
def test_a_date_that_is_infinite_is_none(text: str) -> None:
    raw = CONFIG.replace(b"{", b'{"created": ' + text.encode() + b", ", 1)

    fails(errors.InvalidDocumentError, lambda: parse_document(raw, kind="image-config"))


@pytest.mark.parametrize("text", ["1e308", '"infinity"', "-1e308", '"' + "9" * 30 + '"', "null"])
def test_a_token_that_lives_forever_is_one(library_way: Way, net: Network, text: str) -> None:
    registry = registry_at(net).on(TAGS, challenge('Bearer realm="https://registry.test/token"'), listed("1.4"))
    body = b'{"token": "t", "expires_in": %b, "issued_at": %b}' % (text.encode(), json.dumps(text).encode())
    registry.on("/token", answer(body, "200 OK", "Content-Type: application/json"))

    assert library_way.tags().error is None
