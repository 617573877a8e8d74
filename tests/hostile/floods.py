"""Registries that flood: answers, lists, headers and redirects without an end, and small ones that grow."""

import gzip
import json
from collections.abc import Callable, Iterator
from itertools import count
from typing import Final

from dreg_client import Digest
from tests.faultserver import Drip, Heard, Host, Piece, answer, challenge, head, sentence
from tests.hostile.registry import (
    BASE,
    BLOB,
    CONFIG,
    MANIFEST,
    MANIFESTS,
    OCI_INDEX,
    OCI_MANIFEST,
    TAGS,
    document,
)
from tests.http.documents import described

Flood = Callable[[Host], object]
MIB: Final = 1 << 20
CATALOG: Final = "/v2/_catalog"
JSON: Final = "Content-Type: application/json"
KINDS: Final = {
    MANIFESTS: f"Content-Type: {OCI_MANIFEST}",
    f"{BASE}/referrers": f"Content-Type: {OCI_INDEX}",
}
CONFIG_TYPE: Final = "application/vnd.oci.image.config.v1+json"
BLANKS: Final = b" " * 65536
CHUNK: Final = b"%x\r\n%b\r\n" % (len(BLANKS), BLANKS)
CHUNKED: Final = "Transfer-Encoding: chunked"
EVERYTHING: Final = (f"{MANIFESTS}/*", TAGS, CATALOG, f"{BASE}/referrers/*", f"{BASE}/blobs/*")


def _kind(path: str) -> str:
    return next((kind for start, kind in KINDS.items() if path.startswith(start)), JSON)


def everywhere(said: Callable[[Heard], Piece | tuple[Piece, ...] | Iterator[Piece]]) -> Flood:
    """The same answer to every request for content; `/v2/` answers as usual."""

    def install(host: Host) -> None:
        for path in EVERYTHING:
            host.on(path, said)  # type: ignore[arg-type]

    return install


def endless_body(heard: Heard) -> Iterator[Piece]:
    yield head("200 OK", _kind(heard.path), CHUNKED)
    yield b"1\r\n{\r\n"
    yield Drip(CHUNK)


def endless_error(heard: Heard) -> Iterator[Piece]:
    yield head("403 Forbidden", JSON, CHUNKED)
    yield Drip(CHUNK)


def endless_not_found(heard: Heard) -> Iterator[Piece]:
    yield head("404 Not Found", JSON, CHUNKED)
    yield Drip(CHUNK)


def endless_head(heard: Heard) -> Iterator[Piece]:
    yield b"HTTP/1.1 200 OK\r\n"
    yield Drip(b"X-Flood: " + b"x" * 1000 + b"\r\n")


def one_endless_header(heard: Heard) -> Iterator[Piece]:
    yield b"HTTP/1.1 200 OK\r\nX-Flood: "
    yield Drip(b"x" * 65536)


def warnings(heard: Heard) -> Iterator[Piece]:
    yield b"HTTP/1.1 200 OK\r\n"
    for start in count(0, 100):
        lines = b"".join(b'Warning: 299 - "flood %d"\r\n' % number for number in range(start, start + 100))
        yield Drip(lines, 1)


def interim(status: str) -> Callable[[Heard], Iterator[Piece]]:
    def said(heard: Heard) -> Iterator[Piece]:
        yield Drip(head(status, "Link: </style.css>; rel=preload"))

    return said


def redirects(heard: Heard) -> Iterator[Piece]:
    number = int(heard.query.get("flood", ["0"])[0]) + 1
    yield head("307 Temporary Redirect", f"Location: {heard.path}?flood={number}", CHUNKED)
    yield Drip(CHUNK)


def exploding(heard: Heard) -> Piece:
    return answer(squeezed(), "200 OK", _kind(heard.path), "Content-Encoding: gzip")


def squeezed() -> bytes:
    return gzip.compress(b" " * MIB, 9) * 512


def brackets(heard: Heard) -> Piece:
    return answer(b"[" + b"[]," * 1_390_000 + b"[]]", "200 OK", _kind(heard.path))


def objects(heard: Heard) -> Piece:
    member = {MANIFESTS: "layers", TAGS: "tags", CATALOG: "repositories", f"{BASE}/referrers": "manifests"}
    name = next((name for start, name in member.items() if heard.path.startswith(start)), "x")
    start = b'{"schemaVersion":2,"%b":[' % name.encode()
    return answer(start + b"{}," * 1_390_000 + b"{}]}", "200 OK", _kind(heard.path))


def token_flood(host: Host) -> None:
    wanted = challenge('Bearer realm="https://registry.test/token",service="registry.test"')
    for path in ("/v2/", *EVERYTHING):
        host.on(path, wanted)
    host.on(
        "/token", (head("200 OK", JSON, CHUNKED), b'a\r\n{"token":"\r\n', Drip(b"10000\r\n" + b"x" * 65536 + b"\r\n"))
    )


def pages(path: str, member: str, per_page: int) -> Flood:
    """A list whose pages have no end."""

    def said(heard: Heard) -> Piece:
        number = int(heard.query.get("page", ["0"])[0])
        names = [f"n{number}-{each}" for each in range(per_page)]
        link = f'Link: <{path}?page={number + 1}>; rel="next"'
        return answer(sentence({member: names}), "200 OK", JSON, link)

    return lambda host: host.on(path, said)


def itself(host: Host) -> None:
    for path, member in ((TAGS, "tags"), (CATALOG, "repositories")):
        host.on(path, answer(sentence({member: ["a"]}), "200 OK", JSON, f'Link: <{path}>; rel="next"'))


def referrers(host: Host) -> None:
    path = f"{BASE}/referrers/{Digest.of(MANIFEST)}"

    def said(heard: Heard) -> Piece:
        number = int(heard.query.get("page", ["0"])[0])
        raw = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []})
        link = f'Link: <{path}?page={number + 1}>; rel="next"'
        return answer(raw.encode(), "200 OK", f"Content-Type: {OCI_INDEX}", link)

    host.on(path, said)


def referrers_of_many(host: Host) -> None:
    path = f"{BASE}/referrers/{Digest.of(MANIFEST)}"

    def said(heard: Heard) -> Piece:
        number = int(heard.query.get("page", ["0"])[0])
        entries = [described(b"%d" % (number * 9000 + each), OCI_MANIFEST) for each in range(9000)]
        raw = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries})
        link = f'Link: <{path}?page={number + 1}>; rel="next"'
        return answer(raw.encode(), "200 OK", f"Content-Type: {OCI_INDEX}", link)

    host.on(path, said)


def blob_too_long(host: Host) -> None:
    for blob in (BLOB, f"{BASE}/blobs/{Digest.of(CONFIG)}"):
        host.on(blob, (head("200 OK", CHUNKED), Drip(CHUNK)))


def index_of(host: Host, many: int, *, size: int = 0, has_platforms: bool = False) -> None:
    """An index of so many manifests, each with a config of its own; each manifest has annotations of this size."""
    documents: dict[str, bytes] = {}
    entries: list[dict[str, object]] = []
    notes = {f"k{each}": "v" * 100 for each in range(size // 110)}
    for number in range(many):
        config = json.loads(CONFIG) | {"author": f"a{number}"}
        kept = json.dumps(config).encode()
        manifest = json.loads(MANIFEST) | {"config": described(kept, CONFIG_TYPE), "annotations": notes}
        raw = json.dumps(manifest).encode()
        documents[str(Digest.of(kept))] = kept
        documents[str(Digest.of(raw))] = raw
        platform = {"platform": {"os": "linux", "architecture": f"a{number}"}} if has_platforms else {}
        entries.append(described(raw, OCI_MANIFEST) | platform)
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()

    def manifest_at(heard: Heard) -> Piece:
        raw = documents.get(heard.path.rpartition("/")[2])
        return document(raw) if raw else document(index, OCI_INDEX)

    host.on(f"{MANIFESTS}/*", manifest_at)
    host.on(f"{BASE}/blobs/*", lambda heard: answer(documents[heard.path.rpartition("/")[2]]))


OF_ALL: dict[str, Flood] = {
    "body": everywhere(endless_body),
    "error": everywhere(endless_error),
    "not found": everywhere(endless_not_found),
    "token": token_flood,
    "headers": everywhere(endless_head),
    "header": everywhere(one_endless_header),
    "warnings": everywhere(warnings),
    "continue": everywhere(interim("100 Continue")),
    "hints": everywhere(interim("103 Early Hints")),
    "redirects": everywhere(redirects),
    "gzip": everywhere(exploding),
    "brackets": everywhere(brackets),
    "objects": everywhere(objects),
}
"""Floods in each answer."""
