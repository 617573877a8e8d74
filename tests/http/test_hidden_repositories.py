"""Registries that hide from anonymous requests what a user may read: 403, 404 or an empty list, without a challenge."""

import json
from typing import Any

import pytest

from dreg_client import Credential, errors
from dreg_client.protocol.messages import Request
from dreg_client.protocol.options import FoundCredential
from tests.answering import ADA, GET, Heard, registry, sent
from tests.flavours import Flavour
from tests.raw_server import answer

OTHER = Request("GET", "/v2/b/tags/list", "repository:b:pull", what="tags of b", is_list=True)
CATALOG = Request("GET", "/v2/_catalog", "registry:catalog:*", what="catalog", is_list=True)
DELETE = Request("DELETE", "/v2/a/manifests/1", "repository:a:delete", what="tag 1")
ONE = json.dumps({"tags": ["1"], "repositories": ["a"]}).encode()
PING = "GET /v2/"
DENIED = "401 Unauthorized"
HIDING = {
    "404": answer(b"{}", "404 Not Found"),
    "403": answer(b"{}", "403 Forbidden"),
    "401 without a challenge": answer(b"{}", DENIED),
    "an empty list": answer(b'{"name": "a", "tags": [], "repositories": []}'),
    "null": answer(b'{"name": "a", "tags": null, "repositories": null}'),
}


class Hiding:
    """A registry that shows what it has to a user alone; only `/v2/` has a challenge."""

    def __init__(self, hidden: bytes, challenge: str = "Basic realm=x", takes: str = ADA.basic) -> None:
        self.hidden, self.challenge, self.takes = hidden, challenge, takes

    def __call__(self, heard: Heard) -> bytes:
        if heard.target.startswith("/token"):
            return answer(json.dumps({"token": "tok-canary"}).encode())
        if heard.authorization == self.takes:
            return answer(ONE)
        if heard.target == "/v2/":
            challenge = self.challenge.replace("HOST", heard.headers["host"])
            return answer(b"{}", DENIED, f"WWW-Authenticate: {challenge}")
        return self.hidden


@pytest.mark.parametrize("hidden", HIDING.values(), ids=HIDING)
@pytest.mark.parametrize("request_", [GET, CATALOG], ids=["tags", "catalog"])
def test_an_anonymous_answer_is_believed_only_after_the_challenge_of_v2(
    flavour: Flavour, hidden: bytes, request_: Request
) -> None:
    with registry(Hiding(hidden)) as at:
        (response,) = sent(flavour, at.url, request_, credentials=ADA)

    assert (response.status, response.body) == (200, ONE)
    assert at.targets == [f"GET {request_.target}", PING, f"GET {request_.target}"]
    assert [heard.authorization for heard in at.heard] == ["", "", ADA.basic]


def test_a_change_is_no_exception(flavour: Flavour) -> None:
    with registry(Hiding(HIDING["404"])) as at:
        (response,) = sent(flavour, at.url, DELETE, credentials=ADA)

    assert response.status == 200
    assert at.targets == [f"DELETE {DELETE.target}", PING, f"DELETE {DELETE.target}"]


def test_v2_is_requested_once_and_the_next_request_of_the_repository_is_authorized_from_the_start(
    flavour: Flavour,
) -> None:
    with registry(Hiding(HIDING["404"])) as at:
        sent(flavour, at.url, GET, GET, OTHER, credentials=ADA)

    tags, others = f"GET {GET.target}", f"GET {OTHER.target}"
    assert at.targets == [tags, PING, tags, tags, others, others]


def test_a_token_of_the_challenge_of_v2_has_the_scope_of_the_request(
    flavour: Flavour, caplog: pytest.LogCaptureFixture
) -> None:
    challenge = 'Bearer realm="http://HOST/token",service="s",scope="repository:user/image:pull"'
    with registry(Hiding(HIDING["404"], challenge, "Bearer tok-canary")) as at:
        (response,) = sent(flavour, at.url, GET, credentials=ADA)

    assert response.body == ONE
    assert at.targets[2] == "GET /token?service=s&scope=repository%3Aa%3Apull"
    assert caplog.records == []  # the scope at /v2/ is an example, and no reason to warn


def test_a_service_for_tokens_is_a_credential_too(flavour: Flavour) -> None:
    class Service:
        def request_token(self, _scope: str) -> str:
            return "tok-canary"

    with registry(Hiding(HIDING["404"], 'Bearer realm="http://HOST/token"', "Bearer tok-canary")) as at:
        (response,) = sent(flavour, at.url, GET, auth_service=Service())

    assert response.body == ONE


class Source:
    """A source of credentials that has one for a single host, or none."""

    def __init__(self, credential: Credential | None) -> None:
        self.credential = credential

    def find(self, registry: str, repository: str = "") -> FoundCredential:
        return FoundCredential(self.credential, places=("a file",))


@pytest.mark.parametrize("hidden", HIDING.values(), ids=HIDING)
@pytest.mark.parametrize("options", [{}, {"credentials": Source(None)}], ids=["anonymous", "no credential"])
def test_without_a_credential_nothing_more_is_requested(
    flavour: Flavour, hidden: bytes, options: dict[str, Any]
) -> None:
    with registry(Hiding(hidden)) as at:
        sent(flavour, at.url, GET, **options)

    assert at.targets == [f"GET {GET.target}"]


def test_where_v2_has_no_challenge_the_anonymous_answer_stands(flavour: Flavour) -> None:
    def answering(heard: Heard) -> bytes:
        return answer(b"{}") if heard.target == "/v2/" else HIDING["404"]

    with registry(answering) as at:
        first, second = sent(flavour, at.url, GET, OTHER, credentials=ADA)

    assert (first.status, second.status) == (404, 404)
    assert at.targets == [f"GET {GET.target}", PING, f"GET {OTHER.target}"]
    assert {heard.authorization for heard in at.heard} == {""}


def test_what_a_user_is_told_is_believed(flavour: Flavour) -> None:
    def answering(heard: Heard) -> bytes:
        if heard.target == "/v2/" and not heard.authorization:
            return answer(b"{}", DENIED, "WWW-Authenticate: Basic realm=x")
        return HIDING["404"]

    with registry(answering) as at:
        first, second = sent(flavour, at.url, GET, GET, credentials=ADA)

    assert (first.status, second.status) == (404, 404)
    assert at.targets == [f"GET {GET.target}", PING, *[f"GET {GET.target}"] * 2]


def test_what_is_denied_although_a_challenge_is_answered_says_who_was_denied(flavour: Flavour) -> None:
    def answering(heard: Heard) -> bytes:
        if heard.target == "/v2/" and not heard.authorization:
            return answer(b"{}", DENIED, "WWW-Authenticate: Basic realm=x")
        return HIDING["403"]

    with registry(answering) as at:
        (response,) = sent(flavour, at.url, GET, credentials=ADA)

    assert "the user 'ada' lacks permission" in response.advice


@pytest.mark.parametrize("status", ["503 Service Unavailable", "500 Internal Server Error", "429 Too Many Requests"])
def test_while_v2_fails_the_anonymous_answer_is_not_believed(flavour: Flavour, status: str) -> None:
    hiding, failures = Hiding(HIDING["404"]), [answer(b"", status)]

    def answering(heard: Heard) -> bytes:
        return failures.pop() if heard.target == "/v2/" and failures else hiding(heard)

    with registry(answering) as at:
        first, second = sent(flavour, at.url, GET, GET, credentials=ADA, retries=0)

    assert isinstance(first, errors.RegistryError)
    assert first.status == int(status[:3])
    assert second.body == ONE, "the failure is not remembered"


def test_v2_is_requested_again_where_its_failure_may_pass(flavour: Flavour) -> None:
    hiding, failures = Hiding(HIDING["404"]), [answer(b"", "503 Service Unavailable", "Retry-After: 0")] * 2

    def answering(heard: Heard) -> bytes:
        return failures.pop() if heard.target == "/v2/" and failures else hiding(heard)

    with registry(answering) as at:
        (response,) = sent(flavour, at.url, GET, credentials=ADA, retries=2)

    assert response.body == ONE
    assert at.targets == [f"GET {GET.target}", PING, PING, PING, f"GET {GET.target}"]


def test_a_challenge_of_v2_at_another_origin_is_not_answered(flavour: Flavour) -> None:
    with registry(lambda _: answer(b"", DENIED, "WWW-Authenticate: Basic realm=x")) as elsewhere:

        def answering(heard: Heard) -> bytes:
            moved = answer(b"", "307 Temporary Redirect", f"Location: {elsewhere.url}/v2/")
            return moved if heard.target == "/v2/" else HIDING["404"]

        with registry(answering) as at:
            (response,) = sent(flavour, at.url, GET, credentials=ADA)

    assert response.status == 404
    assert elsewhere.heard == []


def test_many_requests_at_a_time_request_v2_once(flavour: Flavour) -> None:
    async def job(url: str) -> None:
        async with flavour.client(url, credentials=ADA) as client:

            async def one() -> None:
                assert (await client.send(GET)).body == ONE

            await flavour.all([one] * 20)

    with registry(Hiding(HIDING["404"])) as at:
        flavour.run(lambda: job(at.url))
        assert at.targets.count(PING) == 1


@pytest.mark.parametrize(
    ("realm", "error"),
    [("ftp://HOST/token", errors.ChallengeError), ("https://stranger.example/token", errors.CrossOriginError)],
)
def test_a_challenge_of_v2_is_no_safer_than_any_other(flavour: Flavour, realm: str, error: type[Exception]) -> None:
    with registry(Hiding(HIDING["404"], f'Bearer realm="{realm}"')) as at:
        (failure,) = sent(flavour, at.url, GET, credentials=ADA)

    assert isinstance(failure, error)
    assert {heard.authorization for heard in at.heard} == {""}
