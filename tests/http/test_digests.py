"""The digest of a name, read without models as `dreg resolve` does: what `resolve` finds, by the same requests."""

from contextlib import closing
from typing import Any

import pytest

from dreg_client import Digest, Reference, errors
from dreg_client._sync.client import Client
from dreg_client._sync.manifests import resolve_manifest
from dreg_client.protocol.manifests import name_of
from tests.doors import LIBRARIES, Door, Handler
from tests.http.documents import DIGEST, MANIFEST, OCI_MANIFEST, served

NAME = Reference.parse("registry.example/acme/web:1.4")
CLAIM = {"Content-Type": OCI_MANIFEST, "Content-Length": str(len(MANIFEST)), "Docker-Content-Digest": str(DIGEST)}
HEADS: dict[str, Any] = {
    "all there is to say": (200, CLAIM, b""),
    "not found": 404,
    "not offered": 405,
    "broken": 500,
    "nothing": 200,
    "no size": (200, {**CLAIM, "Content-Length": ""}, b""),
    "no digest": (200, {**CLAIM, "Docker-Content-Digest": ""}, b""),
    "another type": (200, {**CLAIM, "Content-Type": "application/vnd.acme+json"}, b""),
    "what is no type": (200, {**CLAIM, "Content-Type": "acme"}, b""),
    "no bytes": (200, {**CLAIM, "Content-Length": "0"}, b""),
    "more bytes than there can be": (200, {**CLAIM, "Content-Length": str(1 << 63)}, b""),
}


def asked(handler: Handler, name: Reference, library: str = "httpx") -> tuple[Digest, list[str]]:
    door = Door(library, is_async=False)
    asked = name_of(name.digest or name.tag or "")
    with closing(Client.open(name.registry, retries=0, transport=door._transport(handler))) as client:
        digest = resolve_manifest(client, name.repository, asked).digest
    return digest, [f"{request.method} {request.url}" for request in door.seen]


def resolved(handler: Handler, name: Reference) -> tuple[Digest, list[str]]:
    door = Door("httpx", is_async=False)
    reference = name.digest or name.tag or ""
    digest = door.run(handler, lambda registry: registry.repository(name.repository).resolve(reference).digest)
    return digest, [f"{request.method} {request.url}" for request in door.seen]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("head", HEADS)
def test_the_digest_is_the_one_that_resolve_finds(library: str, head: str) -> None:
    def image(request: Any) -> Any:
        return HEADS[head] if request.method == "HEAD" else served(MANIFEST)

    for name in (NAME, Reference.parse(f"registry.example/acme/web@{DIGEST}")):
        assert asked(image, name, library) == resolved(image, name)


@pytest.mark.parametrize(("status", "error"), [(404, errors.NotFoundError), (401, errors.UnauthorizedError)])
def test_a_refusal_is_told_as_ever(status: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        asked(lambda _: status, NAME)


def test_by_a_digest_that_proves_nothing_nothing_is_asked() -> None:
    with pytest.raises(errors.UnsupportedDigestError):
        asked(lambda _: 500, Reference.parse("registry.example/acme/web@acme:" + "a" * 32))
