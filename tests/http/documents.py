"""Documents that answers hold, and the answers."""

import json
from typing import Any

from dreg_client import Digest

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG = json.dumps(
    {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ["sha256:" + "a" * 64]}}
).encode()
LAYER = b"not really a tar" * 100


def described(raw: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": str(Digest.of(raw)), "size": len(raw)}


MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": described(CONFIG, OCI_CONFIG),
        "layers": [described(LAYER, LAYER_TYPE)],
    },
    indent=1,
).encode()
DIGEST = Digest.of(MANIFEST)
LAYER_DIGEST = Digest.of(LAYER)
INDEX = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [
            {**described(MANIFEST, OCI_MANIFEST), "platform": {"architecture": "amd64", "os": "linux"}},
            {
                **described(b"{}", OCI_MANIFEST),
                "platform": {"architecture": "arm64", "os": "linux"},
            },
        ],
    }
).encode()

Answer = tuple[int, dict[str, str], bytes]


def served(raw: bytes, media_type: str = OCI_MANIFEST, **headers: str) -> Answer:
    """A document as a registry serves it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return 200, {"Content-Type": media_type, "Content-Length": str(len(raw)), **named}, raw


def refusal(status: int, code: str = "DENIED", message: str = "no", **headers: str) -> Answer:
    """An error body as the specification has it."""
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    return status, {"Content-Type": "application/json", **headers}, body


def image(request: Any) -> Answer | int:
    """A registry with one image, `acme/web:1.4`, and an index of it, `acme/web:all`."""
    blobs = {str(LAYER_DIGEST): LAYER, str(Digest.of(CONFIG)): CONFIG}
    manifests = {"1.4": MANIFEST, str(DIGEST): MANIFEST, "all": INDEX, str(Digest.of(INDEX)): INDEX}
    kind, _, name = request.url.path.removeprefix("/v2/acme/web/").partition("/")
    if kind == "blobs" and name in blobs:
        return _bare(request, served(blobs[name], "application/octet-stream"))
    if kind == "manifests" and name in manifests:
        raw = manifests[name]
        media_type = OCI_INDEX if raw is INDEX else OCI_MANIFEST
        return _bare(request, served(raw, media_type, Docker_Content_Digest=str(Digest.of(raw))))
    if kind == "tags":
        return served(b'{"name": "acme/web", "tags": ["1.4", "all"]}', "application/json")
    return refusal(404, "MANIFEST_UNKNOWN", "manifest unknown")


def _bare(request: Any, answer: Answer) -> Answer:
    return (*answer[:2], b"") if request.method == "HEAD" else answer
