"""Heads of responses that HTTP/1.1 does not allow, and lengths that are no numbers (TRN-65)."""

from collections.abc import Callable

import pytest

from dreg_client import errors
from dreg_client.protocol.messages import Headers
from dreg_client.protocol.network_errors import BadHTTPError, body_length
from tests.faultserver import Network
from tests.hostile.registry import TAGS, registry_at
from tests.hostile.test_trn_55_lengths_and_mirrors import Stating
from tests.hostile.ways import Way, refused

JSON = b"Content-Type: application/json\r\n"
BODY = b'{"name": "acme/web", "tags": ["1.4"]}'
CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
LENGTH = b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
MANY = "9" * 5000
HEADS = {
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\n" + JSON + LENGTH,
    "HTTP/0.9": b"HTTP/0.9 200 OK\r\n" + JSON + LENGTH,
    "HTTP/1.2": b"HTTP/1.2 200 OK\r\n" + JSON + LENGTH,
    "chunks of HTTP/1.0": b"HTTP/1.0 200 OK\r\n" + JSON + CHUNKS,
    "5,000 digits": b"HTTP/1.1 200 OK\r\n" + JSON + b"Content-Length: " + MANY.encode() + b"\r\n\r\n" + BODY,
    "20 digits": b"HTTP/1.1 200 OK\r\n" + JSON + b"Content-Length: " + MANY.encode()[:20] + b"\r\n\r\n" + BODY,
    "an interim response before HTTP/2.0": b"HTTP/1.1 102 Processing\r\n\r\nHTTP/2.0 200 OK\r\n" + JSON + LENGTH,
}


@pytest.mark.parametrize("said", HEADS.values(), ids=HEADS)
def test_trn_65_such_a_response_is_not_valid(way: Way, net: Network, said: bytes) -> None:
    registry = registry_at(net).on(TAGS, said)

    refused(way.tags(), errors.ProtocolError)
    assert [heard.target for heard in registry.requests].count(TAGS) == 1, "it is not retried"


def test_trn_65_http_1_0_without_chunks_is_fine(way: Way, net: Network) -> None:
    registry_at(net).on(TAGS, b"HTTP/1.0 200 OK\r\n" + JSON + LENGTH)

    assert way.tags().error is None
    assert "1.4" in str(way.tags().value)


PROXIES = {
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\n\r\n",
    "5,000 digits": b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: " + MANY.encode() + b"\r\n\r\n",
    "interim responses": b"HTTP/1.1 102 Processing\r\n\r\n" * 100,
}


@pytest.mark.parametrize("said", PROXIES.values(), ids=PROXIES)
def test_trn_65_neither_is_it_by_a_proxy(library_way: Way, net: Network, said: bytes) -> None:
    registry = registry_at(net)
    net.proxy().on("*", said, method="CONNECT").tunnel = None
    library_way.options["proxy"] = "http://proxy.test:3128"

    refused(library_way.tags(), errors.ProtocolError)
    assert registry.connections == 0


def test_trn_65_a_length_of_many_digits_by_a_callers_transport(library_way: Way) -> None:
    library_way.options["transport"] = Stating(MANY)

    refused(library_way.tags(), errors.ProtocolError)


@pytest.mark.parametrize("lengths", [[MANY], ["1", "2"], ["1,2"], ["", "1"], ["1,"], ["1 1"], ["\xa01"], ["\u0661"]])
def test_trn_65_headers_that_state_no_one_length(lengths: list[str]) -> None:
    assert Headers([("Content-Length", length) for length in lengths]).content_length is None
    with pytest.raises(BadHTTPError):
        body_length([(b"content-length", length.encode()) for length in lengths])


@pytest.mark.parametrize("read", [lambda pairs: Headers(pairs).content_length, body_length])
def test_trn_65_one_length_may_be_stated_twice(read: Callable[[list[tuple[bytes, bytes]]], int | None]) -> None:
    assert read([]) is None
    assert read([(b"Content-Length", b" 17\t")]) == 17
    assert read([(b"Content-Length", b"17"), (b"content-length", b"17, 17")]) == 17
