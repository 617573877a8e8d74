"""Answers that would never end, and how much of them is taken: DLD-20."""

import json
import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from dreg_client import errors
from tests.faultserver import Host, Network, challenge, head
from tests.hostile.downloads import MIB, SOCKETS, Tap, held
from tests.hostile.registry import DIGEST, MANIFESTS, OCI_INDEX, OCI_MANIFEST, TAGS, document, registry_at
from tests.hostile.ways import Outcome, Way, refused
from tests.http.documents import described

HUGE = 100 * MIB
JSON = "application/json"


def endless(start: bytes, piece: bytes, media_type: str, *, length: int | None = None) -> Tap:
    """An answer without an end: in chunks, or of a length that it never reaches."""

    def pieces() -> Iterable[bytes]:
        if length is None:
            yield head("200 OK", f"Content-Type: {media_type}", "Transfer-Encoding: chunked")
        else:
            yield head("200 OK", f"Content-Type: {media_type}", f"Content-Length: {length}")
        said = start
        while True:
            yield said if length is not None else b"%x\r\n%b\r\n" % (len(said), said)
            said = piece

    return Tap(pieces)


ENTRY = json.dumps(described(b"{}", OCI_MANIFEST)).encode() + b","
MANIFEST_START = b'{"schemaVersion": 2, "x": "'
INDEX_START = b'{"schemaVersion": 2, "mediaType": "%s", "manifests": [' % OCI_INDEX.encode()
TAGS_START = b'{"name": "acme/web", "tags": ['
BLANKS, ENTRIES, TAG_ROW = b" " * 65536, ENTRY * 400, b'"1.4",' * 10_000


def manifest(way: Way) -> Outcome:
    return way.manifest("1.4")


def referrers(way: Way) -> Outcome:
    return way.referrers(DIGEST)


ROWS: dict[str, tuple[str, Tap, Callable[[Way], Outcome]]] = {
    "manifest": (f"{MANIFESTS}/1.4", endless(MANIFEST_START, BLANKS, OCI_MANIFEST), manifest),
    "manifest with its length": (
        f"{MANIFESTS}/1.4",
        endless(MANIFEST_START, BLANKS, OCI_MANIFEST, length=HUGE),
        manifest,
    ),
    "index of a million": (f"{MANIFESTS}/1.4", endless(INDEX_START, ENTRIES, OCI_INDEX), manifest),
    "tags": (TAGS, endless(TAGS_START, TAG_ROW, JSON), Way.tags),
    "tags with their length": (TAGS, endless(TAGS_START, TAG_ROW, JSON, length=500 * MIB), Way.tags),
    "catalog": ("/v2/_catalog", endless(b'{"repositories": [', TAG_ROW, JSON), Way.repositories),
    "referrers": (f"/v2/acme/web/referrers/{DIGEST}", endless(INDEX_START, ENTRIES, OCI_INDEX), referrers),
}


def taken(tap: Tap, host: Host) -> int:
    """How much went out, once the client has left."""
    host.wait_until_idle()
    return tap.taken


@pytest.mark.parametrize(("path", "tap", "ask"), ROWS.values(), ids=ROWS)
def test_dld_20_what_is_too_large_is_not_read_to_its_end(
    way: Way, net: Network, tmp_path: Path, path: str, tap: Tap, ask: Callable[[Way], Outcome]
) -> None:
    registry = registry_at(net).on(path, tap)
    tap.taken = 0

    outcome = refused(ask(way), errors.ResponseTooLargeError)
    assert taken(tap, registry) < 4 * MIB + SOCKETS
    assert not outcome.value
    assert not {name for name in held(tmp_path) if not name.startswith("net")}


@pytest.mark.parametrize(("path", "tap", "ask"), ROWS.values(), ids=ROWS)
def test_dld_20_what_is_too_large_takes_little_memory(
    library_way: Way, net: Network, path: str, tap: Tap, ask: Callable[[Way], Outcome]
) -> None:
    registry_at(net).on(path, tap)

    tracemalloc.start()
    refused(ask(library_way), errors.ResponseTooLargeError)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * MIB


def test_dld_20_a_token_without_an_end_is_not_read_to_its_end(way: Way, net: Network) -> None:
    tap = endless(b'{"token": "', b"x" * 65536, JSON)
    wanted = challenge('Bearer realm="https://registry.test/token",service="registry.test"')
    registry = registry_at(net).on(f"{MANIFESTS}/1.4", wanted).on("/token", tap)

    refused(way.manifest("1.4"), errors.ResponseTooLargeError)
    assert taken(tap, registry) < SOCKETS


@pytest.mark.parametrize(("more", "is_refused"), [(0, False), (1, True)])
def test_dld_20_four_mebibytes_are_read_and_a_byte_more_is_not(
    library_way: Way, net: Network, more: int, is_refused: bool
) -> None:
    raw = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}).encode()
    large = raw + b" " * (4 * MIB - len(raw) + more)
    registry_at(net).on(f"{MANIFESTS}/1.4", document(large, OCI_INDEX))

    outcome = library_way.manifest("1.4")
    assert outcome.kind is (errors.ResponseTooLargeError if is_refused else None)
