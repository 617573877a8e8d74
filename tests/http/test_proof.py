"""Who gets to see a credential, what for, and how often a token is asked for (the AUT cases)."""

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest

from dreg_client import Credential, errors
from tests.doors import Door, repository
from tests.http.documents import image, refusal, served

ADA = Credential("ada", "s3cr3t-canary")
BASIC = "Basic " + base64.b64encode(b"ada:s3cr3t-canary").decode()
REALM = "https://registry.example/token"


class Guarded:
    """A registry that wants a token, and its token server; what each saw of us is kept."""

    def __init__(self, challenge: str, token: dict[str, Any] | None = None) -> None:
        self.challenge, self.token = challenge, {"token": "tok-canary"} if token is None else token
        self.tokens: list[Any] = []
        self.shown: list[tuple[str, str | None]] = []

    def __call__(self, request: Any) -> Any:
        self.shown.append((request.url.host, request.headers.get("authorization")))
        if request.url.path.startswith("/token"):
            self.tokens.append(request)
            return served(json.dumps(self.token).encode(), "application/json")
        if request.headers.get("authorization") in {"Bearer tok-canary", BASIC if "Basic" in self.challenge else ""}:
            return image(request)
        return refusal(401, "UNAUTHORIZED", **{"WWW-Authenticate": self.challenge})


def bearer(realm: str = REALM, **more: str) -> str:
    members = {"realm": realm, "service": "registry.example", "scope": "repository:acme/web:pull", **more}
    return "Bearer " + ",".join(f'{name}="{value}"' for name, value in members.items())


def read(registry: Any) -> Any:
    return repository(registry).get_manifest("1.4")


def twice(door: Door) -> Callable[[Any], Any]:
    async def by_task(registry: Any) -> None:
        await read(registry)
        await read(registry)

    def by_thread(registry: Any) -> None:
        read(registry)
        read(registry)

    return by_task if door.is_async else by_thread


def test_row_44_a_token_is_asked_for_once_and_shown_with_each_request_from_then_on(door: Door) -> None:
    guarded = Guarded(bearer())
    door.run(guarded, twice(door), credentials=ADA)

    [asked] = guarded.tokens
    assert parse_qs(asked.url.query.decode()) == {
        "service": ["registry.example"],
        "scope": ["repository:acme/web:pull"],
    }
    assert [shown for _, shown in guarded.shown] == [None, BASIC, "Bearer tok-canary", "Bearer tok-canary"]


def test_q_07_a_public_image_is_read_with_a_token_for_nobody(door: Door) -> None:
    guarded = Guarded(bearer())
    door.run(guarded, read)

    assert guarded.tokens[0].headers.get("authorization") is None


def test_aut_15_a_foreign_scope_is_told_of_once_however_often_it_is_asked_for(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    class Forgetful(Guarded):
        """It takes each token once, and asks again."""

        def __call__(self, request: Any) -> Any:
            due = f"tok-{len(self.tokens) + 1}"
            if request.url.path.startswith("/token"):
                self.token = {"token": due}
            elif request.headers.get("authorization") == f"Bearer {self.token['token']}":
                self.token = {"token": "used"}
                return image(request)
            return super().__call__(request)

    forgetful = Forgetful(bearer(scope="*"))
    door.run(forgetful, twice(door))

    assert len(forgetful.tokens) == 2
    assert (
        len([record for record in caplog.records if "the challenge contains the scope '*'" in record.getMessage()]) == 1
    )


@pytest.mark.parametrize("missing", ["service", "scope"])
def test_row_44_a_challenge_may_leave_things_out(door: Door, missing: str) -> None:
    challenge = ",".join(part for part in bearer().split(",") if not part.startswith(missing))
    guarded = Guarded(challenge, {"access_token": "tok-canary"})
    door.run(guarded, read)

    asked = parse_qs(guarded.tokens[0].url.query.decode())
    assert asked["scope"] == ["repository:acme/web:pull"]
    assert ("service" in asked) == (missing != "service")


@pytest.mark.parametrize("scope", ["repository:other/thing:pull", "repository:acme/web:*", "registry:catalog:*", "*"])
def test_aut_15_only_what_is_needed_is_asked_for(door: Door, scope: str) -> None:
    guarded = Guarded(bearer(scope=scope))
    door.run(guarded, read)

    assert parse_qs(guarded.tokens[0].url.query.decode())["scope"] == ["repository:acme/web:pull"]


@pytest.mark.parametrize(
    "life", [{}, {"expires_in": 0}, {"expires_in": -1}, {"expires_in": "300"}, {"expires_in": None, "issued_at": "?"}]
)
def test_aut_13_a_token_lives_for_a_minute_at_least(door: Door, life: dict[str, Any]) -> None:
    guarded = Guarded(bearer(), {"token": "tok-canary", **life})
    door.run(guarded, twice(door))

    assert len(guarded.tokens) == 1


@pytest.mark.parametrize("answer", [b"<html>", b"{}", b'{"token": 7}', b'{"token": ""}', b"[]"])
def test_aut_11_an_answer_without_a_token_is_typed_and_never_shown(door: Door, answer: bytes) -> None:
    def registry(request: Any) -> Any:
        if request.url.path == "/token":
            return served(answer, "application/json")
        return refusal(401, **{"WWW-Authenticate": bearer()})

    with pytest.raises(errors.TokenError) as refused:
        door.run(registry, read)
    assert answer.decode() not in str(refused.value)


def test_aut_11_a_token_over_64_kib_is_not_read(door: Door) -> None:
    guarded = Guarded(bearer(), {"token": "x" * 70_000})

    with pytest.raises(errors.ResponseTooLargeError):
        door.run(guarded, read)


def test_trn_25_whoever_always_refuses_is_asked_twice(door: Door) -> None:
    guarded = Guarded(bearer(), {"token": "another"})

    with pytest.raises(errors.UnauthorizedError):
        door.run(guarded, read, credentials=ADA)
    assert len(guarded.tokens) == 1
    assert len(guarded.shown) == 3


def test_trn_25_a_token_that_is_refused_later_is_asked_for_anew_once(door: Door) -> None:
    given = iter(["old", "tok-canary"])
    guarded = Guarded(bearer())
    accepted = {"old"}

    def registry(request: Any) -> Any:
        if request.url.path == "/token":
            guarded.token = {"token": next(given)}
        elif request.headers.get("authorization") == "Bearer old" and accepted:
            accepted.clear()
            return image(request)
        return guarded(request)

    door.run(registry, twice(door))
    assert len(guarded.tokens) == 2


def test_aut_16_a_wrong_password_is_refused_by_the_token_server(door: Door) -> None:
    def registry(request: Any) -> Any:
        if request.url.path == "/token":
            return refusal(401, "UNAUTHORIZED", "no ada with s3cr3t-canary")
        return refusal(401, **{"WWW-Authenticate": bearer()})

    with pytest.raises(errors.UnauthorizedError, match="access denied") as refused:
        door.run(registry, read, credentials=ADA)
    assert "canary" not in str(refused.value)


def test_c_20_an_identity_token_is_posted_and_never_in_a_url(door: Door) -> None:
    guarded = Guarded(bearer())
    door.run(guarded, read, credentials=Credential(identity_token="identity-canary"))  # noqa: S106 (a canary)

    [asked] = guarded.tokens
    assert (asked.method, asked.url.query) == ("POST", b"")
    form = parse_qs(asked.content.decode())
    assert (form["grant_type"], form["refresh_token"]) == (["refresh_token"], ["identity-canary"])
    assert asked.headers.get("authorization") is None


def test_a_registry_token_is_shown_as_it_is(door: Door) -> None:
    guarded = Guarded(bearer())
    door.run(guarded, read, credentials=Credential(registry_token="tok-canary"))  # noqa: S106 (a canary)

    assert guarded.tokens == []


def test_basic_is_shown_where_it_is_asked_for(door: Door) -> None:
    guarded = Guarded('Basic realm="x"')
    door.run(guarded, twice(door), credentials=ADA)

    assert [shown for _, shown in guarded.shown] == [None, BASIC, BASIC]


def test_basic_without_a_credential_is_unauthorized(door: Door) -> None:
    with pytest.raises(errors.UnauthorizedError, match="dreg login"):
        door.run(Guarded('Basic realm="x"'), read)


def test_of_several_challenges_a_token_is_preferred(door: Door) -> None:
    guarded = Guarded(f'Negotiate, Basic realm="x", {bearer()}')
    door.run(guarded, read, credentials=ADA)

    assert len(guarded.tokens) == 1


@pytest.mark.parametrize(
    ("realm", "error"),
    [
        ("http://registry.example/token", errors.InsecureDowngradeError),
        ("https://evil.test/token", errors.CrossOriginError),
        ("https://registry.example.evil.test/token", errors.CrossOriginError),
        ("https://evilregistry.example/token", errors.CrossOriginError),
        ("https://127.0.0.1/token", errors.BlockedAddressError),
        ("https://169.254.169.254/token", errors.BlockedAddressError),
        ("https://10.0.0.1/token", errors.BlockedAddressError),
        ("https://2130706433/token", errors.BlockedAddressError),
        ("https://[::1]/token", errors.BlockedAddressError),
        ("https://localhost/token", errors.BlockedAddressError),
        ("file:///etc/passwd", errors.ChallengeError),
        ("https://user:pw@registry.example/token", errors.ChallengeError),
        ("", errors.ChallengeError),
    ],
)
def test_aut_01_aut_02_aut_03_a_token_server_that_is_not_the_registry_s_own_is_not_asked(
    door: Door, realm: str, error: type[Exception]
) -> None:
    guarded = Guarded(bearer(realm))

    with pytest.raises(error):
        door.run(guarded, read, credentials=ADA)
    assert len(guarded.shown) == 1, "nothing was sent there"


@pytest.mark.parametrize(
    ("registry", "realm"),
    [
        ("https://registry-1.docker.io", "https://auth.docker.io/token"),
        ("https://registry.gitlab.com", "https://gitlab.com/token"),
        ("https://registry.acme.example", "https://auth.acme.example/token"),
        ("https://acme.example", "https://auth.acme.example/token"),
        ("https://10.1.2.3", "https://10.1.2.3:8443/token"),
    ],
)
def test_d_15_the_token_servers_that_registries_have(door: Door, registry: str, realm: str) -> None:
    guarded = Guarded(bearer(realm))
    door.run(guarded, read, url=registry, credentials=ADA)

    assert len(guarded.tokens) == 1


@pytest.mark.parametrize(
    ("registry", "realm"),
    [
        ("https://a.co.uk", "https://b.co.uk/token"),
        ("https://ada.github.io", "https://bob.github.io/token"),
        ("https://10.0.0.1", "https://10.0.0.2/token"),
    ],
)
def test_d_15_neighbours_under_a_public_suffix_are_strangers(door: Door, registry: str, realm: str) -> None:
    guarded = Guarded(bearer(realm))

    with pytest.raises(errors.CrossOriginError, match="trusted_token_hosts"):
        door.run(guarded, read, url=registry, credentials=ADA)
    door.run(guarded, read, url=registry, credentials=ADA, trusted_token_hosts=(realm.split("/")[2],))


def test_a_stranger_s_token_server_may_be_asked_by_nobody(door: Door) -> None:
    guarded = Guarded(bearer("https://tokens.test/token"))
    door.run(guarded, read)

    assert guarded.tokens[0].headers.get("authorization") is None


def test_aut_07_a_challenge_that_breaks_the_grammar_is_not_answered(door: Door) -> None:
    for challenge in ('Bearer realm="https://registry.example', 'Bearer realm="a",realm="b"', "x" * 9000, "Digest a=b"):
        with pytest.raises(errors.ChallengeError):
            door.run(Guarded(challenge), read, credentials=ADA)


def test_aut_08_a_password_does_not_go_over_plain_http_unasked(door: Door) -> None:
    guarded = Guarded('Basic realm="x"')

    with pytest.raises(errors.InsecureDowngradeError):
        door.run(guarded, read, url="http://registry.example", credentials=ADA)
    assert [shown for _, shown in guarded.shown] == [None]
    with pytest.raises(errors.InsecureDowngradeError, match="transport="):
        door.run(guarded, read, url="http://localhost:5000", credentials=ADA)  # a transport may connect to any address
    assert [shown for _, shown in guarded.shown] == [None, None]
    door.run(guarded, read, url="http://registry.example", credentials=ADA, plain_http=True)


def test_aut_10_a_challenge_of_another_host_is_never_answered(door: Door) -> None:
    def registry(request: Any) -> Any:
        if request.url.host == "cdn.test":
            return refusal(401, **{"WWW-Authenticate": bearer("https://registry.example/token")})
        return 307, {"Location": "https://cdn.test/x"}, b""

    with pytest.raises(errors.UnauthorizedError):
        door.run(registry, read, credentials=ADA)
    assert not any(request.headers.get("authorization") for request in door.seen)


def test_a_service_of_the_caller_s_own_gives_tokens(door: Door) -> None:
    class Service:
        asked: list[str] = []  # noqa: RUF012 (for one test)

        def request_token(self, scope: str) -> str:
            self.asked.append(scope)
            return "tok-canary"

    guarded = Guarded(bearer())
    door.run(guarded, read, auth_service=Service())

    assert Service.asked == ["repository:acme/web:pull"]
    assert guarded.tokens == []


def test_aut_25_no_secret_is_in_any_text(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    guarded = Guarded(bearer())
    events: list[object] = []

    door.run(guarded, twice(door), credentials=ADA, on_event=events.append)
    with pytest.raises(errors.UnauthorizedError) as refused:
        door.run(Guarded(bearer(), {"token": "no-canary"}), read, credentials=ADA)

    told = f"{caplog.text} {events} {ADA} {refused.value!r} {refused.value}"
    assert "canary" not in told
