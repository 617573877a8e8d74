"""Signatures of images in docker-registry, which keeps no list of referrers itself."""

import hashlib
import json

from dreg_client import open_store
from tests.registries import EMPTY_INDEX, RunningRegistry

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def sign(registry: RunningRegistry, name: str, tag: str) -> None:
    """Push a signature with a subject, and list it under the referrers tag; and another one under the tag of cosign."""
    with open_store(f"{registry.address}/{name}") as repository:
        subject = repository.resolve(tag)
    empty = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": _sha256(b"{}"), "size": 2}
    signature = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": "application/vnd.example.signature",
        "config": empty,
        "layers": [empty],
        "subject": {"mediaType": subject.media_type, "digest": subject.digest, "size": subject.size},
    }
    registry.put_blob(name)
    raw = json.dumps(signature).encode()
    registry.put_raw(name, _sha256(raw), raw, MANIFEST)
    entry = {"mediaType": MANIFEST, "digest": _sha256(raw), "size": len(raw)}
    entry |= {"artifactType": "application/vnd.example.signature"}
    registry.put(name, subject.digest.replace(":", "-"), {**EMPTY_INDEX, "manifests": [entry]})
    registry.put_raw(name, f"{subject.digest.replace(':', '-')}.sig", raw, MANIFEST)


def _sha256(octets: bytes) -> str:
    return f"sha256:{hashlib.sha256(octets).hexdigest()}"
