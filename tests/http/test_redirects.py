"""Where answers may lead, and what goes along (the TRN cases)."""

from typing import Any

import pytest

from dreg_client import Credential, errors
from tests.doors import Door, repository
from tests.http.documents import DIGEST, LAYER, LAYER_DIGEST, image, refusal, served

ADA = Credential("ada", "canary")
SIGNED = "https://cdn.test/layer?X-Amz-Signature=canary"


def moved(location: str, status: int = 307) -> Any:
    def registry(request: Any) -> Any:
        if request.url.host == "cdn.test":
            return served(LAYER, "application/octet-stream")
        if "authorization" not in request.headers:
            return refusal(401, **{"WWW-Authenticate": "Basic"})
        return status, {"Location": location, "Set-Cookie": "a=b"}, b""

    return registry


def blob(registry: Any) -> Any:
    return repository(registry).get_blob(LAYER_DIGEST)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_trn_01_trn_13_a_blob_may_be_elsewhere_and_nothing_of_ours_goes_there(door: Door, status: int) -> None:
    assert door.run(moved(SIGNED, status), blob, credentials=ADA) == LAYER

    last = door.seen[-1]
    assert str(last.url) == SIGNED
    assert {*last.headers} <= {"host", "user-agent", "accept-encoding", "connection"}


def test_trn_02_another_port_is_another_origin(door: Door) -> None:
    def registry(request: Any) -> Any:
        if request.url.port == 8443:
            return served(LAYER, "application/octet-stream")
        return moved("https://registry.example:8443/x")(request)

    door.run(registry, blob, credentials=ADA)
    assert "authorization" not in door.seen[-1].headers


@pytest.mark.parametrize(
    "location", ["/elsewhere", "https://registry.example:443/elsewhere", "//registry.example/elsewhere"]
)
def test_q_37_the_registry_itself_is_still_shown_who_we_are(door: Door, location: str) -> None:
    def registry(request: Any) -> Any:
        if request.url.path == "/elsewhere":
            return served(LAYER, "application/octet-stream")
        return moved(location)(request)

    door.run(registry, blob, credentials=ADA)
    assert "authorization" in door.seen[-1].headers


@pytest.mark.parametrize(
    ("location", "error"),
    [
        ("http://registry.example/x", errors.InsecureDowngradeError),
        ("http://cdn.test/x", errors.InsecureDowngradeError),
        ("https://127.0.0.1/x", errors.BlockedAddressError),
        ("https://169.254.169.254/latest/meta-data", errors.BlockedAddressError),
        ("https://[::1]/x", errors.BlockedAddressError),
        ("https://[::ffff:127.0.0.1]/x", errors.BlockedAddressError),
        ("https://localhost/x", errors.BlockedAddressError),
        ("https://0.0.0.0/x", errors.BlockedAddressError),
        ("https://2130706433/x", errors.BlockedAddressError),
        ("https://0x7f.1/x", errors.BlockedAddressError),
        ("https://0177.0.0.1/x", errors.BlockedAddressError),
        ("https://192.168.1.1/x", errors.BlockedAddressError),
        ("file:///etc/passwd", errors.UnsafeURLError),
        ("ftp://cdn.test/x", errors.UnsafeURLError),
        ("data:,x", errors.UnsafeURLError),
        ("javascript:alert(1)", errors.UnsafeURLError),
        ("https://user:pw@cdn.test/x", errors.UnsafeURLError),
        ("https://cdn.test:99999/x", errors.UnsafeURLError),
    ],
)
def test_trn_03_trn_04_trn_05_trn_08_where_we_do_not_go(door: Door, location: str, error: type[Exception]) -> None:
    with pytest.raises(error) as refused:
        door.run(moved(location), blob, credentials=ADA)
    assert len(door.seen) == 2, "the challenge, and the redirect; nothing was sent there"
    assert "pw" not in str(refused.value)


@pytest.mark.parametrize("registry", ["https://10.0.0.1", "http://localhost:5000"])
def test_trn_07_a_private_registry_may_send_us_to_its_own_network(door: Door, registry: str) -> None:
    def answer(request: Any) -> Any:
        if request.url.host == "10.0.0.2":
            return served(LAYER, "application/octet-stream")
        return 307, {"Location": f"{registry.partition(':')[0]}://10.0.0.2/x"}, b""

    assert door.run(answer, blob, url=registry) == LAYER


def test_trn_09_a_circle_ends(door: Door) -> None:
    with pytest.raises(errors.TooManyRedirectsError):
        door.run(lambda _: (302, {"Location": "/again"}, b""), blob)
    assert len(door.seen) == 11


@pytest.mark.parametrize("status", [301, 302, 303])
def test_trn_12_what_changes_something_never_turns_into_a_get(door: Door, status: int) -> None:
    def registry(request: Any) -> Any:
        return status, {"Location": "/elsewhere"}, b""

    with pytest.raises(errors.RegistryError):
        door.run(registry, lambda registry: repository(registry).delete_blob(DIGEST))
    assert [request.method for request in door.seen] == ["DELETE"]


def test_trn_12_what_changes_something_goes_to_the_registry_alone(door: Door) -> None:
    with pytest.raises(errors.CrossOriginError):
        door.run(
            lambda _: (307, {"Location": "https://other.test/x"}, b""),
            lambda registry: repository(registry).delete_blob(DIGEST),
        )
    assert len(door.seen) == 1


def test_trn_24_a_page_that_stands_before_the_registry_is_no_registry(door: Door) -> None:
    page = served(b"<html>log in to the network</html>", "text/html")

    with pytest.raises(errors.ProtocolError):
        door.run(lambda _: page, lambda registry: registry.ping())
    with pytest.raises(errors.ProtocolError):
        door.run(lambda _: page, lambda registry: repository(registry).tags())
    with pytest.raises(errors.UnsupportedMediaTypeError):
        door.run(lambda _: page, lambda registry: repository(registry).get_manifest("1.4"))
    with pytest.raises(errors.DregError):
        door.run(lambda _: page, lambda registry: repository(registry).resolve("1.4"))
    with pytest.raises(errors.DigestMismatchError):
        door.run(lambda _: page, blob)


def test_trn_26_a_warning_is_told_once_and_only_of_its_code(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    values = ['299 - "moving \\"soon\\""', '199 - "no"', '299 - "\x1b[31m"', "299 - " + '"' + "x" * 5000 + '"']
    told: list[object] = []

    def registry(request: Any) -> Any:
        status, headers, body = image(request)  # type: ignore[misc]
        return status, {**headers, "Warning": values[len(door.seen) % len(values)]}, body

    for _ in range(8):
        door.run(registry, lambda registry: repository(registry).tags(), on_event=told.append)
    warned = [event for event in told if type(event).__name__ == "Warned"]
    assert {event.text for event in warned} == {'moving "soon"'}  # type: ignore[attr-defined]


def test_mirrors_are_asked_first_and_see_no_credential_of_the_registry(door: Door) -> None:
    def registry(request: Any) -> Any:
        if request.url.host == "broken.test":
            return 500
        if request.url.host == "mirror.test" and "/blobs/" in str(request.url):
            return 404
        if request.url.host == "registry.example" and "authorization" not in request.headers:
            return refusal(401, **{"WWW-Authenticate": "Basic"})
        return image(request)

    options = {"mirrors": ("https://broken.test", "https://mirror.test"), "credentials": ADA}
    door.run(registry, lambda registry: repository(registry).get_manifest("1.4"), **options)
    assert [request.url.host for request in door.seen] == ["broken.test", "mirror.test"]

    door.seen.clear()
    assert door.run(registry, blob, **options) == LAYER
    hosts = [(request.url.host, "authorization" in request.headers) for request in door.seen]
    assert hosts == [
        ("broken.test", False),
        ("mirror.test", False),
        ("registry.example", False),
        ("registry.example", True),
    ]


@pytest.mark.parametrize("challenge", ["Basic", 'Bearer realm="https://mirror.test/token"'])
def test_a_mirror_that_asks_who_we_are_is_not_told(door: Door, challenge: str) -> None:
    class Service:
        def request_token(self, scope: str) -> str:
            return "canary"

    def registry(request: Any) -> Any:
        if request.url.path == "/token":
            return served(b'{"token": "anybody"}', "application/json")
        if request.url.host == "mirror.test":
            return refusal(401, **{"WWW-Authenticate": challenge})
        return image(request)

    for who in ({"credentials": ADA}, {"auth_service": Service()}):
        assert door.run(registry, blob, mirrors=("https://mirror.test",), **who) == LAYER
    shown = {request.headers.get("authorization") for request in door.seen if request.url.host == "mirror.test"}
    assert shown <= {None, "Bearer anybody"}


def test_mirrors_are_not_asked_what_may_have_changed(door: Door) -> None:
    door.run(image, lambda registry: repository(registry).tags(), mirrors=("https://mirror.test",))

    assert [request.url.host for request in door.seen] == ["registry.example"]
