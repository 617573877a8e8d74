"""A registry on a host: one image, `acme/web:1.4`, with an index of it, as any registry serves them."""

from dreg_client import Digest
from tests.faultserver import Host, Network, Piece, answer, sentence
from tests.http.documents import CONFIG, DIGEST, INDEX, LAYER, LAYER_DIGEST, MANIFEST, OCI_INDEX, OCI_MANIFEST

BASE = "/v2/acme/web"
BLOB = f"{BASE}/blobs/{LAYER_DIGEST}"
MANIFESTS = f"{BASE}/manifests"
TAGS = f"{BASE}/tags/list"


def registry_at(net: Network, name: str = "registry.test", **how: object) -> Host:
    """A registry that serves the image to anybody."""
    host = net.host(name, **how)  # type: ignore[arg-type]
    host.on("/v2/", answer(b"{}", "200 OK", "Content-Type: application/json"))
    host.on(TAGS, listed("1.4", "all"))
    host.on(
        "/v2/_catalog", answer(sentence({"repositories": ["acme/web"]}), "200 OK", "Content-Type: application/json")
    )
    for reference, raw, kind in (("1.4", MANIFEST, OCI_MANIFEST), ("all", INDEX, OCI_INDEX)):
        for named in (reference, str(Digest.of(raw))):
            host.on(f"{MANIFESTS}/{named}", document(raw, kind))
    for raw in (LAYER, CONFIG):
        host.on(f"{BASE}/blobs/{Digest.of(raw)}", answer(raw, "200 OK", "Content-Type: application/octet-stream"))
    return host


def document(raw: bytes, media_type: str = OCI_MANIFEST, *headers: str) -> bytes:
    """A manifest as registries serve it."""
    said = headers or (f"Docker-Content-Digest: {Digest.of(raw)}",)
    return answer(raw, "200 OK", f"Content-Type: {media_type}", *said)


def listed(*tags: str) -> Piece:
    """A page of tags."""
    page = sentence({"name": "acme/web", "tags": list(tags)})
    return answer(page, "200 OK", "Content-Type: application/json")


__all__ = [
    "BASE",
    "BLOB",
    "CONFIG",
    "DIGEST",
    "INDEX",
    "LAYER",
    "LAYER_DIGEST",
    "MANIFEST",
    "MANIFESTS",
    "OCI_INDEX",
    "OCI_MANIFEST",
    "TAGS",
    "document",
    "listed",
    "registry_at",
]
