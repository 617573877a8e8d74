"""A web page with status 404 proves nothing: neither a deletion, nor that a list is empty (TAG-24)."""

import pytest

from dreg_client import Digest, errors
from dreg_client.protocol.referrers import fallback_tag
from tests.faultserver import END, Heard, Network, Piece, answer, head
from tests.hostile.registry import BLOB, DIGEST, LAYER_DIGEST, MANIFEST, MANIFESTS, registry_at
from tests.hostile.ways import Way, refused

TYPED = "Content-Type: text/html; charset=utf-8"
PAGES = {"typed": (TYPED,), "untyped": ()}
LOGIN = b"\n<html>please log in</html>"
PATH = f"{MANIFESTS}/{Digest.of(MANIFEST)}"


def page(headers: tuple[str, ...]) -> Piece:
    return answer(LOGIN, "404 Not Found", *headers)


def nothing(headers: tuple[str, ...]) -> Piece:
    return head("404 Not Found", "Content-Length: 0", *headers)


@pytest.mark.parametrize("headers", PAGES.values(), ids=PAGES)
def test_tag_24_a_page_does_not_confirm_that_a_manifest_is_deleted(
    way: Way, net: Network, headers: tuple[str, ...]
) -> None:
    registry = registry_at(net).on(PATH, answer(b"", "200 OK"), method="DELETE")
    registry.on(PATH, nothing(headers), method="HEAD").on(PATH, page(headers), method="GET")

    assert "web page" in refused(way.delete(Digest.of(MANIFEST)), errors.ProtocolError).text


@pytest.mark.parametrize("headers", PAGES.values(), ids=PAGES)
def test_tag_24_nor_that_a_blob_is(library_way: Way, net: Network, headers: tuple[str, ...]) -> None:
    registry = registry_at(net).on(BLOB, answer(b"", "200 OK"), method="DELETE")
    registry.on(BLOB, nothing(headers), method="HEAD").on(BLOB, page(headers), method="GET")

    outcome = library_way.ask(lambda web: web.delete_blob(LAYER_DIGEST))
    assert "web page" in refused(outcome, errors.ProtocolError).text


@pytest.mark.parametrize("path", [PATH, BLOB], ids=["manifest", "blob"])
@pytest.mark.parametrize("headers", PAGES.values(), ids=PAGES)
def test_tag_24_nor_after_a_lost_response(library_way: Way, net: Network, headers: tuple[str, ...], path: str) -> None:
    registry = registry_at(net).on(path, END, page(headers), method="DELETE")
    registry.on(path, nothing(headers), method="HEAD").on(path, page(headers), method="GET")
    library_way.options["retries"] = 1

    def delete(web: object) -> object:
        return web.delete_manifest(DIGEST) if path == PATH else web.delete_blob(LAYER_DIGEST)  # type: ignore[attr-defined]

    refused(library_way.ask(delete), errors.ProtocolError)


def test_tag_24_nor_that_a_tag_may_be_deleted_by_digest(library_way: Way, net: Network) -> None:
    written: list[bytes] = []

    def put(heard: Heard) -> Piece:
        written.append(heard.body)
        return answer(b"", "201 Created")

    registry = registry_at(net).on(f"{MANIFESTS}/*", page((TYPED,)), method="DELETE")
    registry.on(f"{MANIFESTS}/1.4", answer(b"", "405 Method Not Allowed"), method="DELETE")
    registry.on(f"{MANIFESTS}/*", put, method="PUT")

    refused(library_way.ask(lambda web: web.untag("1.4")), errors.UnsupportedError)
    assert not written


def test_tag_24_nor_that_there_are_no_referrers_yet(library_way: Way, net: Network) -> None:
    """Otherwise, the list of all referrers would be replaced by a list of one."""
    tag, written = fallback_tag(DIGEST), list[str]()

    def put(heard: Heard) -> Piece:
        written.append(heard.path)
        return answer(b"", "201 Created")

    registry = registry_at(net).on(f"{MANIFESTS}/{tag}", page((TYPED,)), method="GET")
    registry.on(f"{MANIFESTS}/*", put, method="PUT")
    subject = b'"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%b","size":%d}'
    raw = MANIFEST.replace(b"{", b"{" + subject % (DIGEST.encode(), len(MANIFEST)) + b",", 1)

    refused(library_way.ask(lambda web: web.put_manifest(raw)), errors.DregError)
    assert f"{MANIFESTS}/{tag}" not in written


def test_tag_24_any_other_404_does(way: Way, net: Network) -> None:
    registry = registry_at(net).on(PATH, answer(b"", "404 Not Found"))
    registry.on(PATH, answer(b"", "200 OK"), method="DELETE")

    assert way.delete(Digest.of(MANIFEST)).error is None
