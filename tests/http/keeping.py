"""A registry that keeps no list of referrers, and what is pushed there and deleted."""

import json
from collections.abc import Callable
from typing import Any

from dreg_client import Digest
from tests.doors import Door, repository
from tests.http.documents import DIGEST, MANIFEST, OCI_INDEX, OCI_MANIFEST, described, refusal, served

SIGNED = "application/x-signature"
EMPTY = "application/vnd.oci.empty.v1+json"
TAG = f"sha256-{DIGEST.encoded}"
LIST = f"/v2/acme/web/manifests/{TAG}"


def document(media_type: str = OCI_MANIFEST, **members: Any) -> bytes:
    return json.dumps({"schemaVersion": 2, "mediaType": media_type, **members}).encode()


def signature(name: str = "", **members: Any) -> bytes:
    content = {"config": described(b"{}", EMPTY), "layers": [described(b"{}", EMPTY)], "artifactType": SIGNED}
    named = {"subject": described(MANIFEST, OCI_MANIFEST), "annotations": {"name": name}}
    return document(**{**content, **named, **members})


def listing(*entries: dict[str, Any], **members: Any) -> bytes:
    return document(OCI_INDEX, manifests=list(entries), **members)


ONE, TWO = signature("one"), signature("two")
ENTRY = described(TWO, OCI_MANIFEST) | {"artifactType": SIGNED, "annotations": {"name": "two"}}
Step = Callable[[Any], Any]


class Keeping:
    """A registry without a list of referrers: it keeps manifests by tag and by digest.

    Attributes:
        kept: The manifests, by tag and by digest.
        before: What happens before some responses: by method and path, one function for each time; it may respond.
    """

    def __init__(self, referrers: bytes | None = None, *others: bytes) -> None:
        self.kept = {str(Digest.of(raw)): raw for raw in (MANIFEST, *others)}
        self.before: dict[str, list[Step]] = {}
        if referrers is not None:
            self.put(TAG, referrers)

    def __call__(self, request: Any) -> Any:
        steps = self.before.get(f"{request.method} {request.url.path}")
        if steps and (answer := steps.pop(0)(request)) is not None:
            return answer
        kind, _, name = request.url.path.removeprefix("/v2/acme/web/").partition("/")
        if kind != "manifests":
            return refusal(404, "NOT_FOUND")
        if request.method == "PUT":
            self.put(name, request.content)
            return 201
        if name not in self.kept:
            return refusal(404, "MANIFEST_UNKNOWN")
        if request.method == "DELETE":
            gone = self.kept.pop(name)
            self.kept = {name: raw for name, raw in self.kept.items() if raw != gone}
            return 202
        raw = self.kept[name]
        return served(raw, json.loads(raw).get("mediaType", OCI_INDEX))

    def put(self, name: str, raw: bytes) -> None:
        self.kept[name] = self.kept[str(Digest.of(raw))] = raw

    @property
    def listed(self) -> list[Any]:
        """The entries under the referrers tag."""
        return list(json.loads(self.kept[TAG])["manifests"])


def about(subject: dict[str, Any]) -> bytes:
    return json.dumps(json.loads(TWO) | {"subject": subject}).encode()


def put(door: Door, registry: Any, raw: bytes = TWO, reference: str | None = None, **options: Any) -> Any:
    return door.run(registry, lambda opened: repository(opened).put_manifest(raw, reference), **options)


def delete(door: Door, registry: Any, raw: bytes = TWO) -> None:
    door.run(registry, lambda opened: repository(opened).delete_manifest(Digest.of(raw)))


def found(door: Door, registry: Any, subject: str = DIGEST) -> list[Digest]:
    return [entry.digest for entry in door.run(registry, lambda opened: repository(opened).referrers(subject))]


def writes(door: Door) -> list[str]:
    return [asked.rpartition("/")[2] for asked in door.asked if asked.startswith("PUT")]
