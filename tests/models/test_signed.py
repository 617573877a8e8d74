"""What a signed schema 1 manifest was before it was signed."""

import json
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import pytest

from dreg_client.models.signed import payload_of

SIGNED = (Path(__file__).parents[2] / "fixtures/valid/docker-schema-1-signed.json").read_bytes()
GOOD = {"formatLength": 20, "formatTail": "fQ"}


def encoded(header: object) -> str:
    return urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")


def manifest(*protected: Any, version: Any = 1) -> bytes:
    return json.dumps({"schemaVersion": version, "signatures": [{"protected": text} for text in protected]}).encode()


def test_the_payload_of_the_fixture_is_the_document_without_its_signatures() -> None:
    document = json.loads(SIGNED)
    del document["signatures"]

    assert payload_of(SIGNED) == json.dumps(document, indent=3).encode()


def test_signatures_that_agree_have_one_payload() -> None:
    raw = manifest(encoded(GOOD), encoded(GOOD | {"time": "2016"}))

    assert payload_of(raw) == raw[:20] + b"}"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'{"schemaVersion": 1}',
        b'{"schemaVersion": 1, "signatures": []}',
        b'{"schemaVersion": 1, "signatures": [7]}',
        b'{"schemaVersion": 1, "signatures": {"protected": "e30"}}',
        manifest(encoded(GOOD), version=2),
        manifest(encoded(GOOD), encoded(GOOD | {"formatLength": 21})),
        manifest(encoded(GOOD), None),
        manifest("\u00e9"),
        manifest("e"),
        manifest(encoded([])),
        manifest(encoded({"formatLength": 20})),
        *(manifest(encoded(GOOD | {"formatLength": length})) for length in (0, -1, 10**9, True, "20", 20.0, None)),
        *(manifest(encoded(GOOD | {"formatTail": tail})) for tail in ("f", "fQ==", 7, "A" * 2000)),
    ],
    ids=str,
)
def test_what_is_not_signed_in_this_way_has_none(raw: bytes) -> None:
    assert payload_of(raw) is None
