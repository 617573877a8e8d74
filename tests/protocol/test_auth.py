"""What answers a challenge: which of several, with which credential."""

from dataclasses import replace

import pytest

from dreg_client import Credential, Digest, errors
from dreg_client.protocol.auth import (
    basic_authorization,
    challenge_key,
    challenge_of,
    check_plain_http,
    given_credential,
    may_hide,
    repository_of,
    service_authorization,
)
from dreg_client.protocol.manifests import manifest_request
from dreg_client.protocol.messages import Headers, Request, Response
from dreg_client.protocol.options import FoundCredential, Options
from dreg_client.protocol.referrers import referrer_pages
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.protocol.tags_and_catalog import Pages, catalog_pages, tag_pages
from dreg_client.values.reference import RepositoryName, Tag

ADA = Credential("ada", "s3cr3t")
REGISTRY = RegistryURL.parse("https://registry.example")
PULL = Request("GET", "/v2/a/b/tags/list", "repository:a/b:pull")


def challenged(*lines: str) -> Response:
    return Response(401, Headers(("WWW-Authenticate", line) for line in lines), url="https://registry.example/v2/")


def test_bearer_is_chosen_before_basic() -> None:
    known = challenge_of(PULL, challenged("Basic realm=x", 'Bearer realm="https://registry.example/token"'))

    assert known is not None
    assert known.challenge.scheme == "bearer"
    assert known.scope == "repository:a/b:pull"


def test_bearer_without_a_realm_leaves_basic() -> None:
    known = challenge_of(PULL, challenged("Bearer service=x", "Basic realm=x"))

    assert known is not None
    assert known.challenge.scheme == "basic"


def test_a_401_without_a_challenge_has_none() -> None:
    assert challenge_of(PULL, Response(401)) is None


@pytest.mark.parametrize("line", ["Negotiate", "Bearer", 'Digest realm="x"', 'Bearer realm="x'])
def test_aut_07_what_cannot_be_answered_is_an_error(line: str) -> None:
    with pytest.raises(errors.ChallengeError):
        challenge_of(PULL, challenged(line))


def test_aut_15_only_the_request_s_own_scope_is_requested() -> None:
    line = 'Bearer realm="https://registry.example/token",scope="repository:other:pull registry:catalog:*"'
    known = challenge_of(PULL, challenged(line))

    assert known is not None
    assert known.scope == "repository:a/b:pull"


def test_the_repository_of_a_request_is_in_its_scope() -> None:
    assert repository_of(PULL) == "a/b"
    assert repository_of(Request("GET", "/v2/_catalog", "registry:catalog:*")) == ""
    assert repository_of(Request("GET", "/v2/")) == ""


LISTS = {
    "tags": tag_pages(RepositoryName("a/b")),
    "more tags": tag_pages(RepositoryName("a/b"), 5, "1.4"),
    "catalog": catalog_pages(),
    "referrers": referrer_pages(RepositoryName("a/b"), Digest.of(b""), "application/x-a"),
}


@pytest.mark.parametrize("pages", LISTS.values(), ids=LISTS)
def test_an_empty_list_may_hide_something_and_nothing_else_that_is_empty_does(pages: Pages) -> None:
    empty = Response(200, body=b'{"tags": [], "repositories": [], "manifests": []}', url="https://registry.example/")

    assert pages.request is not None
    assert may_hide(REGISTRY, pages.request, empty)
    assert not may_hide(REGISTRY, manifest_request("GET", RepositoryName("a/b"), Tag("list")), empty)
    assert not may_hide(REGISTRY, pages.request, replace(empty, body=b'{"tags": ["1"]}'))


def test_reading_and_writing_are_challenged_apart() -> None:
    keys = {method: challenge_key(REGISTRY, Request(method, "/v2/x", "s")) for method in ("GET", "HEAD", "PUT", "POST")}

    assert keys["GET"] == keys["HEAD"] != keys["PUT"] == keys["POST"]


@pytest.mark.parametrize(
    ("credential", "authorization"),
    [
        (None, None),
        (ADA, ADA.basic),
        (Credential(identity_token="i"), None),  # noqa: S106 (a sample)
        (Credential(registry_token="r"), "Bearer r"),  # noqa: S106 (a sample)
    ],
)
def test_basic_takes_a_password_or_a_registry_token(credential: Credential | None, authorization: str | None) -> None:
    assert basic_authorization(credential) == authorization


def test_a_given_credential_needs_no_look_up() -> None:
    class Source:
        def find(self, registry: str, repository: str = "") -> FoundCredential:
            raise AssertionError

    assert given_credential(Options()) == FoundCredential()
    assert given_credential(Options(credentials=ADA)) == FoundCredential(ADA)
    assert given_credential(Options(credentials=Source())) is None


@pytest.mark.parametrize("token", ["", 7, None, "a b", "a\r\nb", "ä"])
def test_a_service_must_return_a_token_that_can_be_sent(token: str) -> None:
    assert service_authorization("good") == "Bearer good"
    with pytest.raises(errors.TokenError) as failure:
        service_authorization(token)
    assert "a b" not in str(failure.value)


def test_aut_08_a_secret_is_not_sent_unencrypted() -> None:
    plain = RegistryURL.parse("http://registry.example")
    with pytest.raises(errors.InsecureDowngradeError):
        check_plain_http(plain.origin, "http://registry.example/v2/", Options())

    check_plain_http(plain.origin, "http://registry.example/v2/", Options(plain_http=True))
    check_plain_http(RegistryURL.parse("localhost:5000").origin, "http://localhost:5000/v2/", Options())
    check_plain_http(REGISTRY.origin, "https://registry.example/v2/", Options())
