"""Where a registry has uploads sent: UPL-01, UPL-03, UPL-04."""

import pytest

from dreg_client import errors
from tests.faultserver import Network, answer
from tests.hostile.secrets import PASSWORD, SIGNED, USER
from tests.hostile.uploads import BASE, GHCR, MANY, SMALL, digest, uploads_at
from tests.hostile.ways import Way, refused

ELSEWHERE = f"https://elsewhere.test/upload?sig={SIGNED}"


def started(location: str | None) -> bytes:
    """The answer that opens an upload."""
    return answer(b"", "202 Accepted", *([] if location is None else [f"Location: {location}"]))


def test_upl_01_another_host_gets_nothing(way: Way, net: Network) -> None:
    uploads = uploads_at(net).fails("POST", started(ELSEWHERE))
    elsewhere = net.host("elsewhere.test")
    way.credentials = (USER, PASSWORD)

    outcome = refused(way.push(SMALL), errors.CrossOriginError)
    assert "upload_hosts=('elsewhere.test',) or --upload-host elsewhere.test" in outcome.text
    assert elsewhere.requests == []
    assert uploads.methods == ["HEAD", "POST"]


def test_upl_01_another_host_that_a_chunk_leads_to_gets_nothing(way: Way, net: Network) -> None:
    uploads = uploads_at(net, GHCR).fails("PATCH", answer(b"", "202 Accepted", f"Location: {ELSEWHERE}"), kept=None)
    elsewhere = net.host("elsewhere.test")
    way.registry = GHCR

    refused(way.push(MANY, in_pieces=True), errors.CrossOriginError)
    assert elsewhere.requests == []
    assert uploads.methods == ["POST", "PATCH", "DELETE"]
    assert not uploads.sessions


def test_upl_01_an_allowed_host_gets_the_bytes_without_a_credential(way: Way, net: Network) -> None:
    uploads_at(net).fails("POST", started(ELSEWHERE))
    elsewhere = net.host("elsewhere.test").on("/upload", answer(b"", "201 Created"))
    way.credentials, way.options["upload_hosts"] = (USER, PASSWORD), ("elsewhere.test",)

    assert way.push(SMALL).kind is None
    (heard,) = elsewhere.requests
    assert heard.body == SMALL
    assert elsewhere.secrets == []
    assert heard.target == f"/upload?sig={SIGNED}&digest=sha256%3A{digest(SMALL)[7:]}"


def test_upl_01_an_allowed_host_is_never_reached_by_http(way: Way, net: Network) -> None:
    uploads_at(net).fails("POST", started("http://elsewhere.test/upload"))
    elsewhere = net.host("elsewhere.test", scheme="http")
    way.options["upload_hosts"] = ("elsewhere.test", "elsewhere.test:80")

    refused(way.push(SMALL), errors.InsecureDowngradeError)
    assert elsewhere.requests == []


@pytest.mark.parametrize("authority", ["registry.test", "registry.test:80", "registry.test:443"])
def test_upl_03_a_registry_that_states_http_for_itself_is_reached_by_https(
    way: Way, net: Network, authority: str
) -> None:
    uploads = uploads_at(net)
    uploads.sessions["u7"] = bytearray()
    uploads.fails("POST", started(f"http://{authority}{BASE}/blobs/uploads/u7?a=%2f&b"))

    assert way.push(SMALL).kind is None
    assert uploads.blobs == {digest(SMALL): SMALL}
    assert f"PUT {BASE}/blobs/uploads/u7?a=%2f&b&digest=sha256%3A{digest(SMALL)[7:]}" in uploads.host.asked


def test_upl_03_another_port_of_the_same_host_gets_nothing(way: Way, net: Network) -> None:
    uploads_at(net).fails("POST", started(f"http://registry.test:8080{BASE}/blobs/uploads/u7"))

    refused(way.push(SMALL), errors.InsecureDowngradeError)


@pytest.mark.parametrize(
    "location", [None, "", f"{BASE}/blobs/uploads/u7?digest=sha256:0", f"{BASE}/blobs/uploads/u7?a=b&digest="]
)
def test_upl_04_no_location_or_one_with_a_digest_is_an_error(way: Way, net: Network, location: str | None) -> None:
    uploads = uploads_at(net).fails("POST", started(location))

    refused(way.push(SMALL), errors.UploadError)
    assert uploads.methods == ["HEAD", "POST"]


def test_upl_04_two_locations_are_an_error(way: Way, net: Network) -> None:
    uploads_at(net).fails("POST", answer(b"", 202, f"Location: {BASE}/a", f"Location: {BASE}/b"))

    refused(way.push(SMALL), errors.UploadError)


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("u7", f"{BASE}/blobs/uploads/u7?"),
        (f"{BASE}/blobs/uploads/u7?_state=a%2Fb+c%3D%3D&x=", f"{BASE}/blobs/uploads/u7?_state=a%2Fb+c%3D%3D&x=&"),
        (f"https://registry.test:443{BASE}/blobs/uploads/u7?", f"{BASE}/blobs/uploads/u7?"),
        (f"//registry.test{BASE}/blobs/uploads/u7?q", f"{BASE}/blobs/uploads/u7?q&"),
        (f"{BASE}/blobs/uploads/u7#digest=x", f"{BASE}/blobs/uploads/u7?"),
    ],
)
def test_upl_04_relative_locations_and_queries_are_kept_as_they_are(
    way: Way, net: Network, location: str, target: str
) -> None:
    uploads = uploads_at(net).fails("POST", started(location))
    uploads.sessions["u7"] = bytearray()

    assert way.push(SMALL).kind is None
    assert uploads.host.asked[-1] == f"PUT {target}digest=sha256%3A{digest(SMALL)[7:]}"
    assert uploads.blobs == {digest(SMALL): SMALL}


@pytest.mark.parametrize(
    "location", ["https://registry.test/a b", "https://registry.test:99999/", "ftp://registry.test/"]
)
def test_upl_04_a_location_that_is_no_url_is_not_requested(way: Way, net: Network, location: str) -> None:
    uploads = uploads_at(net).fails("POST", started(location))

    refused(way.push(SMALL), errors.UnsafeURLError)
    assert uploads.methods == ["HEAD", "POST"]
