"""Delays that a registry requests, beyond the time that is left for a request: TRN-34. No time passes."""

import pytest

from dreg_client import errors
from dreg_client._sync.client import _Delay
from dreg_client.protocol.messages import Headers, Request, Response
from tests.scripted import Scripted

GET = Request("GET", "/v2/acme/web/tags/list")


def busy(status: int, seconds: int) -> Response:
    return Response(status, Headers([("Retry-After", str(seconds))]), registry="https://registry.example")


@pytest.mark.parametrize("status", [408, 503])
def test_trn_34_a_delay_beyond_the_rest_of_the_time_ends_the_request(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    scripted = Scripted(lambda _: busy(status, 50))

    with pytest.raises(errors.RateLimitedError, match="more than the time that is left for the request") as raised:
        scripted.client(monkeypatch).send(GET)
    assert raised.value.retry_after == 50
    assert len(scripted.hops) == 2
    assert scripted.now < 60, "it is raised at once, not at the end of the time"


def test_trn_34_a_429_is_the_same_error_anyway(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted = Scripted(lambda _: busy(429, 50))

    assert scripted.client(monkeypatch).send(GET).status == 429
    assert (len(scripted.hops), scripted.now < 60) == (2, True)


def test_trn_34_the_time_grows_with_the_options(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted = Scripted(lambda _: busy(503, 200) if len(scripted.hops) == 1 else Response(200))

    assert scripted.client(monkeypatch, max_retry_after=300).send(GET).status == 200
    assert scripted.now >= 200


def test_trn_34_so_does_a_delay_that_another_request_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted = Scripted(lambda _: busy(503, 50))
    client = scripted.client(monkeypatch, deadline=None)
    with pytest.raises(errors.RateLimitedError):
        client.send(GET)
    origin = client.registry.origin
    client._delays[origin] = _Delay(scripted.now + 95, busy(503, 50))

    with pytest.raises(errors.RegistryError):
        client.send(GET)
    assert len(scripted.hops) == 2, "the registry is not asked before"


def test_trn_34_a_shorter_delay_of_another_response_does_not_shorten_a_longer_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scripted = Scripted(lambda _: Response(200))
    client = scripted.client(monkeypatch)
    for seconds in (20, 40, 1):
        client._remember_delay(client.registry, _Delay(seconds, busy(503, seconds)))

    assert client.send(GET).status == 200
    assert scripted.waited == [40]
    assert client._delays == {}, "one that has passed is forgotten"
