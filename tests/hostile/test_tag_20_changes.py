"""Changes: what a mirror says does not change a registry (TAG-20), and nothing unproven counts (TAG-21 to TAG-23)."""

import pytest

from dreg_client import Digest, errors
from dreg_client.protocol.referrers import fallback_tag
from tests.faultserver import Heard, Host, Network, Piece, answer, head, redirect, sentence
from tests.hostile.registry import (
    BASE,
    BLOB,
    DIGEST,
    LAYER_DIGEST,
    MANIFEST,
    MANIFESTS,
    OCI_INDEX,
    OCI_MANIFEST,
    document,
    registry_at,
)
from tests.hostile.ways import Way, refused
from tests.http.documents import described

OLD = MANIFEST.replace(b'"schemaVersion"', b' "schemaVersion"')
PAGE = "Content-Type: text/html; charset=utf-8"
LOGIN = b"<html>please log in</html>"


def _mirrored(way: Way, net: Network) -> Host:
    way.options["mirrors"] = ("https://mirror.test",)
    return registry_at(net, "mirror.test")


def _taking(registry: Host, path: str) -> list[bytes]:
    """Take what is written there."""
    written: list[bytes] = []

    def said(heard: Heard) -> Piece:
        written.append(heard.body)
        return answer(b"", "201 Created")

    registry.on(path, said, method="PUT")
    return written


@pytest.mark.parametrize("media_type", [OCI_MANIFEST, ""], ids=["with its type", "without"])
def test_tag_20_an_outdated_mirror_does_not_decide_what_a_new_tag_names(
    way: Way, net: Network, media_type: str
) -> None:
    registry, mirror = registry_at(net), _mirrored(way, net)
    mirror.on(f"{MANIFESTS}/1.4", document(OLD))
    registry.on(f"{MANIFESTS}/1.4", document(MANIFEST, media_type))
    written = _taking(registry, f"{MANIFESTS}/prod")

    assert way.tag("1.4", "prod").error is None
    assert written == [MANIFEST]
    assert mirror.requests == []


def test_tag_20_nor_which_referrers_there_are(way: Way, net: Network) -> None:
    registry, mirror = registry_at(net), _mirrored(way, net)
    tag, entry = fallback_tag(DIGEST), {**described(MANIFEST, OCI_MANIFEST), "artifactType": "a/b"}
    for host, entries in ((registry, [entry]), (mirror, [])):
        listed = sentence({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries})
        host.on(f"{MANIFESTS}/{tag}", document(listed, OCI_INDEX))

    outcome = way.referrers(DIGEST)
    assert outcome.error is None
    found = outcome.value.decode() if way.name == "command line" else " ".join(each.digest for each in outcome.value)
    assert Digest.of(MANIFEST) in found
    assert f"GET {MANIFESTS}/{tag}" not in mirror.asked


def test_tag_21_a_web_page_writes_nothing(way: Way, net: Network) -> None:
    registry_at(net).on(f"{MANIFESTS}/prod", answer(LOGIN, "201 Created", PAGE), method="PUT")

    assert "web page" in refused(way.tag("1.4", "prod"), errors.ProtocolError).text


def test_tag_21_nor_does_it_delete(way: Way, net: Network) -> None:
    path = f"{MANIFESTS}/{Digest.of(MANIFEST)}"
    registry_at(net).on(path, answer(LOGIN, "202 Accepted", PAGE), method="DELETE")

    assert "web page" in refused(way.delete(Digest.of(MANIFEST)), errors.ProtocolError).text


def test_tag_21_nor_a_tag_or_a_blob(library_way: Way, net: Network) -> None:
    page = answer(LOGIN, "202 Accepted", PAGE)
    registry_at(net).on(f"{MANIFESTS}/1.4", page, method="DELETE").on(BLOB, page, method="DELETE")

    refused(library_way.ask(lambda web: web.untag("1.4")), errors.ProtocolError)
    refused(library_way.ask(lambda web: web.delete_blob(LAYER_DIGEST)), errors.ProtocolError)


def test_tag_21_unless_the_change_is_there_to_be_seen(way: Way, net: Network) -> None:
    registry = registry_at(net).on(f"{MANIFESTS}/prod", document(MANIFEST))
    registry.on(f"{MANIFESTS}/prod", answer(LOGIN, "201 Created", PAGE), method="PUT")

    assert way.tag("1.4", "prod").error is None


@pytest.mark.parametrize("status", [307, 308])
def test_tag_21_nor_does_what_a_change_is_redirected_to(way: Way, net: Network, status: int) -> None:
    path = f"{MANIFESTS}/{Digest.of(MANIFEST)}"
    registry = registry_at(net).on("/login", answer(b"", "202 Accepted"), method="DELETE")
    registry.on("/login", answer(b"", "201 Created"), method="PUT")
    registry.on(path, redirect("/login", status), method="DELETE")
    registry.on(f"{MANIFESTS}/prod", redirect("/login", status), method="PUT")

    refused(way.delete(Digest.of(MANIFEST)), errors.ProtocolError)
    refused(way.tag("1.4", "prod"), errors.ProtocolError)


def test_tag_21_a_redirected_change_counts_if_it_is_there(way: Way, net: Network) -> None:
    registry = registry_at(net).on(f"{MANIFESTS}/prod", document(MANIFEST))
    registry.on(f"{MANIFESTS}/prod", redirect("/moved"), method="PUT")
    registry.on("/moved", answer(b"", "201 Created"), method="PUT")

    assert way.tag("1.4", "prod").error is None


@pytest.mark.parametrize("status", [200, 204, 206, 299])
def test_tag_22_a_blob_that_can_still_be_read_was_not_deleted(library_way: Way, net: Network, status: int) -> None:
    """Some registries do not support HEAD, and answer it with 404."""
    registry = registry_at(net).on(BLOB, head(f"{status} x", "Content-Length: 0"), method="DELETE")
    registry.on(BLOB, head("404 Not Found", "Content-Length: 0"), method="HEAD")

    refused(library_way.ask(lambda web: web.delete_blob(LAYER_DIGEST)), errors.ProtocolError)


def test_tag_22_one_that_cannot_was(library_way: Way, net: Network) -> None:
    registry = registry_at(net).on(BLOB, head("404 Not Found", "Content-Length: 0"))
    registry.on(BLOB, answer(b"", "200 OK"), method="DELETE")

    assert library_way.ask(lambda web: web.delete_blob(LAYER_DIGEST)).error is None


@pytest.mark.parametrize(
    "said",
    [
        answer(b"", "416 Range Not Satisfiable"),
        answer(b"x", "206 Partial Content", "Content-Range: bytes 7-7/9"),
        answer(b"x", "206 Partial Content"),
        answer(b"--x", "206 Partial Content", "Content-Type: multipart/byteranges; boundary=x"),
    ],
    ids=["no range", "another range", "which range", "several ranges"],
)
def test_tag_23_a_wrong_range_proves_no_blob(library_way: Way, net: Network, said: Piece) -> None:
    registry_at(net).on(BLOB, head("405 Method Not Allowed", "Content-Length: 0"), method="HEAD").on(
        BLOB, said, method="GET"
    )

    outcome = library_way.ask(lambda web: web.has_blob(LAYER_DIGEST))
    refused(outcome, errors.ProtocolError, errors.RegistryError)


def test_tag_23_an_empty_blob_has_no_range(library_way: Way, net: Network) -> None:
    empty = Digest.of(b"")
    registry_at(net).on(f"{BASE}/blobs/{empty}", answer(b"", "416 Range Not Satisfiable"), method="GET")

    assert library_way.ask(lambda web: web.has_blob(empty)).value is True
