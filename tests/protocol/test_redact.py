"""What is removed from an error response: all that it repeats of a secret, in whatever form (AUT-25)."""

import json
from base64 import b64encode
from collections.abc import Callable

import pytest

from dreg_client.protocol.messages import Headers, Hop, Response
from dreg_client.protocol.redact import redact_error

KEY = '{\n  "id": "acme/web",\n  "private_key": "-----BEGIN\\ncanary/pässword\\n"\n}'
BASIC = "Basic " + b64encode(f"_json_key:{KEY}".encode()).decode()

FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in JSON": json.dumps,
    "in JSON with other letters": lambda text: json.dumps(text, ensure_ascii=False),
    "on one line": lambda text: " ".join(line.strip() for line in text.splitlines()),
    "its third line": lambda text: text.splitlines()[2],
    "its third line in JSON": lambda text: json.dumps(text.splitlines()[2]),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_aut_25_a_password_of_several_lines_is_removed_in_every_form(form: Callable[[str], str]) -> None:
    hop = Hop("GET", "https://registry.test/v2/", (("Authorization", BASIC),))
    repeating = Response(403, Headers([]), f"you sent {form(KEY)}".encode(), hop.url)

    body = redact_error(repeating, hop, redirected=False).body.decode()
    assert body.startswith("you sent ")
    assert "canary" not in body
    assert "acme" not in body
