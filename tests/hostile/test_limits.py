"""The limits of answers (hostile cases, 4.6): each at its limit, and one above."""

import json
import logging
from typing import Any

import pytest

from dreg_client import Digest, errors
from dreg_client.protocol.messages import Headers, Request, Response
from dreg_client.protocol.tags_and_catalog import Pages
from tests.faultserver import Network, answer, challenge, chunked, redirect, refusal, sentence
from tests.hostile.registry import BASE, CONFIG, LAYER, MANIFEST, MANIFESTS, OCI_MANIFEST, TAGS, listed, registry_at
from tests.hostile.ways import Way, refused

KIB = 1024
MIB = 1024 * 1024


def padded(raw: bytes, size: int) -> bytes:
    """A JSON document of so many bytes: white space behind it says nothing."""
    return raw + b" " * (size - len(raw))


@pytest.mark.parametrize("in_chunks", [False, True], ids=["length", "chunks"])
@pytest.mark.parametrize("over", [0, 1])
def test_a_manifest_has_4_mib(library_way: Way, net: Network, over: int, in_chunks: bool) -> None:
    raw = padded(MANIFEST, 4 * MIB + over)
    headers = (f"Content-Type: {OCI_MANIFEST}",)
    said = chunked(raw, headers=headers) if in_chunks else answer(raw, 200, *headers)
    registry_at(net).on(f"{MANIFESTS}/1.4", said)

    done = library_way.manifest("1.4")
    if over:
        failed = refused(done, errors.ResponseTooLargeError)
        assert isinstance(failed.error, errors.ResponseTooLargeError)
        assert (failed.error.limit, failed.error.size < 4 * MIB + 256 * KIB) == (4 * MIB, True)
    else:
        assert done.value.raw == raw


def test_a_manifest_over_its_limit_by_the_command_line(way: Way, net: Network) -> None:
    registry_at(net).on(f"{MANIFESTS}/1.4", answer(padded(MANIFEST, 4 * MIB + 1), 200, f"Content-Type: {OCI_MANIFEST}"))

    refused(way.manifest("1.4"), errors.ResponseTooLargeError)


@pytest.mark.parametrize("over", [0, 1])
def test_a_config_in_memory_has_4_mib(library_way: Way, net: Network, over: int) -> None:
    config = padded(CONFIG, 4 * MIB + over)
    manifest = json.loads(MANIFEST)
    manifest["config"] |= {"digest": str(Digest.of(config)), "size": len(config)}
    registry = registry_at(net)
    registry.on(f"{MANIFESTS}/1.4", answer(json.dumps(manifest).encode(), 200, f"Content-Type: {OCI_MANIFEST}"))
    registry.on(f"{BASE}/blobs/{Digest.of(config)}", answer(config))

    done = library_way.config("1.4")
    if over:
        refused(done, errors.ResponseTooLargeError)
        assert not any("/blobs/" in asked for asked in registry.asked), "its descriptor says it: nothing is asked for"
    else:
        assert done.value.os == "linux"


@pytest.mark.parametrize("over", [0, 1])
def test_a_token_s_answer_has_64_kib(library_way: Way, net: Network, over: int) -> None:
    registry = registry_at(net).on(TAGS, challenge('Bearer realm="https://registry.test/token"'), listed("1.4"))
    registry.on("/token", answer(padded(sentence({"token": "anybody"}), 64 * KIB + over)))

    done = library_way.tags()
    if over:
        refused(done, errors.ResponseTooLargeError)
        assert "anybody" not in done.text
    else:
        assert done.value == ("1.4",)


@pytest.mark.parametrize("over", [0, 1])
def test_64_kib_of_a_refusal_are_read(library_way: Way, net: Network, over: int) -> None:
    body = sentence({"errors": [{"code": "DENIED", "message": "no"}]})
    body = body[:-1] + b" " * (64 * KIB + over - len(body)) + body[-1:]
    registry_at(net).on(TAGS, answer(body, 403))

    failed = refused(library_way.tags(), errors.DeniedError)
    assert isinstance(failed.error, errors.DeniedError)
    if over:  # without its last brace it is no JSON, but text
        assert failed.error.said[0].startswith('{"errors"')
    else:
        assert failed.error.said == ("DENIED: no",)


@pytest.mark.parametrize("over", [0, 1])
def test_1_kib_of_a_refusal_is_shown(library_way: Way, net: Network, over: int) -> None:
    registry_at(net).on(TAGS, refusal(403, "DENIED", "x" * 1015 + "y" * (1 + over)))

    failed = refused(library_way.tags(), errors.DeniedError)
    assert isinstance(failed.error, errors.DeniedError)
    assert failed.error.said == ("DENIED: " + "x" * 1015 + "y",)


@pytest.mark.parametrize("count", [10, 11])
def test_10_errors_of_a_refusal_are_shown(library_way: Way, net: Network, count: int) -> None:
    registry_at(net).on(TAGS, answer(sentence({"errors": [{"code": f"E{n}"} for n in range(count)]}), 403))

    failed = refused(library_way.tags(), errors.DeniedError)
    assert isinstance(failed.error, errors.DeniedError)
    assert failed.error.said == tuple(f"E{n}" for n in range(10))


@pytest.mark.parametrize("over", [0, 1])
@pytest.mark.parametrize("of", ["tags", "repositories", "referrers"])
def test_a_page_has_4_mib(library_way: Way, net: Network, over: int, of: str) -> None:
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}
    pages = {
        "tags": sentence({"name": "acme/web", "tags": ["1"]}),
        "repositories": sentence({"repositories": ["1"]}),
        "referrers": sentence(index),
    }
    registry = registry_at(net)
    said = answer(padded(pages[of], 4 * MIB + over), 200, "Content-Type: application/vnd.oci.image.index.v1+json")
    registry.on({"tags": TAGS, "repositories": "/v2/_catalog", "referrers": f"{BASE}/referrers/*"}[of], said)

    asks = {
        "tags": library_way.tags,
        "repositories": library_way.repositories,
        "referrers": lambda: library_way.referrers(Digest.of(LAYER)),
    }
    done = asks[of]()
    if over:
        refused(done, errors.ResponseTooLargeError)
    else:
        assert len(done.value) == (of != "referrers")


def test_a_list_has_1000_pages() -> None:
    pages = Pages(Request("GET", "/v2/acme/web/tags/list"))
    for number in range(1, 1000):
        assert pages.request is not None
        pages.advance(page(number))

    with pytest.raises(errors.TooManyPagesError):
        pages.advance(page(1000))
    pages.advance(page(None))
    assert pages.request is None


def page(number: int | None) -> Response:
    """A page that leads to the next, or the last one."""
    url, link = "https://registry.test/v2/acme/web/tags/list", f'</v2/acme/web/tags/list?last={number}>; rel="next"'
    headers = Headers([("Link", link)] if number is not None else [])
    return Response(200, headers, b"", url, "https://registry.test")


@pytest.mark.parametrize("over", [0, 1])
def test_a_url_has_8_kib(library_way: Way, net: Network, over: int) -> None:
    start = "https://cdn.test/layer?x="
    registry = registry_at(net).on(TAGS, redirect(start + "y" * (8 * KIB + over - len(start))))
    cdn = net.host("cdn.test").on("/layer", listed("1"))

    done = library_way.tags()
    if over:
        refused(done, errors.UnsafeURLError)
        assert len(done.text) < KIB, "nor is it repeated"
        assert cdn.connections == 0
    else:
        assert done.value == ("1",)
    assert len(registry.requests) == 1


@pytest.mark.parametrize(("size", "taken"), [(60 * KIB, True), (300 * KIB, False)])
def test_a_block_of_headers_ends(library_way: Way, net: Network, size: int, taken: bool) -> None:
    """The HTTP library's own limit, 100 KiB, counts what it has not yet read as headers; so no number is exact."""
    body = sentence({"name": "acme/web", "tags": ["1"]})
    registry_at(net).on(TAGS, answer(body, 200, *[f"X-{n}: {'y' * 1000}" for n in range(size // 1010)]))

    done = library_way.tags()
    if taken:
        assert done.value == ("1",)
    else:
        refused(done, errors.ProtocolError)


@pytest.mark.parametrize("hops", [10, 11])
def test_10_redirects_are_followed(library_way: Way, net: Network, hops: int) -> None:
    registry = registry_at(net).on(TAGS, redirect("/hop/1"))
    for hop in range(1, hops):
        registry.on(f"/hop/{hop}", redirect(f"/hop/{hop + 1}"))
    registry.on(f"/hop/{hops}", listed("1"))
    library_way.options["retries"] = 3

    done = library_way.tags()
    if hops == 10:
        assert done.value == ("1",)
    else:
        refused(done, errors.TooManyRedirectsError)
    assert len(registry.requests) == 11


def warned(library_way: Way, net: Network, *values: str) -> list[str]:
    """The warnings that are told, of those in one answer."""
    body = sentence({"name": "acme/web", "tags": ["1"]})
    registry_at(net).on(TAGS, answer(body, 200, *[f"Warning: {value}" for value in values]))
    told: list[Any] = []
    library_way.options["on_event"] = told.append

    def tags(registry: Any) -> Any:
        return registry.repository("acme/web").tags()

    assert library_way.all_of(tags, tags).value == [("1",), ("1",)]
    return [event.text for event in told if type(event).__name__ == "Warned"]


@pytest.mark.parametrize("over", [0, 1])
def test_trn_26_a_warning_has_4096_bytes(library_way: Way, net: Network, over: int) -> None:
    text = "x" * (4096 + over - len('299 - ""'))

    assert warned(library_way, net, f'299 - "{text}"') == ([] if over else [text])


def test_trn_26_10_warnings_are_heard(library_way: Way, net: Network, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "dreg_client"):
        told = warned(library_way, net, *(f'299 - "{n}"' for n in range(11)))
    assert told == [str(n) for n in range(10)]
    assert len([record for record in caplog.records if "warns" in record.getMessage()]) == 10


@pytest.mark.parametrize(
    "value",
    [
        '199 - "no"',
        '299 registry "no"',
        '299 - "a\x1b[31m"',
        '299 - "a\x9b31m"',
        '299 - "\xe2\x80\xae"',
        '299 - "no',
        "299 - no",
        '299 - "no" extra',
        '299 - ""',
        "",
    ],
)
def test_trn_26_what_is_no_such_warning_is_not_told(library_way: Way, net: Network, value: str) -> None:
    assert warned(library_way, net, value) == []


def test_trn_26_a_warning_of_1_mib_is_no_answer(way: Way, net: Network) -> None:
    registry_at(net).on(TAGS, answer(b"{}", 200, f'Warning: 299 - "{"x" * MIB}"'))

    refused(way.tags(), errors.ProtocolError)


def test_trn_26_a_warning_is_told_once_and_changes_nothing(way: Way, net: Network) -> None:
    body = sentence({"name": "acme/web", "tags": ["1"]})
    registry_at(net).on(TAGS, answer(body, 200, 'Warning: 299 - "soon"', 'Warning: 299 - "soon"'))

    done = way.tags()
    assert done.error is None
    assert way.said.count("warns: soon") == (1 if way.name == "command line" else 0)
